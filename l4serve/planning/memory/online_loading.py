"""What PyTorch's allocator keeps beside weights that an engine makes 8-bit while it loads them.

vLLM loads each matrix in the model's own dtype, makes a narrow one of it and gives the first one back. Meanwhile it
forbids the allocator to split blocks of 20 MiB and more (`_scoped_allocator_max_split` of v1/worker/gpu_worker.py since
0.21.0), so a narrow matrix may take a larger block that was given back, whole. The search is that of PyTorch's
c10/cuda/CUDACachingAllocator.cpp: the smallest free block that holds the matrix and is less than 20 MiB larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

MIB = 2**20
UNSPLIT = 20 * MIB
"""Blocks from here on are not split while weights load, and smaller ones come from segments of this size."""
OWN_SEGMENT = 10 * MIB
"""Sizes from here on get a segment of their own, of whole `STEP`s."""
STEP = 2 * MIB
ALIGNMENT = 512
MODULES = (("qkv",), ("o",), ("up",), ("down",))
"""Matrices that are loaded at the same time, in the order of the model's modules: that of dummy weights."""
FILES = (("down",), ("up",), ("qkv", "o"))
"""The same in the order of names, that of a checkpoint's files: `o_proj` comes between `k_proj` and `v_proj`."""


@dataclass
class _Allocator:
    free: list[int] = field(default_factory=list)
    held: int = 0

    def take(self, size: int) -> int:
        """Bytes of the block that a tensor gets."""
        size = -(-size // ALIGNMENT) * ALIGNMENT
        large = size >= UNSPLIT
        fits = [block for block in self.free if size <= block < (size + UNSPLIT if large else UNSPLIT)]
        if fits:
            block = min(fits)
            self.free.remove(block)
        else:
            block = UNSPLIT if size < OWN_SEGMENT else -(-size // STEP) * STEP
        if not large and block - size > MIB:
            self.free.append(block - size)
            block = size
        self.held += block
        return block

    def give(self, block: int) -> None:
        """Takes a block back."""
        self.held -= block
        self.free.append(block)


@lru_cache(maxsize=512)
def kept_beside(matrices: tuple[tuple[str, int], ...], layers: int, narrow: float, *, files: bool = False) -> int:
    """Bytes that stay allocated beside the narrow weights of so many layers.

    `matrices` are the names of one layer's and their bytes in the model's own dtype, `narrow` is the part of these
    bytes that stays. With `files` they come in the order of a checkpoint's files.
    """
    sizes, allocator = dict(matrices), _Allocator()
    for together in (FILES if files else MODULES) * layers:
        _load(allocator, sizes, together, narrow)
    return int(allocator.held - layers * narrow * sum(sizes.values()))


def _load(allocator: _Allocator, sizes: Mapping[str, int], together: tuple[str, ...], narrow: float) -> None:
    loaded = {name: allocator.take(sizes[name]) for name in together if name in sizes}
    for name in reversed(loaded):
        allocator.take(int(sizes[name] * narrow))
        allocator.give(loaded[name])
