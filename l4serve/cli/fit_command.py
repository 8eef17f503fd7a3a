"""l4serve fit: does a model fit a GPU, by how much, and what would make it fit?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console

from l4serve.cli.fit_text import print_fit
from l4serve.cli.hub import model_facts
from l4serve.planning.machines.gpus import Gpu, all_gpus, find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import EngineKind, ServingOptions
from l4serve.planning.memory.remedies import Remedy, remedies
from l4serve.planning.models.hf_config import ModelConfigError

DEFAULT_VERSIONS: dict[EngineKind, str] = {"vllm": "0.26.0", "tgi": "3.3.7"}
BAD_INPUT = 2
LARGEST_GIB = 100_000


def fit(
    model: Annotated[str, typer.Option(help="Hub id, or path of a config.json.")],
    weights_gib: Annotated[float | None, typer.Option(min=0, max=LARGEST_GIB, help="Weights of one GPU rank.")] = None,
    engine: Annotated[str, typer.Option(help="vllm or tgi.")] = "vllm",
    engine_version: Annotated[str | None, typer.Option(help="Release, such as 0.26.0.")] = None,
    gpu: Annotated[str, typer.Option(help="Accelerator by GKE's name.")] = "nvidia-l4",
    gpu_memory_gib: Annotated[float | None, typer.Option(min=0.1, max=LARGEST_GIB, help="What CUDA reports.")] = None,
    tensor_parallel: Annotated[int, typer.Option(min=1, help="GPUs that share each layer.")] = 1,
    dtype: Annotated[str | None, typer.Option(help="auto, bfloat16, float16 or float32.")] = None,
    quantization: Annotated[str | None, typer.Option(help="fp8, awq, gptq, bitsandbytes, eetq, ...")] = None,
    kv_cache_dtype: Annotated[str | None, typer.Option(help="auto, fp8, fp8_e5m2, ...")] = None,
    max_model_len: Annotated[int | None, typer.Option(min=1, help="Longest context in tokens.")] = None,
    max_num_seqs: Annotated[int | None, typer.Option(min=1, help="Sequences of one step.")] = None,
    max_num_batched_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens of one step.")] = None,
    gpu_memory_utilization: Annotated[float | None, typer.Option(help="Above 0 and at most 1.")] = None,
    enforce_eager: Annotated[bool, typer.Option("--enforce-eager", help="No CUDA graphs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether a model fits a GPU. Exit status: 0 fits, 1 does not, 2 bad input."""
    try:
        kind = _engine(engine)
        options = _options(
            ServingOptions(
                engine=kind,
                engine_version=engine_version or DEFAULT_VERSIONS[kind],
                tensor_parallel_size=tensor_parallel,
                dtype=dtype,
                quantization=quantization,
                kv_cache_dtype=kv_cache_dtype,
                max_num_seqs=max_num_seqs,
                enforce_eager=enforce_eager,
                weights_gib=weights_gib,
            ),
            max_model_len,
            max_num_batched_tokens,
            gpu_memory_utilization,
        )
        card = _gpu(gpu, gpu_memory_gib)
        facts = model_facts(model)
        answer = estimate(facts, card, options)
        cures = () if answer.fits and not answer.margin_is_uncertain else remedies(facts, card, options)
    except (MemoryModelError, ModelConfigError) as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"l4serve fit: {error}", markup=False)
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        typer.echo(json.dumps(fit_as_json(answer, cures), indent=2))
    else:
        print_fit(facts, card, options, answer, cures)
    raise typer.Exit(0 if answer.fits else 1)


def fit_as_json(answer: Fit, cures: tuple[Remedy, ...]) -> dict[str, object]:
    """The documented JSON form; GiB figures are those of one GPU rank."""
    return {
        "fits": answer.fits,
        "marginIsUncertain": answer.margin_is_uncertain,
        "kvCacheTokens": answer.kv_cache_tokens,
        "kvCacheGib": round(answer.kv_cache_gib, 3),
        "weightsGib": round(answer.weights_gib, 3),
        "activationGib": round(answer.activation_gib, 3),
        "nonTorchGib": round(answer.non_torch_gib, 3),
        "cudaGraphGib": round(answer.cuda_graph_gib, 3),
        "workspaceGib": round(answer.workspace_gib, 3),
        "lateGib": round(answer.late_gib, 3),
        "maxModelLen": answer.largest_max_model_len,
        "requestedMaxModelLen": answer.max_model_len,
        "maxConcurrency": round(answer.max_concurrency, 3),
        "uncertaintyGib": round(answer.uncertainty_gib, 3),
        "reasons": list(answer.reasons),
        "remedies": [
            {
                "edit": dict(cure.edit),
                "text": cure.text,
                "kvCacheTokens": cure.fit_after.kv_cache_tokens,
                "maxModelLen": cure.fit_after.largest_max_model_len,
                "extraGpus": cure.extra_gpus,
            }
            for cure in cures
        ],
    }


def _engine(name: str) -> EngineKind:
    if name == "vllm":
        return "vllm"
    if name == "tgi":
        return "tgi"
    raise MemoryModelError(f"--engine {name!r} is unknown; give vllm or tgi")


def _gpu(name: str, memory_gib: float | None) -> Gpu:
    card = find_gpu(name)
    if card is None:
        raise MemoryModelError(f"--gpu {name!r} is unknown; give one of {', '.join(all_gpus())}")
    return card if memory_gib is None else replace(card, total_gib=memory_gib)


def _options(
    options: ServingOptions, length: int | None, batched_tokens: int | None, utilization: float | None
) -> ServingOptions:
    """Fills in the flags that TGI knows as total tokens, prefill batch and memory fraction."""
    if utilization is not None and not 0 < utilization <= 1:
        raise MemoryModelError(
            f"--gpu-memory-utilization {utilization} is out of range; give a number above 0 and at most 1"
        )
    if options.engine == "tgi":
        return replace(
            options,
            max_total_tokens=length,
            max_batch_prefill_tokens=batched_tokens,
            cuda_memory_fraction=utilization,
        )
    return replace(
        options,
        max_model_len=length,
        max_num_batched_tokens=batched_tokens,
        gpu_memory_utilization=utilization,
    )
