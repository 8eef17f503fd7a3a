"""Rows of experts that have no gate, as Nemotron 3 Super's were measured."""

import json
from pathlib import Path

from l4serve.planning.memory.activation import expert_workspace_bytes, forward_peak_bytes
from l4serve.planning.memory.constants import fitted_constants
from l4serve.planning.models.hf_config import shape_from_config

CONFIG = Path(__file__).parents[3] / "l4serve/planning/memory/data/configs/nemotron-3-super-20l-64e.json"


def test_experts_without_a_gate_keep_two_rows_of_the_wider_side() -> None:
    model = shape_from_config(json.loads(CONFIG.read_text()), model_id="super", source="test")
    tokens = 8192
    assert expert_workspace_bytes(model, tokens, 1, 2) == tokens * 22 * 2 * 2688 * 2
    rows = 22 * (2 * 2688 + 2 * 1024) + 5376
    hidden = fitted_constants().hidden_buffers * model.hidden_size
    assert forward_peak_bytes(model, tokens, 1, 2, fitted_constants()) == tokens * 2 * (hidden + rows)
