"""The one request to the Hugging Face Hub: a model's config.json, where the catalogue does not know the model."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request

from l4serve.config.reading.files import MOST_JSON_BYTES
from l4serve.planning.models.catalogue import unless_meant
from l4serve.planning.models.hf_values import ModelConfigError

DEFAULT_ENDPOINT = "https://huggingface.co"
TIMEOUT_SECONDS = 5


def download_config(model: str) -> bytes:
    """The config.json of a model by its Hub id; HF_ENDPOINT names another Hub, HF_TOKEN opens a gated model.

    Raises ModelConfigError with what to do where the Hub refuses, lacks the model or cannot be reached.
    """
    endpoint = os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
    url = f"{endpoint.rstrip('/')}/{urllib.parse.quote(model)}/resolve/main/config.json"
    if not _is_address(url):
        raise ModelConfigError("HF_ENDPOINT holds no web address; unset it or give one")
    request = urllib.request.Request(url)  # noqa: S310 - the scheme is checked above
    token = os.environ.get("HF_TOKEN")
    if token:
        # Unredirected: the token goes to the Hub itself and never to the host that a redirect names.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            content = bytes(answer.read(MOST_JSON_BYTES + 1))
    except urllib.error.HTTPError as error:
        raise ModelConfigError(_refusal(model, error.code)) from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError):
        said = f"{model} is not in the catalogue and the Hub cannot be reached"
        raise ModelConfigError(f"{said}; {unless_meant(model)}give the path of its config.json") from None
    if len(content) > MOST_JSON_BYTES:
        raise ModelConfigError(
            f"{model}: the Hub's config.json is larger than {MOST_JSON_BYTES // 1024} KiB; check the model id"
        )
    return content


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:  # A bracket that is not closed.
        return False
    return parts.scheme in ("https", "http") and bool(parts.netloc)


def _refusal(model: str, status: int) -> str:
    if status in (401, 403):
        remedy = "accept its licence and set HF_TOKEN, or give the path of its config.json"
        return f"{model}: the Hub refuses access ({status}); {remedy}"
    if status == 404:
        return f"{model}: the Hub has no such model or no config.json in it; {unless_meant(model)}check the id"
    return f"{model}: the Hub answered {status}; try again or give the path of its config.json"
