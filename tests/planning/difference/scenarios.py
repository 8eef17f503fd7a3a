"""Edits of a stack, one scenario each: what it was, and what it becomes."""

import copy
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.difference.stack_diff import StackDiff
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories

W, P, C = "workloads.qwen", "nodePools.l4", "cluster"
BASE = factories.serving(
    {"qwen": factories.workload("Qwen/Qwen2.5-7B-Instruct", engine={"maxModelLen": 8192}, nodePool="l4")},
    cluster=factories.STANDARD,
    # Stated here, so that a refreshed table of prices changes no golden file.
    prices={
        "onDemand": {
            "g2-standard-8": 0.8,
            "g2-standard-12": 1.0,
            "g2-standard-24": 2.0,
            "e2-standard-4": 0.1,
            "e2-standard-8": 0.2,
        },
        "spot": {"g2-standard-8": 0.3},
    },
)
TWO = copy.deepcopy(BASE)
TWO["workloads"]["small"] = factories.workload(nodePool="l4")
OFFICE = [{"cidr": "203.0.113.0/28", "name": "office"}]
DROP = object()
"""Takes a key away."""


class Scenario(NamedTuple):
    """Values by path: what the base gets first, and what the edit sets."""

    edit: Mapping[str, Any]
    given: Mapping[str, Any] = {}
    base: Mapping[str, Any] = BASE

    def sides(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The serving objects before and after."""
        before = with_values(self.base, self.given)
        return before, with_values(before, self.edit)


def with_values(serving: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with values set, or taken away, at paths."""
    config = copy.deepcopy(dict(serving))
    for path, value in values.items():
        steps = [int(s) if s.isdigit() else s for s in re.findall(r"[^.\[\]]+", path)]
        at: Any = config
        for step in steps[:-1]:
            at = at[step] if isinstance(step, int) else at.setdefault(step, {})
        if value is DROP:
            del at[steps[-1]]
        else:
            at[steps[-1]] = copy.deepcopy(value)
    return config


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> StackDiff:
    """The difference between two serving objects."""
    old, new = (factories.loaded(side, name="made") for side in (before, after))
    return diff_plans("made", plan_stack(old), plan_stack(new), (old.config, new.config))


RENAMED = copy.deepcopy(BASE["workloads"]["qwen"])
SCENARIOS: Mapping[str, Scenario] = {
    "nothing": Scenario({}),
    "context shortened": Scenario({f"{W}.engine.maxModelLen": 4096}),
    "context with a utilisation": Scenario(
        {f"{W}.engine.maxModelLen": 16384, f"{W}.engine.gpuMemoryUtilization": 0.95}
    ),
    "kv cache in fp8": Scenario({f"{W}.engine.kvCacheDtype": "fp8"}),
    "quantised": Scenario({f"{W}.engine.quantization": "fp8"}),
    "flag removed": Scenario({f"{W}.engine.enforceEager": DROP}, {f"{W}.engine.enforceEager": True}),
    "version moved": Scenario({f"{W}.engine.version": "0.33.0"}),
    "other engine": Scenario(
        {f"{W}.engine": {"kind": "tgi", "version": "3.3.6", "maxInputTokens": 4000, "maxTotalTokens": 4096}}
    ),
    "other model": Scenario({f"{W}.model.id": "Qwen/Qwen2.5-3B-Instruct"}),
    "revision pinned": Scenario({f"{W}.model.revision": "abc123"}),
    "image of one's own": Scenario({f"{W}.engine.image": "docker.io/vllm/vllm-openai:v0.26.0-x"}),
    "scaled up": Scenario({f"{W}.replicas": 3}),
    "scaled down": Scenario({f"{W}.replicas": 1}, {f"{W}.replicas": 3}),
    "autoscaled": Scenario({f"{W}.autoscaling": {"minReplicas": 1, "maxReplicas": 3}}),
    "over two GPUs": Scenario(
        {f"{W}.engine.tensorParallelSize": 2}, {f"{P}.machineType": "g2-standard-24", f"{W}.nodePool": "l4"}
    ),
    "full pool without surge": Scenario({f"{W}.engine.maxModelLen": 4096}, {f"{P}.maxNodes": 1}),
    "environment": Scenario({f"{W}.extraEnv": {"A": "2"}}, {f"{W}.extraEnv": {"A": "1"}}),
    "extra argument": Scenario({f"{W}.extraArgs": ["--uvicorn-log-level=warning"]}),
    "requests": Scenario({f"{W}.resources.requests.memory": "20Gi"}),
    "service name": Scenario({f"{W}.service.name": "api"}),
    "load balancer": Scenario({f"{W}.service.type": "LoadBalancer"}),
    "rule allowed": Scenario({f"{W}.allow": [{"rule": "vllm-eager", "reason": "tried"}]}),
    "recipe": Scenario({f"{W}.recipe": "vllm-7b-token"}),
    "workload added": Scenario({"workloads.small": factories.workload(nodePool="l4")}),
    "workload removed": Scenario({"workloads.small": DROP}, base=TWO),
    "renamed": Scenario({"workloads.qwen": DROP, "workloads.chat": RENAMED}),
    "renamed and kept": Scenario({"workloads.qwen": DROP, "workloads.chat": {**RENAMED, "renamedFrom": "qwen"}}),
    "exchange in a full pool": Scenario(
        {"workloads.qwen": DROP, "workloads.chat": RENAMED, f"{P}.maxNodes": 1}, {f"{P}.maxNodes": 1}
    ),
    "pool on spot": Scenario({f"{P}.spot": True}),
    "pool with another machine": Scenario({f"{P}.machineType": "g2-standard-12"}),
    "pool grows": Scenario({f"{P}.maxNodes": 6}),
    "pool disk": Scenario({f"{P}.diskSizeGb": 200}),
    "pool added": Scenario({"nodePools.big": {"machineType": "g2-standard-24", "maxNodes": 1}}),
    "pool removed": Scenario(
        {"nodePools.big": DROP}, {"nodePools.big": {"machineType": "g2-standard-24", "maxNodes": 1}}
    ),
    "pool protection lifted": Scenario({f"{P}.protect": False}, {f"{P}.protect": True}),
    "pool taint": Scenario({f"{P}.taints": [{"key": "team", "value": "ml"}]}),
    "cluster renamed": Scenario({f"{C}.name": "other"}),
    "cluster moved": Scenario({f"{C}.location": "us-east1"}),
    "cluster network shrinks": Scenario({f"{C}.networkOptions.nodesCidr": "10.0.0.0/22"}),
    "public endpoint": Scenario({f"{C}.controlPlane": {"ipEndpoint": "public"}, f"{C}.authorizedNetworks": OFFICE}),
    "deletion protection lifted": Scenario({f"{C}.deletionProtection": False}, {f"{C}.deletionProtection": True}),
    "release channel": Scenario({f"{C}.releaseChannel": "STABLE"}),
    "system pool": Scenario({f"{C}.systemPool.machineType": "e2-standard-8"}),
    "another context": Scenario(
        {f"{C}.context": "b"}, {f"{C}.context": "a"}, factories.serving(cluster=factories.EXISTING)
    ),
    "namespace": Scenario({"namespace": "models"}),
    "existing secret": Scenario(
        {"huggingFace.existingSecret": "b"}, {"huggingFace.existingSecret": "a", f"{W}.model.gated": True}
    ),
    "dashboard": Scenario({"monitoring.dashboard": True}),
    "scraping": Scenario({"monitoring.podMonitoring": True}),
    "network opened": Scenario({"networkPolicy.enabled": False}),
    "price stated": Scenario({"prices.onDemand.g2-standard-8": 0.5}),
    "planning alone": Scenario({f"{W}.fit": "warn"}),
}


def edited(values: Mapping[str, Any], given: Mapping[str, Any], base: Mapping[str, Any] = BASE) -> StackDiff:
    before = with_values(base, given)
    return difference(before, with_values(before, values))


def danger_texts(diff: StackDiff, kind: str) -> list[str]:
    return [danger.text for danger in diff.dangers if danger.kind == kind]
