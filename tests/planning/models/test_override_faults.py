"""What is refused in a config.json is refused in what overrides one, and what releases take is taken in both."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from tests.factories import planned, serving, workload
from tests.planning.models.test_hf_config import LLAMA

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
FACTORS: list[Any] = [-1, 0, 1e-320, "x", [], True]
KINDS: list[Any] = ["nonsense", 5, []]
LENGTHS: list[Any] = [-32768, 0, "x", []]
LAYERS: list[Any] = [-1, 0, 1_000_000, "a", []]
BITS: list[Any] = [0, -4, "x", []]
QUANTIZATIONS: list[Any] = [5, [], {"quant_method": 5}]


def _scalings() -> Iterator[dict[str, Any]]:
    for kind in ("yarn", "linear", "dynamic", "llama3"):
        yield from ({"rope_type": kind, "factor": factor} for factor in FACTORS)
    yield from ({"rope_type": kind, "factor": None} for kind in ("yarn", "linear"))
    yield from ({"type": kind, "factor": 2} for kind in KINDS)
    yield from ({**YARN, "original_max_position_embeddings": length} for length in LENGTHS)
    yield {"rope_type": "linear", "factor": 2, "rope_theta": -1}


ODD: list[dict[str, Any]] = [
    *({"rope_scaling": scaling} for scaling in (*_scalings(), 5, "x", [])),
    *({"rope_parameters": scaling} for scaling in _scalings()),
    *({"max_position_embeddings": length} for length in (-5, 0, "a", 2**40, 1.5)),
    *({"num_hidden_layers": layers} for layers in LAYERS),
    *({key: -1} for key in ("vocab_size", "hidden_size", "num_attention_heads", "intermediate_size")),
    *({"head_dim": width} for width in (0, -1, "a")),
    *({"torch_dtype": name} for name in ("float3", 5)),
    *({"quantization_config": {"quant_method": "gptq", "bits": bits, "group_size": 128}} for bits in BITS),
    *({"quantization_config": odd} for odd in QUANTIZATIONS),
    *({"rope_theta": base} for base in (-1, 0, "x")),
    {"partial_rotary_factor": -1},
]
FINE: list[dict[str, Any]] = [
    {"rope_scaling": YARN},
    {"rope_parameters": YARN},
    {"rope_scaling": None},
    {"rope_scaling": {"type": "linear", "factor": 2.0}},
    {"rope_scaling": {"type": "dynamic", "factor": 0.5}},
    {"rope_scaling": {"type": "dynamic", "alpha": 1000.0, "factor": None}},
    {"rope_scaling": {"type": "default", "factor": None}},
    {"rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}},
    {"rope_scaling": {"rope_type": "longrope", "factor": 32, "short_factor": [1.0], "long_factor": [1.0]}},
    {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192}},
    {"rope_parameters": {"full_attention": YARN, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}},
    {"max_position_embeddings": 65536},
    {"max_position_embeddings": None},
    {"head_dim": None},
    {"torch_dtype": "torch.float16"},
    {"torch_dtype": "auto"},
    {"num_hidden_layers": 4},
    {"quantization_config": None},
    {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": -1}},
]


def _refused(*arguments: str, version: str = "0.26.0", model: str = "Qwen/Qwen2.5-1.5B-Instruct") -> list[str]:
    """Where a plan is refused, with the whole text of what is said."""
    engine = {"version": version, "maxModelLen": 2048}
    try:
        planned(serving({"w": workload(model, engine=engine, extraArgs=list(arguments), nodePool="l4")}))
    except ConfigError as error:
        text = str(error)
        assert "-32768, " not in text and "maxModelLen: -" not in text and "maxModelLen: 0" not in text
        return [problem.path for problem in error.problems]
    return []


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_what_no_model_has_is_refused_in_a_file_and_in_what_overrides_it(odd: dict[str, Any]) -> None:
    with pytest.raises(ModelConfigError):
        shape_from_config({**LLAMA, **odd}, model_id="me/mine", source="test")
    assert "workloads.w.extraArgs[0]" in _refused(f"--hf-overrides={json.dumps(odd)}")


@pytest.mark.parametrize("fine", FINE, ids=json.dumps)
def test_what_releases_take_is_taken_in_both(fine: dict[str, Any]) -> None:
    shape_from_config({**LLAMA, **fine}, model_id="me/mine", source="test")
    assert _refused(f"--hf-overrides={json.dumps(fine)}") == []


@pytest.mark.parametrize(
    ("argument", "version"),
    [
        ('--hf-overrides={"text_config":{"num_hidden_layers":-2}}', "0.26.0"),
        ('--hf-overrides={"text_config":5}', "0.26.0"),
        ('--hf-overrides={"quantization_config":{"bits":0}}', "0.26.0"),
        ('--hf-overrides={"model_max_length":-3}', "0.26.0"),
        ("--hf-overrides.rope_scaling.factor=-1", "0.26.0"),
        ("--hf-overrides.text_config.rope_scaling.factor=x", "0.26.0"),
        ("--hf_overrides.max_position_embeddings=0", "0.26.0"),
        ('--rope-scaling={"rope_type":"yarn","factor":-1,"original_max_position_embeddings":32768}', "0.10.0"),
        ("--rope-theta=-1", "0.10.0"),
    ],
)
def test_every_way_to_override_is_held_against_the_same_bounds(argument: str, version: str) -> None:
    assert _refused(argument, version=version) == ["workloads.w.extraArgs[0]"]


@pytest.mark.parametrize(
    "argument",
    [
        '--hf-overrides={"architectures":["Qwen3ForSequenceClassification"],"classifier_from_token":["no","yes"]}',
        '--hf-overrides={"text_config":{"rope_parameters":{"rope_type":"yarn","factor":4.0}}}',
        "--hf-overrides.max_position_embeddings=65536",
        "--hf-overrides.rope_scaling.factor=4",
        '--hf-overrides={"is_matryoshka":true,"matryoshka_dimensions":[256]}',
    ],
)
def test_overrides_that_work_are_taken(argument: str) -> None:
    assert _refused(argument) == []
