"""The table of edits: complete, consistent with the provider's force-new fields, and true of what the program records.

`tests/planning/difference/test_truth.py` edits one field of a stack after the other, runs the unmodified program before
and after under the recording monitor, and derives the effect from the recorded inputs that changed.
"""

import copy
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest

from l4serve.cli.commands.render_command import Rendered, render_stack
from l4serve.cli.project import project_root
from l4serve.config.data_file import load_data
from l4serve.config.keys.model_source import ModelSource
from l4serve.config.keys.stack import StackConfig
from l4serve.config.stack_file import SERVING_KEY, Stack, parse_stack
from l4serve.planning.stack import edits as edits_module
from l4serve.planning.stack.edits import (
    Effect,
    all_edits,
    config_paths,
    configured_edits,
    effect_of,
    field_effect,
    find_edit,
)
from tests.planning.stack.edit_probes import BASE, POOL, SOURCE, SOURCES

PATHS = tuple(config_paths(StackConfig))

RESOURCES = {
    "gcp:container/cluster:Cluster": "google_container_cluster",
    "gcp:container/nodePool:NodePool": "google_container_node_pool",
    "gcp:compute/network:Network": "google_compute_network",
    "gcp:compute/subnetwork:Subnetwork": "google_compute_subnetwork",
    "gcp:compute/router:Router": "google_compute_router",
    "gcp:compute/routerNat:RouterNat": "google_compute_router_nat",
    "gcp:serviceaccount/account:Account": "google_service_account",
    "Deployment": "kubernetes_deployment",
    "Service": "kubernetes_service",
    "Secret": "kubernetes_secret",
    "Namespace": "kubernetes_namespace",
    "HorizontalPodAutoscaler": "kubernetes_horizontal_pod_autoscaler",
    "gcp:monitoring/dashboard:Dashboard": "google_monitoring_dashboard",
    "gcp:monitoring/alertPolicy:AlertPolicy": "google_monitoring_alert_policy",
}
SINGULAR = {"guest_accelerators": "guest_accelerator", "taints": "taint", "node_drain_configs": "node_drain_config"}
IGNORED = {
    "google_container_cluster": {"node_config", "initial_node_count"},
    "google_container_node_pool": {"initial_node_count"},
}


def test_the_fields_that_replace_name_the_provider_versions_that_they_were_read_from() -> None:
    table = load_data(edits_module.__file__, "force_new.yaml")
    assert set(table["versions"]) == {"terraform-provider-google-beta", "pulumi-kubernetes"}
    for name, version in table["versions"].items():
        release, _, commit = version.partition(", its main branch at ")
        assert re.fullmatch(r"\d+\.\d+\.\d+", release)
        source = " ".join(text for text in table["sources"].values() if name in text)
        assert commit.split()[0] in source


def test_every_field_of_the_config_is_in_the_table() -> None:
    missing = [path for path in PATHS if find_edit(path) is None]
    assert missing == [], "add a row to l4serve/planning/stack/data/edits.yaml for each"


def test_the_table_names_no_field_that_the_config_lacks() -> None:
    stale = [edit.path for edit in all_edits() if not any(find_edit(path) is edit for path in PATHS)]
    assert stale == []


def test_no_two_rows_claim_one_field() -> None:
    for path in PATHS:
        claims = [edit.path for edit in all_edits() if re.fullmatch(_as_pattern(edit.path), path)]
        assert len(claims) == 1, (path, claims)


def _as_pattern(path: str) -> str:
    return re.escape(path).replace(r"\*\*", ".+").replace(r"\*", r"\*").replace(r"\[\]", r"\[\]")


def test_each_key_of_a_source_of_weights_is_probed_in_a_source_that_has_it() -> None:
    """`tests/planning/difference/test_truth.py` holds the table's word on each to what the program records."""
    probed = {(given[SOURCE]["kind"], path.rpartition(".")[2]) for path, _, given in SOURCES}
    assert probed == {
        (get_args(source.model_fields["kind"].annotation)[0], info.alias or key)
        for source in get_args(get_args(ModelSource)[0])
        for key, info in source.model_fields.items()
        if key != "kind"
    }


@pytest.mark.parametrize("edit", [e for e in all_edits() if e.fields], ids=lambda e: e.path)
def test_each_effect_is_the_hardest_of_its_provider_fields(edit: Any) -> None:
    assert edit.effect is max(field_effect(field) for field in edit.fields)


@pytest.mark.parametrize(
    ("field", "effect"),
    [
        ("google_container_node_pool.node_config.spot", Effect.POOL_REPLACED),
        ("google_container_node_pool.node_config.guest_accelerator.count", Effect.POOL_REPLACED),
        ("google_container_node_pool.node_config.machine_type", Effect.NODE_RECREATION),
        ("google_container_node_pool.autoscaling", Effect.IN_PLACE),
        ("google_container_cluster.datapath_provider", Effect.CLUSTER_REPLACED),
        ("google_container_cluster.release_channel", Effect.IN_PLACE),
        ("google_compute_network.name", Effect.CLUSTER_REPLACED),
        ("kubernetes_deployment.spec.template.spec.containers", Effect.POD_RESTART),
        ("kubernetes_deployment.spec.replicas", Effect.IN_PLACE),
        ("kubernetes_service.metadata.name", Effect.WORKLOAD_REPLACED),
    ],
)
def test_provider_fields_have_the_providers_effect(field: str, effect: Effect) -> None:
    assert field_effect(field) is effect


def test_an_existing_cluster_is_not_replaced_by_a_lookup() -> None:
    assert effect_of("cluster.name") is Effect.CLUSTER_REPLACED
    assert effect_of("cluster.name", existing_cluster=True) is Effect.WORKLOAD_REPLACED
    assert effect_of("cluster.nothingOfTheKind") is None
    assert effect_of("nodePools.l4.taints[3].key") is effect_of("nodePools.*.taints[].key")


def test_a_plan_can_show_the_effect_of_each_field_that_its_config_sets() -> None:
    serving = copy.deepcopy(BASE)
    _set(serving, f"{POOL}.taints", [{"key": "team", "value": "ml"}])
    shown = dict(configured_edits(_stack(serving).config))
    assert shown["cluster.name"] is Effect.CLUSTER_REPLACED
    assert shown["nodePools.l4.machineType"] is Effect.NODE_RECREATION
    assert shown["nodePools.l4.taints[0].value"] is Effect.POD_RESTART
    assert shown["workloads.qwen.engine.maxModelLen"] is Effect.POD_RESTART
    assert shown["workloads.qwen.extraEnv"] is Effect.POD_RESTART
    assert "cluster.releaseChannel" not in shown, "a default was not set by anyone"


@pytest.mark.parametrize(("key", "value"), [("machineType", "g2-standard-12"), ("diskSizeGb", 200)])
def test_an_edit_of_a_pools_nodes_restarts_its_pods_as_the_table_says(key: str, value: Any) -> None:
    edited = copy.deepcopy(BASE)
    _set(edited, f"{POOL}.{key}", value)
    before, after = _resources(_render(BASE)), _resources(_render(edited))
    changed = {f"{kind}.{field}" for kind, field in _changes(before, after)}
    edit = find_edit(f"{POOL}.{key}")
    assert edit is not None
    for field in edit.fields:
        assert any(each.startswith(field) for each in changed), (field, changed)
    assert "restarts its pods" in edit.note


def _render(serving: dict[str, Any]) -> Rendered:
    return render_stack(_stack(serving))


def _stack(serving: dict[str, Any]) -> Stack:
    return parse_stack("edited", {"gcp:project": "my-project", SERVING_KEY: serving}, base=project_root())


def _set(config: dict[str, Any], path: str, value: Any) -> None:
    steps = [int(s) if s.isdigit() else s for s in re.findall(r"[^.\[\]]+", path)]
    at: Any = config
    for step in steps[:-1]:
        at = at[step] if isinstance(step, int) else at.setdefault(step, {})
    at[steps[-1]] = value


def derived_effect(old: Rendered, new: Rendered) -> Effect:
    """The hardest effect of all recorded inputs that differ."""
    before, after = _resources(old), _resources(new)
    effects = [field_effect(f"{kind}.{field}") for kind, field in _changes(before, after)]
    return max(effects, default=Effect.NOTHING)


def _changes(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for kind, name in before.keys() | after.keys():
        if (kind, name) in before and (kind, name) in after:
            for field in _differences(before[kind, name], after[kind, name]):
                if field.split(".")[0] not in IGNORED.get(kind, ()):
                    yield kind, field
        else:
            yield kind, "added or removed"


def _resources(rendered: Rendered) -> dict[tuple[str, str], Any]:
    pools = {pool.program_name: pool.name for pool in rendered.plan.node_pools}
    cloud = {
        (RESOURCES.get(r["type"], r["type"]), pools.get(r["name"], r["name"])): r["inputs"] for r in rendered.cloud
    }
    count: dict[str, int] = defaultdict(int)
    objects = {}
    for manifest in rendered.objects:
        kind = manifest["kind"]
        objects[RESOURCES.get(kind, kind), str(count[kind])] = manifest
        count[kind] += 1
    return cloud | objects


def _differences(old: Any, new: Any, at: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in old.keys() | new.keys():
            snake = re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
            step = SINGULAR.get(snake, snake)
            yield from _differences(old.get(key), new.get(key), f"{at}.{step}" if at else step)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _differences(one, other, at)
    elif old != new:
        yield at
