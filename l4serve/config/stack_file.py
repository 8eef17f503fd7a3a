"""The loader of a stack: one path from raw config values to a validated stack, for the CLI and for Pulumi alike."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from l4serve.config.base import examples_of, keys_of
from l4serve.config.gathering import gather_all
from l4serve.config.problems import ConfigError, Problem, problems_from, refuse
from l4serve.config.recipes import apply_recipes
from l4serve.config.stack import StackConfig

PROJECT = "gke-llm-serving"
SERVING_KEY = f"{PROJECT}:serving"
TOKEN_KEY = f"{PROJECT}:hfToken"
_HIDE_TOKEN = "pulumi config set --secret hfToken, and revoke the token that was stored"


class Token(Enum):
    """What is known of the Hugging Face token without reading it."""

    ABSENT = "absent"
    CONFIGURED = "configured"


@dataclass(frozen=True)
class Stack:
    """A validated stack."""

    name: str
    config: StackConfig
    project: str | None
    """Google Cloud project from `gcp:project`."""
    token: Token
    serving: Mapping[str, Any]
    """The object as it was given, before recipes."""
    model_configs: Mapping[str, Mapping[str, Any]]
    """The parsed config.json of each workload that names one."""
    base: Path
    """Folder that relative paths in the config start from."""


class StackFileError(ValueError):
    """A stack file that cannot be read: the message names the file and the remedy."""


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice, where the plain loader keeps the last one in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_stack_file(path: Path) -> Stack:
    """Reads and validates `Pulumi.<stack>.yaml`; raises StackFileError or ConfigError. Decrypts nothing."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - it derives from the safe one
    except (OSError, UnicodeDecodeError) as error:
        raise StackFileError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'no UTF-8 text'}") from None
    except yaml.YAMLError as error:
        raise StackFileError(f"{path}: no valid YAML: {_yaml_reason(error)}") from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise StackFileError(f"{path}: the key `config` with the stack's values is missing")
    name = path.name.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml")
    return parse_stack(name, {str(key): value for key, value in config.items()}, base=path.parent)


def parse_stack(name: str, values: Mapping[str, Any], *, base: Path) -> Stack:
    """Validates the config values of a stack, keyed as in the stack file; raises ConfigError with every problem.

    Relative paths in the config start from the folder `base`.
    """
    problems = [*_unknown_keys(values), *_plain_token(values)]
    config: StackConfig | None = None
    try:
        serving = _serving_object(values.get(SERVING_KEY))
        if hidden := [*_secrets_inside(serving, "")]:
            raise ConfigError(hidden)
        merged, recipe_problems = apply_recipes(serving)
        problems += recipe_problems
        config = StackConfig.model_validate(merged)
        models = _read_model_configs(config, base)
    except ConfigError as error:
        problems += error.problems
    except ValidationError as error:
        problems += problems_from(error, keys_of(StackConfig), examples_of(StackConfig))
    if problems or config is None:
        raise ConfigError(problems)
    project = values.get("gcp:project")
    token = Token.CONFIGURED if values.get(TOKEN_KEY) is not None else Token.ABSENT
    return Stack(
        name=name,
        config=config,
        project=None if project is None else str(project),
        token=token,
        serving=serving,
        model_configs=models,
        base=base,
    )


def _serving_object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ConfigError([Problem(SERVING_KEY, "a mapping is expected, not a string")]) from None
    if value is None:
        remedy = "see Pulumi.dev.yaml for one, or set values with: pulumi config set --path 'serving.cluster.mode' ..."
        raise ConfigError([Problem(SERVING_KEY, "the stack has no serving config", remedy)])
    if not isinstance(value, dict):
        raise ConfigError([Problem(SERVING_KEY, f"a mapping is expected, not a {type(value).__name__}")])
    return value


def _read_model_configs(config: StackConfig, base: Path) -> Mapping[str, Mapping[str, Any]]:
    files = {name: base / w.model.config for name, w in config.workloads.items() if w.model.config is not None}
    read = gather_all(
        partial(_read_model_config, f"workloads.{name}.model.config", file) for name, file in files.items()
    )
    return dict(zip(files, read, strict=True))


def _read_model_config(path: str, file: Path) -> Mapping[str, Any]:
    try:
        parsed = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        refuse(path, f"{file} cannot be read: {error.strerror}", "give a path relative to the project")
    except ValueError:
        refuse(path, f"{file} is no JSON", "save the model's config.json there")
    if not isinstance(parsed, dict):
        refuse(path, f"{file} is no JSON object", "save the model's config.json there")
    return parsed


def _unknown_keys(values: Mapping[str, Any]) -> list[Problem]:
    known = {SERVING_KEY, TOKEN_KEY}
    return [
        Problem(key, "there is no such key in this project", f"use {SERVING_KEY} or {TOKEN_KEY}")
        for key in values
        if (key.startswith(f"{PROJECT}:") and key not in known) or ":" not in key
    ]


def _plain_token(values: Mapping[str, Any]) -> list[Problem]:
    token = values.get(TOKEN_KEY)
    if token is None or token is SECRET or (isinstance(token, dict) and set(token) == {"secure"}):
        return []
    return [Problem(TOKEN_KEY, "the token stands in plain text in the stack's config", _HIDE_TOKEN)]


SECRET = object()
"""Stands for a secret value that Pulumi holds, which the loader never sees."""


_HUB_TOKEN = re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}")


def _secrets_inside(value: Any, path: str) -> Iterator[Problem]:
    """Encrypted values and plain tokens, found before any later message could repeat them."""
    if isinstance(value, dict) and set(value) == {"secure"}:
        yield Problem(path, "an encrypted value cannot be used here", "only hfToken is a secret of this project")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _secrets_inside(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _secrets_inside(item, f"{path}[{i}]")
    elif isinstance(value, str) and _HUB_TOKEN.search(value):
        yield Problem(path, "a Hugging Face token stands here in plain text", _HIDE_TOKEN)


def _yaml_reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{getattr(error, 'problem', None) or 'it cannot be parsed'}{where}"
