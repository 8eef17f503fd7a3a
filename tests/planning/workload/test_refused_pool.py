"""A fault of a pool makes no other of the workloads on it."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from tests import factories

UNSOLD: dict[str, Any] = {"machineType": "a3-highgpu-1g", "maxNodes": 1}
SMALL: dict[str, Any] = {"machineType": "g2-standard-8", "maxNodes": 1}
WORKLOAD: dict[str, Any] = {
    "model": {"id": "Qwen/Qwen3-32B"},
    "engine": {"kind": "vllm", "version": "0.26.0", "maxModelLen": 8192},
    "gpus": 1,
}


@pytest.mark.parametrize(
    ("pools", "named"),
    [({"a": UNSOLD}, {}), ({"a": UNSOLD, "b": SMALL}, {"nodePool": "a"}), ({"b": SMALL, "a": UNSOLD}, {})],
)
def test_a_workload_is_judged_on_the_card_of_a_refused_pool(pools: dict[str, Any], named: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving({"w": {**WORKLOAD, **named}}, pools=pools))
    assert [problem.path for problem in refused.value.problems] == ["nodePools.a.provisioning"]


def test_a_workload_that_its_refused_pools_card_cannot_hold_is_told_so_too() -> None:
    large = {**WORKLOAD, "model": {"id": "Qwen/Qwen3-235B-A22B"}}
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving({"w": large}, pools={"a": UNSOLD}))
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["nodePools.a.provisioning", "workloads.w.engine.maxModelLen"]
