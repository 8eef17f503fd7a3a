"""l4serve bench: the Job that it renders, and a report beside the estimate."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.verification.bench_job import MARK
from l4serve.verification.bench_run import run_job
from l4serve.verification.checks import CheckError
from tests import factories

REPORT = {
    "completed": 32, "mean_ttft_ms": 240.0, "mean_tpot_ms": 14.2, "mean_e2el_ms": 3900.0,
    "output_throughput": 530.0, "request_throughput": 2.07,
}  # fmt: skip


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["bench", *args], env={"COLUMNS": "100", "NO_COLOR": "1"})
    return result.exit_code, result.stdout, result.stderr


def test_the_job_loads_the_service_with_the_contract_s_image_and_no_gpu() -> None:
    code, out, _ = run("-s", "dev", "--concurrency", "16")
    job = yaml.safe_load(out)
    assert code == 0
    assert job["kind"] == "Job"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "docker.io/vllm/vllm-openai:v0.26.0"
    command = container["command"][-1]
    assert "vllm bench serve" in command
    assert "--max-concurrency 16" in command
    assert "--random-input-len 512" in command
    assert "http://qwen." in command
    assert "nvidia.com/gpu" not in out
    assert "&" not in out.replace("&&", "")


def test_every_run_asks_with_prompts_of_its_own(tmp_path: Path) -> None:
    """With those of the run before, a server that keeps prefixes gave the first token after 41 ms in place of 89."""
    command = job_of(tmp_path, "0.26.0")["containers"][0]["command"][-1]
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, line in (("vllm", 'for each in "$@"; do echo "$each"; done'), ("date", "echo 12345")):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    ran = subprocess.run(
        ["sh", "-c", command], env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    said = ran.stdout.splitlines()
    assert said[said.index("--seed") + 1] == "12345"
    assert said.count("--seed") == 1


def test_a_gated_model_s_token_comes_by_reference() -> None:
    _, out, _ = run("-s", "guide", "--workload", "vllm-7b-awq", "--json")
    (container,) = json.loads(out)["spec"]["template"]["spec"]["containers"]
    token = next(entry for entry in container["env"] if entry["name"] == "HF_TOKEN")
    assert set(token) == {"name", "valueFrom"}


def test_tgi_is_loaded_with_vllm_s_tool() -> None:
    _, out, _ = run("-s", "guide", "--workload", "tgi-7b-token", "--json")
    assert "vllm-openai" in json.loads(out)["spec"]["template"]["spec"]["containers"][0]["image"]


def test_a_report_stands_beside_the_estimate_and_is_drawn(tmp_path: Path) -> None:
    log, drawn = tmp_path / "log", tmp_path / "plot.svg"
    log.write_text(f"Starting\n{MARK}\n{json.dumps(REPORT)}\n")
    code, out, _ = run("-s", "dev", "--report", str(log), "--plot", str(drawn), "--json")
    lines = {line["figure"]: line for line in json.loads(out)["lines"]}
    assert code == 0
    assert lines["each token after, ms"]["measured"] == 14.2
    assert lines["each token after, ms"]["estimated"] > 0
    assert lines["output, tokens/s"]["withinBound"] in (True, False)
    assert drawn.read_text().startswith("<svg")
    text = run("-s", "dev", "--report", str(log))[1]
    assert "within the bound" in text


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"completed": 0, "mean_ttft_ms": 0}', "no json"])
def test_what_is_no_report_is_bad_input(content: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(content)
    assert run("-s", "dev", "--report", str(file))[0] == 2


def test_a_drawing_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    log = tmp_path / "report.json"
    log.write_text(json.dumps(REPORT))
    code, _, err = run("-s", "dev", "--report", str(log), "--plot", str(tmp_path / "nowhere" / "plot.svg"))
    assert code == 2
    assert "--plot" in err
    assert "bug" not in err


def test_a_stack_of_several_workloads_wants_one_named() -> None:
    assert run("-s", "prod")[0] == 2


@pytest.mark.parametrize(("looks", "raises"), [(2, False), (99, True)])
def test_a_run_ends_with_the_log_and_without_the_job(looks: int, raises: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Batch:
        def __init__(self, client: object) -> None:
            self.left = looks

        def create_namespaced_job(self, namespace: str, body: Any, **_: Any) -> None:
            seen.append(f"create {body['metadata']['name']}")

        def read_namespaced_job(self, name: str, namespace: str, **_: Any) -> Any:
            self.left -= 1
            done = type("Status", (), {"succeeded": int(self.left <= 0), "failed": 0, "conditions": None})
            return type("Job", (), {"status": done})

        def delete_namespaced_job(self, name: str, namespace: str, **_: Any) -> None:
            seen.append(f"delete {name}")

    class Core:
        def __init__(self, client: object) -> None:
            pass

        def list_namespaced_pod(self, namespace: str, **_: Any) -> Any:
            pod = type("Pod", (), {"metadata": type("Meta", (), {"name": "p"})})
            return type("Pods", (), {"items": [pod]})

        def read_namespaced_pod_log(self, name: str, namespace: str, **_: Any) -> str:
            return "the log"

    monkeypatch.setattr("l4serve.verification.bench_run.api", SimpleNamespace(BatchV1Api=Batch, CoreV1Api=Core))
    now = iter(range(1000))
    manifest = {"metadata": {"name": "j", "namespace": "n"}}
    run_it = lambda: run_job(  # noqa: E731
        None,
        manifest,
        timeout=10,
        sleep=lambda _: None,
        clock=lambda: float(next(now)),
    )
    if raises:
        with pytest.raises(CheckError, match="did not end"):
            run_it()
    else:
        assert run_it() == "the log"
    assert seen == ["create j", "delete j"]


def test_a_model_that_makes_no_text_is_not_loaded() -> None:
    code, _, said = run("-f", "examples/Pulumi.embeddings.yaml")
    assert code == 2
    assert "makes none" in said


def job_of(tmp_path: Path, version: str, **service: Any) -> Any:
    chat = factories.workload(engine={"version": version}, service=service)
    file = tmp_path / "Pulumi.made.yaml"
    config = {"gcp:project": factories.PROJECT, "gke-llm-serving:serving": factories.serving({"chat": chat})}
    file.write_text(yaml.safe_dump({"config": config}), "utf-8")
    code, out, told = run("-f", str(file), "--json")
    assert code == 0, told
    return json.loads(out)["spec"]["template"]["spec"]


@pytest.mark.parametrize(("version", "image"), [("0.26.0", "v0.26.0"), ("0.11.0", "v0.26.0"), ("0.17.0", "v0.17.0")])
def test_pods_with_tls_are_loaded_whatever_their_certificate(version: str, image: str, tmp_path: Path) -> None:
    (container,) = job_of(tmp_path, version, tls={"secret": "kept"})["containers"]
    assert "--base-url https://" in container["command"][-1]
    assert "--insecure" in container["command"][-1].split()
    assert container["image"].endswith(f":{image}")


def test_a_plain_pod_is_loaded_with_its_own_image(tmp_path: Path) -> None:
    (container,) = job_of(tmp_path, "0.11.1")["containers"]
    assert "--insecure" not in container["command"][-1]
    assert container["image"].endswith(":v0.11.1")


def test_a_load_tool_that_wants_a_gpu_is_left_out(tmp_path: Path) -> None:
    (container,) = job_of(tmp_path, "0.11.0")["containers"]
    assert container["image"].endswith(":v0.26.0")


def test_an_image_that_only_root_can_run_is_not_the_load_tools(tmp_path: Path) -> None:
    (container,) = job_of(tmp_path, "0.8.5")["containers"]
    assert container["image"].endswith(":v0.26.0")


def test_the_job_passes_the_pod_security_of_its_namespace(tmp_path: Path) -> None:
    pod = job_of(tmp_path, "0.26.0")
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    home = {entry["name"]: entry.get("value") for entry in container["env"]}["HOME"]
    assert home in {mount["mountPath"] for mount in container["volumeMounts"]}
