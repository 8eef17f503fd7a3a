"""At 40 and at 80 columns every name, flag and address stands whole: what is printed can be copied."""

import re

import pytest
from rich.table import Table

from l4serve.cli.output import SafeConsole
from l4serve.cli.stack_options import load_plan
from tests.cli.terminal import run
from tests.stack_cases import STACKS


@pytest.mark.parametrize("width", ["40", "80"])
@pytest.mark.parametrize("stack", STACKS)
def test_a_plan_names_its_parts_whole(stack: str, width: str) -> None:
    plan = load_plan(stack, None)
    words = set(run("plan", "-s", stack, COLUMNS=width).stdout.split())
    names = [*(w.name for w in plan.workloads), *(w.model.id for w in plan.workloads)]
    names += [p.name for p in plan.node_pools] + [p.machine_type for p in plan.node_pools]
    flags = [argument for w in plan.workloads for argument in w.engine.argv[1:]]
    for name in (*names, *flags):
        assert name in words or f"{name}:" in words, (name, width)


@pytest.mark.parametrize("width", ["40", "80"])
@pytest.mark.parametrize(
    "args",
    [
        ("models",),
        ("recipes",),
        ("shapes",),
        ("check", "-s", "staging", "--engine-version", "vllm-0.33.0"),
        ("contract", "show", "vllm-0.26.0"),
        ("contract", "rules"),
        ("fit", "--model", "google/gemma-7b"),
        ("explain", "workloads.engine.chatTemplate"),
    ],
    ids=" ".join,
)
def test_the_words_are_the_same_at_every_width(args: tuple[str, ...], width: str) -> None:
    def words(text: str) -> set[str]:
        return {word.rstrip(":") for word in re.sub(r"[─-╿]", " ", text).split()}

    wide = words(run(*args, COLUMNS="1000").stdout)
    broken = {w for w in wide - words(run(*args, COLUMNS=width).stdout) if not re.fullmatch(r"\[?[A-Z.]*\]?", w)}
    assert {word for word in broken if re.search(r"[-/_.]", word)} == set()


def test_a_table_is_kept_while_its_words_fit() -> None:
    console = SafeConsole(width=30)
    table = Table("name", "what")
    table.add_row("a-long-name", "one two three four five six seven")
    with console.capture() as captured:
        console.print(table)
    assert "┃" in captured.get()
    assert "a-long-name" in captured.get()
    assert max(map(len, captured.get().splitlines())) <= 30
    narrow = SafeConsole(width=14)
    with narrow.capture() as captured:
        narrow.print(table)
    assert captured.get().splitlines()[0] == "a-long-name"
