"""The environment in which the public estimators run, apart from the project's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv" / "benchmarks"
REQUIREMENTS = ROOT / "requirements" / "benchmarks.txt"


def tools_python() -> Path | None:
    """The interpreter that has the public estimators, or None before `install`."""
    python = FOLDER / "bin" / "python"
    return python if python.exists() else None


def install() -> Path:
    """Makes the environment from the pinned, hashed requirements; gives its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
    python = FOLDER / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)], check=True
    )
    return python
