"""A model's facts by catalogue id, by the path of a config.json, or from the Hugging Face Hub."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from l4serve.config.reading.files import (
    MOST_JSON_BYTES,
    FileRefusedError,
    exists_as_file,
    exists_as_folder,
    odd_kind,
    read_bytes,
    read_json,
)
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.model_ids import meant_by_option
from l4serve.planning.models.catalogue import find_model, model_hint
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def model_shape(model: str) -> ModelShape:
    """The facts of a model named by id or by the path of its config.json.

    A path wins where the file exists, then the catalogue, then the Hub (token from HF_TOKEN, answers
    cached in the user's cache). Raises ModelConfigError when none of them knows the model.
    """
    path = _path(model)
    if exists_as_file(path):
        return shape_from_config(_parse(_read(path), str(path)), model_id=model, source=str(path))
    if odd := odd_kind(path):
        raise ModelConfigError(f"{path} is {odd}, not a regular file; give a Hub id or the path of a config.json")
    known = find_model(model)
    if known is not None:
        return known
    if model.endswith(".json") or HUB_ID.fullmatch(model) is None:
        hint = meant_by_option(model) or model_hint(model) or "give a Hub id or the path of a config.json"
        raise ModelConfigError(f"{excerpt(model, 200)}: no such file and no catalogued model; {hint}")
    return shape_from_config(_hub_config(model), model_id=model, source=f"Hugging Face Hub, {model}")


def _path(model: str) -> Path:
    """Where the model would be a file: itself, or the config.json in the folder."""
    try:
        path = Path(model).expanduser()
        return path / "config.json" if exists_as_folder(path) else path
    except (OSError, RuntimeError, ValueError):
        return Path(model)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, MOST_JSON_BYTES)
    except FileRefusedError as error:
        raise ModelConfigError(f"{path}: the file {error}; give the config.json of the model's repository") from None


def _parse(content: bytes, name: str) -> Mapping[str, Any]:
    try:
        config = read_json(content, constant=float)
    except FileRefusedError as error:
        raise ModelConfigError(f"{name}: the file {error}; give the config.json of the model's repository") from None
    if not isinstance(config, Mapping):
        raise ModelConfigError(f"{name}: not a JSON object; give the config.json of the model's repository")
    return config


def _cache_file(model: str) -> Path | None:
    """Where the Hub's answer about a model is kept; None for a user without a home."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    with suppress(RuntimeError):
        return Path(root).expanduser() / "l4serve" / "hub" / f"{model.replace('/', '--')}.json"
    return None


def _hub_config(model: str) -> Mapping[str, Any]:
    cached = _cache_file(model)
    if cached and exists_as_file(cached):
        # What became of a cache is nobody's fault who asks: what cannot be read is fetched anew.
        with suppress(ModelConfigError):
            return _parse(_read(cached), str(cached))
    # Needed only for a model that is in no catalogue: it loads TLS, which costs more than the answer.
    from l4serve.cli.subjects.hub_download import download_config

    content = download_config(model)
    config = _parse(content, f"{model} on the Hub")
    if cached:
        _keep(content, cached)
    return config


def _keep(content: bytes, cached: Path) -> None:
    """Writes an answer into the cache, which may be full, another's, or no folder: then the next command asks again."""
    partial = cached.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(cached)
    with suppress(OSError):
        partial.unlink(missing_ok=True)
