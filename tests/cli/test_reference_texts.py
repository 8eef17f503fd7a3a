"""No text that explains something is missing or says nothing: keys, options, notes, rules, cells of a page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from l4serve.cli.app import app
from l4serve.config.schema.key_reference import all_keys, objects
from l4serve.engines.rules import rules
from l4serve.planning.values.note import note_kinds
from tests.each_case import each
from tests.stack_cases import ROOT

PAGES = sorted({*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")})


def short(texts: Iterator[tuple[str, str]], least: int) -> list[tuple[str, str]]:
    listed = [(where, " ".join((text or "").split())) for where, text in texts]
    assert len(listed) > 40
    return sorted({(where, text) for where, text in listed if len(text.split()) < least})


def test_each_key_says_what_it_decides() -> None:
    """A name in other words says nothing: "Labels of the nodes." of nodePools.labels."""
    keys = ((f"{entry.part}.{entry.path.rpartition('.')[2]}", entry.text) for entry in all_keys())
    assert short(keys, 6) == []


def test_each_object_says_what_it_is() -> None:
    assert short(((name, definition.get("description", "")) for name, definition in objects().items()), 4) == []


def options(command: Any, path: str = "") -> Iterator[tuple[str, str]]:
    yield path or "l4serve", command.help
    yield from ((f"{path} {option.name}", option.help) for option in command.params)
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from options(command.get_command(None, name), f"{path} {name}".strip())


def test_each_command_and_option_has_a_help() -> None:
    assert short(options(get_command(app)), 3) == []


def test_each_note_tells_a_sentence_and_an_answer() -> None:
    assert short(((kind.id, kind.tells) for kind in note_kinds()), 6) == []
    assert short(((kind.id, kind.answer) for kind in note_kinds()), 3) == []
    assert [kind.id for kind in note_kinds() if not re.fullmatch(r"[A-Z/].*\.", kind.tells)] == []


def test_each_rule_has_a_reason_and_a_remedy() -> None:
    assert short(((rule.id, text) for rule in rules() for text in (rule.reason, rule.remedy)), 3) == []


@each(PAGES, lambda page: str(page.relative_to(ROOT)))
def test_no_cell_of_a_table_is_empty(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    empty = [row for row in rows for cell in re.split(r"(?<!\\)\|", row)[1:-1] if not cell.strip()]
    assert empty == []
