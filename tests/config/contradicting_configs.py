"""Configs whose parts are each right and contradict each other, the engine or the cluster; as in `wrong_configs`."""

from tests import factories
from tests.config.wrong_configs import REMOVE, TGI, E, W, Wrong

CONTRADICTING = (
    Wrong("tp-over-pool", {f"{E}.tensorParallelSize": 2}, f"{E}.tensorParallelSize", "has nodes with 1 GPU:"),
    Wrong("gpus-over-pool", {f"{W}.gpus": 4}, f"{W}.gpus", "g2-standard-48"),
    Wrong("gpus-over-small-pool", {f"{W}.gpus": 2}, f"{W}.gpus", "node pool 'l4' has nodes with 1 GPU: it would"),
    Wrong("pp-over-pool", {f"{E}.pipelineParallelSize": 2}, f"{E}.pipelineParallelSize", "the pod needs 2 GPUs"),
    Wrong("shards-over-pool", {E: {**TGI, "numShard": 2}}, f"{E}.numShard", "the pod needs 2 GPUs"),
    Wrong("tp-not-gpus", {f"{W}.gpus": 2, f"{E}.tensorParallelSize": 1}, f"{E}.tensorParallelSize", "idle"),
    Wrong("pp-not-gpus", {f"{W}.gpus": 3, f"{E}.pipelineParallelSize": 2}, f"{W}.gpus", "multiple"),
    Wrong("shards-not-gpus", {E: {**TGI, "numShard": 4}, f"{W}.gpus": 2}, f"{E}.numShard"),
    Wrong("pool-unknown", {f"{W}.nodePool": "a100"}, f"{W}.nodePool", "give one of l4"),
    Wrong("recipe-unknown", {f"{W}.recipe": "vllm-7b-tokens"}, f"{W}.recipe", "did you mean vllm-7b-token"),
    Wrong("recipe-case", {f"{W}.recipe": "VLLM-7B-Token"}, f"{W}.recipe", "did you mean vllm-7b-token"),
    Wrong("recipe-true", {f"{W}.recipe": True}, f"{W}.recipe", "there is no recipe true"),
    Wrong("recipe-endless", {f"{W}.recipe": "x" * 4000}, f"{W}.recipe", "xxx..."),
    Wrong("template-blank", {f"{E}.chatTemplate": " "}, f"{E}.chatTemplate", "is blank"),
    Wrong("recipe-other-engine", {f"{W}.recipe": "tgi-7b-token"}, f"{W}.recipe", "is for tgi"),
    Wrong(
        "request-over-limit",
        {f"{W}.resources": {"requests": {"cpu": 4}, "limits": {"cpu": 2}}},
        f"{W}.resources.requests.cpu",
    ),
    Wrong(
        "shm-over-memory",
        {f"{W}.shm": "4Gi", f"{W}.resources": {"limits": {"memory": "2Gi"}}},
        f"{W}.shm",
        "memory limit",
    ),
    Wrong("shm-word", {f"{W}.shm": "lots"}, f"{W}.shm"),
    Wrong(
        "memory-word", {f"{W}.resources": {"limits": {"memory": "25GiB"}}}, f"{W}.resources.limits.memory", "as 25Gi"
    ),
    Wrong("cpu-over-machine", {f"{W}.resources": {"requests": {"cpu": 64}}}, f"{W}.resources.requests.cpu", "Pending"),
    Wrong("replicas-over-pool", {f"{W}.replicas": 3}, "nodePools.l4.maxNodes", "maxNodes: 3"),
    Wrong("scaled-over-pool", {f"{W}.autoscaling": {"maxReplicas": 3}}, "nodePools.l4.maxNodes", "maxNodes: 3"),
    Wrong("scaled-and-counted", {f"{W}.autoscaling": {"maxReplicas": 2}, f"{W}.replicas": 1}, W, "two answers"),
    Wrong("scaled-backwards", {f"{W}.autoscaling": {"minReplicas": 2, "maxReplicas": 1}}, f"{W}.autoscaling", "above"),
    Wrong(
        "scaled-from-none", {f"{W}.autoscaling": {"minReplicas": 0, "maxReplicas": 2}}, f"{W}.autoscaling.minReplicas"
    ),
    Wrong(
        "scaled-by-cpu", {f"{W}.autoscaling": {"maxReplicas": 2, "metric": "cpu"}}, f"{W}.autoscaling.metric", "queue"
    ),
    Wrong(
        "scaled-by-a-metric-that-tgi-lacks",
        {E: TGI, f"{W}.autoscaling": {"maxReplicas": 2, "metric": "cache"}},
        f"{W}.autoscaling.metric",
        "use one of: queue, running",
    ),
    Wrong(
        "scaled-without-target",
        {f"{W}.autoscaling": {"maxReplicas": 2, "metric": "running"}},
        f"{W}.autoscaling.target",
        "set target",
    ),
    Wrong(
        "scaled-at-a-full-cache",
        {f"{W}.autoscaling": {"maxReplicas": 2, "metric": "cache", "target": 80}},
        f"{W}.autoscaling.target",
        "set target: 0.8",
    ),
    Wrong(
        "scaled-without-prometheus",
        {f"{W}.autoscaling": {"maxReplicas": 2}, "cluster.monitoring": {"managedPrometheus": False, "dcgm": False}},
        "cluster.monitoring.managedPrometheus",
        "podMonitoring: false",
    ),
    Wrong(
        "dashboard-of-no-project",
        {"cluster": dict(factories.EXISTING), "nodePools": {}, f"{W}.nodePool": REMOVE, "monitoring.dashboard": True},
        "monitoring.dashboard",
        "set gcp:project",
    ),
    Wrong("args-repeat-field", {f"{W}.extraArgs": ["--max-model-len=100"]}, f"{W}.extraArgs[0]", "maxModelLen"),
    Wrong("args-unknown-flag", {f"{W}.extraArgs": ["--no-such-flag"]}, f"{W}.extraArgs[0]", "no-such-flag"),
    Wrong("args-removed-flag", {f"{W}.extraArgs": ["--num-scheduler-steps=8"]}, f"{W}.extraArgs[0]"),
    Wrong("flag-removed", {f"{E}.swapSpace": 4}, f"{E}.swapSpace"),
    Wrong("version-unknown", {f"{E}.version": "9.9.9"}, f"{E}.version", "contract"),
    Wrong("context-too-long", {f"{E}.maxModelLen": 40000}, f"{E}.maxModelLen"),
    Wrong("model-too-large", {f"{W}.model.id": "Qwen/Qwen2.5-32B-Instruct"}, f"{E}.maxModelLen", "does not fit"),
    Wrong("autopilot-pool", {"cluster": dict(factories.AUTOPILOT)}, "nodePools.l4"),
    Wrong("no-pool", {"nodePools": {}, f"{W}.nodePool": REMOVE}, f"{W}.nodePool", "define one"),
    Wrong("config-missing-file", {f"{W}.model.config": "no/such.json"}, f"{W}.model.config", "cannot be read"),
    Wrong("allow-replace-unknown", {"allowReplace": ["l5"]}, "allowReplace[0]", "use some of: cluster, l4"),
    Wrong("secret-inside", {f"{W}.extraEnv": {"KEY": {"secure": "v1:abc"}}}, f"{W}.extraEnv.KEY", "encrypted"),
)
