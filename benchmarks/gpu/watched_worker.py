"""A worker of vLLM that is watched: the memory that it reads, the capability that it sees, the bytes that it counts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.probe_loads import allocator

L4_CAPABILITY = (8, 9)
GIB = 2**30


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
    tower: dict[str, Any] = {}
    watch_tower(tower)

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
            **({"tower": tower} if tower else {}),
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


def watch_tower(found: dict[str, Any]) -> None:
    """Makes V1's profile note what its tower held at its peak, and the items that it encoded."""
    from vllm.v1.worker import gpu_model_runner

    check = gpu_model_runner.sanity_check_mm_encoder_outputs

    def noted(outputs: Any, expected_num_items: int) -> None:
        counts = allocator()
        found.update(items=expected_num_items, tokens=[len(each) for each in outputs][:8])
        found.update(allocated=counts["allocated"], allocated_peak=counts["allocated_peak"])
        check(outputs, expected_num_items)

    gpu_model_runner.sanity_check_mm_encoder_outputs = noted


def record_steps(file: Path) -> None:
    """Makes vLLM's worker write a line for each step: when it began, the milliseconds in which it was launched, its
    tokens, its sequences, those of them with one token, and the milliseconds in which the card had it."""
    import torch
    from vllm.v1.worker.gpu_worker import Worker

    execute = Worker.execute_model
    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    waiting: list[tuple[list[float], Any, Any]] = []

    def stepped(self: Any, scheduled: Any) -> Any:
        while waiting and waiting[0][2].query():
            told, begun, ended = waiting.pop(0)
            os.write(out, (json.dumps([*told, round(begun.elapsed_time(ended), 3)]) + "\n").encode())
        if not scheduled.total_num_scheduled_tokens:
            return execute(self, scheduled)
        begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        each = scheduled.num_scheduled_tokens
        began = time.perf_counter()
        begun.record()
        found = execute(self, scheduled)
        ended.record()
        took = round(1000 * (time.perf_counter() - began), 3)
        alone = sum(tokens == 1 for tokens in each.values())
        waiting.append(([round(began, 5), took, sum(each.values()), len(each), alone], begun, ended))
        return found

    Worker.execute_model = stepped
