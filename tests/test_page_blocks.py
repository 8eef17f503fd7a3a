"""Blocks of a page that are no console example: keys of a stack, command lines and refusals hold as they stand."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml
from typer.main import get_command

from l4serve.cli.app import app
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.schema.key_reference import objects
from l4serve.config.stack_file import SERVING_KEY
from tests import factories
from tests.each_case import each
from tests.editor import marked
from tests.factories import planned
from tests.stack_cases import ROOT

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
L4 = {"machineType": "g2-standard-8", "maxNodes": 2}


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Page and text of each block in one of the languages; the reference is generated."""
    for page in PAGES:
        if page.parent.name != "reference":
            for language, text in FENCE.findall(page.read_text("utf-8")):
                if language in languages:
                    yield str(page.relative_to(ROOT)), text


YAML = [(page, yaml.safe_load(textwrap.dedent(text))) for page, text in blocks("yaml")]
OURS = [(page, found) for page, found in YAML if isinstance(found, dict) and "repos" not in found]
"""Blocks of a stack; the others are of GitHub's workflows and of pre-commit."""


def whole(fragment: dict[str, Any]) -> dict[str, Any]:
    """A stack around keys of a stack, or of a workload."""
    if "config" in fragment:
        return fragment
    good = factories.serving({"qwen": factories.workload(nodePool="l4")}, pools={"l4": L4})
    if not fragment.keys() & objects()["StackConfig"]["properties"].keys():
        fragment = {"workloads": {"qwen": fragment}}
    for name, workload in fragment.get("workloads", {}).items():
        fragment["workloads"][name] = {**good["workloads"]["qwen"], **workload}
    return {"config": {SERVING_KEY: {**good, **fragment}}}


@each(OURS, lambda case: f"{case[0]}: {[*case[1]]}")
def test_keys_of_a_stack_are_taken_by_an_editor(case: tuple[str, dict[str, Any]]) -> None:
    assert marked(whole(case[1])) == []


COMMANDS = sorted(
    {
        line.partition("  #")[0].partition(" | ")[0].strip()
        for _, text in blocks("", "sh", "console")
        for line in text.splitlines()
        if re.match(r"(\$ )?l4serve [a-z]", line)
    }
)


@each(COMMANDS, str)
def test_each_command_line_has_options_that_its_command_has(line: str) -> None:
    _, name, *words = shlex.split(line.removeprefix("$ "))
    command: Any = get_command(app)
    while hasattr(command, "list_commands"):
        assert name in command.list_commands(None), name
        command = command.get_command(None, name)
        if hasattr(command, "list_commands"):
            name, *words = words
    options = {spelling: option for option in command.params for spelling in (*option.opts, *option.secondary_opts)}
    value = False
    for word in words:
        if word.startswith("-") and not value:
            assert word.partition("=")[0] in options, word
            value = "=" not in word and not getattr(options[word], "is_flag", True)
        else:
            value = False


def test_the_pages_show_many_commands_and_stacks() -> None:
    assert len(COMMANDS) > 25
    assert len(OURS) >= 6


FLEX = {"machineType": "g2-standard-8", "flexStart": {}, "minNodes": 1}
SHOWN = (
    ("docs/gke.md", {"nodePools": {"l4": FLEX}}),
    ("docs/gke.md", {"nodePools": {"l4": {**L4, "zones": ["us-central1-f"]}}}),
    ("docs/gke.md", {"nodePools": {"l4": {**L4, "diskType": "pd-standard"}}}),
    ("docs/engines.md", {"workloads": {"chat": factories.workload(engine={"swapSpace": 4}, nodePool="l4")}}),
)


@each(SHOWN, str)
def test_a_refusal_on_a_page_is_what_is_printed(case: tuple[str, dict[str, Any]]) -> None:
    page, keys = case
    shown = " ".join((ROOT / page).read_text("utf-8").split())
    good = factories.serving({"qwen": factories.workload(nodePool="l4")}, pools={"l4": L4})
    try:
        planned({**good, **keys})
    except ConfigError as refused:
        told = [" ".join(str(problem).split()) for problem in refused.problems]
        assert any(one in shown for one in told), told
        return
    raise AssertionError("nothing is refused")
