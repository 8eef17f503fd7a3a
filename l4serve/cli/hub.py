"""A model's facts by catalogue id, by the path of a config.json, or from the Hugging Face Hub."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l4serve.config.files import MOST_JSON_BYTES, FileRefusedError, exists_as_file, read_bytes, read_json
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import ModelConfigError, shape_from_config
from l4serve.planning.models.model_shape import ModelShape

DEFAULT_ENDPOINT = "https://huggingface.co"
TIMEOUT_SECONDS = 5
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def model_shape(model: str) -> ModelShape:
    """The facts of a model named by id or by the path of its config.json.

    A path wins where the file exists, then the catalogue, then the Hub (token from HF_TOKEN, answers
    cached in the user's cache). Raises ModelConfigError when none of them knows the model.
    """
    path = _path(model)
    if exists_as_file(path):
        return shape_from_config(_parse(_read(path), str(path)), model_id=model, source=str(path))
    known = find_model(model)
    if known is not None:
        return known
    if model.endswith(".json") or HUB_ID.fullmatch(model) is None:
        raise ModelConfigError(
            f"{model}: no such file and no catalogued model; give a Hub id or the path of a config.json"
        )
    return shape_from_config(_hub_config(model), model_id=model, source=f"Hugging Face Hub, {model}")


def _path(model: str) -> Path:
    """Where the model would be a file: itself, or the config.json in the folder."""
    try:
        path = Path(model).expanduser()
        return path / "config.json" if path.is_dir() else path
    except (OSError, RuntimeError, ValueError):
        return Path(model)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, MOST_JSON_BYTES)
    except FileRefusedError as error:
        raise ModelConfigError(f"{path}: the file {error}; give the config.json of the model's repository") from None


def _parse(content: bytes, name: str) -> Mapping[str, Any]:
    try:
        config = read_json(content)
    except FileRefusedError as error:
        raise ModelConfigError(f"{name}: the file {error}; give the config.json of the model's repository") from None
    if not isinstance(config, Mapping):
        raise ModelConfigError(f"{name}: not a JSON object; give the config.json of the model's repository")
    return config


def _cache_file(model: str) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "l4serve" / "hub" / f"{model.replace('/', '--')}.json"


def _hub_config(model: str) -> Mapping[str, Any]:
    cached = _cache_file(model)
    if cached.is_file():
        return _parse(_read(cached), str(cached))
    content = _download(model)
    config = _parse(content, f"{model} on the Hub")
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(cached)
    return config


def _download(model: str) -> bytes:
    endpoint = os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
    if not endpoint.startswith(("https://", "http://")):
        raise ModelConfigError("HF_ENDPOINT holds no web address; unset it or give one")
    url = f"{endpoint.rstrip('/')}/{urllib.parse.quote(model)}/resolve/main/config.json"
    request = urllib.request.Request(url)  # noqa: S310 - the scheme is checked above
    token = os.environ.get("HF_TOKEN")
    if token:
        # Unredirected: the token goes to the Hub itself and never to the host that a redirect names.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            content = bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise ModelConfigError(_refusal(model, error.code)) from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError):
        raise ModelConfigError(
            f"{model} is not in the catalogue and the Hub cannot be reached; give the path of its config.json"
        ) from None
    if len(content) > MOST_JSON_BYTES:
        raise ModelConfigError(f"{model}: the Hub's config.json is larger than {MOST_JSON_BYTES // 1024} KiB")
    return content


def _refusal(model: str, status: int) -> str:
    if status in (401, 403):
        remedy = "accept its licence and set HF_TOKEN, or give the path of its config.json"
        return f"{model}: the Hub refuses access ({status}); {remedy}"
    if status == 404:
        return f"{model}: the Hub has no such model or no config.json in it; check the id"
    return f"{model}: the Hub answered {status}; try again or give the path of its config.json"
