"""What is taken of the tables of another commit, which anybody may have written."""

from pathlib import Path

import pytest

from l4serve.cli.subjects import base_data
from l4serve.cli.subjects.base_data import base_sides, tables_of
from l4serve.cli.subjects.base_tree import Commit


def test_a_table_of_the_base_is_never_written_beside_ours() -> None:
    changed = ("l4serve/engines/data/cards.yaml", "l4serve/__pycache__/evil.json", "l4serve/a/__pycache__/b/c.yaml")
    assert tables_of(changed) == ("l4serve/engines/data/cards.yaml",)


def test_a_folder_where_a_file_of_the_program_is_has_no_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "l4serve/version.py/prices.yaml"
    monkeypatch.setattr(base_data, "read_files", lambda *_: {name: b""})
    commit = Commit(base_data.PACKAGE.parent, "fork", "0" * 40)
    assert base_sides(commit, [name], {}, tmp_path, tmp_path) is None
