"""l4serve fit: does a model fit a GPU, by how much, and what would make it fit?"""

from __future__ import annotations

from typing import Annotated

import typer

from l4serve.cli.fit_text import print_fit, reasons
from l4serve.cli.hub import model_shape
from l4serve.cli.json_form import json_form
from l4serve.cli.messages import BAD_INPUT, stderr
from l4serve.cli.output import one_line, print_json
from l4serve.config.problems import ConfigError
from l4serve.engines.profile import engine_kinds
from l4serve.planning.machines.shapes import default_accelerator
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.models.hf_config import ModelConfigError
from l4serve.planning.stack.plan_json import judged_lengths
from l4serve.planning.workload.fit_question import Question, subject_of
from l4serve.planning.workload.judging import Judgement, judge

LARGEST_GIB = 100_000


def fit(
    model: Annotated[str, typer.Option(help="Hub id, or path of a config.json.")],
    weights_gib: Annotated[float | None, typer.Option(min=0, max=LARGEST_GIB, help="Weights of one GPU rank.")] = None,
    engine: Annotated[str, typer.Option(help="Kind of the engine, such as tgi.")] = engine_kinds()[0],
    engine_version: Annotated[str | None, typer.Option(help="Release, such as 0.26.0.")] = None,
    gpu: Annotated[str, typer.Option(help="Accelerator by GKE's name.")] = default_accelerator(),
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
    """Say whether a model fits a GPU and its engine takes the settings. Exit status: 0 yes, 1 no, 2 bad input."""
    try:
        question = Question(
            model=model_shape(model),
            engine=engine,
            engine_version=engine_version,
            accelerator=gpu,
            gpus=tensor_parallel,
            settings={
                "dtype": None if dtype == "auto" else dtype,
                "quantization": quantization,
                "kvCache": kv_cache_dtype,
                "length": max_model_len,
                "sequences": max_num_seqs,
                "batchTokens": max_num_batched_tokens,
                "memoryShare": gpu_memory_utilization,
            },
            eager=enforce_eager,
            gpu_memory_gib=gpu_memory_gib,
            weights_gib=weights_gib,
        )
        subject = subject_of(question)
        answer = judge(subject)
        if answer.fit is None:
            raise MemoryModelError("; ".join(answer.notes))
    except (ConfigError, MemoryModelError, ModelConfigError) as error:
        stderr.print(f"l4serve fit: {error if isinstance(error, ConfigError) else one_line(error)}")
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        print_json(fit_as_json(answer))
    else:
        print_fit(subject, answer)
    raise typer.Exit(1 if answer.refusals else 0)


def fit_as_json(judgement: Judgement) -> dict[str, object]:
    """The documented JSON form; GiB figures are those of one GPU rank."""
    answer = judgement.fit
    assert answer is not None, "only a described model is asked about"
    return {
        "fits": not judgement.refusals,
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
        **judged_lengths(answer),
        "maxConcurrency": round(answer.max_concurrency, 3),
        "uncertaintyGib": round(answer.uncertainty_gib, 3),
        "reasons": list(reasons(judgement)),
        "verdicts": json_form(judgement.verdicts),
        "remedies": [
            {
                "edit": dict(cure.edit),
                "text": cure.text,
                "kvCacheTokens": cure.fit_after.kv_cache_tokens,
                "maxModelLen": cure.fit_after.largest_max_model_len,
                "extraGpus": cure.extra_gpus,
            }
            for cure in judgement.remedies
        ],
    }
