"""What nobody could hold against a source says so, with what would settle it."""

from pathlib import Path

import pytest
import yaml

from tests.stack_cases import ROOT

FILES = [path for path in sorted((ROOT / "l4serve").rglob("data/*.yaml")) if "\nunverified:" in path.read_text("utf-8")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_unverified_says_why_and_what_would_settle_it(file: Path) -> None:
    rows = yaml.safe_load(file.read_text("utf-8"))["unverified"]
    assert rows and all(set(row) == {"what", "why", "by"} and all(row.values()) for row in rows)


def test_googles_figures_name_their_pages() -> None:
    """Files whose figures were once written down from memory."""
    for name in ("network", "gateway", "gcs_fuse", "weight_disk", "lifecycle", "start", "doctor"):
        (file,) = (ROOT / "l4serve").rglob(f"data/{name}.yaml")
        text = file.read_text("utf-8")
        assert "https://" in text and "date: " in text, name
