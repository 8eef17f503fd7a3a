"""Headless Chromium on a page of a file: its DOM after scripts had their time, and a picture of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--virtual-time-budget=2000",
)
REQUIRED = "L4SERVE_BROWSER"
"""Set where the browser must be there: a skipped test would be taken for a passed one."""
SECONDS = 120


def browser() -> str:
    """The browser's path; skips the test without one, fails it where one is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set and none of {', '.join(NAMES)} is on PATH")
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is on PATH")
    return found


def run(page: Path, *flags: str, profile: Path) -> str:
    """What the browser prints for a page."""
    done = subprocess.run(
        [browser(), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
        capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    return done.stdout


def dom(page: Path, profile: Path) -> str:
    """The page's DOM as HTML once its scripts had two seconds."""
    return run(page, "--dump-dom", profile=profile)


def picture(
    page: Path, target: Path, profile: Path, *, width: int = 1000, height: int = 1600, dark: bool = False
) -> Path:
    """A picture of the top of a page, as a PNG file."""
    scheme = "0" if dark else "1"
    flags = (
        f"--screenshot={target}",
        f"--window-size={width},{height}",
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    run(page, *flags, profile=profile)
    return target
