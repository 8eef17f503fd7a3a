"""A pool whose driver may be too old for the CUDA version of a workload's image is told of."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from tests.factories import STANDARD, planned, serving, workload

SAID = "by default GKE may install an older one"


def notes(version: str, driver: str | None, **engine: Any) -> list[str]:
    pool = {"machineType": "g2-standard-8", "maxNodes": 2, **({"driverVersion": driver} if driver else {})}
    asked = workload(engine={"kind": "vllm", "version": version, "maxModelLen": 4096, **engine})
    plan = planned(serving({"qwen": asked}, pools={"l4": pool}))
    return [note.text for note in plan.notes if SAID in note.text]


@pytest.mark.parametrize("version", ["0.20.0", "0.26.0", "0.33.0"])
def test_an_image_of_cuda_13_may_not_run_by_the_default_driver(version: str) -> None:
    (said,) = notes(version, "DEFAULT")
    assert "driver 580 or newer" in said
    assert "nodePools.l4.driverVersion: LATEST" in said


@pytest.mark.parametrize(
    ("version", "driver", "engine"),
    [
        ("0.26.0", None, {}),
        ("0.26.0", "LATEST", {}),
        ("0.26.0", "INSTALLATION_DISABLED", {}),
        ("0.19.1", "DEFAULT", {}),
        ("0.26.0", "DEFAULT", {"image": "ghcr.io/acme/vllm:v1"}),
    ],
)
def test_nothing_is_said_where_the_driver_does_or_is_not_known_to_matter(
    version: str, driver: str | None, engine: dict[str, Any]
) -> None:
    assert notes(version, driver, **engine) == []


def test_each_pool_of_a_class_is_looked_at() -> None:
    pools = {
        "spot": {"machineType": "g2-standard-8", "maxNodes": 2, "spot": True, "driverVersion": "DEFAULT"},
        "firm": {"machineType": "g2-standard-8", "maxNodes": 2},
    }
    config = serving({"qwen": workload(computeClass="l4")}, pools=pools)
    config["computeClasses"] = {"l4": {"priorities": [{"nodePool": "spot"}, {"nodePool": "firm"}]}}
    said = [note.text for note in planned(config).notes if SAID in note.text]
    assert [text for text in said if "pool spot" in text] == said
    assert len(said) == 1


@pytest.mark.parametrize(
    ("version", "env", "told"),
    [("0.26.0", {}, True), ("0.26.0", {"VLLM_ENABLE_CUDA_COMPATIBILITY": "1"}, False), ("0.19.1", {}, False)],
)
def test_autopilot_installs_the_default_driver(version: str, env: dict[str, str], *, told: bool) -> None:
    asked = workload(engine={"kind": "vllm", "version": version, "maxModelLen": 4096}, extraEnv=env)
    plan = planned(serving({"qwen": asked}, cluster={"mode": "autopilot", "name": "llm", "location": "us-central1"}))
    said = [note.text for note in plan.notes if SAID in note.text]
    assert bool(said) is told
    assert all('extraEnv.VLLM_ENABLE_CUDA_COMPATIBILITY: "1"' in text for text in said)


def refusals(config: dict[str, Any]) -> list[str]:
    try:
        planned(config)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def with_driver(gke: str, pool: dict[str, Any], version: str = "0.26.0", **fields: Any) -> dict[str, Any]:
    asked = workload(engine={"version": version}, **fields)
    return serving({"qwen": asked}, pools={"gpu": {"maxNodes": 2, **pool}}, cluster={**STANDARD, "minVersion": gke})


@pytest.mark.parametrize(
    ("gke", "pool", "cure"),
    [
        ("1.33", {"driverVersion": "DEFAULT"}, "set nodePools.gpu.driverVersion: LATEST"),
        ("1.32.4-gke.1698000", {"driverVersion": "DEFAULT"}, "set nodePools.gpu.driverVersion: LATEST"),
        ("1.30", {}, "set cluster.minVersion: 1.31"),
        ("1.33", {"imageType": "UBUNTU_CONTAINERD"}, "set nodePools.gpu.imageType: COS_CONTAINERD"),
    ],
)
def test_a_driver_that_googles_table_knows_to_be_too_old_is_refused(gke: str, pool: dict[str, Any], cure: str) -> None:
    (said,) = refusals(with_driver(gke, {"machineType": "g2-standard-8", **pool}))
    assert "the server finds no GPU" in said
    assert cure in said
    assert 'set workloads.qwen.extraEnv.VLLM_ENABLE_CUDA_COMPATIBILITY: "1"' in said


@pytest.mark.parametrize(
    ("gke", "pool", "asked"),
    [
        ("1.34", {"machineType": "g2-standard-8", "driverVersion": "DEFAULT"}, {}),
        ("1.33", {"machineType": "g2-standard-8"}, {}),
        ("1.33", {"machineType": "g2-standard-8", "driverVersion": "DEFAULT"}, {"version": "0.19.1"}),
        ("1.33", {"machineType": "g4-standard-48", "driverVersion": "DEFAULT"}, {}),
        (
            "1.33",
            {"machineType": "g2-standard-8", "driverVersion": "DEFAULT"},
            {"extraEnv": {"VLLM_ENABLE_CUDA_COMPATIBILITY": "1"}},
        ),
    ],
)
def test_a_driver_that_does_or_that_nobody_knows_is_not_refused(
    gke: str, pool: dict[str, Any], asked: dict[str, Any]
) -> None:
    assert refusals(with_driver(gke, pool, **asked)) == []


def test_the_default_driver_of_a_known_autopilot_cluster_is_refused() -> None:
    cluster = {"mode": "autopilot", "name": "llm", "location": "us-central1", "minVersion": "1.33"}
    (said,) = refusals(serving(cluster=cluster))
    assert "workloads.qwen.engine.version" in said
    assert 'set workloads.qwen.extraEnv.VLLM_ENABLE_CUDA_COMPATIBILITY: "1"' in said
