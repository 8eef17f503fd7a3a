"""Measures what a request waits for in a real vLLM, under an L4's memory budget, when requests come at a rate.

    python -m benchmarks.gpu.rate_probe PLAN.jsonl MODELS_DIR OUT.jsonl

Each line of the plan is one engine start as `probe.py` takes it; its loads are {"rate": a second, "n": requests,
"inp": tokens, "out": tokens, "seed": any}. Requests come at exponential distances, whoever waits. The engine runs in a
process of its own, as in a server, and is asked without HTTP. Engines start one after the other and stay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.probe import DEFAULTS, L4_GIB, OWN_KEYS, card_name, total_gib

os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "1"
LEFT_OUT = 6
"""One part of so many, the first, fills the engine and is not counted."""


async def served(engine: Any, load: dict[str, Any]) -> dict[str, Any]:
    """Means of one load: seconds from a request's arrival to its first token, between its tokens, to its last one."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    draw = random.Random(load["seed"])
    sampling = SamplingParams(
        max_tokens=load["out"], ignore_eos=True, detokenize=False, temperature=0.8, output_kind=RequestOutputKind.DELTA
    )
    due = [0.0]
    while len(due) < load["n"]:
        due.append(due[-1] + draw.expovariate(load["rate"]))
    prompts = [{"prompt_token_ids": [draw.randrange(10, 900) for _ in range(load["inp"])]} for _ in due]
    began = time.perf_counter()

    async def one(number: int) -> tuple[float, float]:
        await asyncio.sleep(due[number] - (time.perf_counter() - began))
        first = 0.0
        name = f"{load['seed']}-{load['rate']}-{load['inp']}-{number}"
        async for _ in engine.generate(prompts[number], sampling, name):
            first = first or time.perf_counter() - began
        return first - due[number], time.perf_counter() - began - due[number]

    seen = (await asyncio.gather(*map(one, range(len(due)))))[len(due) // LEFT_OUT :]
    waits, whole = sorted(first for first, _ in seen), [end for _, end in seen]
    gaps = [(end - first) / (load["out"] - 1) for first, end in seen]
    return {
        **load,
        "ttft_s": round(sum(waits) / len(waits), 5),
        "ttft_p50_s": round(waits[len(waits) // 2], 5),
        "ttft_p90_s": round(waits[int(0.9 * len(waits))], 5),
        "itl_s": round(sum(gaps) / len(gaps), 6),
        "e2e_s": round(sum(whole) / len(whole), 5),
    }


async def measure(points: list[dict[str, Any]], models: Path, out: Path) -> None:
    """Starts every engine, then lets each serve its loads alone."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    total, engines = total_gib(), []
    for point in points:
        arguments = DEFAULTS | {key: value for key, value in point.items() if key not in OWN_KEYS}
        engine = AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                model=str(models / point["model"]),
                skip_tokenizer_init=True,
                seed=0,
                gpu_memory_utilization=L4_GIB * point["utilization"] / total,
                disable_log_stats=True,
                **arguments,
            )
        )
        engines.append(engine)
        print(point["id"], "started", flush=True)
    for point, engine in zip(points, engines, strict=True):
        for load in (load for load in point["loads"] if "rate" in load):
            found = {"id": point["id"], "model": point["model"], "card": card_name(), **await served(engine, load)}
            print(json.dumps(found), flush=True)
            with out.open("a") as file:
                file.write(json.dumps(found) + "\n")
    for engine in engines:
        engine.shutdown()


def main() -> None:
    """Measures every point of the plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    points = [json.loads(line) for line in asked.plan.read_text().splitlines() if line.strip()]
    asyncio.run(measure(points, asked.models, asked.out))


if __name__ == "__main__":
    main()
