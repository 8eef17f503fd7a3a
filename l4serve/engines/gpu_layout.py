"""GPUs of a pod and how the engine shards a model over them."""

from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import refuse
from l4serve.engines.releases.profile import Role, engine_profile

_SHARDED_BY: tuple[Role, ...] = ("shards", "stages")

_GPUS = frozenset(("gpus",))


@frozen()
class GpuLayout:
    """GPUs of one pod: `gpus` = `tensor_parallel_size` x `pipeline_parallel_size`."""

    gpus: int
    tensor_parallel_size: int
    pipeline_parallel_size: int


def gpu_layout(path: str, workload: Workload) -> GpuLayout:
    """The layout of a workload at a YAML path: what is unset follows the rest, a contradiction raises ConfigError."""
    profile = engine_profile(workload.engine.kind)
    tensor: int | None = profile.setting(workload.engine, "shards")
    pipeline: int = profile.setting(workload.engine, "stages") or 1
    gpus = workload.gpus if workload.gpus is not None else (tensor or 1) * pipeline
    if tensor is None and gpus % pipeline:
        message = f"gpus {gpus} is not a multiple of pipelineParallelSize {pipeline}"
        refuse(f"{path}.gpus", message, f"set gpus: {pipeline}", changes=_GPUS)
    tensor = tensor or gpus // pipeline
    if tensor * pipeline == gpus:
        return GpuLayout(gpus, tensor, pipeline)
    stages = f" x pipelineParallelSize {pipeline}" if pipeline > 1 else ""
    outcome = "would leave a GPU idle" if tensor * pipeline < gpus else "would find too few GPUs and crash at start"
    message = f"{tensor}{stages} does not make gpus {gpus}; the engine {outcome}"
    refuse(f"{path}.{profile.path('shards')}", message, f"set gpus: {tensor * pipeline}, or remove it", changes=_GPUS)


def asking_key(path: str, workload: Workload) -> str:
    """The YAML path of the key by which a workload asks for its GPUs: gpus, else what it is sharded over."""
    profile = engine_profile(workload.engine.kind)
    settings = [name for name in _SHARDED_BY if (profile.setting(workload.engine, name) or 1) > 1]
    return f"{path}.gpus" if workload.gpus is not None or not settings else f"{path}.{profile.path(settings[0])}"
