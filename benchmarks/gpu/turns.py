"""Turns on one card: engines start side by side, and each serves its loads while the others rest."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

POLL_S = 0.05


class Turns:
    """Marks in a folder by which the driver gives one started engine after the other its turn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _mark(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}.{kind}"

    def wait(self, name: str) -> None:
        """Called by a started engine: says that it rests, and returns at its turn."""
        self._mark(name, "ready").touch()
        while not self._mark(name, "go").exists():
            time.sleep(POLL_S)

    def done(self, name: str) -> None:
        """Called by an engine whose loads are served."""
        self._mark(name, "done").touch()

    def give(self, running: Iterable[str]) -> None:
        """Called by the driver: gives a turn once every running engine has started and none is at its loads."""
        names = list(running)
        if not names or not all(self._mark(name, "ready").exists() for name in names):
            return
        if any(self._mark(name, "go").exists() and not self._mark(name, "done").exists() for name in names):
            return
        for name in names:
            if not self._mark(name, "go").exists():
                self._mark(name, "go").touch()
                return
