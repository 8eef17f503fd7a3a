"""Sandboxes of the tests without a control plane: a written state, and processes that sleep."""

import sys
from dataclasses import replace
from pathlib import Path

from l4serve.sandbox.state import SandboxState

SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]


def a_state(folder: Path, **values) -> SandboxState:
    folder.mkdir(parents=True, exist_ok=True)
    state = SandboxState(folder=folder, label="dev", version="v1.37.2", owner=None, server="https://127.0.0.1:1")
    state = replace(state, **values)
    state.save()
    return state
