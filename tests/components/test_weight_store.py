"""What is made for weights that lie elsewhere than on the Hub, and how the pods mount them."""

import sys
from fnmatch import fnmatch
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from components.inference_service import InferenceService, InferenceServiceArgs
from components.weight_download import DOWNLOAD, download_variables
from components.weight_store import WeightStore, WeightStoreArgs
from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories
from tests.components.recorder import Recorded, by_purpose, record
from tests.stack_cases import ROOT

TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}
BUCKET = {"kind": "bucket", "uri": "gs://models/qwen", "cache": "memory"}


def planned(
    source: dict[str, Any], engine: dict[str, Any] | None = None, *, hub: dict[str, Any] | None = None, **pool: Any
) -> WorkloadPlan:
    chat = factories.workload("Qwen/Qwen2.5-1.5B-Instruct", nodePool="l4", engine=engine or {})
    chat["model"]["source"] = source
    machine = {"machineType": "g2-standard-12", "maxNodes": 2, **pool}
    cluster = {**factories.ZONAL, "secretManager": True} if hub else factories.ZONAL
    fields = {"huggingFace": hub} if hub else {}
    serving = factories.serving({"chat": chat}, pools={"l4": machine}, cluster=cluster, **fields)
    return factories.planned(serving).workloads[0]


def pod(plan: WorkloadPlan) -> dict[str, Any]:
    def program() -> None:
        InferenceService(plan.name, InferenceServiceArgs(plan=plan))

    (deployment,) = [r for r in record(program) if r.type == "kubernetes:apps/v1:Deployment"]
    template: dict[str, Any] = deployment.inputs["spec"]["template"]
    return template


def store(plan: WorkloadPlan) -> dict[str, Recorded]:
    found = plan.storage.store
    assert found is not None
    args = WeightStoreArgs(plan=plan, store=found, project="my-project")
    return by_purpose(record(lambda: WeightStore("chat-weights", args)))


def test_a_bucket_is_a_fuse_volume_with_the_annotations_of_its_sidecar() -> None:
    template = pod(planned(BUCKET))
    assert template["metadata"]["annotations"]["gke-gcsfuse/volumes"] == "true"
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    assert volumes["weights"]["csi"]["driver"] == "gcsfuse.csi.storage.gke.io"
    assert volumes["weights"]["csi"]["readOnly"] is True
    assert volumes["gke-gcsfuse-cache"]["emptyDir"] == {"medium": "Memory"}
    mounts = template["spec"]["containers"][0]["volumeMounts"]
    assert {"name": "weights", "mountPath": "/model", "readOnly": True} in mounts
    assert "gke-gcsfuse-cache" not in {mount["name"] for mount in mounts}


def test_a_boot_disk_is_a_local_volume_of_the_pools_nodes() -> None:
    disk = {"image": "projects/p/global/images/weights", "mode": None}
    plan = planned({"kind": "bootDisk"}, secondaryBootDisk=disk)
    assert plan.storage.store is not None
    made, claim = store(plan), plan.storage.store.claim
    spec = made["chat-weights-weights-volume"].inputs["spec"]
    assert spec["local"] == {"path": "/mnt/disks/gke-secondary-disks/gke-weights-disk"}
    assert spec["claimRef"] == {"namespace": "llm-serving", "name": claim}
    terms = spec["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"]
    assert {"key": "l4serve.dev/pool", "operator": "In", "values": ["l4"]} in terms
    assert made["chat-weights-weights-claim"].inputs["spec"]["volumeName"] == f"llm-serving-{claim}"


def test_a_job_fills_a_disk_and_its_image_becomes_the_hyperdisk() -> None:
    made = store(planned({"kind": "hyperdisk"}))
    assert made["chat-weights-fill"].inputs["type"] == "pd-balanced"
    disk = made["chat-weights-disk"].inputs
    assert (disk["type"], disk["accessMode"], disk["provisionedThroughput"]) == ("hyperdisk-ml", "READ_ONLY_MANY", 400)
    job = made["chat-weights-fill-job"]
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    assert {"name": "MODEL_ID", "value": "Qwen/Qwen2.5-1.5B-Instruct"} in container["env"]
    settled = made["chat-weights-settle-job"]
    assert job.urn in settled.dependencies and settled.urn in made["chat-weights-image"].dependencies
    pod = settled.inputs["spec"]["template"]["spec"]
    assert "volumes" not in pod, "it waits for the disk to be detached"
    assert "sleep(120)" in pod["containers"][0]["command"][-1]
    assert made["chat-weights-weights-volume"].inputs["spec"]["accessModes"] == ["ReadOnlyMany"]


def test_the_job_reads_the_token_where_the_pods_read_it() -> None:
    hub = {"secretManager": {"secret": "hf", "delivery": "file"}}
    job = store(planned({"kind": "hyperdisk"}, hub=hub))["chat-weights-fill-job"]
    pod = job.inputs["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "hf-token"]
    (named,) = [each["value"] for each in container["env"] if each["name"] == "HF_TOKEN_PATH"]
    assert named.startswith(mount["mountPath"] + "/")
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "hf-token"]
    assert volume["csi"]["volumeAttributes"]["secretProviderClass"] == "hf-secret-source"


def named_by(model: str = "Qwen/Qwen2.5-1.5B-Instruct", size: int = 20, **more: Any) -> tuple[set[str], dict[str, Any]]:
    """Names of the objects behind a Hyperdisk, and what makes its source and its image anew."""
    chat = factories.workload(model, nodePool="l4")
    source = {"kind": "hyperdisk", "sizeGb": size}
    chat["model"] |= {"source": source, **more}
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 2}}
    made = store(factories.planned(factories.serving({"chat": chat}, pools=pools)).workloads[0])
    names = {each.inputs["metadata"]["name"] for each in made.values() if "metadata" in each.inputs}
    return names, {part: made[f"chat-weights-{part}"].inputs["description"] for part in ("fill", "image")}


@pytest.mark.parametrize("change", [{"model": "Qwen/Qwen2.5-0.5B-Instruct"}, {"revision": "v2"}, {"size": 30}], ids=str)
def test_other_weights_are_another_disk_beside_the_one_that_pods_still_read(change: dict[str, Any]) -> None:
    (names, causes), (others, other_causes) = named_by(), named_by(**change)
    assert names and not names & others, "a claim that is mounted cannot be replaced under its name"
    assert all(causes[part] != other_causes[part] for part in causes), "the image is of the filled disk of its time"
    assert named_by() == (names, causes)


def test_the_filling_pods_are_confined_and_of_no_service() -> None:
    plan = planned({"kind": "hyperdisk"})
    template = store(plan)["chat-weights-fill-job"].inputs["spec"]["template"]
    assert not plan.metadata.serving.items() <= template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/fill", "/tmp"}
    for amounts in container["resources"].values():
        assert {"cpu", "memory", "ephemeral-storage"} <= set(amounts)


@pytest.mark.parametrize(("engine", "user"), [({}, 65532), ({"version": "0.8.5"}, None), (TGI, None)])
def test_the_filling_pod_is_of_root_where_only_root_enters_the_images_interpreter(
    engine: dict[str, Any], user: int | None
) -> None:
    made = store(planned({"kind": "hyperdisk"}, engine))
    for job in ("chat-weights-fill-job", "chat-weights-settle-job"):
        (container,) = made[job].inputs["spec"]["template"]["spec"]["containers"]
        assert container["securityContext"].get("runAsUser") == user
        assert container["securityContext"].get("runAsNonRoot") is (True if user else None)


def test_a_disk_is_mounted_in_its_zone_alone() -> None:
    made = store(planned({"kind": "hyperdisk"}))
    place = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-central1-a"]}
    for name in ("chat-weights-fill-volume", "chat-weights-weights-volume"):
        required = made[name].inputs["spec"]["nodeAffinity"]["required"]
        assert required == {"nodeSelectorTerms": [{"matchExpressions": [place]}]}
    job = made["chat-weights-fill-job"].inputs["spec"]["template"]["spec"]
    assert job["nodeSelector"] == {place["key"]: "us-central1-a"}


REPOSITORY = {
    "config.json": 1,
    "model-00001-of-00002.safetensors": 1,
    "model-00002-of-00002.safetensors": 1,
    "model.safetensors.index.json": 1,
    "consolidated.safetensors": 0,
    "pytorch_model.bin": 0,
    "1_Pooling/config.json": 1,
    "original/consolidated.00.pth": 0,
    "original/model.safetensors": 0,
    "onnx/model.onnx_data": 0,
    "model-Q4_K_M.gguf": 0,
}
BINARY = {"config.json": 1, "pytorch_model.bin": 1, "sparse_linear.pt": 1, "onnx/model.onnx": 0}
MISTRAL = {"params.json": 1, "consolidated.safetensors": 1, "model-00001-of-00001.safetensors": 0}


@pytest.mark.parametrize(
    ("files", "engine"),
    [(REPOSITORY, {}), (BINARY, {}), (MISTRAL, {"loadFormat": "mistral"})],
    ids=["hf", "bin", "own"],
)
def test_the_job_downloads_the_weights_once(
    files: dict[str, int], engine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = ModuleType("huggingface_hub")
    asked: dict[str, Any] = {}
    vars(hub)["HfApi"] = lambda: SimpleNamespace(list_repo_files=lambda model, revision: list(files))
    vars(hub)["snapshot_download"] = lambda model, **options: asked.update(options, model=model)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    for name, value in download_variables(planned({"kind": "hyperdisk"}, engine)).items():
        monkeypatch.setenv(name, value)
    exec(DOWNLOAD, {})
    kept = {name for name in files if not any(fnmatch(name, skipped) for skipped in asked["ignore_patterns"])}
    assert kept == {name for name, wanted in files.items() if wanted}
    assert (asked["model"], asked["revision"], asked["local_dir"]) == ("Qwen/Qwen2.5-1.5B-Instruct", None, "/fill")


def test_the_job_takes_the_mirror_and_the_proxy_of_its_engine() -> None:
    chat = factories.workload(
        nodePool="l4",
        extraEnv={"HF_ENDPOINT": "https://hub.example.com", "VLLM_LOGGING_LEVEL": "WARNING"},
        env={"HTTPS_PROXY": {"configMap": "proxy", "key": "url"}, "OTHER": {"secret": "kept", "key": "key"}},
    )
    chat["model"]["source"] = {"kind": "hyperdisk"}
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 2}}
    opened = {"to": [{"cidr": "10.20.0.8/32", "port": 3128}]}
    plan = factories.planned(factories.serving({"chat": chat}, pools=pools, networkPolicy=opened)).workloads[0]
    (container,) = store(plan)["chat-weights-fill-job"].inputs["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each for each in container["env"]}
    assert env["HF_ENDPOINT"]["value"] == "https://hub.example.com"
    assert env["HTTPS_PROXY"]["valueFrom"]["configMapKeyRef"] == {"name": "proxy", "key": "url"}
    assert not {"VLLM_LOGGING_LEVEL", "OTHER"} & set(env)
    assert plan.network is not None and plan.network.fill is not None
    assert "10.20.0.8/32 (TCP 3128)" in plan.network.fill.reaches


def test_a_policy_lets_the_filling_pods_out_and_nobody_in() -> None:
    objects = render_stack(read_stack_file(ROOT / "examples" / "Pulumi.model-in-a-volume.yaml")).objects
    spec, job = (
        next(o["spec"] for o in objects if o["kind"] == kind and o["metadata"]["name"].endswith("-fill"))
        for kind in ("NetworkPolicy", "Job")
    )
    assert spec["podSelector"]["matchLabels"] == job["template"]["metadata"]["labels"]
    assert spec["policyTypes"] == ["Ingress", "Egress"] and spec["ingress"] == []
    assert 443 in {port["port"] for rule in spec["egress"] for port in rule["ports"]}
