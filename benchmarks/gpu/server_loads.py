"""Loads for an engine in a process of its own, as in a server, asked without HTTP: {"clients": C, "waves": W} for C
clients that each send W + 1 requests, the next one at its last answer, the first left out; {"rate": R, "n": N} for N
requests at exponential distances, whoever waits, of which the first sixth fills the engine and is not counted; {"n": N}
for as many at once. Each has "inp" and "out" tokens, and "seed", which keeps its prompts apart from other loads'.
"adapters": K deals out the first K adapters of the engine to the requests; of the "inp" tokens the first "shared" are
the same in all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

LEFT_OUT = 6
"""One part of so many of a rate's requests, the first, fills the engine and is not counted."""
TOKENS = 1000, 30000
"""Between these are the prompts' tokens."""
WARM_UP = {"n": 4, "inp": 300, "out": 8, "seed": -1}

Seen = tuple[float, float, float]
"""Seconds at which a request was sent, got its first token, and its last one."""
Ask = Callable[[int], Awaitable[Seen]]


async def served(engine: Any, load: dict[str, Any], adapters: Sequence[Any] = ()) -> dict[str, Any]:
    """What the requests of one load saw, in the mean."""
    ask = _asking(engine, load, adapters[: load.get("adapters", 0)])
    began = time.perf_counter()
    if "clients" in load:
        return {**load, **_means(await _closed(ask, load), load["out"], load["clients"])}
    if "rate" in load:
        return {**load, **_means(await _at_rate(ask, load), load["out"])}
    seen = await asyncio.gather(*map(ask, range(load["n"])))
    taken = max(end for _, _, end in seen) - began
    return {**load, "s": round(taken, 4), "out_tok_s": round(load["n"] * load["out"] / taken, 1)}


def _asking(engine: Any, load: dict[str, Any], adapters: Sequence[Any]) -> Ask:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    sampling = SamplingParams(
        max_tokens=load["out"], ignore_eos=True, detokenize=False, temperature=0.8, output_kind=RequestOutputKind.DELTA
    )

    shared = _tokens(f"{load['seed']} shared", load.get("shared", 0))

    async def ask(number: int) -> Seen:
        own = _tokens(f"{load['seed']} {number}", load["inp"] - len(shared))
        prompt = {"prompt_token_ids": [*shared, *own]}
        adapter = adapters[number % len(adapters)] if adapters else None
        sent, first = time.perf_counter(), 0.0
        async for _ in engine.generate(prompt, sampling, f"{load['seed']}-{number}", lora_request=adapter):
            first = first or time.perf_counter()
        return sent, first, time.perf_counter()

    return ask


def _tokens(seed: str, count: int) -> list[int]:
    draw = random.Random(seed)
    return [draw.randrange(*TOKENS) for _ in range(count)]


async def _closed(ask: Ask, load: dict[str, Any]) -> list[Seen]:
    clients, waves = load["clients"], load.get("waves", 3)

    async def client(own: int) -> list[Seen]:
        return [await ask(own + clients * wave) for wave in range(waves + 1)]

    each = await asyncio.gather(*map(client, range(clients)))
    return [seen for requests in each for seen in requests[1:]]


async def _at_rate(ask: Ask, load: dict[str, Any]) -> list[Seen]:
    draw, due = random.Random(load["seed"]), [0.0]
    while len(due) < load["n"]:
        due.append(due[-1] + draw.expovariate(load["rate"]))
    began = time.perf_counter()

    async def one(number: int) -> Seen:
        await asyncio.sleep(due[number] - (time.perf_counter() - began))
        _, first, end = await ask(number)
        return began + due[number], first, end

    return list(await asyncio.gather(*map(one, range(len(due)))))[len(due) // LEFT_OUT :]


def _means(seen: Sequence[Seen], out: int, clients: int | None = None) -> dict[str, float]:
    waits = sorted(first - sent for sent, first, _ in seen)
    whole = sum(end - sent for sent, _, end in seen) / len(seen)
    found = {
        "ttft_s": round(sum(waits) / len(waits), 5),
        "ttft_p50_s": round(waits[len(waits) // 2], 5),
        "ttft_p90_s": round(waits[int(0.9 * len(waits))], 5),
        "e2e_s": round(whole, 5),
    }
    if out > 1:
        found["itl_s"] = round(sum(end - first for _, first, end in seen) / len(seen) / (out - 1), 6)
    if clients:
        found["out_tok_s"] = round(clients * out / whole, 1)
    return found
