"""A Job that puts a workload under load with vLLM's own load tool, from the image of an engine's contract."""

from __future__ import annotations

import shlex
from typing import Any

from packaging.version import Version

from l4serve.engines.releases.resolution import resolve_contract
from l4serve.planning.performance.load import Load
from l4serve.planning.values.names import LABEL_PREFIX, shorten
from l4serve.planning.workload.workload_plan import WorkloadPlan

MARK = "l4serve-bench-report"
"""The line of the Job's log behind which the report stands."""
REPORT = "/tmp/report.json"
WAVES = 4
FEWEST_PROMPTS = 8
RATE_PROMPTS = 300
DEADLINE_SECONDS = 3600
LOAD_TOOL = "vllm bench serve --backend openai"
ANY_CERTIFICATE_SINCE = Version("0.17.0")
"""First release whose load tool has --insecure, as vllm/benchmarks/serve.py of 0.16.0 and 0.17.0 show (2026-11-26)."""
WITHOUT_GPU_SINCE = Version("0.11.1")
"""First release whose load tool takes a node without a GPU for one of CPUs: vllm/entrypoints/cli/main.py of 0.11.1.

Before, it ends with "Failed to infer device type": https://github.com/vllm-project/vllm/issues/23967.
"""
SEED = "`date +%s`"
"""Another one for each run: of prompts that it got before, a server with a prefix cache computes nothing anew."""
_USER = 65532
"""Of no image: the load tool needs no more than its own folder, and passes Pod Security "restricted" as anybody."""
_FOLDER = "/tmp"


def shortest_seconds(load: Load) -> float:
    """What a load at a rate takes at least; of clients that wait, nobody knows before."""
    return 0.0 if load.rate is None else RATE_PROMPTS / load.rate


def bench_job(workload: WorkloadPlan, load: Load, deadline: int = DEADLINE_SECONDS) -> dict[str, Any]:
    """The Job's manifest, which ends after so many seconds.

    Its pod asks for no GPU; a gated model's tokenizer takes the workload's own token.
    """
    name = shorten(f"{workload.object_name}-bench", 63)
    labels = {"app.kubernetes.io/name": "l4serve-bench", f"{LABEL_PREFIX}/bench": workload.name}
    command = f"{shlex.join(_command(workload, load))} --seed {SEED} && echo {MARK} && cat {REPORT}"
    container: dict[str, Any] = {
        "name": "bench",
        "image": image_of(workload),
        "command": ["sh", "-c", command],
        "env": _environment(workload),
        "resources": {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "8Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "writable", "mountPath": _FOLDER}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": workload.namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": deadline,
            "ttlSecondsAfterFinished": DEADLINE_SECONDS,
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": _USER,
                        "runAsGroup": _USER,
                        "fsGroup": _USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [container],
                    "volumes": [{"name": "writable", "emptyDir": {}}],
                },
            },
        },
    }


def image_of(workload: WorkloadPlan) -> str:
    """The workload's own image where its load tool does what the pods need, else that of vLLM's contract."""
    from l4serve.config.keys.vllm import VllmEngine

    owner = VllmEngine()
    release = Version(workload.engine.contract.version)
    able = release >= (WITHOUT_GPU_SINCE if workload.service.tls is None else ANY_CERTIFICATE_SINCE)
    # An image that only root can run has no interpreter for the Job's own user.
    if workload.engine.kind == owner.kind and able and workload.guard.restricted:
        return workload.engine.image
    return resolve_contract(owner.kind, owner.version).contract.image


def _command(workload: WorkloadPlan, load: Load) -> list[str]:
    how = ["--request-rate", f"{load.rate:g}"] if load.rate is not None else ["--max-concurrency", str(load.clients)]
    prompts = RATE_PROMPTS if load.rate is not None else max(FEWEST_PROMPTS, WAVES * (load.clients or 1))
    return [
        *LOAD_TOOL.split(),
        "--base-url", workload.service.url,
        "--endpoint", "/v1/completions",
        "--model", workload.model.id,
        "--served-model-name", workload.model.served_names[0],
        "--dataset-name", "random",
        "--random-input-len", str(load.input_tokens),
        "--random-output-len", str(load.output_tokens),
        "--ignore-eos",
        "--num-prompts", str(prompts),
        *how,
        # As the pods' probes and `verify`: a certificate of the pods names no Service.
        *(["--insecure"] if workload.service.tls else []),
        "--percentile-metrics", "ttft,tpot,itl,e2el",
        "--save-result",
        "--result-dir", "/tmp",
        "--result-filename", "report.json",
    ]  # fmt: skip


def _environment(workload: WorkloadPlan) -> list[dict[str, Any]]:
    """The token of a gated tokenizer and the key of a guarded server, by reference and never by value."""
    plain = {"HF_HOME": f"{_FOLDER}/huggingface", "HOME": _FOLDER, "USER": "bench"}
    found: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in plain.items()]
    secret, key = workload.secret, workload.engine.key_source
    if secret is not None and secret.secret_name is not None and workload.model.gated:
        found.append(_from_secret("HF_TOKEN", secret.secret_name, secret.key))
    if key is not None and key.secret_name is not None:
        found.append(_from_secret("OPENAI_API_KEY", key.secret_name, key.key))
    return found


def _from_secret(variable: str, name: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
