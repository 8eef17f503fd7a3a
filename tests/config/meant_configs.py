"""Configs whose refusal says what was meant, as `write it as 16384` for `16,384`; of the form of wrong_configs."""

from tests.config.wrong_configs import REMOVE, E, W, Wrong

ARG, PRICE = f"{W}.extraArgs[0]", "prices.onDemand.g2-standart-8"
POOL = "nodePools.l4"
LOCATION = "cluster.location"
LOCATIONS = {
    "europe-west-4": "write it as europe-west4",
    "europe_west4": "write it as europe-west4",
    "asia-northeast-1-a": "write it as asia-northeast1-a",
    "us-east-1": "write it as us-east1",
    "ap-northeast-1": "write it as asia-northeast1",
    "us-central1a": "write it as us-central1-a",
    "us_central1_a": "write it as us-central1-a",
    "uscentral1-a": "write it as us-central1-a",
    "eu-west4": "did you mean europe-west4?",
    "us-centrall-a": "did you mean us-central1-a?",
    "us-central-a": "did you mean us-central1-a?",
    "us-central": "did you mean us-central1?",
    "us-west": "did you mean us-west1?",
    "us-central1-aa": "did you mean us-central1-a?",
    "us-central1.a": "write it as us-central1-a",
    "northamerica-northeast": "did you mean northamerica-northeast1?",
    "mars": "give a region such as us-central1, or a zone",
    "us-central1-z": "give one of us-central1-a, us-central1-b, us-central1-c, us-central1-f",
}
ZONES = {
    ("us-centrl1-a", ""): "did you mean us-central1-a?",
    ("us-central1-z", ""): "use zones of us-central1: us-central1-a, us-central1-b",
    ("us-central1", "[0]"): "name a zone, such as us-central1-b",
    ("us-central1a", "[0]"): "write it as us-central1-a",
}
PARSERS = {"enableAutoToolChoice": True, "toolCallParser": "hermess"}
NETWORKS = "cluster.authorizedNetworks"
L4, L4M = "nodePools.l4", "g2-standard-8"
OPTIONS, RECURRENCE = "cluster.networkOptions", "cluster.maintenance.recurrence"
SYSTEM, FALLBACK = "cluster.systemPool.machineType", "cluster.systemPool.fallbackMachineTypes"
EXCLUSIONS, LABELS = "cluster.maintenance.exclusions", "cluster.resourceLabels"
DAYS = {"name": "launch", "start": "2026-01-02T00:00:00Z", "end": "2026-01-03T00:00:00Z"}
TWICE = {"to": "internet", "host": "a.b.com", "certificate": {"certificateManager": "a", "secret": "b"}}
REQUESTS = f"{W}.resources.requests"
MEANT = (
    Wrong("replicas-in-letters", {f"{W}.replicas": "three"}, f"{W}.replicas", "write it as 3"),
    Wrong("nodes-and-a-half", {f"{L4}.maxNodes": 2.5}, f"{L4}.maxNodes", "write it as 3"),
    Wrong("port-too-high", {f"{W}.service.port": 80000}, f"{W}.service.port", "give 65535 or less, such as 8080"),
    Wrong("spot-perhaps", {f"{L4}.spot": "maybe"}, f"{L4}.spot", "give true or false"),
    Wrong("nodes-upside-down", {f"{L4}.minNodes": 5}, L4, "set maxNodes: 5, or minNodes: 2"),
    Wrong("name-too-long", {"cluster.name": "l" * 60}, "cluster.name", f"write it as {'l' * 40}"),
    Wrong("variable-with-dash", {f"{W}.extraEnv": {"MY-LEVEL": "a"}}, f"{W}.extraEnv.MY-LEVEL", "write it as MY_LEVEL"),
    Wrong("quantization-near", {f"{E}.quantization": "fp9"}, f"{E}.quantization", "did you mean fp8?"),
    Wrong("cache-begun", {f"{E}.kvCacheDtype": "int8"}, f"{E}.kvCacheDtype", "did you mean int8_per_token_head?"),
    Wrong("cache-far", {f"{E}.kvCacheDtype": "mine"}, f"{E}.kvCacheDtype", "choose one of auto, bfloat16, float16"),
    Wrong("three-shards", {f"{E}.tensorParallelSize": 3, f"{W}.gpus": 3}, f"{E}.tensorParallelSize", ", gpus: 2"),
    Wrong("arguments-of-the-engine", {f"{E}.extraArgs": ["--a"]}, f"{E}.extraArgs", "move it to workloads.qwen\n"),
    Wrong("gpus-of-the-engine", {f"{E}.gpus": 1}, f"{E}.gpus", "move it to workloads.qwen\n"),
    Wrong("cores-in-millions", {f"{REQUESTS}.cpu": "4000M"}, f"{REQUESTS}.cpu", "write it as 4000m"),
    Wrong("version-of-four", {f"{E}.version": "0.26.0.0"}, f"{E}.version", "set engine.version: 0.26.0\n"),
    Wrong(
        "no-priorities",
        {"computeClasses": {"c": {"priorities": []}}},
        "computeClasses.c.priorities",
        "l4serve explain computeClasses.priorities",
    ),
    Wrong("dtype-in-short", {f"{E}.dtype": "bf16"}, f"{E}.dtype", "did you mean bfloat16?"),
    Wrong("machine-of-no-gpu", {f"{L4}.machineType": "n2-standard-8"}, f"{L4}.machineType", "such as g2-standard-8"),
    Wrong("system-machine", {SYSTEM: "e2-standrd-4"}, SYSTEM, "did you mean e2-standard-4?"),
    Wrong("system-fallback", {FALLBACK: ["n2-highmm-4"]}, FALLBACK, "did you mean n2-highmem-4?"),
    Wrong("memory-of-no-machine", {f"{REQUESTS}.memory": "900Gi"}, f"{REQUESTS}.memory", "ask for 41Gi or less"),
    Wrong("rule-of-none", {f"{W}.allow": ["vllm-nope"]}, f"{W}.allow[0]", "remove it; `l4serve contract rules`"),
    Wrong(
        "pool-as-order",
        {"computeClasses": {"fast": {"priorities": "l4"}}},
        "computeClasses.fast.priorities",
        "[{nodePool: l4}]",
    ),
    Wrong(
        "proxies-word",
        {"expose": {"to": "network", "proxyOnlyCidr": "x"}},
        "expose.proxyOnlyCidr",
        "example 10.129.0.0/23",
    ),
    Wrong("day-alone", {EXCLUSIONS: [{**DAYS, "start": "2026-01-01"}]}, f"{EXCLUSIONS}[0].start", "2026-01-01T00:00"),
    Wrong(
        "host-of-an-address", {"expose.host": "https://a.b.com", "expose.to": "network"}, "expose.host", "as a.b.com"
    ),
    Wrong("path-without-slash", {f"{W}.expose.path": "chat"}, f"{W}.expose.path", "write it as /chat"),
    Wrong("gke-v", {"cluster.minVersion": "v1.33"}, "cluster.minVersion", "write it as '1.33'"),
    Wrong("taint-of-kubectl", {f"{L4}.taints": ["a=b:NoExecute"]}, f"{L4}.taints[0]", "{key: a, value: b, effect: NoE"),
    Wrong("range-as-peer", {"networkPolicy.from": ["10.0.0.0/8"]}, "networkPolicy.from[0]", "as {cidr: 10.0.0.0/8}"),
    Wrong("ssds-by-number", {f"{L4}.localSsd": 2}, f"{L4}.localSsd", "write it as {count: 2}"),
    Wrong("media-many", {f"{E}.limitMmPerPrompt": {"image": "many"}}, f"{E}.limitMmPerPrompt", "example {image: 2}"),
    Wrong("rank-between", {f"{E}.lora": {"maxRank": 12}}, f"{E}.lora.maxRank", "choose one of 1, 8, 16"),
    Wrong("label-of-capitals", {LABELS: {"team": "ML"}}, f"{LABELS}.team", "write it as ml"),
    Wrong("no-key-named", {f"{W}.apiKey": {}}, f"{W}.apiKey", "add one of secret, config, secretManager"),
    Wrong("two-certificates", {"expose": TWICE}, "expose.certificate", "remove all but one of them"),
    Wrong("preemptible", {f"{L4}.provisioning": "preemptible"}, f"{L4}.provisioning", "did you mean spot?"),
    Wrong(
        "class-of-none", {f"{W}.computeClass": "fast", f"{W}.nodePool": REMOVE}, f"{W}.computeClass", "define fast in"
    ),
    Wrong("engine-in-one-text", {E: "kind: vllm\nversion: 0.26.0"}, E, "the text has several lines"),
    Wrong("length-in-tokens", {f"{E}.maxModelLen": "4096 tokens"}, f"{E}.maxModelLen", "write it as 4096"),
    Wrong("length-in-thousands", {f"{E}.maxModelLen": "16,384"}, f"{E}.maxModelLen", "write it as 16384"),
    Wrong("utilisation-85", {f"{E}.gpuMemoryUtilization": "85%"}, f"{E}.gpuMemoryUtilization", "write it as 0.85"),
    Wrong("length-of-a-million", {f"{E}.maxModelLen": "1M"}, f"{E}.maxModelLen", "write it as 1048576"),
    Wrong("length-in-kibi", {f"{E}.maxModelLen": "8Ki"}, f"{E}.maxModelLen", "write it as 8192"),
    Wrong("length-in-k-tokens", {f"{E}.maxModelLen": "32K tokens"}, f"{E}.maxModelLen", "write it as 32768"),
    Wrong(
        "utilisation-1.5",
        {f"{E}.gpuMemoryUtilization": 1.5},
        f"{E}.gpuMemoryUtilization",
        "give 1 or less, such as 0.9",
    ),
    Wrong(
        "utilisation-150", {f"{E}.gpuMemoryUtilization": "150%"}, f"{E}.gpuMemoryUtilization", "write for example 0.9"
    ),
    Wrong("utilisation-text", {f"{E}.gpuMemoryUtilization": "85"}, f"{E}.gpuMemoryUtilization", "write it as 0.85"),
    Wrong("cpu-milli", {f"{REQUESTS}.cpu": "500milli"}, f"{REQUESTS}.cpu", "write it as 500m"),
    Wrong("cpu-millicores", {f"{REQUESTS}.cpu": "250 millicores"}, f"{REQUESTS}.cpu", "write it as 250m"),
    Wrong("cpu-mcpu", {f"{REQUESTS}.cpu": "500mcpu"}, f"{REQUESTS}.cpu", "write it as 500m"),
    Wrong("memory-small-m", {f"{REQUESTS}.memory": "300m"}, f"{REQUESTS}.memory", "write it as 300Mi"),
    Wrong("switch-among-args", {f"{W}.extraArgs": {"x": True, "no-y": False}}, f"{W}.extraArgs", "[--x, --y]"),
    Wrong(
        "reservation-by-name", {f"{L4}.reservation": "mine"}, f"{L4}.reservation", "{affinity: specific, name: mine}"
    ),
    Wrong("reservation-number", {"nodePools.l4.reservation": 5}, "nodePools.l4.reservation", "name: l4-reserved}"),
    Wrong("network-alone", {NETWORKS: ["10.0.0.0/8"]}, f"{NETWORKS}[0]", "write it as {cidr: 10.0.0.0/8}"),
    Wrong("address-alone", {NETWORKS: [{"cidr": "10.0.0.1"}]}, f"{NETWORKS}[0].cidr", "write it as 10.0.0.1/32"),
    Wrong(
        "disk-below-the-least",
        {"nodePools.l4.diskSizeGb": "4cores"},
        "nodePools.l4.diskSizeGb",
        "write for example 200",
    ),
    Wrong("cards-beyond-any", {f"{W}.gpus": "8k"}, f"{W}.gpus", "write for example 1"),
    Wrong("model-alone", {f"{W}.model": "Qwen/Qwen3-8B"}, f"{W}.model", "write it as {id: Qwen/Qwen3-8B}"),
    Wrong("variables-of-kubernetes", {f"{W}.extraEnv": [{"name": "A", "value": "b"}]}, f"{W}.extraEnv", "{A: b}"),
    Wrong("variables-listed", {f"{W}.extraEnv": ["A=b"]}, f"{W}.extraEnv", "write it as {A: b}"),
    Wrong("no-engine-named", {E: REMOVE}, E, "add engine: {kind: vllm}"),
    Wrong("cpu-zero", {f"{REQUESTS}.cpu": 0}, f"{REQUESTS}.cpu", "write for example 2, or remove it"),
    Wrong("memory-fraction", {f"{REQUESTS}.memory": 1.5}, f"{REQUESTS}.memory", "write it as 1.5Gi"),
    Wrong("price-word", {f"prices.onDemand.{L4M}": "free"}, f"prices.onDemand.{L4M}", "write for example 0.61"),
    Wrong("env-list", {f"{W}.env": ["A"]}, f"{W}.env", "{DATABASE_PASSWORD: {secret: search-backend, key: password}}"),
    Wrong("env-without-key", {f"{W}.env": {"A": {"secret": "a"}}}, f"{W}.env.A.key", "add key: password"),
    Wrong("recurrence-word", {RECURRENCE: "FREQ=WEKLY"}, RECURRENCE, "is not a recurrence: FREQ=DAILY, WEEKLY"),
    Wrong("time-word", {"cluster.maintenance.start": "tomorrow"}, "cluster.maintenance.start", "is not a time in UTC"),
    Wrong("range-word", {f"{OPTIONS}.nodesCidr": "many"}, f"{OPTIONS}.nodesCidr", "is not a range of addresses"),
    Wrong(
        "range-of-one", {f"{OPTIONS}.nodesCidr": "10.0.0.0"}, f"{OPTIONS}.nodesCidr", "write for example 10.0.0.0/20"
    ),
    Wrong("host-bits", {NETWORKS: [{"cidr": "10.0.0.1/8"}]}, f"{NETWORKS}[0].cidr", "write it as 10.0.0.0/8"),
    Wrong("host-bits-of-nodes", {f"{OPTIONS}.nodesCidr": "10.0.0.1/20"}, f"{OPTIONS}.nodesCidr", "as 10.0.0.0/20"),
    Wrong(
        "networks-too-deep",
        {f"{OPTIONS}.authorizedNetworks": []},
        f"{OPTIONS}.authorizedNetworks",
        "move it to cluster\n",
    ),
    Wrong("rank-misspelt", {f"{E}.lora": {"maxRnk": 8}}, f"{E}.lora.maxRnk", "did you mean maxRank?"),
    Wrong("version-letter", {f"{E}.version": "0.26.O"}, f"{E}.version", "write it as 0.26.0"),
    Wrong("cache-type-case", {f"{E}.kvCacheDtype": "FP8"}, f"{E}.kvCacheDtype", "did you mean fp8?"),
    Wrong("args-in-one-text", {f"{W}.extraArgs": "--a=1 --b"}, f"{W}.extraArgs", "write it as [--a=1, --b]"),
    Wrong("args-mapping", {f"{W}.extraArgs": {"seed": 1}}, f"{W}.extraArgs", "write it as [--seed=1]"),
    Wrong("route-switch", {f"{W}.expose": True}, f"{W}.expose", "write it as {enabled: true}"),
    Wrong("request-of-cards", {REQUESTS: {"gpu": 1}}, f"{REQUESTS}.gpu", "did you mean workloads.gpus?"),
    Wrong("service-target", {f"{W}.service.targetPort": 80}, f"{W}.service.targetPort", "give one of name, type, port"),
    Wrong("bounds-one-level-up", {f"{W}.minReplicas": 1}, f"{W}.minReplicas", "move it to workloads.qwen.autoscaling"),
    Wrong("type-without-value", {f"{W}.service.type": None}, f"{W}.service.type", "the key has no value, and one of"),
    Wrong("version-of-gke", {"cluster.minVersion": 1.3}, "cluster.minVersion", "put the version in quotes"),
    Wrong(
        "disk-in-cores",
        {REQUESTS: {"ephemeralStorage": "4cores"}},
        f"{REQUESTS}.ephemeralStorage",
        "write for example 60Gi",
    ),
    Wrong("env-of-two", {f"{W}.env": {"A": {"secret": "a", "configMap": "b", "key": "k"}}}, f"{W}.env.A", "remove one"),
    Wrong("env-of-none", {f"{W}.env": {"A": {"key": "k"}}}, f"{W}.env.A", "add secret: NAME, or configMap: NAME"),
    Wrong(
        "tool-parser", {f"{E}.{k}": v for k, v in PARSERS.items()}, f"{E}.toolCallParser", "did you mean hermes? Else"
    ),
    Wrong("reasoning", {f"{E}.reasoningParser": "deepseek_r2"}, f"{E}.reasoningParser", "did you mean deepseek_r1?"),
    Wrong("reasoning-far", {f"{E}.reasoningParser": "mine"}, f"{E}.reasoningParser", "fix: choose one of "),
    Wrong(
        "key-of-compilation",
        {f"{E}.compilationConfig": {"cudagraph_mod": "FULL"}},
        f"{E}.compilationConfig",
        "fix: did you mean cudagraph_mode?",
    ),
    Wrong(
        "key-of-an-arg", {f"{W}.extraArgs": ['--speculative-config={"methd": "ngram"}']}, ARG, "did you mean method?"
    ),
    Wrong("arg-choice", {f"{W}.extraArgs": ["--uvicorn-log-level=wrning"]}, ARG, "fix: did you mean warning?"),
    Wrong("price", {"prices": {"onDemand": {"g2-standart-8": 0.01}}}, PRICE, "fix: did you mean g2-standard-8?"),
    Wrong(
        "model-owner", {f"{W}.model.id": "Quen/Qwen2.5-1.5B-Instruct"}, f"{W}.model.id", "did you mean Qwen/Qwen2.5-1"
    ),
    *(Wrong(f"location-{value}", {LOCATION: value}, LOCATION, said) for value, said in LOCATIONS.items()),
    Wrong("pool-zone", {f"{POOL}.zones": ["us-centrl1-a"]}, f"{POOL}.zones", "fix: did you mean us-central1-a?"),
    *(
        Wrong(f"zones-{value}", {LOCATION: "us-central1", "cluster.zones": [value]}, f"cluster.zones{at}", said)
        for (value, at), said in ZONES.items()
    ),
)
