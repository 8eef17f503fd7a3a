"""`l4serve bench --run` on a real API server: the Job is made, awaited, its log read, and it is gone afterwards."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiClient, BatchV1Api, CoreV1Api
from typer.testing import CliRunner, Result

from l4serve.cli.app import app
from l4serve.sandbox import arguments
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.paths import STAGES
from l4serve.sandbox.rehearsal import prepare
from tests import factories
from tests.sandbox.kubelet_logs import logs_kubelet
from tests.sandbox.sandbox_objects import l4_node

pytestmark = [pytest.mark.timeout(300, func_only=True), pytest.mark.sandbox]

REPORT = Path(__file__).parents[1] / "verification/reports/vllm-0.26.0-guarded-8.log"
NAMESPACE = "llm-serving"
WORKLOADS = ("whole", "failing", "silent", "endless")
LOGS = {"whole": REPORT.read_text("utf-8"), "failing": "Starting\nValueError: no such model\n", "silent": "Starting\n"}
ENDS = {"failing": ("pod-failed", "Failed", "1"), "endless": ()}
"""What becomes of some Jobs' pods in place of success: a stage with its phase and exit code, or nothing."""


@dataclass(frozen=True)
class Bench:
    client: ApiClient
    stack: Path

    def run(self, workload: str, *more: str) -> Result:
        args = ["bench", "-f", str(self.stack), "--workload", workload, "--run", "--run-kubeconfig-commands", *more]
        return CliRunner().invoke(app, args, env={"COLUMNS": "160", "NO_COLOR": "1"})

    def left(self) -> list[str]:
        """Names of the Jobs that are there."""
        return [job.metadata.name for job in BatchV1Api(self.client).list_namespaced_job(NAMESPACE).items]


def stages(folder: Path) -> Path:
    """The sandbox's stages, by which pods of a Job succeed, with those of `ENDS` beside."""
    shutil.copytree(STAGES, folder)
    done = yaml.safe_load((folder / "pod-completed.yaml").read_text("utf-8"))
    rules = done["spec"]["selector"]["matchExpressions"]
    label = '.metadata.labels."l4serve.dev/bench"'
    for workload, end in ENDS.items():
        if end:
            name, phase, code = end
            text = (folder / "pod-completed.yaml").read_text("utf-8")
            other: dict[str, Any] = yaml.safe_load(
                text.replace("pod-completed", name)
                .replace("Succeeded", phase)
                .replace("exitCode: 0", f"exitCode: {code}")
            )
            other["spec"]["selector"]["matchExpressions"].append({"key": label, "operator": "In", "values": [workload]})
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(other), "utf-8")
    rules.append({"key": label, "operator": "NotIn", "values": list(ENDS)})
    (folder / "pod-completed.yaml").write_text(yaml.safe_dump(done), "utf-8")
    return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    patched = pytest.MonkeyPatch()
    patched.setattr(arguments, "STAGES", stages(folder / "stages"))
    patched.setattr("l4serve.verification.bench_run.POLL_SECONDS", 0.3)
    try:
        with running_sandbox("bench") as state, state.client() as client:
            prepare(state, client, [l4_node("l4-0", "l4")])
            core = CoreV1Api(client)
            core.create_namespace({"metadata": {"name": NAMESPACE}})
            core.patch_node("l4-0", {"spec": {"taints": None}})
            with logs_kubelet(state, lambda pod: LOGS[pod.partition("-")[0]]) as port:
                endpoint = {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
                where = [
                    {"type": "Hostname", "address": "127.0.0.1"}
                ]  # asked first, and a fake's name is nowhere known
                core.patch_node_status("l4-0", {"status": {**endpoint, "addresses": where}})
                engine = {"maxModelLen": 4096}
                serving = factories.serving({name: factories.workload(engine=engine) for name in WORKLOADS})
                serving["cluster"] = {"mode": "existing", "kubeconfig": str(state.kubeconfig)}
                serving.pop("nodePools", None)
                stack = factories.write_stack(folder, serving)
                yield Bench(client, stack)
    finally:
        patched.undo()


def test_a_run_reads_the_report_into_a_table_and_a_plot_and_takes_its_job_away(bench: Bench, tmp_path: Path) -> None:
    drawn = tmp_path / "plot.svg"
    done = bench.run("whole", "--concurrency", "8", "--output-tokens", "256", "--plot", str(drawn))
    assert done.exit_code == 0, done.output
    printed = json.loads(LOGS["whole"].splitlines()[-1])
    assert f"{printed['mean_tpot_ms']:.4g}" in done.stdout
    assert "whole: 512 tokens in, 256 out, 8 at a time" in done.stdout
    assert drawn.read_text("utf-8").startswith("<svg")
    assert bench.left() == []


@pytest.mark.parametrize(
    ("workload", "more", "told"),
    [
        ("failing", (), "Job failing-bench failed: its log ends with 'ValueError: no such model'"),
        ("silent", (), "Job silent-bench ended, but its log holds no report"),
        ("endless", ("--timeout", "3"), "give a longer --timeout"),
    ],
)
def test_what_goes_wrong_is_told_in_a_line(bench: Bench, workload: str, more: tuple[str, ...], told: str) -> None:
    done = bench.run(workload, *more)
    assert done.exit_code == 1, done.output
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert len([line for line in done.stderr.splitlines() if line.startswith("error")]) == 1
    assert bench.left() == []


def test_a_job_of_that_name_is_left_as_it_is(bench: Bench) -> None:
    other = {
        "metadata": {"name": "whole-bench", "namespace": NAMESPACE},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}},
        },
    }
    batch = BatchV1Api(bench.client)
    batch.create_namespaced_job(NAMESPACE, other)
    done = bench.run("whole")
    assert done.exit_code == 1
    assert "another bench runs" in done.stderr
    assert bench.left() == ["whole-bench"]
    batch.delete_namespaced_job("whole-bench", NAMESPACE, propagation_policy="Background")
