"""Folders that a pod mounts anyway, and names that occur twice, which a cluster or an engine refuses."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from tests import factories

TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None, "maxTotalTokens": 4096}
ADAPTER = {"name": "s", "path": "gs://adapters/s"}
EVERYTHING: dict[str, Any] = {
    "engine": {"lora": {"adapters": [ADAPTER]}},
    "service": {"tls": {"secret": "cert"}},
    "compileCache": {"claim": "compiled"},
}


def plan(*, source: dict[str, Any] | None = None, **fields: Any) -> Any:
    qwen = factories.workload(**fields)
    if source:
        qwen["model"]["source"] = source
    return factories.planned(factories.serving({"qwen": qwen}))


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as told:
        plan(**fields)
    return {problem.path.removeprefix("workloads.qwen."): str(problem) for problem in told.value.problems}


@pytest.mark.parametrize(
    "folder",
    ["/dev/shm", "/compile-cache", "/model", "/model/x", "/adapters/s", "/var/run/secrets/serving-tls"],
)
def test_a_folder_that_the_pod_mounts_already_is_refused(folder: str) -> None:
    claim = {"kind": "claim", "claim": "weights"}
    found = refused(**EVERYTHING, source=claim, podSecurity={"writable": ["/scratch", folder]})
    assert list(found) == ["podSecurity.writable[1]"]
    assert "the pod mounts" in found["podSecurity.writable[1]"]


def test_a_home_that_the_pod_mounts_already_is_refused() -> None:
    found = refused(podSecurity={"user": 2000, "home": "/dev/shm"})
    assert "the pod mounts /dev/shm already" in found["podSecurity.home"]


def test_folders_that_nothing_mounts_are_free() -> None:
    assert plan(podSecurity={"writable": ["/model", "/compile-cache", "/adapters/s", "/tmp"]})


@pytest.mark.parametrize(
    ("engine", "path"),
    [
        ({"lora": {"adapters": [ADAPTER, {"name": "s", "path": "my/s"}]}}, "engine.lora.adapters[1].name"),
        ({**TGI, "loraAdapters": [ADAPTER, {"name": "s", "path": "my/s"}]}, "engine.loraAdapters[1].name"),
        ({"servedModelName": ["a", "s"], "lora": {"adapters": [ADAPTER]}}, "engine.lora.adapters[0].name"),
    ],
)
def test_an_adapter_under_a_name_that_is_taken_is_refused(engine: dict[str, Any], path: str) -> None:
    assert "is served as s already" in refused(engine=engine)[path]
