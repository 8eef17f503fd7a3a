"""Weights on a disk of the node: its zone, size and rate, and what is refused."""

from typing import Any

import pytest

from tests import factories
from tests.planning.workload.sourced import POOL, chat, refusal, stack


@pytest.mark.parametrize("kind", ["hyperdisk", "bootDisk"])
def test_a_disk_of_a_node_pool_is_refused_with_a_remedy_that_leads_somewhere(kind: str) -> None:
    chat = factories.workload()
    chat["model"]["source"] = {"kind": kind}
    with pytest.raises(ValueError, match="Autopilot has no node pools: use another source") as refused:
        factories.planned(factories.serving({"chat": chat}, cluster=factories.AUTOPILOT))
    assert "set nodePool" not in str(refused.value)


def test_no_hyperdisk_is_made_in_a_cluster_that_a_kubeconfig_names() -> None:
    chat = factories.workload(nodePool="l4")
    chat["model"]["source"] = {"kind": "hyperdisk"}
    pools = {"l4": {**POOL, "zones": ["us-central1-a"]}}
    with pytest.raises(ValueError, match=r"set cluster\.name and cluster\.location"):
        factories.planned(factories.serving({"chat": chat}, cluster=factories.EXISTING, pools=pools))
    named = {**factories.EXISTING, "name": "llm", "location": "us-central1-a"}
    assert factories.planned(factories.serving({"chat": chat}, cluster=named, pools=pools))


def test_a_boot_disk_is_that_of_the_pool() -> None:
    source = {"kind": "bootDisk", "path": "qwen"}
    image = "projects/p/global/images/weights"
    assert "set nodePools.l4.secondaryBootDisk" in refusal(source)
    assert "set nodePools.l4.secondaryBootDisk" in refusal(source, pool={"secondaryBootDisk": {"image": image}})
    store = chat(source, pool={"secondaryBootDisk": {"image": image, "mode": None}}).storage.store
    assert store is not None
    assert store.node_path == "/mnt/disks/gke-secondary-disks/gke-weights-disk"


def test_a_hyperdisk_lies_in_one_zone_and_holds_the_weights() -> None:
    store = chat({"kind": "hyperdisk"}).storage.store
    assert store is not None
    assert (store.zone, store.throughput_mibps) == ("us-central1-a", 400)
    assert 16 <= store.size_gb <= 20
    assert "set nodePools.l4.zones to one zone" in refusal({"kind": "hyperdisk"}, cluster={"location": "us-central1"})
    assert "set sizeGb" in refusal({"kind": "hyperdisk", "sizeGb": 10})


def test_a_hyperdisk_reads_as_much_as_its_size_allows() -> None:
    assert chat({"kind": "hyperdisk", "sizeGb": 16, "throughputMibps": 23_841}).storage.store is not None
    told = refusal({"kind": "hyperdisk", "sizeGb": 16, "throughputMibps": 24_000})
    assert "reads 400 to 23,841 MiB/s" in told and "set throughputMibps: 23841" in told
    told = refusal({"kind": "hyperdisk", "sizeGb": 65_536})
    assert "reads 7,325 to" in told and "set throughputMibps: 7325" in told


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"systemPool": {"zones": ["us-central1-b"]}}, "add us-central1-a to cluster.systemPool.zones"),
        ({"zones": ["us-central1-b"], "location": "us-central1"}, "add us-central1-a to cluster.systemPool.zones"),
    ],
)
def test_a_hyperdisk_wants_a_system_node_in_its_zone(cluster: dict[str, Any], said: str) -> None:
    assert said in refusal({"kind": "hyperdisk"}, cluster=cluster, pool={"zones": ["us-central1-a"]})


def test_a_note_tells_of_a_system_node_whose_zone_google_chooses() -> None:
    pool = {"zones": ["us-central1-a"]}
    told = stack({"kind": "hyperdisk"}, cluster={"location": "us-central1"}, pool=pool).workloads[0].judgement.notes
    assert any("cluster.systemPool.zones: [us-central1-a] makes sure" in note for note in told)
    told = stack({"kind": "hyperdisk"}, pool=pool).workloads[0].judgement.notes
    assert not any("makes sure" in note for note in told)
