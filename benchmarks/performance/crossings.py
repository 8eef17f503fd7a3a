"""From how many sequences on fewer bits decode slower: where multiplying the weights takes longer than reading them."""

from __future__ import annotations

from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.card_speeds import all_card_speeds
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.model_work import model_work
from l4serve.planning.performance.step_time import StepClock
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.reported_names import as_checkpoint

MODEL, CONTEXT, MOST = "meta-llama/Llama-3.1-8B-Instruct", 512, 256
PAIRS = ((None, "fp8"), (None, "gptq"), ("fp8", "gptq"))
TITLES = {None: "16 bits", "fp8": "FP8", "gptq": "4 bits"}


def crossings_table() -> str:
    """One row for each card, one column for each pair of formats."""
    titles = [f"{TITLES[wide]} to {TITLES[narrow]}" for wide, narrow in PAIRS]
    lines = [f"| card | {' | '.join(titles)} |", f"|---|{'---|' * len(PAIRS)}"]
    for gpu in all_card_speeds():
        found = [crossing(_clock(gpu, wide), _clock(gpu, narrow)) for wide, narrow in PAIRS]
        lines.append(f"| {gpu} | {' | '.join('never' if n is None else str(n) for n in found)} |")
    return "\n".join(lines)


def crossing(wide: StepClock, narrow: StepClock) -> int | None:
    """The fewest sequences of which the narrower weights decode slower; None up to the most that an L4 runs."""
    counts = range(1, MOST + 1)
    return next((n for n in counts if narrow.decoding(n, CONTEXT) > wide.decoding(n, CONTEXT)), None)


def _clock(gpu: str, quantization: str | None) -> StepClock:
    model = find_model(MODEL)
    assert model is not None, MODEL
    shape, told = as_checkpoint(model, quantization)
    subject = subject_of(
        Question(
            model=shape,
            engine="vllm",
            engine_version=None,
            accelerator=gpu,
            gpus=1,
            settings={"quantization": told},
        )
    )
    return StepClock(
        work=model_work(shape, subject.options),
        card=all_card_speeds()[gpu],
        rates=kernel_rates(),
        backend=subject.options.attention_backend,
    )
