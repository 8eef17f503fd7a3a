"""Options of the commands that ask about one model on one card, and the question they make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from l4serve.cli.shell.messages import readable_refusals, refuse_input
from l4serve.cli.subjects.completion import (
    complete_accelerator,
    complete_dtype,
    complete_engine,
    complete_kv_cache_dtype,
    complete_model,
    complete_quantization,
    complete_release,
)
from l4serve.cli.subjects.hub import model_shape
from l4serve.engines.releases.profile import engine_kinds
from l4serve.engines.releases.resolution import ContractError
from l4serve.planning.machines.shapes import default_accelerator
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.workload.judgement.fit_question import Question
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.subject import Subject

LARGEST_GIB = 100_000
MOST_TOKENS = 10_000_000
MOST_CLIENTS = 20_000
DEFAULT_ENGINE = engine_kinds()[0]
DEFAULT_GPU = default_accelerator()

ModelOption = Annotated[str, typer.Option(help="Hub id, or path of a config.json.", autocompletion=complete_model)]
WeightsOption = Annotated[
    float | None,
    typer.Option(min=0, max=LARGEST_GIB, help="GiB of weights on each GPU; unset is planned from the model."),
]
EngineOption = Annotated[str, typer.Option(help="Kind of the engine: vllm or tgi.", autocompletion=complete_engine)]
VersionOption = Annotated[
    str | None, typer.Option(help="Release of the engine, such as 0.26.0.", autocompletion=complete_release)
]
GpuOption = Annotated[
    str, typer.Option(help="Accelerator by GKE's name, such as nvidia-l4.", autocompletion=complete_accelerator)
]
GpuMemoryOption = Annotated[
    float | None,
    typer.Option(min=0.1, max=LARGEST_GIB, help="GiB of each GPU as CUDA reports them; unset follows --gpu."),
]
TensorParallelOption = Annotated[int, typer.Option(min=1, max=1024, help="GPUs that each layer is sharded over.")]
DtypeOption = Annotated[
    str | None,
    typer.Option(help="Type of the weights: auto, bfloat16, float16 or float32.", autocompletion=complete_dtype),
]
QuantizationOption = Annotated[
    str | None,
    typer.Option(
        help="Format of the weights: fp8, awq, gptq, bitsandbytes, eetq, ...", autocompletion=complete_quantization
    ),
]
KvCacheDtypeOption = Annotated[
    str | None,
    typer.Option(help="Type of the KV cache: auto, fp8, fp8_e5m2, ...", autocompletion=complete_kv_cache_dtype),
]
MaxModelLenOption = Annotated[
    int | None, typer.Option(min=1, max=10_000_000, help="Longest context in tokens, prompt and answer together.")
]
MaxNumSeqsOption = Annotated[int | None, typer.Option(min=1, max=10_000_000, help="Sequences that one step may batch.")]
MaxBatchedTokensOption = Annotated[
    int | None, typer.Option(min=1, max=10_000_000, help="Tokens that one step may batch.")
]
UtilizationOption = Annotated[
    float | None, typer.Option(help="Share of the GPU's memory that the engine may take, above 0 and at most 1.")
]
ArrivalOption = Annotated[
    float | None,
    typer.Option(min=0, max=100, help="How arrivals vary: squared variation of the gaps; 1, as unsaid, has no memory."),
]
LengthSpreadOption = Annotated[
    float | None,
    typer.Option(min=0, max=2, help="Sigma of lognormal lengths, the tokens given being medians; unsaid: a crowd's."),
]
SharedPrefixOption = Annotated[
    int | None,
    typer.Option(min=0, max=MOST_TOKENS, help="Tokens that every prompt begins with, as a prefix cache keeps them."),
]
EagerOption = Annotated[bool, typer.Option("--enforce-eager", help="Run without CUDA graphs.")]


@contextmanager
def readable_question() -> Iterator[None]:
    """Turns a question that cannot be asked into messages with remedies and exit code 2."""
    try:
        with readable_refusals():
            yield
    except (ContractError, MemoryModelError, ModelConfigError) as error:
        raise refuse_input(str(error)) from None


def judged_memory(subject: Subject) -> Judgement:
    """The judgement of a question about memory; raises MemoryModelError where memory is not judged."""
    judgement = judge(subject)
    if judgement.fit is None:
        raise MemoryModelError("; ".join(judgement.notes))
    return judgement


def question_of(model: str | ModelShape, **options: Any) -> Question:
    """The question that the options make; raises ModelConfigError for a model that nobody describes."""
    dtype = options["dtype"]
    return Question(
        model=model if isinstance(model, ModelShape) else model_shape(model),
        engine=options["engine"],
        engine_version=options["engine_version"],
        accelerator=options["gpu"],
        gpus=options["tensor_parallel"],
        settings={
            "dtype": None if dtype == "auto" else dtype,
            "quantization": options["quantization"],
            "kvCache": options["kv_cache_dtype"],
            "length": options["max_model_len"],
            "sequences": options["max_num_seqs"],
            "batchTokens": options["max_num_batched_tokens"],
            "memoryShare": options["gpu_memory_utilization"],
        },
        eager=options["enforce_eager"],
        gpu_memory_gib=options["gpu_memory_gib"],
        weights_gib=options["weights_gib"],
    )
