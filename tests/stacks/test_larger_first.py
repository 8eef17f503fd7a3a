"""Workloads of a pool that wait for larger ones, whose nodes small pods could take."""

from tests import factories
from tests.stacks.registered import rendered

DEPLOYMENT, WORKLOAD = "kubernetes:apps/v1:Deployment", "l4serve:serving:InferenceService"


def test_a_small_workload_is_made_once_the_larger_one_serves() -> None:
    pools = {"l4": {"machineType": "g2-standard-24", "maxNodes": 2}}
    sizes = {"a": factories.workload(gpus=1, replicas=2), "b": factories.workload(gpus=2)}
    config = factories.serving(sizes, cluster=factories.EXISTING, pools=pools)
    _, registered = rendered(factories.loaded(config))
    workloads = {each.name: each for each in registered if each.type == WORKLOAD}
    pods = {each.parent: each.urn for each in registered if each.type == DEPLOYMENT}
    small, large = workloads["llm-serving/a"], workloads["llm-serving/b"]
    assert pods[large.urn] in small.options["dependencies"], "which its children wait for as well"
    assert pods[small.urn] not in large.options["dependencies"]
