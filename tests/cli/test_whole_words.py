"""At 40 and at 80 columns every name, flag and address stands whole: what is printed can be copied."""

import re

import pytest
from rich.table import Table

from l4serve.cli.shell.output import SafeConsole
from l4serve.cli.subjects.stack_options import load_plan
from tests.cli.terminal import ROOT, run
from tests.stack_cases import STACKS


@pytest.mark.slow
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


@pytest.mark.slow
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
        ("recipes", "vllm-7b-awq"),
        ("contract", "list"),
        ("contract", "diff", "vllm-0.10.0", "vllm-0.26.0"),
        ("diff", "--from", "Pulumi.dev.yaml", "--to", "Pulumi.staging.yaml"),
        ("plan", "-s", "dev", "--edits"),
        (
            "estimate",
            "--model",
            "google/gemma-7b",
            "--input-tokens",
            "512",
            "--output-tokens",
            "9",
            "--concurrency",
            "1",
        ),
        ("advise", "-s", "dev"),
        pytest.param(("advise", "--model", "Qwen/Qwen2.5-1.5B-Instruct", "--goal", "cost"), marks=pytest.mark.slow),
        ("bench", "-s", "dev"),
    ],
    ids=str,
)
def test_the_words_are_the_same_at_every_width(
    args: tuple[str, ...], width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    def words(text: str) -> set[str]:
        return {word.rstrip(":") for word in re.sub(r"[─-╿]", " ", text).split()}

    wide = words(run(*args, COLUMNS="1000").stdout)
    broken = {w for w in wide - words(run(*args, COLUMNS=width).stdout) if not re.fullmatch(r"\[?[A-Z.]*\]?", w)}
    assert {word for word in broken if re.search(r"[-/_.]", word)} == set()


def test_a_table_that_becomes_records_keeps_its_caption() -> None:
    console = SafeConsole(width=20)
    table = Table("name", "what", title="Title", caption="and 3 more: --json")
    table.add_row("a-long-name-of-a-thing", "one")
    with console.capture() as captured:
        console.print(table)
    assert captured.get().splitlines() == ["Title", "a-long-name-of-a-thing", "  what: one", "and 3 more: --json"]


def test_the_title_of_records_and_the_lines_of_a_difference_keep_to_the_width() -> None:
    table = Table("name", "what", title="Speed of one pod, and USD per million tokens")
    table.add_row("a-name-of-a-thing", "another-name-of-it")
    console = SafeConsole(width=30)
    with console.capture() as captured:
        console.print(table)
    assert max(map(len, captured.get().splitlines())) <= 30
    lines = run("contract", "diff", "vllm-0.10.0", "vllm-0.26.0", COLUMNS="80").stdout.splitlines()
    assert max(len(line) for line in lines if " " in line.strip()) <= 80


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
