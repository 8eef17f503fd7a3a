"""GPUs as their driver reports them, from `data/gpus.json`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from l4serve.config.data_file import load_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One card. Sizes are in GiB as CUDA reports them; `context_gib` is taken before an engine has loaded anything;
    `fp16_tflops` is what TGI assumes of the card."""

    name: str
    total_gib: float
    compute_capability: tuple[int, int]
    context_gib: float
    fp16_tflops: float | None
    source: str

    @property
    def has_fp8_matmul(self) -> bool:
        """Whether the tensor cores multiply 8-bit floats (Ada and later)."""
        return self.compute_capability >= (8, 9)


@cache
def all_gpus() -> dict[str, Gpu]:
    """Every known card by name."""
    return {entry["name"]: _gpu(entry) for entry in load_data(__file__, "gpus.json")["gpus"]}


def _gpu(entry: dict[str, object]) -> Gpu:
    major, minor = str(entry["computeCapability"]).split(".")
    return Gpu(
        name=str(entry["name"]),
        total_gib=float(str(entry["totalGib"])),
        compute_capability=(int(major), int(minor)),
        context_gib=float(str(entry["contextGib"])),
        fp16_tflops=float(str(entry["fp16Tflops"])) if entry["fp16Tflops"] is not None else None,
        source=str(entry["source"]),
    )


def find_gpu(name: str) -> Gpu | None:
    """The card that GKE calls by this accelerator name, or None."""
    return all_gpus().get(name.lower())
