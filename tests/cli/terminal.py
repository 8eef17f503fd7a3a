"""Runs the command line as a user at a terminal does."""

import os
import subprocess
import sys
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.stack_cases import ROOT


def run(*args: str, **env: str) -> Any:
    """One command in this process, 80 columns wide unless `COLUMNS` says otherwise."""
    invoke = partial(CliRunner().invoke, app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1", **env})
    # What -q says holds for this command alone.
    return copy_context().run(invoke)


def started(*args: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own."""
    code = "from l4serve.cli.start import main; main()"
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True, check=False)
