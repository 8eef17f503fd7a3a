"""What `l4serve estimate --rate` says of waits beside what requests wait in the mean of many draws of their arrivals.

    python -m benchmarks.rate_waits
    python -m benchmarks.rate_waits --loads 200 --draws 40
    python -m benchmarks.rate_waits --arrival-cv2 3

The loads are random: models, cards, places, small caches, 20 to 95 % of the most that is served, long prompts and long
answers, lengths that are equal and that vary. The draws are of the same engine loop, so the errors are of the one order
of arrivals alone, and of chance: 100 draws settle a 99th percentile close to the most to some 10 %.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from statistics import fmean

from l4serve.config.frozen import frozen
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Served, loop_limits, speed_of, step_clock
from l4serve.planning.performance.waits import MILLI, at_percentile

LOADS, DRAWS = 64, 100
MODELS = (
    ("Qwen/Qwen2.5-1.5B-Instruct", None),
    ("Qwen/Qwen2.5-7B-Instruct", "fp8"),
    ("meta-llama/Llama-3.1-8B-Instruct", "fp8"),
    ("Qwen/Qwen2.5-14B-Instruct-AWQ", None),
    ("Qwen/Qwen3-4B", None),
)
CARDS = ("nvidia-l4", "nvidia-l4", "nvidia-h100-80gb")
PLACES = (8, 12, 16, 24, 32, 64, 128, 256)
REQUESTS_CACHED = (None, None, 5, 10, 20)
"""Requests that a cache holds, where it is made so small."""
LENGTHS = ((512, 256), (256, 128), (128, 512), (1024, 128), (64, 32), (300, 1000), (2000, 300), (4000, 64), (3000, 1))
SPREADS = (0.0, 0.0, 0.5, 1.0)
LEAST, OFTEN, MOST = 0.2, 0.6, 0.95
"""Of the most that is served; more than half of the loads are above the second, where requests wait."""
TOLD = ("mean", "95 %", "99 %")
LONGEST = 8192


@frozen(kw_only=True)
class Drawn(Load):
    """A load at a rate whose gaps are drawn."""

    draw: int

    def arrivals(self) -> Iterator[float]:
        """Seconds at which its requests come."""
        assert self.rate is not None, "only a rate has arrivals"
        chance, vary, rate = random.Random(self.draw), self.arrival_cv2, self.rate
        return accumulate(chance.gammavariate(1 / vary, vary) / rate for _ in iter(int, 1))


@dataclass(frozen=True)
class Case:
    """An engine under a load."""

    name: str
    served: Served
    load: Load

    @cached_property
    def said(self) -> list[float]:
        """Milliseconds to the first token: the mean, and the percentiles that are told."""
        speed = speed_of(self.served, self.load)
        assert speed.figures.ttft_ms is not None, "less comes than is served"
        return [speed.figures.ttft_ms, *_percentiles(speed.waits.first_token)]

    def drawn(self, draws: int) -> list[float]:
        """The same of all requests of so many draws."""
        clock, limits = step_clock(self.served, kernel_rates()), loop_limits(self.served)
        given = {name: getattr(self.load, name) for name in Load.__dataclass_fields__}
        loads = (Drawn(**given, draw=draw) for draw in range(draws))
        waits = sorted(MILLI * wait for load in loads for wait in EngineLoop(clock, limits, load).run().firsts)
        return [fmean(waits), *_percentiles(waits)]

    def errors(self, draws: int) -> list[float]:
        """How far what is said is from the draws, as shares."""
        return [said / drawn - 1 for said, drawn in zip(self.said, self.drawn(draws), strict=True)]


def _percentiles(waits: Sequence[float]) -> list[float]:
    return [at_percentile(waits, percentile) or 0.0 for percentile in (95.0, 99.0)]


def cases(count: int, seed: int = 0, varied: float = 1.0) -> Iterator[Case]:
    """So many random engines under random loads, whose gaps have this squared coefficient of variation."""
    chance = random.Random(seed)
    for _ in range(count):
        model, quantization = chance.choice(MODELS)
        gpu, places, cached = chance.choice(CARDS), chance.choice(PLACES), chance.choice(REQUESTS_CACHED)
        prompt, answer = chance.choice(LENGTHS)
        spread = chance.choice(SPREADS)
        share = chance.uniform(OFTEN if chance.random() < OFTEN else LEAST, MOST)
        served = _served(model, gpu, quantization, places)
        if cached is not None:
            held = max(LONGEST if spread else 0, cached * (prompt + answer))
            fit = replace(served.fit, kv_cache_tokens=min(served.fit.kv_cache_tokens, held))
            served = replace(served, fit=fit)
        load = Load(input_tokens=prompt, output_tokens=answer, rate=1.0, input_spread=spread, output_spread=spread)
        most = speed_of(served, load).most_requests
        assert most is not None, "every case is judged"
        small = f", {served.fit.kv_cache_tokens:,} tokens cached" if cached else ""
        name = f"{model.split('/')[1]} on {gpu.split('-')[1]}, {places} places{small}; {prompt} in, {answer} out"
        told = f"{name}, sigma {spread:g}; {100 * share:.0f} %"
        yield Case(told, served, replace(load, rate=share * most, arrival_cv2=varied))


def _served(model: str, gpu: str, quantization: str | None, places: int) -> Served:
    shape, card = find_model(model), find_gpu(gpu)
    assert shape is not None, model
    assert card is not None, gpu
    options = ServingOptions(
        engine="vllm",
        engine_version="0.26.0",
        quantization=quantization,
        max_num_seqs=places,
        default_max_num_seqs=256,
        default_max_num_batched_tokens=2048,
        attention_backend="FLASH_ATTN",
        max_model_len=LONGEST,
    )
    return Served(model=shape, gpu=card, options=options, fit=estimate(shape, card, options))


def main() -> int:
    """Prints one line for each load, and how many errors are within 15 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=LOADS)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--arrival-cv2", type=float, default=1.0)
    asked = parser.parse_args()
    every = []
    for case in cases(asked.loads, varied=asked.arrival_cv2):
        errors = case.errors(asked.draws)
        every.append(errors)
        told = ", ".join(f"{100 * error:+.0f} %" for error in errors)
        print(f"{case.name:<106} said {', '.join(f'{said:,.0f}' for said in case.said)} ms: {told}")
    for name, of_all in zip(TOLD, zip(*every, strict=True), strict=True):
        far = sorted(map(abs, of_all))
        close, median = sum(error < 0.15 for error in far), far[len(far) // 2]
        print(
            f"{name}: {close} of {len(far)} within 15 %, {median:.1%} in the median, {fmean(of_all):+.1%} in the mean"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
