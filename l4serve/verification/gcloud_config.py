"""The project of gcloud's config, read as gcloud reads it: its variable, else the file of the active configuration.

Source: https://docs.cloud.google.com/sdk/docs/configurations
"""

import os
from configparser import Error, RawConfigParser
from pathlib import Path

from l4serve.config.reading.files import FileRefusedError, read_bytes

_MOST_BYTES = 2**16


def gcloud_project() -> str | None:
    """The project that gcloud works on; None where it has none, or no config that can be read."""
    if project := os.environ.get("CLOUDSDK_CORE_PROJECT"):
        return project
    folder = Path(os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud").expanduser()
    active = os.environ.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or _text(folder / "active_config").strip() or "default"
    config = RawConfigParser()
    try:
        config.read_string(_text(folder / "configurations" / f"config_{active}"))
    except Error:
        return None
    return config.get("core", "project", fallback="").strip() or None


def _text(file: Path) -> str:
    try:
        return read_bytes(file, _MOST_BYTES).decode("utf-8", "replace")
    except FileRefusedError:
        return ""
