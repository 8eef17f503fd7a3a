"""Programs as a fresh virtual environment would have them, that run the code of a folder."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "GIT_CONFIG_NOSYSTEM": "1"}
ROOT = Path(__file__).resolve().parents[2]


def programs(folder: Path, code: Path) -> Path:
    """A folder with `python` and `l4serve` that import the code of another folder."""
    folder.mkdir(parents=True)
    start = f'exec env PYTHONPATH="{code}" "{sys.executable}"'
    main = "from l4serve.cli.start import main; main()"
    for name, line in {"python": f'{start} "$@"', "l4serve": f'{start} -c "{main}" "$@"'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def environment(**values: str) -> Mapping[str, str]:
    """The tests' environment without a credential, a Pulumi CLI or a way out."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, **OFFLINE, "HOME": "/nonexistent", **values}
