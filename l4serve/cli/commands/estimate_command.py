"""l4serve estimate: how fast does an engine serve a model on a GPU, and what does a token cost?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer

from l4serve.cli.answers.fit_text import refused_beside_memory
from l4serve.cli.shell.output import SafeConsole, print_json
from l4serve.cli.subjects.completion import complete_attention_backend
from l4serve.cli.subjects.hub import model_shape
from l4serve.cli.subjects.question_options import (
    DEFAULT_ENGINE,
    DEFAULT_GPU,
    MOST_CLIENTS,
    MOST_TOKENS,
    ArrivalOption,
    DtypeOption,
    EagerOption,
    EngineOption,
    GpuMemoryOption,
    GpuOption,
    KvCacheDtypeOption,
    LengthSpreadOption,
    MaxBatchedTokensOption,
    MaxModelLenOption,
    MaxNumSeqsOption,
    ModelOption,
    QuantizationOption,
    SharedPrefixOption,
    TensorParallelOption,
    UtilizationOption,
    VersionOption,
    WeightsOption,
    question_of,
    readable_question,
)
from l4serve.config.refusals.problems import refuse
from l4serve.engines.releases.profile import engine_kinds
from l4serve.engines.releases.resolution import stand_in
from l4serve.planning.memory.quantizations import weight_format
from l4serve.planning.performance.load import Load, sharing, spread_as_asked
from l4serve.planning.performance.speed import Speed
from l4serve.planning.performance.waits import at_percentile
from l4serve.planning.stack.speed_json import load_json, rounded, speed_json
from l4serve.planning.values.figures import shown
from l4serve.planning.workload.judgement.fit_question import subject_of
from l4serve.planning.workload.judgement.judging import judge
from l4serve.planning.workload.judgement.reported_names import as_checkpoint, cache_named, release_named
from l4serve.planning.workload.judgement.speed_question import Priced, no_speed, subject_speed
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.nodes.pod_price import pod_price

InputOption = Annotated[int, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of a prompt.")]
OutputOption = Annotated[int, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of an answer.")]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_CLIENTS, help="Clients that each wait for their answer and then ask anew."),
]
RateOption = Annotated[
    float | None, typer.Option(min=1e-6, max=1e6, help="Requests that come in a second, whoever still waits.")
]
BurstOption = Annotated[
    int | None, typer.Option(min=1, max=MOST_CLIENTS, help="Requests that all come at once, and no more after them.")
]
PercentileOption = Annotated[
    float | None, typer.Option(min=50, max=99.9, help="Also the first token that so many percent of a rate get.")
]
BackendOption = Annotated[
    str | None,
    typer.Option(
        help="Kernels that compute attention: FLASH_ATTN, FLASHINFER, ...",
        autocompletion=complete_attention_backend,
    ),
]


def estimate(
    model: ModelOption,
    input_tokens: InputOption,
    output_tokens: OutputOption,
    concurrency: ConcurrencyOption = None,
    rate: RateOption = None,
    requests_at_once: BurstOption = None,
    shared_prefix_tokens: SharedPrefixOption = None,
    length_spread: LengthSpreadOption = None,
    arrival_cv2: ArrivalOption = None,
    percentile: PercentileOption = None,
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
    attention_backend: BackendOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Estimate latency, tokens a second and the price of a token. Exit status: 0 judged, 1 not, 2 bad input."""
    asked = dict(locals())
    with readable_question():
        load = _load(asked)
        subject = _subject(asked)
        judgement = judge(subject)
        if judgement.fit is None and subject.shape is not None:
            weight_format(subject.shape, subject.options)
        price, share = pod_price(gpu, tensor_parallel)
    refused = refused_beside_memory(judgement)
    reasons = [f"refused: {reason}" for reason in refused]
    speed = no_speed(*reasons) if reasons else subject_speed(subject, judgement, load)
    speed = replace(speed, assumed=(*speed.assumed, *_taken_for(subject, model, quantization)))
    answer = Priced(speed=speed, price=price, share=share)
    if as_json:
        figures = {"load": load_json(load), **speed_json(answer), **_at_percentile(speed, percentile)}
        print_json({**figures, "refused": list(refused)})
    else:
        _print(subject, load, answer, _at_percentile(speed, percentile))
    raise typer.Exit(0 if speed.judged else 1)


def _load(asked: Mapping[str, Any]) -> Load:
    rate, varied, burst = asked["rate"], asked["arrival_cv2"], asked["requests_at_once"]
    if sum(given is not None for given in (asked["concurrency"], rate, burst)) != 1:
        message = "a load is a number of clients that ask anew, a rate, or requests that come at once and no more"
        refuse("load", message, "give one of --concurrency, --rate and --requests-at-once")
    if rate is None and (varied is not None or asked["percentile"] is not None):
        refuse("load", "--arrival-cv2 and --percentile are of requests that come at a rate", "give --rate")
    load = Load(
        input_tokens=asked["input_tokens"],
        output_tokens=asked["output_tokens"],
        clients=burst or asked["concurrency"],
        burst=burst is not None,
        rate=rate,
        arrival_cv2=1.0 if varied is None else varied,
    )
    return spread_as_asked(sharing(load, asked["shared_prefix_tokens"] or 0), asked["length_spread"])


def _at_percentile(speed: Speed, percentile: float | None) -> dict[str, Any]:
    if percentile is None:
        return {}
    return {"percentile": percentile, "ttftAtPercentileMs": rounded(at_percentile(speed.waits.first_token, percentile))}


def _subject(asked: dict[str, Any]) -> Subject:
    shape, told = as_checkpoint(model_shape(asked["model"]), asked["quantization"])
    version, cache = release_named(asked["engine_version"]), cache_named(asked["kv_cache_dtype"])
    replaced = {"model": shape, "quantization": told, "kv_cache_dtype": cache, "engine_version": version}
    question = question_of(**{**asked, **replaced})
    contract = stand_in(asked["engine"], version) if version and asked["engine"] in engine_kinds() else None
    return subject_of(replace(question, contract=contract, attention_backend=asked["attention_backend"]))


def _taken_for(subject: Subject, model: str, quantization: str | None) -> tuple[str, ...]:
    """That another release's contract stands for the one that was named, and a model for a checkpoint of it, whose
    kernel is the engine's own choice."""
    shape, other = subject.shape, subject.resolved.note
    told = (other.removesuffix(", as asked"),) if other else ()
    if shape is None or (stored := shape.quantization) is None:
        return told
    if model_shape(model).quantization is None:
        kernel = "by the kernel that the engine takes unless it is told one"
        return (*told, f"a checkpoint in {stored.method}, {kernel}")
    if quantization is not None and subject.options.quantization is None:
        return (*told, f"{quantization} is taken for what the checkpoint is, {stored.method}")
    return told


def _print(subject: Subject, load: Load, answer: Priced, tail: Mapping[str, Any]) -> None:
    console = SafeConsole()
    speed = answer.speed
    engine = subject.workload.engine
    console.print(
        f"{subject.workload.model.id} on {subject.layout.gpus} x {subject.card.name}, {engine.kind} "
        f"{engine.version}: {load.told}"
    )
    rows = speed_json(answer)
    for title, key, unit in (
        ("first token", "ttftMs", "ms"), ("each token after", "itlMs", "ms"), ("whole answer", "endToEndMs", "ms"),
        ("output", "outputTokensPerSecond", "tokens/s"), ("requests", "requestsPerSecond", "a second"),
        ("running", "runningRequests", "requests"), ("price", "usdPerMillionOutputTokens", "USD per million tokens"),
    ):  # fmt: skip
        if rows[key] is not None:
            high = rows["high"][key]
            span = f"({shown(rows['low'][key], 6)} to {'no end' if high is None else shown(high, 6)})"
            console.print(f"  {title:<18}{shown(rows[key], 6):>12} {unit}  {span}")
    if tail.get("ttftAtPercentileMs") is not None:
        console.print(f"  {tail['percentile']:g} % get their first token within {tail['ttftAtPercentileMs']:,g} ms")
    if answer.price:
        console.print(f"  {answer.price.dated}, {answer.price.region}")
    if speed.limited_by:
        console.print(f"  limited by {speed.limited_by}")
    said = {"assumed": speed.assumed, "not judged": rows["notJudged"]}
    for what, reasons in said.items():
        for reason in reasons:
            console.print(f"{what}: {reason}")
