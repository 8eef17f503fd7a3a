"""Where weights come from: volumes, resources, rights and what is refused, for each source and engine."""

from typing import Any

import pytest

from l4serve.planning.difference.interruption import interruption
from l4serve.planning.stack.edits import Effect
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.quantity import GIB
from tests import factories
from tests.planning.workload.sourced import POOL, QWEN, chat, refusal, stack

URI = "gs://models/qwen2.5-7b"
BUCKET = {"kind": "bucket", "uri": URI}
GATED = "meta-llama/Llama-3.1-8B-Instruct"
TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None, "maxTotalTokens": 4096}


def test_the_hub_mounts_nothing_and_downloads() -> None:
    plan = chat(None)
    assert (plan.storage.volumes, plan.storage.sidecar, plan.storage.readable) == ((), None, ())
    assert f"--model={QWEN}" in plan.engine.argv


def test_a_bucket_is_mounted_with_a_cache_read_in_parallel() -> None:
    plan = chat(BUCKET)
    (volume,) = plan.storage.volumes
    assert volume.bucket is not None
    assert volume.bucket["bucketName"] == "models"
    options = volume.bucket["mountOptions"].split(",")
    assert {"only-dir=qwen2.5-7b", "file-cache:enable-parallel-downloads:true", "implicit-dirs"} <= set(options)
    assert plan.storage.annotations["gke-gcsfuse/volumes"] == "true"
    assert plan.storage.readable == ("models",)
    assert {"--model=/model", f"--served-model-name={QWEN}"} <= set(plan.engine.argv)


def test_the_cache_is_the_sidecars_disk_or_memory_or_none() -> None:
    plain, memory, none = (chat({**BUCKET, "cache": cache}).storage for cache in ("disk", "memory", "none"))
    assert plain.sidecar is not None
    assert memory.sidecar is not None
    assert none.sidecar is not None
    assert plain.sidecar.ephemeral_bytes > 15 * GIB > memory.sidecar.ephemeral_bytes == none.sidecar.ephemeral_bytes
    assert memory.sidecar.memory_bytes > 15 * GIB > plain.sidecar.memory_bytes
    assert [volume.name for volume in memory.volumes] == ["weights", "gke-gcsfuse-cache"]


def test_the_sidecar_takes_its_part_of_the_node() -> None:
    hub, bucket = chat(None).resources, chat(BUCKET).resources
    assert bucket.sidecar is not None
    assert bucket.requests.cpu_millis <= hub.requests.cpu_millis
    whole = bucket.of_one_pod()
    assert whole.memory_bytes == bucket.requests.memory_bytes + bucket.sidecar.memory_bytes
    assert whole.ephemeral_bytes == bucket.requests.ephemeral_bytes + bucket.sidecar.ephemeral_bytes


def test_a_cache_in_memory_that_the_machine_lacks_is_refused() -> None:
    source = {**BUCKET, "cache": "memory"}
    assert "memory of" in refusal(source, pool={"machineType": "g2-standard-4"})


def test_local_ssds_are_wanted_of_the_pool() -> None:
    source = {**BUCKET, "cache": "localSsd"}
    assert "set nodePools.l4.localSsd: {}" in refusal(source)
    assert chat(source, pool={"localSsd": {}}).storage.sidecar is not None


def test_a_bucket_needs_the_driver_of_the_cluster() -> None:
    assert "set cluster.gcsFuse: true" in refusal(BUCKET, cluster={"gcsFuse": False})
    streamed = {**BUCKET, "reader": "streamer"}
    assert chat(streamed, cluster={"gcsFuse": False}).storage.sidecar is None


def test_a_streaming_engine_gets_the_address_and_a_bounded_buffer() -> None:
    plan = chat({**BUCKET, "reader": "streamer"})
    assert {f"--model={URI}", "--load-format=runai_streamer"} <= set(plan.engine.argv)
    assert int(plan.engine.env["RUNAI_STREAMER_MEMORY_LIMIT"]) == 4 * GIB
    assert plan.storage.volumes == ()
    assert plan.storage.readable == ("models",)


@pytest.mark.parametrize(("version", "streams"), [("0.11.0", False), ("0.11.1", True), ("0.26.0", True)])
def test_the_first_release_that_streams_from_a_bucket(version: str, streams: bool) -> None:
    source, engine = {**BUCKET, "reader": "streamer"}, {"version": version}
    if streams:
        assert chat(source, engine=engine).storage.readable == ("models",)
    else:
        assert "those from 0.11.1 on do" in refusal(source, engine=engine)
    assert chat(BUCKET, engine=engine).storage.sidecar is not None


def test_another_load_format_reads_no_address() -> None:
    source = {**BUCKET, "reader": "streamer"}
    assert "set engine.loadFormat: runai_streamer" in refusal(source, engine={"loadFormat": "safetensors"})


def test_tgi_reads_a_mounted_folder_and_streams_nothing() -> None:
    plan = chat(BUCKET, engine=TGI)
    assert "--model-id=/model" in plan.engine.argv
    assert (plan.model.id, plan.model.served_names) == (QWEN, ("/model",))
    assert "TGI 3.3.7 streams from no bucket" in refusal({**BUCKET, "reader": "streamer"}, engine=TGI)


def test_no_token_is_wanted_where_nothing_comes_from_the_hub() -> None:
    plan = stack(BUCKET, model=GATED)
    assert plan.token_missing == ()
    assert plan.workloads[0].secret is None
    assert stack(None, model=GATED).token_missing == ("chat",)
    assert stack({"kind": "hyperdisk"}, model=GATED).token_missing == ("chat",)


def test_a_claim_is_mounted_to_be_read() -> None:
    plan = chat({"kind": "claim", "claim": "models", "path": "qwen"})
    (volume,) = plan.storage.volumes
    assert (volume.claim, volume.sub_path, volume.mount_path, volume.read_only) == ("models", "qwen", "/model", True)
    assert plan.resources.sidecar is None


def test_a_claim_of_one_node_serves_one_pod() -> None:
    source = {"kind": "claim", "claim": "models", "access": "ReadWriteOnce"}
    assert chat(source).storage.volumes
    assert "the others would stay Pending" in refusal(source, replicas=2)


def test_an_update_of_a_claim_of_one_node_ends_the_old_pod_first() -> None:
    once = {"kind": "claim", "claim": "models", "access": "ReadWriteOnce"}
    plan = stack(once)
    rollout = plan.workloads[0].scale.rollout
    assert (rollout.max_surge, rollout.max_unavailable) == (0, 1), "a new pod on another node would wait for ever"
    assert [note.level for note in plan.notes if note.id == "update-gap-of-claim"] == ["may fail"]
    assert "update-gap" not in {note.id for note in plan.notes}, "a GPU is free; more of them change nothing"
    told = interruption(plan.workloads[0], plan.workloads[0], Effect.POD_RESTART, Effect.NOTHING)
    assert told.expected and told.why.startswith("its claim reaches only one node: it goes first")
    many = stack({**once, "access": "ReadOnlyMany"})
    assert many.workloads[0].scale.rollout.max_surge == 1


@pytest.mark.parametrize("second", [{"model": True}, {"compileCache": {"claim": "models"}}])
def test_a_claim_of_one_node_is_for_one_workload(second: dict[str, Any]) -> None:
    once = {"kind": "claim", "claim": "models", "access": "ReadWriteOnce"}

    def planned(access: str) -> StackPlan:
        first, other = factories.workload(), factories.workload()
        first["model"]["source"] = {**once, "access": access}
        if "compileCache" in second:
            other.update(second)
        else:
            other["model"]["source"] = {**once, "access": "ReadOnlyMany"}
        return factories.planned(factories.serving({"chat": first, "code": other}, pools={"l4": POOL}))

    assert planned("ReadWriteMany").workloads
    with pytest.raises(ValueError, match=r"workloads\.code\..*claim: chat mounts models too"):
        planned("ReadWriteOnce")


def test_adapters_of_a_bucket_are_mounted_each_in_a_folder() -> None:
    lora = {"adapters": [{"name": "sql", "path": "gs://models/sql-lora"}, {"name": "hub", "path": "org/lora"}]}
    plan = chat(None, engine={"lora": lora})
    assert [volume.mount_path for volume in plan.storage.volumes] == ["/adapters/sql"]
    assert {"sql=/adapters/sql", "hub=org/lora"} <= set(plan.engine.argv)
    assert plan.storage.readable == ("models",)


@pytest.mark.parametrize(
    "given",
    [
        {"extraEnv": {"RUNAI_STREAMER_MEMORY_LIMIT": "-1"}},
        {"env": {"RUNAI_STREAMER_MEMORY_LIMIT": {"configMap": "a", "key": "b"}}},
    ],
)
def test_the_buffer_that_the_plan_counts_is_not_the_users(given: dict[str, Any]) -> None:
    assert "the buffer that the plan bounds by it" in refusal({**BUCKET, "reader": "streamer"}, **given)
    assert chat(BUCKET, **given), "no buffer is counted there"


def test_a_cluster_of_others_needs_the_driver_for_what_is_mounted_alone() -> None:
    def told(source: dict[str, Any], **fields: Any) -> str:
        workload = factories.workload(QWEN, nodePool="l4", **fields)
        workload["model"]["source"] = source
        cluster = {**factories.EXISTING, "name": "llm", "location": "us-central1-a"}
        notes = factories.planned(factories.serving({"chat": workload}, cluster=cluster, pools={"l4": POOL})).notes
        (note,) = (note for note in notes if "by the pods' identity" in note.text)
        return note.text

    driver, adapters = "Cloud Storage FUSE driver", {"adapters": [{"name": "sql", "path": "gs://models/sql-lora"}]}
    assert driver in told(BUCKET)
    assert driver not in told({**BUCKET, "reader": "streamer"})
    assert driver in told({**BUCKET, "reader": "streamer"}, engine={"lora": adapters})


def test_compiled_code_is_kept_where_the_release_lets_it() -> None:
    cache = {"claim": "compiled", "path": "qwen"}
    plan = chat(None, compileCache=cache)
    (volume,) = plan.storage.volumes
    assert (volume.claim, volume.read_only) == ("compiled", False)
    assert plan.engine.env["VLLM_CACHE_ROOT"] == volume.mount_path
    with pytest.raises(ValueError, match="does not read VLLM_CACHE_ROOT"):
        chat(None, engine=TGI, compileCache=cache)


@pytest.mark.parametrize(("place", "fix"), [(URI, f"kind: bucket, uri: {URI}"), ("/models/qwen", "kind: claim")])
def test_an_id_that_is_a_place_is_sent_to_the_source(place: str, fix: str) -> None:
    with pytest.raises(ValueError, match=fix):
        chat(None, model=place)


def test_a_commit_of_the_hub_is_no_part_of_another_place() -> None:
    values = factories.serving({"chat": factories.workload()})
    values["workloads"]["chat"]["model"] |= {"source": BUCKET, "revision": "main"}
    with pytest.raises(ValueError, match="revision names a commit of the Hub"):
        factories.planned(values)


@pytest.mark.parametrize(
    ("source", "path", "fix"),
    [
        (
            {"kind": "bucket", "uri": "s3://models/m"},
            "workloads.chat.model.source.uri: ",
            "gs://my-models/llama-3.1-8b",
        ),
        ({"kind": "bukket"}, "workloads.chat.model.source.kind: ", "did you mean bucket?"),
        ({"uri": URI}, "workloads.chat.model.source.kind: ", "add kind, such as kind: bucket"),
        ({"kind": "claim"}, "workloads.chat.model.source.claim: ", "claim: models"),
    ],
)
def test_a_source_of_another_form_is_refused_by_its_own_path(source: dict[str, Any], path: str, fix: str) -> None:
    said = refusal(source)
    assert said.startswith(path)
    assert fix in said


def left(reader: str = "fuse", **account: Any) -> dict[str, Any]:
    given = factories.workload(nodePool="l4", serviceAccount=account)
    source = {"kind": "bucket", "uri": "gs://models/qwen", "manageAccess": False, "reader": reader}
    return {**given, "model": {**given["model"], "source": source}}


@pytest.mark.parametrize(
    ("workloads", "told"),
    [
        ({"a": left()}, ["a"]),
        ({"a": left("streamer")}, ["a"]),
        ({"a": left(buckets={"models": "read"})}, []),
        ({"a": left(name="mine"), "b": factories.workload(serviceAccount={"name": "mine"})}, ["a"]),
        (
            {
                "a": left(name="mine"),
                "b": factories.workload(serviceAccount={"name": "mine", "buckets": {"models": "write"}}),
            },
            [],
        ),
    ],
)
def test_access_is_said_to_be_left_where_no_workload_of_the_account_has_it(
    workloads: dict[str, Any], told: list[str]
) -> None:
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 4}}
    serving = factories.serving({name: {"nodePool": "l4", **each} for name, each in workloads.items()}, pools=pools)
    found = [note for note in factories.planned(serving).notes if "the stack grants no access" in note.text]
    assert [note.path for note in found] == [f"workloads.{name}.model.source.manageAccess" for name in told]
    assert all("roles/storage.objectViewer" in note.text and "after the update" in note.text for note in found)
