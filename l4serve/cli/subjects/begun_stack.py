"""A stack file that holds no stack yet: what `pulumi new` and `pulumi stack init` leave."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.config.reading.yaml_reader import MOST_BYTES, YamlError, read_yaml
from l4serve.config.stack_file import SERVING_KEY

_PULUMIS = frozenset({"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"})


def begun_stack(file: Path) -> Mapping[str, Any] | None:
    """What Pulumi wrote into a stack's file; None where somebody wrote a stack, a comment or anything else into it."""
    try:
        content = read_bytes(file, MOST_BYTES)
        document = read_yaml(content) or {}
    except (FileRefusedError, YamlError):
        return None
    config = document.get("config") or {} if isinstance(document, dict) else None
    if not isinstance(config, dict) or not document.keys() <= _PULUMIS or SERVING_KEY in config or b"#" in content:
        return None
    return {**document, "config": config}
