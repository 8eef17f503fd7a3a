"""What a person and a machine see of a rehearsal."""

import io
from pathlib import Path

import pytest
import typer

from l4serve.cli.answers.sandbox_view import print_rehearsal, readable_sandbox_errors, rehearsal_json, shown_progress
from l4serve.cli.shell.output import SafeConsole
from l4serve.sandbox.apply import ApplyFailure
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.pod_locations import PodPlacement
from l4serve.sandbox.rehearsal import Rehearsal
from tests.cli.terminal import run
from tests.sandbox.sandbox_objects import l4_node

REFUSAL = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."
LONG_NAME = "vllm-7b-it-tensorparallelism-with-a-name-of-forty"


def placed(name: str, reason: str | None = None) -> PodPlacement:
    running = reason is None
    return PodPlacement(
        namespace="llm",
        workload=name,
        pod=f"{name}-59c6598c6-rtkgq",
        node="l4-47388d-0" if running else None,
        machine_type="g2-standard-24" if running else None,
        zone="us-central1-a" if running else None,
        gpus=2,
        phase="Running" if running else "Pending",
        ready=running,
        final=True,
        reason=reason,
    )


def rehearsed(
    *placements: PodPlacement, failures: tuple[ApplyFailure, ...] = (), keep: Path | None = None
) -> Rehearsal:
    return Rehearsal(
        label="guide",
        version="v1.37.2",
        nodes=(l4_node("l4-47388d-0", "l4"), l4_node("l4-47388d-1", "l4")),
        placements=placements,
        failures=failures,
        seconds=12.34,
        kubeconfig=keep,
    )


def shown(rehearsal: Rehearsal, width: int = 80) -> str:
    screen = io.StringIO()
    print_rehearsal(rehearsal, SafeConsole(file=screen, width=width))
    return screen.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_screen_and_cuts_nothing(width: int) -> None:
    text = shown(rehearsed(placed(LONG_NAME), placed("gemma", REFUSAL)), width)
    assert max(map(len, text.splitlines())) <= width
    first_cells = "".join(line.strip().split("  ")[0] for line in text.splitlines())
    assert f"{LONG_NAME}-59c6598c6-rtkgq" in first_cells
    for part in ("l4-47388d-0", "g2-standard-24", "Running", "Pending", "1 of 2 pods run, on 1 of 2 nodes"):
        assert part in text


def test_a_reason_that_pods_share_is_said_once_with_their_number() -> None:
    text = " ".join(shown(rehearsed(placed("gemma", REFUSAL), placed("gemma", REFUSAL))).split())
    assert text.count(REFUSAL) == 1
    assert f"gemma: 2 pods do not run: {REFUSAL}" in text


def test_markup_in_a_reason_is_shown_as_it_is() -> None:
    assert "[/red] untolerated" in shown(rehearsed(placed("gemma", "taint {a: [/red] untolerated}")))


def test_a_refused_object_is_shown_with_what_the_api_server_said() -> None:
    failure = ApplyFailure(object="Deployment llm/gemma", reason="spec.replicas: Invalid value: -1")
    text = shown(rehearsed(failures=(failure,)))
    assert "Deployment llm/gemma was refused: spec.replicas: Invalid value: -1" in text


def test_json_has_the_same_and_the_zone() -> None:
    document = rehearsal_json(rehearsed(placed("gemma"), placed("qwen", REFUSAL), keep=Path("/state/kubeconfig")))
    assert document["ok"] is False
    assert document["kubeconfig"] == "/state/kubeconfig"
    assert document["seconds"] == 12.3
    running, pending = document["pods"]
    assert running == {
        "namespace": "llm",
        "workload": "gemma",
        "pod": "gemma-59c6598c6-rtkgq",
        "node": "l4-47388d-0",
        "machineType": "g2-standard-24",
        "zone": "us-central1-a",
        "gpus": 2,
        "phase": "Running",
        "ready": True,
        "reason": None,
    }
    assert (pending["node"], pending["reason"]) == (None, REFUSAL)
    assert document["nodes"][0] == {
        "name": "l4-47388d-0",
        "pool": "l4",
        "machineType": "g2-standard-8",
        "zone": "us-central1-a",
        "gpus": 1,
    }


@pytest.mark.parametrize(
    ("rehearsal", "ok"),
    [
        (rehearsed(placed("gemma")), True),
        (rehearsed(), True),
        (rehearsed(placed("gemma"), placed("qwen", REFUSAL)), False),
        (rehearsed(placed("gemma"), failures=(ApplyFailure(object="Secret x", reason="no"),)), False),
    ],
)
def test_a_rehearsal_is_ok_when_all_is_taken_and_all_runs(rehearsal: Rehearsal, ok: bool) -> None:
    assert rehearsal.ok is ok


def test_a_failure_of_the_sandbox_is_a_message_with_its_remedy_and_exit_code_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as ended, readable_sandbox_errors():
        raise SandboxError("Go is missing.", remedy="install [bold] Go", detail="go: not found")
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "error: Go is missing.\ngo: not found\nfix: install [bold] Go\n"


def test_without_a_terminal_each_task_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as progress:
        for done in range(3):
            progress("compiling etcd", done, 3)
        progress("waiting for the pods", 0, None)
    captured = capsys.readouterr()
    assert captured.err == "compiling etcd\nwaiting for the pods\n"
    assert captured.out == ""


def test_without_a_terminal_a_long_task_says_each_tenth_once(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as progress:
        for done in range(0, 100_001, 500):
            progress("compiling etcd", done, 100_000)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["compiling etcd", "compiling etcd: 10 %", "compiling etcd: 20 %"]
    assert (lines[-1], len(lines)) == ("compiling etcd: 100 %", 11)


def test_a_judgement_on_the_way_to_a_sandbox_names_its_line(tmp_path: Path) -> None:
    stack = tmp_path / "Pulumi.late.yaml"
    stack.write_text(
        """\
config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: standard, name: llm, location: us-central1-a}
    nodePools: {l4: {machineType: g2-standard-8, maxNodes: 3}}
    workloads:
      late:
        model: {id: google/gemma-7b}
        engine: {kind: vllm, version: 99.0.0}
""",
        encoding="utf-8",
    )
    result = run("sandbox", "up", "-f", str(stack))
    assert result.exit_code == 2
    assert f"{stack}:9: workloads.late.engine.version" in result.output
