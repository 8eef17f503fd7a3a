"""Judges a workload before it runs: does the model fit its GPUs, and does the engine take what it is told?"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.config.problems import Problem, Refused, refuse
from l4serve.config.vllm import VllmEngine
from l4serve.config.workload import Engine, Workload
from l4serve.engines.contract import Contract
from l4serve.engines.rules import GpuTraits, ModelTraits, Verdict, judge, rules
from l4serve.planning.machines.gpus import Gpu, find_gpu
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.host import host_needs
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.remedies import Remedy, remedies
from l4serve.planning.models.model_shape import ModelFacts
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.gpu_layout import GpuLayout
from l4serve.planning.workload.pod_resources import PodResources
from l4serve.planning.workload.workload_plan import Judgement


def judge_workload(
    path: str, workload: Workload, layout: GpuLayout, facts: ModelFacts | None, contract: Contract, accelerator: str
) -> Judgement:
    """The judgement of a workload at a YAML path; raises ConfigError for what its config does not override."""
    gpu = find_gpu(accelerator)
    assert gpu is not None, f"the memory model knows every accelerator of the shape table, not {accelerator}"
    refused = Refused()
    verdicts = _verdicts(workload, layout, facts, contract, gpu)
    errors = (v for v in verdicts if v.severity == "error")
    refused.problems += [Problem(f"{path}.{v.field}", f"{v.reason} [{v.rule_id}]", v.remedy) for v in errors]
    refused.problems += _unknown_rules(path, workload)
    judgement = Judgement(None, (), verdicts, (_unjudged(workload),))
    if facts is not None:
        with refused:
            judgement = _judge_fit(path, workload, facts, gpu, serving_options(workload.engine, layout), verdicts)
    refused.stop()
    return judgement


def _unknown_rules(path: str, workload: Workload) -> Iterator[Problem]:
    """A misspelt id would override nothing and leave a false reason in the annotations."""
    known = [rule.id for rule in rules() if rule.engine == workload.engine.kind]
    for index, allowed in enumerate(workload.allow):
        if allowed.rule not in known:
            near = difflib.get_close_matches(allowed.rule, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else "remove it; `l4serve contract rules` lists them"
            yield Problem(f"{path}.allow[{index}]", f"{workload.engine.kind} has no rule {allowed.rule}", remedy)


def _unjudged(workload: Workload) -> str:
    return f"{workload.model.id} is in no catalogue, so its memory is not judged; set model.config to its config.json"


def _judge_fit(
    path: str,
    workload: Workload,
    facts: ModelFacts,
    gpu: Gpu,
    options: ServingOptions,
    verdicts: tuple[Verdict, ...],
) -> Judgement:
    try:
        options, uncounted = with_draft(options, speculative_config(workload.engine), facts)
        fit = estimate(facts, gpu, options)
    except MemoryModelError as error:
        return Judgement(None, (), verdicts, (f"memory is not judged: {error}",))
    if fit.fits and not fit.margin_is_uncertain:
        return Judgement(fit, (), verdicts, uncounted)
    cures = remedies(facts, gpu, options)
    if not fit.fits and workload.fit == "refuse":
        refuse(f"{path}.{_fit_field(workload.engine)}", _fit_text(fit), _fit_remedy(cures))
    return Judgement(fit, cures, verdicts, (_fit_text(fit), *uncounted))


def speculative_config(engine: Engine) -> Mapping[str, Any] | None:
    """The engine's object of speculative decoding, which only vLLM takes."""
    return engine.speculative_config if isinstance(engine, VllmEngine) else None


def serving_options(engine: Engine, layout: GpuLayout) -> ServingOptions:
    """The settings of an engine that its memory depends on."""
    shared = {
        "engine_version": engine.version,
        "tensor_parallel_size": layout.tensor_parallel_size,
        "pipeline_parallel_size": layout.pipeline_parallel_size,
        "dtype": None if engine.dtype == "auto" else engine.dtype,
        "kv_cache_dtype": engine.kv_cache_dtype,
    }
    if isinstance(engine, VllmEngine):
        lora = engine.lora
        speculative = engine.speculative_config or {}
        return ServingOptions(
            engine="vllm",
            quantization=engine.quantization,
            max_model_len=engine.max_model_len,
            max_num_seqs=engine.max_num_seqs,
            max_num_batched_tokens=engine.max_num_batched_tokens,
            gpu_memory_utilization=engine.gpu_memory_utilization,
            enforce_eager=bool(engine.enforce_eager),
            attention_backend=engine.attention_backend,
            enable_prefix_caching=engine.enable_prefix_caching,
            enable_chunked_prefill=engine.enable_chunked_prefill,
            lora=LoraOptions(max_loras=lora.max_loras or 1, max_lora_rank=lora.max_rank or 16) if lora else None,
            num_speculative_tokens=int(speculative.get("num_speculative_tokens", 0)),
            **shared,  # type: ignore[arg-type]
        )
    return ServingOptions(
        engine="tgi",
        quantization=engine.quantize,
        max_input_tokens=engine.max_input_tokens or engine.max_input_length,
        max_total_tokens=engine.max_total_tokens,
        max_batch_prefill_tokens=engine.max_batch_prefill_tokens,
        max_batch_total_tokens=engine.max_batch_total_tokens,
        cuda_memory_fraction=engine.cuda_memory_fraction,
        max_concurrent_requests=engine.max_concurrent_requests,
        **shared,  # type: ignore[arg-type]
    )


def host_notes(facts: ModelFacts, options: ServingOptions, resources: PodResources) -> tuple[str, ...]:
    """Warnings about what the pod needs beside its GPUs: memory while it loads, /dev/shm, disk for the weights."""
    try:
        needs = host_needs(facts, options)
    except MemoryModelError:
        return ()
    return needs.judge(
        memory_gib=resources.limits.memory_bytes / GIB,
        shm_gib=resources.shm_bytes / GIB,
        ephemeral_gib=resources.limits.ephemeral_bytes / GIB,
    )


def model_traits(facts: ModelFacts | None, model_id: str) -> ModelTraits:
    """What the engine's rules look at in a model; of an unknown one only its id."""
    if facts is None:
        return ModelTraits(id=model_id)
    return ModelTraits(
        id=facts.id,
        architecture=facts.architecture,
        num_attention_heads=facts.num_attention_heads,
        num_key_value_heads=facts.num_key_value_heads,
        head_dim=facts.head_dim,
        vocab_size=facts.vocab_size,
        max_position_embeddings=facts.max_position_embeddings,
        dtype=facts.torch_dtype,
        quantization_method=facts.quantization.method if facts.quantization else None,
        quantization_group=facts.quantization.group_size if facts.quantization else None,
        intermediate_size=facts.intermediate_size,
        expert_intermediate_size=facts.moe.expert_intermediate_size if facts.moe else None,
    )


def _verdicts(
    workload: Workload, layout: GpuLayout, facts: ModelFacts | None, contract: Contract, gpu: Gpu
) -> tuple[Verdict, ...]:
    return judge(
        workload.engine,
        contract=contract,
        model=model_traits(facts, workload.model.id),
        gpu=GpuTraits(name=gpu.name, compute_capability=gpu.compute_capability),
        gpus=layout.gpus,
        tensor_parallel_size=layout.tensor_parallel_size,
        pipeline_parallel_size=layout.pipeline_parallel_size,
        allow=frozenset(a.rule for a in workload.allow),
    )


def _fit_field(engine: Engine) -> str:
    return "engine.maxModelLen" if isinstance(engine, VllmEngine) else "engine.maxTotalTokens"


def _fit_text(fit: Fit) -> str:
    verdict = "the model does not fit its GPU" if not fit.fits else "the model fits its GPU only within the uncertainty"
    numbers = (
        f"weights {fit.weights_gib:.2f}, activations {fit.activation_gib:.2f}, other {fit.non_torch_gib:.2f}, "
        f"CUDA graphs {fit.cuda_graph_gib:.2f}, KV cache {fit.kv_cache_gib:.2f} GiB per GPU "
        f"(+-{fit.uncertainty_gib:.2f}); {fit.kv_cache_tokens} tokens of cache"
    )
    return "; ".join((verdict, numbers, *fit.reasons))


def _fit_remedy(cures: tuple[Remedy, ...]) -> str:
    if not cures:
        return "a smaller or quantised model; no edit of this workload alone makes it fit"
    return "; or ".join(cure.text for cure in cures[:3])
