"""Takes the pictures of the report that the documentation shows, with a headless Chromium that is on PATH."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EDITS = {"maxModelLen: 8192": "maxModelLen: 16384", "replicas: 1": "replicas: 2", "spot: true": "spot: false"}
"""Edits of the stack dev, as text."""


def main() -> int:
    """Writes both pictures; returns the exit code."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"none of {', '.join(BROWSERS)} is on PATH", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        page = _page(Path(scratch))
        _picture(browser, page, IMAGES / "diff-report.png", 900, 1500, dark=False)
        _picture(browser, page, IMAGES / "diff-report-phone.png", 500, 1400, dark=True)
    return 0


def _page(folder: Path) -> Path:
    text = (ROOT / "Pulumi.dev.yaml").read_text("utf-8")
    for old, new in EDITS.items():
        text = text.replace(old, new)
    yaml.safe_load(text)
    after, page = folder / "Pulumi.dev.yaml", folder / "report.html"
    after.write_text(text, encoding="utf-8")
    command = "from l4serve.cli.start import main; main()"
    files = ("--from", "Pulumi.dev.yaml", "--to", str(after), "--html", str(page))
    subprocess.run([sys.executable, "-c", command, "diff", *files], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return page


def _picture(browser: str, page: Path, target: Path, width: int, height: int, *, dark: bool) -> None:
    target.parent.mkdir(exist_ok=True)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    shot = [f"--screenshot={target}", f"--window-size={width},{height}", scheme]
    subprocess.run([browser, *flags, *shot, page.as_uri()], check=True, capture_output=True, timeout=120)
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
