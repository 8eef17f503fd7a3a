"""Rehearsals from start to end, and sandboxes that stay or go. Each test starts a control plane of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from kubernetes.client import CoreV1Api
from kubernetes.config import new_client_from_config

from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.sandbox.autoscaler import Autoscaler
from l4serve.sandbox.lifecycle import find_kept, take_down
from l4serve.sandbox.rehearsal import rehearse_objects
from tests.sandbox.sandbox_objects import deployment, l4_node

pytestmark = pytest.mark.timeout(300, func_only=True)

AUTOSCALER = Autoscaler(overhead=daemonset_overhead(), zones=("us-central1-a",), gpus=True)
SANDBOX = [sys.executable, "-c", "from l4serve.cli.commands.sandbox_commands import sandbox_app; sandbox_app()"]
PASSING = "\n".join(
    [
        "import time",
        "from l4serve.sandbox.lifecycle import running_sandbox",
        "with running_sandbox('passing') as state:",
        "    print(*(process.pid for process in state.processes), flush=True)",
        "    time.sleep(120)",
    ]
)


def assert_gone(pids: list[int]) -> None:
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def folders(state_dir: Path) -> list[str]:
    return [path.name for path in state_dir.iterdir() if path.is_dir()]


def test_autopilots_pods_each_get_the_smallest_node_beside_the_daemonsets(state_dir: Path) -> None:
    objects = [
        deployment("small", replicas=2, namespace="llm"),
        deployment("pair", gpus=2, cpu="21", memory="78Gi", namespace="llm"),
        deployment("router", gpus=0, cpu="1", memory="1Gi", namespace="llm"),
        deployment("huge", gpus=9, namespace="llm"),
    ]
    rehearsal = rehearse_objects(objects, (), label="autopilot", timeout_s=90, autoscaler=AUTOSCALER)
    landed = sorted((row.workload, row.machine_type or "") for row in rehearsal.placements)
    assert landed == [
        ("huge", ""),
        ("pair", "g2-standard-24"),
        ("router", "general-purpose"),
        ("small", "g2-standard-4"),
        ("small", "g2-standard-4"),
    ]
    assert not rehearsal.ok
    assert len(rehearsal.nodes) == 4
    assert rehearsal.kubeconfig is None
    assert folders(state_dir) == []


def test_daemonsets_take_their_share_of_a_pools_nodes(state_dir: Path) -> None:
    node = l4_node("l4-0", "l4")
    beside_pools = Autoscaler(overhead=daemonset_overhead(), gpus=False)
    whole = f"{node.allocatable.cpu_millis}m"
    rehearsal = rehearse_objects(
        [deployment("all-of-it", cpu=whole)], (node,), label="full", timeout_s=60, autoscaler=beside_pools
    )
    (row,) = rehearsal.placements
    assert row.reason is not None
    assert "Insufficient cpu" in row.reason


def test_a_kept_sandbox_serves_until_it_is_taken_down(state_dir: Path) -> None:
    def sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*SANDBOX, *arguments], capture_output=True, text=True, timeout=200, check=False)

    try:
        started = sandbox("up", "--json")
        assert started.returncode == 0, started.stderr
        state = json.loads(started.stdout)
        assert state["running"]
        with new_client_from_config(state["kubeconfig"]) as client:
            assert CoreV1Api(client).read_namespace("default").metadata.name == "default"
        again = json.loads(sandbox("up", "--json").stdout)
        assert again == state
        status = sandbox("status")
        assert status.returncode == 0
        assert state["kubeconfig"] in status.stdout
        pids = [process["pid"] for process in state["processes"]]
        assert len(pids) == 5
        os.kill(pids[-1], signal.SIGKILL)
        assert_gone(pids[-1:])
        assert sandbox("status").returncode == 1
        assert sandbox("down").stdout == "The sandbox is down.\n"
        assert_gone(pids)
        assert folders(state_dir) == []
        assert sandbox("status").returncode == 1
        assert sandbox("down").stdout == "There was no sandbox.\n"
    finally:
        take_down()
    assert find_kept() is None


def hear_interrupts() -> None:
    """A shell lets what it starts in the background ignore SIGINT, tests too, and a child inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_process_and_no_file(state_dir: Path, number: signal.Signals) -> None:
    command_line = [sys.executable, "-c", PASSING]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, text=True, preexec_fn=hear_interrupts) as command:
        assert command.stdout is not None
        pids = [int(pid) for pid in command.stdout.readline().split()]
        assert len(pids) == 5
        command.send_signal(number)
        command.wait(timeout=60)
    assert_gone(pids)
    assert folders(state_dir) == []


def test_a_killed_command_is_cleaned_up_after_by_the_next(state_dir: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PASSING], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        pids = [int(pid) for pid in command.stdout.readline().split()]
        command.kill()
    assert all(psutil.pid_exists(pid) for pid in pids)
    rehearsal = rehearse_objects([], (), label="next", timeout_s=10, autoscaler=AUTOSCALER)
    assert rehearsal.ok
    assert_gone(pids)
    assert folders(state_dir) == []
