"""Measures what real vLLM reserves for weights, activations, CUDA graphs and KV cache under an L4's memory budget.

    probe.py PLAN.jsonl MODELS_DIR OUT.jsonl [--parallel N] [--timeout S]

Each line of the plan is one engine start: {"model": NAME, "utilization": U, ...vLLM engine arguments}. A model is a
folder in MODELS_DIR that holds only a config.json; weights are dummies. The budget is an L4's 22.03 GiB: on a card of
T GiB vLLM is given the utilisation 22.03 * U / T. A refusal is a result and keeps its text.

vLLM is imported once and forked for each point, so that starts cost no import. With N > 1 several engines share the
card: vLLM reads memory as a difference of the whole card's, so here the driver's count for its own process is shown.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any

L4_GIB = 22.03
L4_CAPABILITY = (8, 9)
GIB = 2**30
DEFAULTS = {"max_num_batched_tokens": 2048, "max_num_seqs": 256, "load_format": "dummy"}
OWN_KEYS = ("model", "utilization", "id", "env", "compile_cache", "rule")
LOG_PATTERN = re.compile(r"memory|KV cache|concurrency|took|GiB|backend|runner|estimated|kernel|Marlin", re.I)
LOG_NOISE = re.compile(
    r"FusedMoE.*Config =|Canonicalized|Skipping provider|Compile env|Traced files|world_size|Capturing a"
)

os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_LOGGING_LEVEL", "DEBUG")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


class KeepLines(logging.Handler):
    """Collects the log lines that speak of memory and of choices."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if LOG_PATTERN.search(line) and not LOG_NOISE.search(line) and len(self.lines) < 60:
            self.lines.append(line[:900])


def own_bytes(pid: int) -> int | None:
    """Bytes of card memory that the driver counts for one process, or None where it does not say."""
    import pynvml

    pynvml.nvmlInit()
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
            if process.pid == pid:
                return int(process.usedGpuMemory)
        return 0
    finally:
        pynvml.nvmlShutdown()


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


def record_worker(found: dict[str, Any]) -> None:
    """Keeps the byte counts that vLLM's worker computes but prints rounded."""
    from vllm.v1.worker.gpu_worker import Worker

    determine, warm_up = Worker.determine_available_memory, Worker.compile_or_warm_up_model

    def measured(self: Any) -> int:
        available = determine(self)
        found.update(
            requested_bytes=int(self.requested_memory),
            weights_bytes=int(self.model_runner.model_memory_usage),
            peak_activation_bytes=int(self.peak_activation_memory),
            non_torch_bytes=int(self.non_torch_memory),
            cuda_graph_estimate_bytes=int(self.cudagraph_memory_estimate),
            kv_cache_bytes=int(self.available_kv_cache_memory_bytes),
            v2_model_runner=bool(self.use_v2_model_runner),
        )
        return int(available)

    def warmed(self: Any) -> Any:
        capture = self.model_runner.capture_model

        def counted() -> int:
            taken = capture()
            found["cuda_graph_bytes"] = int(taken)
            return int(taken)

        self.model_runner.capture_model = counted
        times = warm_up(self)
        found["used_after_start_bytes"] = own_bytes(os.getpid())
        return times

    Worker.determine_available_memory, Worker.compile_or_warm_up_model = measured, warmed


def start_engine(point: dict[str, Any], models: Path, found: dict[str, Any]) -> None:
    """Starts one engine and notes the size of its KV cache."""
    import torch
    from vllm import LLM

    total = torch.cuda.get_device_properties(0).total_memory / GIB
    found.update(gpu_name=torch.cuda.get_device_name(0), gpu_total_gib=round(total, 3))
    arguments = DEFAULTS | {k: v for k, v in point.items() if k not in OWN_KEYS}
    llm = LLM(
        model=str(models / point["model"]),
        skip_tokenizer_init=True,
        seed=0,
        gpu_memory_utilization=L4_GIB * point["utilization"] / total,
        **arguments,
    )
    cache = llm.llm_engine.vllm_config.cache_config
    found.update(gpu_blocks=cache.num_gpu_blocks, block_size=cache.block_size, cache_dtype=str(cache.cache_dtype))
    prompts = [{"prompt_token_ids": [7 + n for n in range(24)]} for _ in range(3)]
    from vllm import SamplingParams

    outputs = llm.generate(prompts, SamplingParams(max_tokens=4, ignore_eos=True, detokenize=False), use_tqdm=False)
    found["generated_tokens"] = sum(len(o.outputs[0].token_ids) for o in outputs)


def measure(point: dict[str, Any], models: Path, alone: bool, native: bool) -> dict[str, Any]:
    """One point's record: the plan line, what the worker counted, vLLM's own lines, and the refusal if it refused."""
    os.environ.update(point.get("env", {}))
    keep, found = KeepLines(), {"point": point, "native_capability": native}
    logging.getLogger("vllm").addHandler(keep)
    began = time.time()
    try:
        if not alone:
            see_only_own_memory()
        record_worker(found)
        start_engine(point, models, found)
    except BaseException as error:  # whatever stops the start is the observation
        found["error"] = f"{type(error).__name__}: {str(error)[:1500]}"
        found["trace"] = traceback.format_exc()[-2500:]
    found["seconds"] = round(time.time() - began, 1)
    found["log"] = keep.lines
    return found


def fork_point(point: dict[str, Any], models: Path, out: Path, alone: bool, native: bool) -> int:
    """Forks a child that measures one point and appends its record to `out`; gives the child's process id."""
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    log = os.open(f"{out}.{point['id']}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    record = measure(point, models, alone, native)
    with out.open("a") as file:
        file.write(json.dumps(record) + "\n")
    os._exit(0)


def run_plan(points: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Runs every point, at most `parallel` at a time; a point over its time is killed with its process group."""
    alone = arguments.parallel == 1
    running: dict[int, tuple[str, float]] = {}
    queue = list(points)
    while queue or running:
        while queue and len(running) < arguments.parallel:
            point = queue.pop(0)
            child = fork_point(point, arguments.models, arguments.out, alone, arguments.native_capability)
            running[child] = (point["id"], time.time())
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
