"""The endpoint picker of a workload: a pool of its pods, and who says which of them answers a request."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.contract_table import ServedModel
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.versions import version_of
from l4serve.planning.values.names import LABEL_PREFIX, shorten
from l4serve.planning.workload.judgement.subject import Subject


@frozen(kw_only=True)
class PickerPlan:
    """An InferencePool and its endpoint picker."""

    name: str
    """Name of the picker's own objects; the pool has the workload's."""
    image: str
    user: int
    ports: Mapping[str, int]
    """Ports of its choices, its health and its metrics."""
    resources: Mapping[str, Mapping[str, str]]
    grace_seconds: int
    config: str
    """Its configuration, as the text of a JSON document, which is YAML too."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Of the picker's pods, which the workload's Service must not select."""
        return {"app.kubernetes.io/name": "endpoint-picker", f"{LABEL_PREFIX}/picker": self.name}


def picker_name(object_name: str) -> str:
    """Name of the picker's own objects beside those of a workload."""
    return f"{shorten(object_name, 50)}-picker"


def plan_picker(
    path: str, workload: Workload, object_name: str, contract: Contract, subject: Step[Subject]
) -> PickerPlan | None:
    """The picker of a workload; None unless its route asks for one. Raises ConfigError where it could not choose."""
    if workload.expose is None or not workload.expose.inference_pool:
        return None
    at = f"{path}.expose.inferencePool"
    profile = engine_profile(workload.engine.kind)
    if not profile.picked_by_metrics:
        refuse(at, f"the picker reads no metrics of {profile.title}", "remove it: the Service spreads requests evenly")
    if workload.service.tls is not None:
        refuse(at, "a pool's pods speak plain HTTP to the load balancer", "remove it, or service.tls")
    facts, judged = _facts(), subject()
    asked: str = judged.purpose
    if judged.shape is not None and judged.shape.architecture in facts["recordingsAlone"]:
        asked = "transcription"
    if asked not in facts["reads"]:
        what = f"the picker refuses every request for {asked}: it reads completions, chats, responses and embeddings"
        refuse(at, what, "remove it: the Service spreads requests evenly")
    return PickerPlan(
        name=picker_name(object_name),
        image=facts["image"],
        user=facts["user"],
        ports=facts["ports"],
        resources=facts["resources"],
        grace_seconds=facts["graceSeconds"],
        config=json.dumps(_config(contract), indent=1),
    )


def _config(contract: Contract) -> Mapping[str, Any]:
    """The picker's configuration; a release that shows a metric under an older name has it named there."""
    usual: Mapping[str, Any] = _facts()["config"]
    engine = _facts()["engine"]
    named = {role: contract.autoscaling_metrics.get(role, row["usual"]) for role, row in engine["roles"].items()}
    if all(named[role] == row["usual"] for role, row in engine["roles"].items()):
        return usual
    specs = {row["parameter"]: named[role] for role, row in engine["roles"].items()}
    told = {"engineConfigs": [{"name": engine["name"], **specs, **engine["others"]}]}
    plugins = [
        {**plugin, "parameters": told} if plugin["type"] == engine["plugin"] else plugin for plugin in usual["plugins"]
    ]
    return {**usual, "plugins": plugins}


def picker_apis(workloads: Iterable[Workload]) -> tuple[str, ...]:
    """Google APIs that the pickers of workloads take, by their short names."""
    picked = any(each.expose is not None and each.expose.inference_pool for each in workloads)
    return tuple(_facts()["apis"]) if picked else ()


def picker_notes(cluster: ClusterPlan, served: ServedModel | None) -> Iterator[str]:
    """What to know of a picker: a cluster that may be too old for its pool, and requests that it does not read."""
    since = str(_facts()["since"])
    if cluster.managed is None or version_of(cluster.managed.min_version) < version_of(since):
        by_hand = f"kubectl apply -f {_facts()['kind']}"
        yield f"GKE knows InferencePool from {since} on; an older cluster takes it by {by_hand}"
    if served is not None and "transcription" in served.traits:
        yield "the picker refuses recordings sent to /v1/audio, since it reads only requests of JSON"


@cache
def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = load_data(__file__, "endpoint_picker.yaml")
    return facts
