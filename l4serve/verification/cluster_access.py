"""A Kubernetes API client for the cluster of a stack, by its kubeconfig or by Pulumi's output."""

import os
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import yaml
from kubernetes.client import ApiClient
from kubernetes.config import ConfigException, new_client_from_config, new_client_from_config_dict

from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.config.reading.yaml_reader import YamlError, read_yaml
from l4serve.planning.gke.cluster_plan import ClusterPlan

_ODD_VALUES = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What the client raises on a kubeconfig with other values than it looks for, such as a date of no calendar."""
_PULUMI_SECONDS = 120
_MOST_FOREIGN_BYTES = 2**17
_ACTING_KEYS = ("exec", "auth-provider", "tokenFile")
"""What a client of a kubeconfig runs, or reads and sends to the server that it names."""


class AccessError(Exception):
    """The stack's cluster cannot be reached from here; the message names the remedy."""


def stack_client(cluster: ClusterPlan, stack: str, project_root: Path, *, trusted: bool) -> ApiClient:
    """The client of a stack's cluster.

    Only a `trusted` stack, the project's own or one that the user vouches for, has its kubeconfig's commands run, its
    files sent, and Pulumi asked in its folder: whoever wrote another could have anything run, and have Pulumi log in
    to a backend of theirs, which gets the user's token.

    An existing cluster is reached by the kubeconfig that its config names; one that Pulumi made or looked up, by the
    stack output `kubeconfig`, which stays in memory. Raises AccessError.
    """
    if cluster.mode == "existing" and not cluster.looked_up:
        named = str(Path(cluster.kubeconfig).expanduser()) if cluster.kubeconfig else None
        if named and not trusted:
            return _from_file(named, cluster.context, _harmless(named))
        return _from_file(named, cluster.context)
    if not trusted:
        raise AccessError(
            f"the kubeconfig of stack {stack} is an output of Pulumi, which would log in to the backend that the "
            "folder of the stack file names, and that file is not this project's own\n"
            "    fix: read the Pulumi.yaml there, then add --run-kubeconfig-commands"
        )
    return _from_text(_pulumi_output(stack, project_root), stack)


def kubeconfig_client(kubeconfig: str | None, context: str | None, stack: str) -> ApiClient:
    """The client of a stack's kubeconfig, given as text or as a path; None is the environment's. Raises AccessError."""
    if kubeconfig is not None and kubeconfig.lstrip().startswith("{"):
        return _from_text(kubeconfig, stack)
    return _from_file(kubeconfig, context)


def _harmless(path: str) -> bytes:
    """The content of a kubeconfig that a foreign stack names, one plain file with its credential in it."""
    if os.pathsep in path:
        what = f"the kubeconfigs {path} would be merged, one's credential with another's server"
        raise AccessError(f"{what}\n    fix: name one file in cluster.kubeconfig, or add --run-kubeconfig-commands")
    try:
        content = read_bytes(Path(path), _MOST_FOREIGN_BYTES)
        document = read_yaml(content)
    except FileRefusedError as error:
        raise AccessError(f"the kubeconfig {path} {error}\n    fix: set cluster.kubeconfig") from None
    except YamlError as error:
        raise AccessError(
            f"the kubeconfig {path} gives no access and is not a kubeconfig that this machine can use: {error}\n"
            "    fix: set cluster.kubeconfig"
        ) from None
    if _acts(document) or _acts(_as_its_client_reads(content)):
        raise AccessError(
            f"the kubeconfig {path} names a command to run or a file to send, and the stack file that it comes with is "
            "not this project's own\n    fix: read that kubeconfig, then add --run-kubeconfig-commands"
        )
    return content


def _acts(value: object) -> bool:
    """Whether a key that acts stands anywhere, or an entry of a list has its name, which the client takes for one."""
    if isinstance(value, list):
        return any(map(_acts, value))
    if not isinstance(value, dict):
        return False
    return value.get("name") in _ACTING_KEYS or any(
        (key in _ACTING_KEYS and bool(inner)) or _acts(inner) for key, inner in value.items()
    )


def _as_its_client_reads(content: bytes) -> object:
    """The same by PyYAML, which merges what our own reader takes for a key."""
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None  # its client refuses it too


def _from_file(named: str | None, context: str | None, content: bytes | None = None) -> ApiClient:
    """By `content` where it was looked at: a file may change until it is read again."""
    source = named if content is None else BytesIO(content)
    try:
        client: ApiClient = new_client_from_config(config_file=source, context=context)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, yaml.YAMLError, *_ODD_VALUES) as error:
        where = named or os.environ.get("KUBECONFIG") or "~/.kube/config"
        raise AccessError(
            f"the kubeconfig {where} gives no access: {_first_line(error)}\n"
            "    fix: set cluster.kubeconfig and cluster.context of the stack, or KUBECONFIG"
        ) from None
    return client


def _from_text(text: str, stack: str) -> ApiClient:
    try:
        client: ApiClient = new_client_from_config_dict(yaml.safe_load(text))  # type: ignore[no-untyped-call]
    # The text holds credentials, so an error must not quote it.
    except (ConfigException, OSError, yaml.YAMLError, *_ODD_VALUES) as error:
        raise AccessError(
            f"the output `kubeconfig` of stack {stack} is not a kubeconfig that this machine can use "
            f"({type(error).__name__})\n    fix: pulumi up -s {stack}"
        ) from None
    return client


def _pulumi_output(stack: str, project_root: Path) -> str:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise AccessError(
            f"the kubeconfig of stack {stack} is an output of Pulumi, whose CLI is not on PATH\n"
            "    fix: install the Pulumi CLI"
        )
    command = [
        pulumi,
        "stack",
        "output",
        "kubeconfig",
        "--show-secrets",
        "--stack",
        stack,
        "--non-interactive",
    ]
    try:
        done = subprocess.run(
            command, cwd=project_root, capture_output=True, text=True, timeout=_PULUMI_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise AccessError(
            f"pulumi stack output did not answer within {_PULUMI_SECONDS} s\n"
            f"    fix: see what holds it up: pulumi stack output -s {stack}"
        ) from None
    except OSError as error:
        raise AccessError(
            f"{pulumi} cannot be run: {error.strerror}\n"
            "    fix: install the Pulumi CLI anew, or name cluster.kubeconfig"
        ) from None
    if done.returncode != 0 or not done.stdout.strip():
        raise AccessError(
            f"Pulumi gives no kubeconfig for stack {stack}: {_last_line(done.stderr)}\n"
            f"    fix: pulumi login, then pulumi up -s {stack}"
        )
    return done.stdout


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
