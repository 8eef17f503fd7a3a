"""Configs that must be refused: an id, an edit of a good config, the YAML path of the error, and a part of its text."""

from typing import Any, NamedTuple

from tests import factories

GOOD: dict[str, Any] = factories.serving(
    {"qwen": factories.workload(nodePool="l4")}, pools={"l4": {"machineType": "g2-standard-12", "maxNodes": 2}}
)

REMOVE = object()


class Wrong(NamedTuple):
    """One wrong config: `edits` maps dotted paths (as in YAML) to values laid over the good one."""

    id: str
    edits: dict[str, Any]
    path: str
    text: str = ""


def other(name: str, **fields: Any) -> dict[str, Any]:
    """A second workload."""
    return {f"workloads.{name}": {**GOOD["workloads"]["qwen"], **fields}}


W, E = "workloads.qwen", "workloads.qwen.engine"
TGI = {"kind": "tgi", "version": "3.3.7"}
WRONG = (
    # typos and unknown keys
    Wrong("top-level-typo", {"workload": {}}, "workload", "no such key"),
    Wrong("cluster-typo", {"cluster.locaton": "us-central1"}, "cluster.locaton", "did you mean location"),
    Wrong("pool-typo", {"nodePools.l4.machinetype": "g2-standard-8"}, "nodePools.l4.machinetype", "machineType"),
    Wrong("workload-typo", {f"{W}.replica": 2}, f"{W}.replica", "did you mean replicas"),
    Wrong(
        "block-size-of-none", {f"{E}.version": "0.10.0", f"{E}.blockSize": 7}, f"{E}.blockSize", "1, 8, 16, 32, 64, 128"
    ),
    Wrong("engine-typo", {f"{E}.maxModelLength": 10}, f"{E}.maxModelLength", "did you mean maxModelLen"),
    Wrong("snake-case", {f"{E}.max_model_len": 10}, f"{E}.max_model_len", "did you mean maxModelLen"),
    Wrong("key-of-another-part", {f"{W}.minNodes": 1}, f"{W}.minNodes", "move it to cluster.systemPool or nodePools"),
    Wrong("model-typo", {f"{W}.model.ID": "x/y"}, f"{W}.model.ID", "no such key"),
    Wrong("tgi-flag-on-vllm", {f"{E}.numShard": 1}, f"{E}.numShard", "no such key"),
    Wrong("vllm-flag-on-tgi", {E: {**TGI, "maxModelLen": 4096}}, f"{E}.maxModelLen", "no such key"),
    Wrong("resources-typo", {f"{W}.resources.request": {}}, f"{W}.resources.request", "did you mean requests"),
    Wrong("service-typo", {f"{W}.service.portNumber": 1}, f"{W}.service.portNumber", "no such key"),
    # missing values
    Wrong("no-cluster", {"cluster": REMOVE}, "cluster", "required"),
    Wrong("no-mode", {"cluster.mode": REMOVE}, "cluster.mode", "required"),
    Wrong("no-name", {"cluster.name": REMOVE}, "cluster.name", "required"),
    Wrong("no-location", {"cluster.location": REMOVE}, "cluster.location", "required"),
    Wrong("no-machine-to-choose", {"nodePools.idle": {}}, "nodePools.idle.machineType", "no workload names the pool"),
    Wrong("no-engine", {E: REMOVE}, E, "required"),
    Wrong("no-kind", {f"{E}.kind": REMOVE}, f"{E}.kind", "required"),
    Wrong("no-model", {f"{W}.model": REMOVE}, f"{W}.model", "required"),
    Wrong("no-model-id", {f"{W}.model": {}}, f"{W}.model.id", "required"),
    # wrong types
    Wrong("cluster-list", {"cluster": []}, "cluster"),
    Wrong("workloads-list", {"workloads": []}, "workloads"),
    Wrong("workload-string", {W: "qwen"}, W),
    Wrong("replicas-word", {f"{W}.replicas": "two"}, f"{W}.replicas", "'two' is not a whole number"),
    Wrong("replicas-fraction", {f"{W}.replicas": 1.5}, f"{W}.replicas", "1.5 is not a whole number"),
    Wrong("replicas-boolean", {f"{W}.replicas": True}, f"{W}.replicas", "not true or false"),
    Wrong("length-word", {f"{E}.maxModelLen": "8k"}, f"{E}.maxModelLen", "write it as 8192"),
    Wrong("flag-word", {f"{E}.enforceEager": "perhaps"}, f"{E}.enforceEager", "neither true nor false"),
    Wrong("args-string", {f"{W}.extraArgs": "--uvicorn-log-level=info"}, f"{W}.extraArgs"),
    Wrong("env-list", {f"{W}.extraEnv": ["A=b"]}, f"{W}.extraEnv"),
    Wrong("version-float", {f"{E}.version": 0.26}, f"{E}.version", "quotes"),
    Wrong("cpu-boolean", {f"{W}.resources.requests.cpu": True}, f"{W}.resources.requests.cpu"),
    # bounds
    Wrong("replicas-negative", {f"{W}.replicas": -1}, f"{W}.replicas", "-1 is below 0"),
    Wrong("gpus-zero", {f"{W}.gpus": 0}, f"{W}.gpus"),
    Wrong("gpus-nine", {f"{W}.gpus": 9}, f"{W}.gpus"),
    Wrong("length-zero", {f"{E}.maxModelLen": 0}, f"{E}.maxModelLen"),
    Wrong("length-negative", {f"{E}.maxModelLen": -4096}, f"{E}.maxModelLen"),
    Wrong("utilisation-over-one", {f"{E}.gpuMemoryUtilization": 1.1}, f"{E}.gpuMemoryUtilization"),
    Wrong("utilisation-zero", {f"{E}.gpuMemoryUtilization": 0}, f"{E}.gpuMemoryUtilization"),
    Wrong("utilisation-per-cent", {f"{E}.gpuMemoryUtilization": 90}, f"{E}.gpuMemoryUtilization", "write it as 0.9"),
    Wrong("port-high", {f"{W}.service.port": 70000}, f"{W}.service.port"),
    Wrong("max-nodes-zero", {"nodePools.l4.maxNodes": 0}, "nodePools.l4.maxNodes"),
    Wrong("min-nodes-negative", {"nodePools.l4.minNodes": -1}, "nodePools.l4.minNodes"),
    Wrong("min-above-max", {"nodePools.l4.minNodes": 3}, "nodePools.l4", "minNodes 3 is above maxNodes 2"),
    Wrong("disk-tiny", {"nodePools.l4.diskSizeGb": 10}, "nodePools.l4.diskSizeGb"),
    # words outside the choices
    Wrong("mode-typo", {"cluster.mode": "standart"}, "cluster.mode", "did you mean standard?"),
    Wrong("location-typo", {"cluster.location": "us-centra1-a"}, "cluster.location", "did you mean us-central1-a?"),
    Wrong("location-of-mars", {"cluster.location": "mars-west1-a"}, "cluster.location", "no region 'mars-west1'"),
    Wrong("cpu-word", {f"{W}.resources.requests.cpu": "4cores"}, f"{W}.resources.requests.cpu", "write it as '4'"),
    Wrong("model-text", {f"{W}.model": "Qwen/Qwen2.5-7B"}, f"{W}.model", "write it as {id: "),
    Wrong("pools-list", {"nodePools": [{"name": "l4"}]}, "nodePools", "a mapping is expected"),
    Wrong("zones-text", {"nodePools.l4.zones": "us-central1-a"}, "nodePools.l4.zones", "write it as [us-central1-a]"),
    Wrong("version-date", {f"{E}.version": "2026-01-01"}, f"{E}.version", "write for example 0.26.0"),
    Wrong("mode-unknown", {"cluster.mode": "serverless"}, "cluster.mode", "standard"),
    Wrong("kind-unknown", {f"{E}.kind": "sglang"}, f"{E}.kind", "vllm"),
    Wrong("channel-unknown", {"cluster.releaseChannel": "NIGHTLY"}, "cluster.releaseChannel"),
    Wrong(
        "machine-unknown", {"nodePools.l4.machineType": "g2-standard-7"}, "nodePools.l4.machineType", "g2-standard-8"
    ),
    Wrong("machine-without-gpu", {"nodePools.l4.machineType": "e2-standard-4"}, "nodePools.l4.machineType"),
    Wrong("service-type", {f"{W}.service.type": "ExternalName"}, f"{W}.service.type"),
    Wrong("fit-word", {f"{W}.fit": "ignore"}, f"{W}.fit"),
    Wrong("kv-cache-type", {f"{E}.kvCacheDtype": "int3"}, f"{E}.kvCacheDtype", "fp8"),
    Wrong("dtype-word", {f"{E}.dtype": "fp4"}, f"{E}.dtype"),
    Wrong(
        "template-typo",
        {f"{E}.chatTemplate": "examples/tool_chat_template_hermess.jinja"},
        f"{E}.chatTemplate",
        "did you mean examples/tool_chat_template_hermes.jinja?",
    ),
    Wrong("args-blank", {f"{W}.extraArgs": ["--uvicorn-log-level warning"]}, f"{W}.extraArgs[0]", "level=warning"),
    Wrong("model-place", {f"{W}.model.id": "gs://bucket/model"}, f"{W}.model.id", "source: {kind: bucket"),
    Wrong("model-folder", {f"{W}.model.id": "/models/x"}, f"{W}.model.id", "write the Hub id"),
    Wrong("parser-typo", {f"{E}.toolCallParser": "hermess", f"{E}.enableAutoToolChoice": True}, f"{E}.toolCallParser"),
    Wrong("zone-unknown", {"nodePools.l4.zones": ["us-central1-z"]}, "nodePools.l4.zones", "us-central1-a"),
    Wrong("key-on-the-line", {f"{W}.extraArgs": ["--api-key=sk-1"]}, f"{W}.extraArgs[0]", "keep it in a Secret"),
    Wrong("key-in-the-env", {f"{W}.extraEnv": {"VLLM_API_KEY": "x"}}, f"{W}.extraEnv.VLLM_API_KEY", "in a Secret"),
    Wrong("pool-near", {f"{W}.nodePool": "l44"}, f"{W}.nodePool", "l4"),
    Wrong("memory-small", {f"{W}.resources.requests.memory": "2Gi"}, f"{W}.resources.requests.memory", "OOMKilled"),
    Wrong("cpu-negative", {f"{W}.resources.requests.cpu": -1}, f"{W}.resources.requests.cpu", "write for example '4'"),
    Wrong("channel-case", {"cluster.releaseChannel": "regular"}, "cluster.releaseChannel", "did you mean REGULAR?"),
    Wrong("spot-word", {"nodePools.l4.spot": "maybe"}, "nodePools.l4.spot", "neither true nor false"),
    Wrong("port-word", {f"{W}.service.port": "http"}, f"{W}.service.port", "'http' is not a whole number"),
    Wrong("replicas-null", {f"{W}.replicas": None}, f"{W}.replicas", "write for example 2"),
    # what a first user writes
    Wrong("location-case", {"cluster.location": "US-Central1-A"}, "cluster.location", "write it as us-central1-a"),
    Wrong("location-together", {"cluster.location": "uscentral1"}, "cluster.location", "neither a region nor a zone"),
    Wrong("location-without-card", {"cluster.location": "us-central1-f"}, "cluster.location", "does not offer"),
    Wrong("location-list", {"cluster.location": ["us-central1-a"]}, "cluster.location", "a text is expected"),
    Wrong("cluster-name-underscore", {"cluster.name": "My_LLM"}, "cluster.name", "write it as my-llm"),
    Wrong("cluster-name-empty", {"cluster.name": None}, "cluster.name", "the key has no value"),
    Wrong(
        "mode-letter",
        {"cluster": {"m\u043ede": "standard", "name": "a", "location": "us-central1"}},
        "cluster.mode",
        "write mode for m\u043ede",
    ),
    Wrong("machine-case", {"nodePools.l4.machineType": "G2-standard-8"}, "nodePools.l4.machineType", "g2-standard-8"),
    Wrong(
        "machine-family",
        {"nodePools.l4.machineType": "g2-standard-9"},
        "nodePools.l4.machineType",
        "did you mean g2-standard-8?",
    ),
    Wrong("pool-case", {f"{W}.nodePool": "L4"}, f"{W}.nodePool", "write it as l4"),
    Wrong("pool-list", {f"{W}.nodePool": ["l4"]}, f"{W}.nodePool", "a text is expected"),
    Wrong("count-with-unit", {"nodePools.l4.maxNodes": "4 nodes"}, "nodePools.l4.maxNodes", "not a whole number"),
    Wrong("replicas-mapping", {f"{W}.replicas": {"min": 1}}, f"{W}.replicas", "a whole number is expected, not {min"),
    Wrong("length-with-comma", {f"{E}.maxModelLen": "8,192"}, f"{E}.maxModelLen", "is not a whole number"),
    Wrong(
        "utilisation-with-sign", {f"{E}.gpuMemoryUtilization": "90%"}, f"{E}.gpuMemoryUtilization", "is not a number"
    ),
    Wrong("version-latest", {f"{E}.version": "latest"}, f"{E}.version", "is not a release"),
    Wrong("kind-case", {f"{E}.kind": "vLLM"}, f"{E}.kind", "did you mean vllm?"),
    Wrong("flag-as-key", {f"{E}.max-model-len": 8192}, f"{E}.max-model-len", "did you mean maxModelLen?"),
    Wrong("key-one-level-up", {f"{W}.maxModelLen": 8192}, f"{W}.maxModelLen", "move it to workloads.qwen.engine"),
    Wrong("key-of-the-other-engine", {E: {**TGI, "blockSize": 16}}, f"{E}.blockSize", "it is a key of kind: vllm"),
    Wrong("parser-accent", {f"{E}.toolCallParser": "herm\u00e9s"}, f"{E}.toolCallParser", "write it as hermes"),
    Wrong("memory-unit", {f"{W}.resources.requests.memory": "32GB"}, f"{W}.resources.requests.memory", "as 32G"),
    Wrong("memory-bytes", {f"{W}.resources.requests.memory": 32}, f"{W}.resources.requests.memory", "write it as 32Gi"),
    Wrong(
        "memory-milli", {f"{W}.resources.requests.memory": "25000m"}, f"{W}.resources.requests.memory", "thousandths"
    ),
    Wrong("cpu-cores", {f"{W}.resources.requests.cpu": "6 cores"}, f"{W}.resources.requests.cpu", "write it as '6'"),
    Wrong("no-blank-in-flow", {f"{W}.resources.requests": {"cpu:6": None}}, f"{W}.resources.requests.cpu:6", "a blank"),
    Wrong(
        "model-address",
        {f"{W}.model.id": "https://huggingface.co/google/gemma-7b-it"},
        f"{W}.model.id",
        "write it as google/gemma-7b-it",
    ),
    Wrong(
        "model-by-scheme",
        {f"{W}.model.id": "hf://openai/gpt-oss-20b"},
        f"{W}.model.id",
        "write it as openai/gpt-oss-20b",
    ),
    Wrong(
        "model-with-tag",
        {f"{W}.model.id": "openai/gpt-oss-20b:v1"},
        f"{W}.model.id",
        "fix: write it as openai/gpt-oss-20b, and",
    ),
    Wrong("model-elsewhere", {f"{W}.model.id": "s3://bucket/model"}, f"{W}.model.id", "copy the weights into a bucket"),
    Wrong(
        "model-misspelt",
        {f"{W}.model.id": "Qwen/Qwen2.5-1.5B-Instuct"},
        f"{W}.model.id",
        "did you mean Qwen/Qwen2.5-1.5B-Instruct?",
    ),
    Wrong(
        "model-without-owner",
        {f"{W}.model.id": "Qwen2.5-1.5B-Instruct"},
        f"{W}.model.id",
        "did you mean Qwen/Qwen2.5-1.5B-Instruct?",
    ),
    Wrong(
        "template-half",
        {f"{E}.chatTemplate": "template_alpaca.jinj"},
        f"{E}.chatTemplate",
        "did you mean examples/template_alpaca.jinja?",
    ),
    Wrong("template-word", {f"{E}.chatTemplate": "chatml"}, f"{E}.chatTemplate", "the image lacks"),
    # names
    Wrong("workload-upper-case", {"workloads.Qwen": GOOD["workloads"]["qwen"]}, "workloads.Qwen", "lower-case"),
    Wrong("workload-underscore", {"workloads.my_qwen": GOOD["workloads"]["qwen"]}, "workloads.my_qwen", "lower-case"),
    Wrong("workload-long", other("q" * 41), "workloads." + "q" * 41, "40 characters"),
    Wrong("workload-dash-end", {"workloads.qwen-": GOOD["workloads"]["qwen"]}, "workloads.qwen-", "lower-case"),
    Wrong("pool-upper-case", {"nodePools.L4": GOOD["nodePools"]["l4"]}, "nodePools.L4", "lower-case"),
    Wrong("namespace-dots", {"namespace": "llm.serving"}, "namespace", "namespace"),
    Wrong("service-name", {f"{W}.service.name": "My Service"}, f"{W}.service.name"),
    Wrong("service-name-dots", {f"{W}.service.name": "a.b"}, f"{W}.service.name", "not a Service name"),
    Wrong("service-name-digit", {f"{W}.service.name": "7b"}, f"{W}.service.name", "beginning with a letter"),
    Wrong("namespace-default", {"namespace": "default"}, "namespace", "createNamespace: false"),
    Wrong("namespace-system", {"namespace": "kube-system"}, "namespace", "the cluster's own"),
    Wrong("pod-label-key", {f"{W}.labels": {"a b": "c"}}, f"{W}.labels.a b", "not a label key"),
    Wrong("pod-label-value", {f"{W}.labels": {"team": "a b"}}, f"{W}.labels.team", "not a label value"),
    Wrong("pod-label-taken", {f"{W}.labels": {"l4serve.dev/recipe": "x"}}, f"{W}.labels.l4serve.dev/recipe", "itself"),
    Wrong(
        "selector-taken",
        {f"{W}.labels": {"app.kubernetes.io/instance": "x"}},
        f"{W}.labels.app.kubernetes.io/instance",
        "itself",
    ),
    Wrong("image-spaces", {f"{E}.image": "my image"}, f"{E}.image", "vllm/vllm-openai"),
    Wrong("range-word", {"cluster.authorizedNetworks": [{"cidr": "10.1.2.3"}]}, "cluster.authorizedNetworks[0].cidr"),
    Wrong("service-collision", other("other", service={"name": "qwen"}, replicas=0), "workloads.other.service.name"),
    Wrong("label-value", {"nodePools.l4.labels": {"team": "a b"}}, "nodePools.l4.labels.team"),
    Wrong("env-name", {f"{W}.extraEnv": {"A-B": "c"}}, f"{W}.extraEnv.A-B", "environment variable"),
    Wrong("model-id", {f"{W}.model.id": "Qwen 2.5"}, f"{W}.model.id", "Hub"),
    Wrong("secret-name", {"huggingFace": {"existingSecret": "HF_SECRET"}}, "huggingFace.existingSecret"),
)
