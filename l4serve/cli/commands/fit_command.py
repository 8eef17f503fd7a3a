"""l4serve fit: does a model fit a GPU, by how much, and what would make it fit?"""

from __future__ import annotations

from typing import Annotated

import typer

from l4serve.cli.answers.fit_text import print_fit, reasons
from l4serve.cli.shell.json_form import json_form
from l4serve.cli.shell.output import print_json
from l4serve.cli.subjects.question_options import (
    DEFAULT_ENGINE,
    DEFAULT_GPU,
    DtypeOption,
    EagerOption,
    EngineOption,
    GpuMemoryOption,
    GpuOption,
    KvCacheDtypeOption,
    MaxBatchedTokensOption,
    MaxModelLenOption,
    MaxNumSeqsOption,
    ModelOption,
    QuantizationOption,
    TensorParallelOption,
    UtilizationOption,
    VersionOption,
    WeightsOption,
    judged_memory,
    question_of,
    readable_question,
)
from l4serve.planning.workload.judgement.fit_question import subject_of
from l4serve.planning.workload.judgement.judging import Judgement, judged_lengths


def fit(
    model: ModelOption,
    weights_gib: WeightsOption = None,
    engine: EngineOption = DEFAULT_ENGINE,
    engine_version: VersionOption = None,
    gpu: GpuOption = DEFAULT_GPU,
    gpu_memory_gib: GpuMemoryOption = None,
    tensor_parallel: TensorParallelOption = 1,
    dtype: DtypeOption = None,
    quantization: QuantizationOption = None,
    kv_cache_dtype: KvCacheDtypeOption = None,
    max_model_len: MaxModelLenOption = None,
    max_num_seqs: MaxNumSeqsOption = None,
    max_num_batched_tokens: MaxBatchedTokensOption = None,
    gpu_memory_utilization: UtilizationOption = None,
    enforce_eager: EagerOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say whether a model fits a GPU and its engine takes the settings. Exit status: 0 yes, 1 no, 2 bad input."""
    asked = dict(locals())
    with readable_question():
        subject = subject_of(question_of(**asked))
        answer = judged_memory(subject)
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
        "kvCacheGib": round(answer.kv_room_gib, 3),
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
        "notes": list(judgement.notes),
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
