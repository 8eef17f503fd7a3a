"""Puts items of stated shapes in place of those that a model's own processor would make for the profile of its tower.

For models whose processor is code of their repository alone: `items.json` in the model's folder says of each modality
how many tokens its largest item has and what the engine's model code is handed of it. A field is of a `shape`, or the
first `count` places of one (elsewhere -1), or has a `value`, or `runs` of values, each with how often it comes; fields
of several items are joined end to end (`flat`) or the same (`shared`), else stacked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def install_items(folder: Path) -> None:
    """Makes vLLM profile the items that the folder's `items.json` states; nothing without that file."""
    file = folder / "items.json"
    if not file.exists():
        return
    from transformers import WhisperFeatureExtractor
    from vllm.multimodal.inputs import PlaceholderRange
    from vllm.multimodal.processing import context
    from vllm.multimodal.registry import MultiModalRegistry

    stated = json.loads(file.read_text())

    def dummies(self: Any, model_config: Any, mm_counts: Mapping[str, int], **_: Any) -> dict[str, Any]:  # noqa: ARG001
        asked = {modality: stated[modality] for modality, count in mm_counts.items() if count}
        return {
            "prompt_token_ids": [0] * model_config.max_model_len,
            "mm_kwargs": {modality: [_item(item["fields"])] for modality, item in asked.items()},
            "mm_placeholders": {m: [PlaceholderRange(offset=0, length=i["tokens"])] for m, i in asked.items()},
        }

    hears = SimpleNamespace(audio_processor=WhisperFeatureExtractor(), feature_extractor=WhisperFeatureExtractor())
    MultiModalRegistry.get_dummy_mm_inputs = dummies
    context.InputProcessingContext.get_hf_processor = lambda *_, **__: hears


def _item(fields: Mapping[str, Mapping[str, Any]]) -> Any:
    """What the engine's model code is handed of one item."""
    from vllm.multimodal.inputs import (
        MultiModalBatchedField,
        MultiModalFieldElem,
        MultiModalFlatField,
        MultiModalKwargsItem,
        MultiModalSharedField,
    )

    elements = {}
    for name, field in fields.items():
        data = _tensor(field)
        joined: Any = MultiModalSharedField(batch_size=1) if field.get("shared") else MultiModalBatchedField()
        if field.get("flat"):
            joined = MultiModalFlatField(slices=[slice(0, len(data))])
        elements[name] = MultiModalFieldElem(data=data, field=joined)
    return MultiModalKwargsItem(elements)


def _tensor(field: Mapping[str, Any]) -> Any:
    import torch

    if "value" in field:
        return torch.tensor(field["value"])
    if "runs" in field:
        values, counts = zip(*field["runs"], strict=True)
        return torch.tensor(values).repeat_interleave(torch.tensor(counts))
    shape = field["shape"]
    if "count" not in field:
        return torch.ones(shape, dtype=torch.bfloat16)
    places = torch.arange(prod(shape))
    return torch.where(places < field["count"], places, -1).reshape(shape)
