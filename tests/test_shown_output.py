"""No block of a page shows what a command prints without a test that holds it to that."""

import re
from collections.abc import Iterator

from l4serve.config.refusals.problems import ConfigError
from l4serve.sandbox.pod_locations import PodPlacement
from l4serve.sandbox.rehearsal import Rehearsal
from tests import factories
from tests.cli.answers.test_sandbox_view import shown
from tests.cli.commands.test_verify_command import VLLM, contract_metrics
from tests.cli.verifying import run
from tests.factories import planned
from tests.sandbox.sandbox_objects import l4_node
from tests.test_page_blocks import L4, SHOWN, blocks
from tests.test_readme import EXAMPLE, EXAMPLES
from tests.verification.conftest import running_engine

OUTPUT = re.compile(r"^\$ |^ +fix: |[┏│─]", re.M)
FRACTION = re.compile(r"\d+\.\d+")
PRINTED = [(page, text) for page, text in blocks("", "text", "console") if OUTPUT.search(text)]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, wrapped ones joined, with every measured figure as 0."""
    found: list[list[str]] = []
    for line in text.splitlines():
        cells = [FRACTION.sub("0", cell.strip()) for cell in re.split("[│┃]", line)[1:-1]]
        if cells and cells[0]:
            found.append(cells)
        elif cells:
            found[-1] = [f"{above} {cell}".strip() for above, cell in zip(found[-1], cells, strict=True)]
    return found


def test_the_checks_of_a_server_are_those_that_are_printed() -> None:
    with running_engine("vllm", "", contract_metrics("vllm", "0.26.0")) as url:
        printed = run("--base-url", url, *VLLM, env={"COLUMNS": "80"}).stdout
    tables = [text for _, text in PRINTED if "every check holds" in text]
    assert len(tables) == 2
    for text in tables:
        assert rows(text) == rows(printed)


def placements(text: str) -> Iterator[PodPlacement]:
    for line in text.splitlines():
        if found := re.fullmatch(r"  (\S+-[0-9a-f]{8,10}-\w{5}) +(\S+) +(\S+) +(\d) +(\w+)", line):
            pod, node, machine, gpus, phase = found.groups()
            yield PodPlacement(
                namespace="llm", workload=pod.rsplit("-", 2)[0], pod=pod, node=node, machine_type=machine,
                zone="us-central1-a", gpus=int(gpus), phase=phase, ready=True, final=True, reason=None,
            )  # fmt: skip


def test_the_rehearsal_that_is_shown_is_printed_so() -> None:
    text = EXAMPLES["rehearse -s staging"]
    label, version = re.findall(r"^(\w+) on Kubernetes (\S+)$", text, re.M)[0]
    nodes, seconds = re.findall(r"of (\d+) nodes \((\d+) s\)", text)[0]
    rehearsal = Rehearsal(
        label=label,
        version=version,
        nodes=tuple(l4_node(f"l4-aa0835-{number}", "l4") for number in range(int(nodes))),
        placements=tuple(placements(text)),
        failures=(),
        seconds=float(seconds),
        kubeconfig=None,
    )
    assert len(rehearsal.placements) == 2
    assert [line.rstrip() for line in shown(rehearsal).strip().splitlines()] == text.strip().splitlines()


def refusals() -> Iterator[str]:
    good = factories.serving({"qwen": factories.workload(nodePool="l4")}, pools={"l4": L4})
    for _, keys in SHOWN:
        try:
            planned({**good, **keys})
        except ConfigError as refused:
            yield from (str(problem) for problem in refused.problems)


def test_each_block_that_shows_what_is_printed_is_held() -> None:
    told = set(refusals())
    free = []
    for page, text in PRINTED:
        shown_refusals = re.findall(r"^\S.*\n    fix: .*$", text, re.M)
        example = EXAMPLE.fullmatch(f"```console\n{text}```\n")
        if not (example or "every check holds" in text or (shown_refusals and set(shown_refusals) <= told)):
            free.append(f"{page}: {text[:60]!r}")
    assert free == []
    assert len(PRINTED) > 10
