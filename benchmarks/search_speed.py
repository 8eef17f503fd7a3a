"""How long the advisor's search takes for five hundred candidates, with few clients that wait and with many, for a
rate, and under promises that few candidates keep, or none.

    python -m benchmarks.search_speed
    python -m benchmarks.search_speed --model google/gemma-7b --gpu nvidia-l4 --gpu nvidia-h100-80gb

Each search runs in a process of its own, so nothing that one has worked out helps the next. The goal is two seconds of
the processor for 500 candidates.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from dataclasses import replace

from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.advising.traffic import Traffic
from l4serve.cli.commands.advise_space import Space
from l4serve.planning.performance.load import Load, spread_as_asked

GOAL_S, CANDIDATES = 2.0, 500
CHAT = Load(input_tokens=512, output_tokens=256, clients=64)


def crowd_of(clients: int) -> Load:
    """The chat from so many clients, with the spread of `advise`."""
    return spread_as_asked(replace(CHAT, clients=clients), None)


TWENTY, FIVE = (replace(CHAT, clients=None, rate=rate) for rate in (20.0, 5.0))
STRICT, STRICTEST = Traffic(percentile=95.0), Traffic(percentile=99.0)
VARIED, LESS_VARIED = (spread_as_asked(TWENTY, sigma) for sigma in (1.0, 0.8))
"""Lengths that differ from request to request: more steps a run, and fewer pods share one."""
WISHES = {
    "latency, one client": Wish(goal="latency", load=replace(CHAT, clients=1)),
    "throughput, 64 clients": Wish(goal="throughput", load=CHAT),
    **{
        f"throughput, {clients:,} clients": Wish(goal="throughput", load=crowd_of(clients))
        for clients in (300, 512, 1000, 2000, 20_000)
    },
    "2,000 clients and promises": Wish(goal="throughput", load=crowd_of(2000), ttft_ms=500.0, itl_ms=20.0),
    "512 clients and promises": Wish(goal="cost", load=crowd_of(512), ttft_ms=1000.0, itl_ms=45.0),
    "512 clients, 40 USD an hour": Wish(goal="latency", load=crowd_of(512), budget_usd_hour=40.0),
    "cost, 20 requests a second": Wish(goal="cost", load=TWENTY),
    "latency, 20 requests a second": Wish(goal="latency", load=TWENTY),
    "first token of 400 ms at 20 a second": Wish(goal="cost", load=TWENTY, ttft_ms=400.0),
    "the same for 95 %": Wish(goal="cost", load=TWENTY, ttft_ms=400.0, traffic=STRICT),
    "a promise that few keep": Wish(goal="cost", load=TWENTY, ttft_ms=110.0, itl_ms=12.0),
    "a token a millisecond at 5 a second": Wish(goal="cost", load=FIVE, itl_ms=1.0),
    "nothing for the budget at 5 a second": Wish(goal="cost", load=FIVE, ttft_ms=1.0, budget_usd_hour=0.9),
    "nothing for the budget, 64 clients": Wish(goal="cost", load=CHAT, ttft_ms=1.0, budget_usd_hour=0.9),
    "a budget below the rate": Wish(goal="cost", load=TWENTY, ttft_ms=400.0, budget_usd_hour=0.9),
    "latency, 20 a second, varied lengths": Wish(goal="latency", load=VARIED),
    "the same, 500 ms for 99 %": Wish(goal="latency", load=VARIED, ttft_ms=500.0, traffic=STRICTEST),
    "cost, 20 a second, varied lengths, 500 ms": Wish(goal="cost", load=LESS_VARIED, ttft_ms=500.0),
}


ALONE = ("cost, 20 requests a second", "the same for 95 %", "a promise that few keep")
"""Wishes that are asked of one machine too, as a stack does: there no pod's run serves another machine."""


def timed(model: str, gpus: tuple[str, ...], name: str, most: int | None = None) -> tuple[int, float]:
    """The candidates of one search on no more than so many machines of each kind, the largest, and the processor
    seconds that it took with finding them."""
    began = time.process_time()
    space = Space(model, gpus, None, (), None, "on-demand", "us-central1")
    pods, homes = space.candidates()
    if most is not None:
        homes = sorted(homes, key=lambda home: home.shape.gpus)[-most:]
    answer = search(pods, homes, WISHES[name])
    return answer.tried, time.process_time() - began


def main() -> int:
    """Prints one line for each wish; exit status 1 where one misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="meta-llama/Llama-3.1-8B-Instruct")
    parser.add_argument("--gpu", action="append")
    asked = parser.parse_args()
    missed = False
    for name, most in (*((name, None) for name in WISHES), *((name, 1) for name in ALONE)):
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            tried, seconds = alone.apply(timed, (asked.model, tuple(asked.gpu or ["nvidia-l4"]), name, most))
        share = seconds * CANDIDATES / tried
        missed |= share > GOAL_S
        name = f"{name}, on one" if most else name
        print(f"{name:<46}{tried:>7} candidates in {seconds:6.2f} s: {share:.2f} s for {CANDIDATES} of them")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
