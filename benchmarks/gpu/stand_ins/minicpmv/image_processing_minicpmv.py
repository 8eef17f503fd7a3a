"""In place of MiniCPM-V's own processor of pictures: as many tiles of the same size, all of them black.

A picture is cut into at most nine tiles of 448 pixels a side, and shown whole beside them; a tile is laid out as a row
of squares of 14 pixels.
"""

from math import ceil, log, sqrt
from typing import Any

import torch
from transformers import BaseImageProcessor, BatchFeature, ProcessorMixin

PATCH, SIDE, MOST_SLICES, QUERIES = 14, 448, 9, 64


class MiniCPMVImageProcessor(BaseImageProcessor):
    model_input_names = ["pixel_values"]

    def __init__(self, **rest: Any):
        super().__init__(**rest)
        self.max_slice_nums, self.image_feature_size = MOST_SLICES, QUERIES

    def get_sliced_grid(self, size: tuple[int, int], max_slice_nums: int = MOST_SLICES) -> list[int] | None:
        """Columns and rows of the tiles, None for a picture that is not cut."""
        width, height = size
        pieces = min(ceil(width * height / SIDE**2), max_slice_nums)
        if pieces <= 1:
            return None
        counts = [n for n in (pieces - 1, pieces, pieces + 1) if 1 < n <= max_slice_nums]
        grids = [[m, n // m] for n in counts for m in range(1, n + 1) if n % m == 0]
        return min(grids, key=lambda grid: abs(log(width / height) - log(grid[0] / grid[1])))

    def get_slice_image_placeholder(
        self, size: tuple[int, int], image_idx: int = 0, max_slice_nums: int | None = None, use_image_id: bool = True
    ) -> str:
        queries = "<unk>" * QUERIES
        whole = f"<image>{queries}</image>"
        if use_image_id:
            whole = f"<image_id>{image_idx}</image_id>{whole}"
        grid = self.get_sliced_grid(size, max_slice_nums or MOST_SLICES)
        rows = [f"<slice>{queries}</slice>" * grid[0]] * grid[1] if grid else []
        return whole + "\n".join(rows)

    def __call__(self, images: Any, max_slice_nums: int = MOST_SLICES, **_: Any) -> BatchFeature:
        sizes = [[self._size(image) for image in prompt] for prompt in images]
        squares = [[s for size in each for s in self._tiles(size, max_slice_nums)] for each in sizes]
        pixels = [[torch.zeros(3, PATCH, PATCH * high * wide) for high, wide in each] for each in squares]
        found = {"pixel_values": pixels, "image_sizes": sizes, "tgt_sizes": [torch.tensor(each) for each in squares]}
        return BatchFeature(data=found)

    def _size(self, image: Any) -> tuple[int, int]:
        """Width and height of a picture or a frame."""
        shape = getattr(image, "shape", None)
        return (shape[1], shape[0]) if shape else image.size

    def _tiles(self, size: tuple[int, int], most: int) -> list[tuple[int, int]]:
        """Squares of each tile of a picture, high and wide: the whole, then the slices."""
        ratio = size[0] / size[1]
        high = SIDE / sqrt(ratio)
        whole = (max(1, round(high / PATCH)), max(1, round(high * ratio / PATCH)))
        grid = self.get_sliced_grid(size, most)
        return [whole, *[(SIDE // PATCH, SIDE // PATCH)] * (grid[0] * grid[1] if grid else 0)]


class MiniCPMVProcessor(ProcessorMixin):
    attributes = ["image_processor", "tokenizer"]
    image_processor_class = "AutoImageProcessor"
    tokenizer_class = "AutoTokenizer"

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **rest: Any):
        super().__init__(image_processor, tokenizer, **rest)
