"""Measures what real vLLM reserves for weights, activations, CUDA graphs and KV cache under an L4's memory budget.

    python -m benchmarks.gpu.probe PLAN.jsonl MODELS_DIR OUT.jsonl [--parallel N] [--timeout S] [--turns]

Each line of the plan is one engine start: {"model": NAME, "utilization": U, ...vLLM engine arguments}. A model is a
folder in MODELS_DIR that holds only a config.json; weights are dummies. The budget is an L4's 22.03 GiB: on a card of
T GiB vLLM is given the utilisation 22.03 * U / T. A refusal is a result and keeps its text.

vLLM is imported once and forked for each point, so that starts cost no import. With N > 1 several engines share the
card: vLLM reads memory as a difference of the whole card's, so here the driver's count for its own process is shown.

With `--turns` a group of N engines starts side by side, and each serves its loads while the others rest: so speeds can
be measured without paying for each start alone. With `--server` each engine runs in a process of its own, as in a
server, and its loads are those of `server_loads.py`.

Keys of a point beside vLLM's arguments: `env`, `cap_gib` (the most that PyTorch may hold, as a smaller card would
enforce it) and `loads`, each {"n": prompts, "inp": tokens, "out": tokens} or {"image": [width, height]}; `adapters`
{"count": N, "rank": R} are made and served beside the model, with `checkpoint` its weights are read
from the files that `made_weights.py` wrote. With `steps` each step of the engine is written down (`record_steps`).
A draft model in `speculative_config` is a folder of MODELS_DIR too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks.gpu.made_items import install_items
from benchmarks.gpu.made_weights import write_adapter
from benchmarks.gpu.probe_loads import prompts_of, run_load
from benchmarks.gpu.probe_log import KeepLines, lines_of
from benchmarks.gpu.server_loads import WARM_UP, served
from benchmarks.gpu.turns import Turns
from benchmarks.gpu.watched_worker import GIB, claim_l4_capability, record_steps, record_worker, see_only_own_memory

L4_GIB = 22.03
DEFAULTS = {"max_num_batched_tokens": 2048, "max_num_seqs": 256, "load_format": "dummy"}
OWN_KEYS = (
    *("model", "utilization", "id", "env", "compile_cache", "rule", "cap_gib", "loads", "repeats"),
    *("adapters", "checkpoint", "steps"),
)

os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_LOGGING_LEVEL", "DEBUG")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


def total_gib() -> float:
    """The first card's memory as CUDA reports it, asked in a process of its own: ranks cannot be forked after CUDA."""
    asked = "import torch; print(torch.cuda.get_device_properties(0).total_memory)"
    return int(subprocess.check_output([sys.executable, "-c", asked], text=True).split()[-1]) / GIB


def card_name() -> str:
    """The first card's name, by the driver: no CUDA in this process."""
    import pynvml

    pynvml.nvmlInit()
    name = pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0))
    pynvml.nvmlShutdown()
    return str(name)


def engine_arguments(point: dict[str, Any], models: Path, total_gib: float) -> dict[str, Any]:
    """vLLM's arguments of a point, on a card of so many GiB."""
    arguments: dict[str, Any] = DEFAULTS | {k: v for k, v in point.items() if k not in OWN_KEYS}
    if "model" in arguments.get("speculative_config", {}):
        arguments["speculative_config"]["model"] = str(models / arguments["speculative_config"]["model"])
    if "adapters" in point:
        told = point["adapters"]
        arguments |= {"enable_lora": True, "max_loras": told["count"], "max_lora_rank": told["rank"]}
    if point.get("checkpoint"):
        arguments["load_format"] = "auto"
    return arguments | {
        "model": str(models / point["model"]),
        "skip_tokenizer_init": not any((models / point["model"]).glob("t*ken*.json")),
        "seed": 0,
        "gpu_memory_utilization": L4_GIB * point["utilization"] / total_gib,
    }


def note_cache(config: Any, found: dict[str, Any]) -> None:
    """Notes the size of an engine's KV cache."""
    cache = config.cache_config
    found.update(gpu_blocks=cache.num_gpu_blocks, block_size=cache.block_size, cache_dtype=str(cache.cache_dtype))
    found.update(mamba_cache_mode=cache.mamba_cache_mode, mamba_ssm_cache_dtype=cache.mamba_ssm_cache_dtype)
    found.update(prefix_caching=cache.enable_prefix_caching)


def start_engine(point: dict[str, Any], models: Path, found: dict[str, Any], turns: Turns | None) -> None:
    """Starts one engine, notes the size of its KV cache and serves the point's loads."""
    from vllm import LLM

    llm = LLM(**engine_arguments(point, models, found["gpu_total_gib"]))
    note_cache(llm.llm_engine.vllm_config, found)
    if point.get("runner") == "pooling":
        return
    from vllm import SamplingParams

    prompts = prompts_of({"n": 3, "inp": 24}, [])
    outputs = llm.generate(prompts, SamplingParams(max_tokens=4, ignore_eos=True, detokenize=False), use_tqdm=False)
    found["generated_tokens"] = sum(len(o.outputs[0].token_ids) for o in outputs)
    if turns:
        turns.wait(point["id"])
    found["loads"] = [run_load(llm, load) for load in point.get("loads", ())]
    if turns:
        turns.done(point["id"])


async def start_server(point: dict[str, Any], models: Path, found: dict[str, Any], turns: Turns | None) -> None:
    """As `start_engine`, with the engine in a process of its own."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.lora.request import LoRARequest
    from vllm.v1.engine.async_llm import AsyncLLM

    arguments = engine_arguments(point, models, found["gpu_total_gib"])
    adapters = []
    if told := point.get("adapters"):
        config = json.loads((models / point["model"] / "config.json").read_text())
        file = write_adapter(config, told["rank"], models / f"{point['id']}-adapter")
        adapters = [LoRARequest(f"adapter-{n}", n, str(file)) for n in range(1, told["count"] + 1)]
    engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments, disable_log_stats=True))
    note_cache(engine.vllm_config, found)
    for number, loads in enumerate({0, len(adapters)}):
        await served(engine, {**WARM_UP, "adapters": loads, "seed": -1 - number}, adapters)
    found["ready_s"] = round(time.time() - found["began"], 1)
    if turns:
        turns.wait(point["id"])
    found["loads"] = []
    for number, load in enumerate(point["loads"]):
        found["loads"].append(await served(engine, {"seed": number, **load}, adapters))
    if turns:
        turns.done(point["id"])
    engine.shutdown()


def merge_ranks(found: dict[str, Any], rank_file: Path) -> None:
    """Adds what the ranks wrote: the first one's counts, and those of the others under `other_ranks`."""
    ranks = [json.loads(p.read_text()) for p in sorted(rank_file.parent.glob(f"{rank_file.name}.*.json"))]
    if ranks:
        found.update(ranks[0])
    if len(ranks) > 1:
        found["other_ranks"] = ranks[1:]


def measure(
    point: dict[str, Any], run: argparse.Namespace, turns: Turns | None, rank_file: Path, card: tuple[str, float]
) -> dict[str, Any]:
    """One point's record: the plan line, what the worker counted, vLLM's own lines, and the refusal if it refused."""
    os.environ.update(point.get("env", {}))
    keep, found = KeepLines(), {"point": point, "native_capability": run.native_capability}
    found.update(gpu_name=card[0], gpu_total_gib=round(card[1], 3), began=time.time())
    logging.getLogger("vllm").addHandler(keep)
    try:
        if run.parallel > 1:
            see_only_own_memory()
        install_items(run.models / point["model"])
        record_worker(rank_file, point.get("cap_gib"))
        if point.get("steps"):
            record_steps(Path(f"{run.out}.{point['id']}.steps"))
        if run.server:
            asyncio.run(start_server(point, run.models, found, turns))
        else:
            start_engine(point, run.models, found, turns)
    except BaseException as error:  # whatever stops the start is the observation
        found["error"] = f"{type(error).__name__}: {str(error)[:1500]}"
        found["trace"] = traceback.format_exc()[-2500:]
    merge_ranks(found, rank_file)
    found["seconds"] = round(time.time() - found.pop("began"), 1)
    found["log"] = lines_of(log_file(run.out, point)) if run.server else keep.lines
    return found


def log_file(out: Path, point: dict[str, Any]) -> Path:
    """Where a point's child and its engine print."""
    return Path(f"{out}.{point['id']}.log")


def fork_point(point: dict[str, Any], run: argparse.Namespace, turns: Turns | None, card: tuple[str, float]) -> int:
    """Forks a child that measures one point and appends its record to `out`; gives the child's process id."""
    out: Path = run.out
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    log = os.open(log_file(out, point), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    record = measure(point, run, turns, out.with_name(f"{out.name}.{point['id']}"), card)
    with out.open("a") as file:
        file.write(json.dumps(record) + "\n")
    if run.server:  # an engine that died with its loads may have left its process
        os.killpg(0, 9)
    os._exit(0)


def run_plan(points: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Runs every point, at most `parallel` at a time; a point over its time is killed with its process group."""
    turns = Turns(arguments.out.with_name(f"{arguments.out.name}.turns")) if arguments.turns else None
    running: dict[int, tuple[str, float]] = {}
    card = card_name(), total_gib()
    queue = list(points)
    while queue or running:
        room = 0 if turns and running else arguments.parallel
        while queue and len(running) < room:
            point = queue.pop(0)
            running[fork_point(point, arguments, turns, card)] = (point["id"], time.time())
        if turns:
            turns.give(name for name, _ in running.values())
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            name, began = running.pop(pid)
            print(f"{name}: {time.time() - began:.0f} s", flush=True)
        for late in [p for p, (_, began) in running.items() if time.time() - began > arguments.timeout]:
            print(f"{running.pop(late)[0]}: killed after {arguments.timeout:.0f} s", flush=True)
            os.killpg(late, 9)
            os.waitpid(late, 0)
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=240)
    parser.add_argument("--turns", action="store_true", help="serve loads one engine at a time")
    parser.add_argument("--server", action="store_true", help="run each engine in a process of its own")
    parser.add_argument("--native-capability", action="store_true", help="let vLLM see the card's own capability")
    arguments = parser.parse_args()
    points = [json.loads(line) for line in arguments.plan.read_text().splitlines() if line.strip()]
    for index, point in enumerate(points):
        point.setdefault("id", f"{arguments.plan.stem}-{index:02d}-{point['model']}")
    if not arguments.native_capability:
        claim_l4_capability()
    import vllm
    import vllm.v1.worker.gpu.model_runner
    import vllm.v1.worker.gpu_model_runner
    import vllm.v1.worker.gpu_worker  # noqa: F401

    run_plan(points, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
