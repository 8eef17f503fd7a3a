"""The project's own data are what PyYAML makes of them."""

from pathlib import Path

import pytest
import yaml

from l4serve.config import data_file
from tests.factories import ROOT

FILES = sorted(path for room in ("l4serve", "scripts", "stacks") for path in (ROOT / room).rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_read_as_pyyaml_reads_it(path: Path) -> None:
    text = path.read_text("utf-8")
    read = list(yaml.load_all(text, data_file._Loader))
    assert repr(read) == repr(list(yaml.load_all(text, data_file._BASE)))


def test_anchors_merges_and_dates_are_read_as_pyyaml_reads_them() -> None:
    text = "a: &a {x: 1, y: [on, 1.0, ~, '1']}\nb: {<<: *a, x: 2, 3: 2026-11-26}\nc: [*a, *a, !!str 5, !!int '6']\n"
    assert yaml.load(text, data_file._Loader) == yaml.safe_load(text)
