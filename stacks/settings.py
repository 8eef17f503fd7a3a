"""The only reader of Pulumi's config: the same loader as the CLI's, with refusals as readable run errors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from l4serve.config.problem_places import places_in, told
from l4serve.config.reading.files import FileRefusedError, read_json
from l4serve.config.refusals.problems import ConfigError, refuse
from l4serve.config.stack_file import PROJECT, SECRET, SERVING_KEY, Stack, parse_stack, written_serving
from l4serve.planning.values.figures import counted

_PLAIN = "in plain text"
"""Stands for a value that is no secret, which only its name is told of."""
REASONS_SHOWN = 32
"""Exit status by which a program tells Pulumi's language host that it has shown why it stops."""


def load_settings() -> Stack:
    """The stack that Pulumi runs, validated; raises pulumi.RunError with every problem of its config."""
    try:
        if pulumi.runtime.is_config_secret(SERVING_KEY):
            # Pulumi would hand it over decrypted, and the plan stands in plain state.
            refuse(
                SERVING_KEY,
                "an encrypted value cannot be used here",
                "only hfToken is a secret, and what apiKey.config names",
            )
        return parse_stack(pulumi.get_stack(), _values(), base=Path.cwd())
    except ConfigError as error:
        raise refusal(error) from None


def token() -> pulumi.Output[str] | None:
    """The Hugging Face token as a secret, or None where the stack has none."""
    return pulumi.Config(PROJECT).get_secret("hfToken")


def secret(name: str) -> pulumi.Output[str] | None:
    """A secret of the stack's config by its name; None where the stack has none of that name."""
    return pulumi.Config(PROJECT).get_secret(name)


def refusal(error: ConfigError) -> pulumi.RunError:
    """A refused config as Pulumi shows it: each problem with its file and line, no traceback."""
    count, place = len(error.problems), places_in(_own_file())
    reasons = "\n".join(told(problem, place(problem.path)) for problem in error.problems)
    return pulumi.RunError(f"the config of this stack is refused ({counted(count, 'problem')}):\n{reasons}")


def _own_file() -> Path | None:
    """The stack's file, by the name that it has unless `pulumi --config-file` says another; None where it says so."""
    file = Path(f"Pulumi.{pulumi.get_stack()}.yaml")
    try:
        given = read_json((pulumi.Config(PROJECT).get("serving") or "").encode())
    except FileRefusedError:
        return None
    return file if file.is_file() and written_serving(file) == given else None


def _values() -> Mapping[str, Any]:
    """Every key of the config, whosever it is; what is secret, or is not read here, is known by its name alone."""
    config = pulumi.runtime.config.CONFIG.get()
    read = {SERVING_KEY, "gcp:project"}
    values = {key: value if key in read else _PLAIN for key, value in config.items()}
    return {key: SECRET if pulumi.runtime.is_config_secret(key) else value for key, value in values.items()}
