"""A test run that is killed leaves nothing for long: its helpers end with it, its sandbox as the next one starts."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from l4serve.sandbox.paths import state_root
from tests.pulumi_cli.conftest import ControlPlane
from tests.pulumi_cli.engine import ROOT, WARM_PYTHON

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(120, func_only=True)]

WITH_ROOT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_the_sandbox_is_where_the_next_one_looks_for_what_a_killed_command_left(control_plane: ControlPlane) -> None:
    assert control_plane.state.folder.parent == state_root()
    assert control_plane.state.owner is not None


STARTING = """
import os, subprocess, sys
warm = subprocess.Popen([sys.executable, *sys.argv[1:], str(os.getpid())], stdout=subprocess.DEVNULL)
print(warm.pid)
"""


def test_a_warm_python_ends_with_who_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTING, str(WARM_PYTHON), "serve", str(tmp_path / "socket")]
    started = subprocess.run(command, cwd=ROOT, env=WITH_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(started.stdout)).wait(60)
