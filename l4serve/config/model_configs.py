"""Reads the config.json files that the workloads of a stack name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l4serve.config.reading.files import MOST_JSON_BYTES, FileRefusedError, inside, read_bytes, read_json
from l4serve.config.refusals.problems import refuse
from l4serve.config.secrecy.secret_shapes import excerpt

_MOST_BYTES_TOGETHER = 4 * MOST_JSON_BYTES
_WHOLE = "give the config.json of the model's repository as it is"
_PLACE = "keep the model's config.json beside the stack file, and give its path from there"


@dataclass
class ModelConfigs:
    """The files of one stack, each read once however many workloads name it."""

    base: Path
    """Folder of the stack file; no file outside it is read."""
    known: dict[Path, Mapping[str, Any]] = field(default_factory=dict)
    size: int = 0

    def config(self, path: str, name: str) -> Mapping[str, Any]:
        """The parsed file `name` that stands at a YAML path; raises ConfigError."""
        try:
            file = inside(self.base, name)
            if file not in self.known:
                self.known[file] = self._read(file)
        except FileRefusedError as error:
            reason = str(error)
            refuse(path, f"{excerpt(name, 200)} {reason}", _WHOLE if "JSON" in reason else _PLACE)
        return self.known[file]

    def _read(self, file: Path) -> Mapping[str, Any]:
        content = read_bytes(file, MOST_JSON_BYTES)
        self.size += len(content)
        if self.size > _MOST_BYTES_TOGETHER:
            raise FileRefusedError(f"and the others together are larger than {_MOST_BYTES_TOGETHER // 2**20} MiB")
        parsed = read_json(content, constant=float)
        if not isinstance(parsed, dict):
            raise FileRefusedError("is not a JSON object")
        return parsed
