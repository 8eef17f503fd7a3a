"""Makes vLLM believe that it runs on NVIDIA L4 cards where there is no GPU, so that its own code judges a config.

Only what vLLM decides before it touches a device can be observed this way: argument parsing, configuration checks and
the choice of an attention backend. Call `install()` before anything else of vLLM is imported.
"""

from __future__ import annotations

import atexit
import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

L4_CAPABILITY = (8, 9)
L4_TOTAL_BYTES = int(22.03 * 2**30)
# What vLLM's kernels link to of the driver's library; none of them is called before a device is touched.
_SYMBOLS = """cuCtxGetCurrent cuCtxSetCurrent cuDeviceGetAttribute cuDevicePrimaryCtxRetain cuGetErrorString
cuGetProcAddress_v2 cuMemAddressFree cuMemAddressReserve cuMemCreate cuMemGetAllocationGranularity cuMemMap cuMemRelease
cuMemSetAccess cuMemUnmap cuPointerGetAttribute cuTensorMapEncodeTiled"""
STUB_MARK = "L4_STUB_DRIVER"


@dataclass
class Cards:
    """What the simulated platform answers; changed in place, since vLLM's modules keep hold of the platform."""

    count: int = 1
    capability: tuple[int, int] = L4_CAPABILITY


CARDS = Cards()


def stub_driver() -> None:
    """Starts this program again with an empty driver library in its path, which the loader reads only at start."""
    folder = Path(tempfile.mkdtemp(prefix="stub-driver-"))
    source = folder / "stub.c"
    source.write_text("".join(f"int {name}(void) {{ return 100; }}\n" for name in _SYMBOLS.split()))
    library = folder / "libcuda.so.1"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), "-Wl,-soname,libcuda.so.1", str(source)]
    subprocess.run(command, check=True)
    path = os.environ.get("LD_LIBRARY_PATH", "")
    os.environ |= {STUB_MARK: str(folder), "LD_LIBRARY_PATH": f"{folder}:{path}".rstrip(":")}
    os.execv(sys.executable, [sys.executable, *sys.argv])


def install_without_driver() -> str:
    """Simulates an L4 if the machine has no driver; gives the name of the card that vLLM will see."""
    if STUB_MARK not in os.environ and ctypes.util.find_library("cuda") is None:
        stub_driver()
    if STUB_MARK in os.environ:
        atexit.register(shutil.rmtree, os.environ[STUB_MARK], ignore_errors=True)
        install()
        return "NVIDIA L4 (simulated, no GPU)"
    import torch

    return str(torch.cuda.get_device_name(0))


def install() -> None:
    """Replaces vLLM's platform by one that answers as the cards of CARDS would: one L4 unless changed."""
    import torch
    import vllm.platforms as platforms
    from vllm.platforms.cuda import NonNvmlCudaPlatform
    from vllm.platforms.interface import DeviceCapability

    class SimulatedL4(NonNvmlCudaPlatform):
        """The CUDA platform with the answers of an L4 in place of the driver's."""

        @classmethod
        def get_device_capability(cls, device_id: int = 0) -> DeviceCapability:  # noqa: ARG003
            return DeviceCapability(*CARDS.capability)

        @classmethod
        def get_device_name(cls, device_id: int = 0) -> str:  # noqa: ARG003
            return "NVIDIA L4"

        @classmethod
        def get_device_total_memory(cls, device_id: int = 0) -> int:  # noqa: ARG003
            return L4_TOTAL_BYTES

        @classmethod
        def is_fully_connected(cls, physical_device_ids: list[int]) -> bool:  # noqa: ARG003
            return False

        @classmethod
        def device_count(cls) -> int:
            return CARDS.count

        @classmethod
        def num_compute_units(cls, device_id: int = 0) -> int:  # noqa: ARG003
            return 58

    platforms.current_platform = SimulatedL4()
    torch.accelerator.device_count = lambda: CARDS.count
    torch.cuda.device_count = lambda: CARDS.count
