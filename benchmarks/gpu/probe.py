"""Measures what real vLLM reserves for weights, activations, CUDA graphs and KV cache under an L4's memory budget.

    python -m benchmarks.gpu.probe PLAN.jsonl MODELS_DIR OUT.jsonl [--parallel N] [--timeout S] [--turns]

Each line of the plan is one engine start: {"model": NAME, "utilization": U, ...vLLM engine arguments}. A model is a
folder in MODELS_DIR that holds only a config.json; weights are dummies. The budget is an L4's 22.03 GiB: on a card of
T GiB vLLM is given the utilisation 22.03 * U / T. A refusal is a result and keeps its text.

vLLM is imported once and forked for each point, so that starts cost no import. With N > 1 several engines share the
card: vLLM reads memory as a difference of the whole card's, so here the driver's count for its own process is shown.

With `--turns` a group of N engines starts side by side, and each serves its loads while the others rest: so speeds can
be measured without paying for each start alone.

Keys of a point beside vLLM's arguments: `env`, `cap_gib` (the most that PyTorch may hold, as a smaller card would
enforce it) and `loads`, each {"n": prompts, "inp": tokens, "out": tokens} or {"image": [width, height]}.
A draft model in `speculative_config` is a folder of MODELS_DIR too.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks.gpu.probe_loads import allocator, prompts_of, run_load
from benchmarks.gpu.probe_log import KeepLines
from benchmarks.gpu.turns import Turns

L4_GIB = 22.03
L4_CAPABILITY = (8, 9)
GIB = 2**30
DEFAULTS = {"max_num_batched_tokens": 2048, "max_num_seqs": 256, "load_format": "dummy"}
OWN_KEYS = ("model", "utilization", "id", "env", "compile_cache", "rule", "cap_gib", "loads", "repeats")

os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_LOGGING_LEVEL", "DEBUG")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


def own_bytes(pid: int) -> int | None:
    """Bytes of card memory that the driver counts for one process, or None where it does not say."""
    import pynvml

    pynvml.nvmlInit()
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(card_index())
        for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
            if process.pid == pid:
                return int(process.usedGpuMemory)
        return 0
    finally:
        pynvml.nvmlShutdown()


def card_index() -> int:
    """The driver's index of the card that this process works on."""
    import torch

    shown = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    current = torch.cuda.current_device()
    return int(shown[current]) if shown[0] else current


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


def see_only_own_memory() -> None:
    """Makes vLLM's free-memory readings ignore the neighbours on the card."""
    import torch

    real = torch.accelerator.get_memory_info

    def info(device: Any = None) -> tuple[int, int]:
        _, total = real(device)
        used = own_bytes(os.getpid())
        if used is None:
            raise RuntimeError("the driver does not count memory by process: run with --parallel 1")
        return total - used, total

    torch.accelerator.get_memory_info = info


def claim_l4_capability() -> None:
    """Makes vLLM choose backends and kernels as on compute capability 8.9 (the kernels still run on the real card)."""
    from vllm.platforms.cuda import NvmlCudaPlatform
    from vllm.platforms.interface import DeviceCapability

    def capability(cls: type, device_id: int = 0) -> DeviceCapability:  # noqa: ARG001
        return DeviceCapability(*L4_CAPABILITY)

    NvmlCudaPlatform.get_device_capability = classmethod(capability)


def record_worker(rank_file: Path, cap_gib: float | None) -> None:
    """Makes vLLM's worker write the byte counts that it computes but prints rounded, a file for each rank."""
    import torch
    from vllm.v1.worker.gpu_worker import Worker

    determine, warm_up = Worker.determine_available_memory, Worker.compile_or_warm_up_model

    def write(worker: Any, **found: Any) -> None:
        file = rank_file.with_name(f"{rank_file.name}.{worker.rank}.json")
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | found))

    def measured(self: Any) -> int:
        if cap_gib:
            total = torch.cuda.get_device_properties(self.device).total_memory / GIB
            torch.cuda.set_per_process_memory_fraction(cap_gib / total, self.device)
        write(self, weights_bytes=int(self.model_runner.model_memory_usage))
        available = determine(self)
        write(
            self,
            requested_bytes=int(self.requested_memory),
            peak_activation_bytes=int(getattr(self, "peak_activation_memory", 0)),
            non_torch_bytes=int(getattr(self, "non_torch_memory", 0)),
            cuda_graph_estimate_bytes=int(getattr(self, "cudagraph_memory_estimate", 0)),
            kv_cache_bytes=int(available),
            v2_model_runner=bool(self.use_v2_model_runner),
            after_profile=allocator(),
        )
        return int(available)

    def warmed(self: Any) -> Any:
        capture = self.model_runner.capture_model

        def counted() -> int:
            taken = capture()
            write(self, cuda_graph_bytes=int(taken), after_capture=allocator())
            torch.cuda.reset_peak_memory_stats()
            return int(taken)

        self.model_runner.capture_model = counted
        torch.cuda.reset_peak_memory_stats()
        write(self, before_warm_up=allocator())
        times = warm_up(self)
        write(self, used_after_start_bytes=own_bytes(os.getpid()), after_warm_up=allocator())
        torch.cuda.reset_peak_memory_stats()
        return times

    Worker.determine_available_memory, Worker.compile_or_warm_up_model = measured, warmed


def start_engine(point: dict[str, Any], models: Path, found: dict[str, Any], turns: Turns | None) -> None:
    """Starts one engine, notes the size of its KV cache and serves the point's loads."""
    from vllm import LLM

    total = found["gpu_total_gib"]
    arguments: dict[str, Any] = DEFAULTS | {k: v for k, v in point.items() if k not in OWN_KEYS}
    if "model" in arguments.get("speculative_config", {}):
        arguments["speculative_config"]["model"] = str(models / arguments["speculative_config"]["model"])
    llm = LLM(
        model=str(models / point["model"]),
        skip_tokenizer_init=not (models / point["model"] / "tokenizer.json").exists(),
        seed=0,
        gpu_memory_utilization=L4_GIB * point["utilization"] / total,
        **arguments,
    )
    cache = llm.llm_engine.vllm_config.cache_config
    found.update(gpu_blocks=cache.num_gpu_blocks, block_size=cache.block_size, cache_dtype=str(cache.cache_dtype))
    found.update(mamba_cache_mode=cache.mamba_cache_mode, mamba_ssm_cache_dtype=cache.mamba_ssm_cache_dtype)
    found.update(prefix_caching=cache.enable_prefix_caching)
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
    found.update(gpu_name=card[0], gpu_total_gib=round(card[1], 3))
    logging.getLogger("vllm").addHandler(keep)
    began = time.time()
    try:
        if run.parallel > 1:
            see_only_own_memory()
        record_worker(rank_file, point.get("cap_gib"))
        start_engine(point, run.models, found, turns)
    except BaseException as error:  # whatever stops the start is the observation
        found["error"] = f"{type(error).__name__}: {str(error)[:1500]}"
        found["trace"] = traceback.format_exc()[-2500:]
    merge_ranks(found, rank_file)
    found["seconds"] = round(time.time() - began, 1)
    found["log"] = keep.lines
    return found


def fork_point(point: dict[str, Any], run: argparse.Namespace, turns: Turns | None, card: tuple[str, float]) -> int:
    """Forks a child that measures one point and appends its record to `out`; gives the child's process id."""
    out: Path = run.out
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    log = os.open(f"{out}.{point['id']}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    record = measure(point, run, turns, out.with_name(f"{out.name}.{point['id']}"), card)
    with out.open("a") as file:
        file.write(json.dumps(record) + "\n")
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
