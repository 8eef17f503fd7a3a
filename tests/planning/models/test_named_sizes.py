"""What an id alone tells of a model's weights, where nobody described the model."""

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.models.named_sizes import named_size
from tests import factories

L4 = {"l4": {"machineType": "g2-standard-32", "maxNodes": 1}}


@pytest.mark.parametrize(
    ("model_id", "billions", "bits"),
    [
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8", 30, 8),
        ("mistralai/Mistral-Large-3-675B-Instruct-2512", 675, 4),
        ("some/Model-1.5B-BF16", 1.5, 16),
        ("some/model_70b_w8a8", 70, 8),
    ],
)
def test_an_id_tells_parameters_and_their_least_bits(model_id: str, billions: float, bits: int) -> None:
    told = named_size(model_id, stored_as_named=True)
    assert told is not None
    assert (told.billions, told.bits) == (billions, bits)
    shrunk = named_size(model_id, stored_as_named=False)
    assert shrunk is not None
    assert shrunk.bits == 4


@pytest.mark.parametrize(
    "model_id",
    [
        "google/gemma-3n-E4B-it",
        "mistralai/Mixtral-8x7B-v0.1",
        "ai21labs/AI21-Jamba-Large-1.6",
        "yuhuili/EAGLE3-LLaMA3.3-Instruct-70B",
        "some/Model-70B-LoRA",
        "some/Model-70B-GGUF",
        "some/Model-70B-2bit",
        "some/Model-70B-into-8B",
    ],
)
def test_an_id_of_another_thing_tells_nothing(model_id: str) -> None:
    assert named_size(model_id, stored_as_named=True) is None


@pytest.mark.parametrize(
    ("model_id", "settings", "told"),
    [
        ("some/Unknown-70B-Instruct", {}, True),
        ("some/Unknown-70B-Instruct", {"cpuOffloadGb": 40}, False),
        ("some/Unknown-30B-FP8", {}, True),
        ("some/Unknown-30B-FP8", {"quantization": "awq"}, False),
        ("some/Unknown-30B-Instruct", {}, False),
    ],
)
def test_what_cannot_fit_by_its_name_is_said(model_id: str, settings: dict[str, object], told: bool) -> None:
    """Before, only that its memory is not judged."""
    engine = {"kind": "vllm", "version": "0.26.0", **settings}
    config = factories.serving(
        {"qwen": factories.workload(model_id, engine=engine, nodePool="l4")}, cluster=factories.STANDARD, pools=L4
    )
    notes = factories.planned(config).notes
    (note,) = [note.text for note in notes if note.id == "memory-not-judged"]
    assert ("by its name it does not fit" in note) == told


@pytest.mark.parametrize(
    ("model_id", "settings", "refused"),
    [
        ("ai21labs/AI21-Jamba-1.5-Mini", {}, True),
        ("ai21labs/AI21-Jamba-1.5-Mini", {"cpuOffloadGb": 90}, False),
        ("ibm-granite/granite-4.0-h-1b", {}, False),
    ],
)
def test_weights_alone_are_judged_where_states_are_not(
    model_id: str, settings: dict[str, object], refused: bool
) -> None:
    """Before, what vLLM's V0 keeps of states left a model of 96 GiB unjudged on an L4."""
    engine = {"kind": "vllm", "version": "0.10.0", **settings}
    config = factories.serving(
        {"jamba": factories.workload(model_id, engine=engine, nodePool="l4")}, cluster=factories.STANDARD, pools=L4
    )
    try:
        notes = factories.planned(config).notes
    except ConfigError as error:
        assert refused == any("the weights alone need 96" in problem.message for problem in error.problems)
    else:
        assert not refused and "memory-not-judged" in {note.id for note in notes}


@pytest.mark.parametrize("model_id", ["Qwen/Qwen2.5-14B-Instruct", "some/Unknown-70B-Instruct"])
@pytest.mark.parametrize(
    ("arguments", "moved"),
    [
        (["--offload-backend=prefetch", "--offload-group-size=2", "--offload-num-in-group=1"], True),
        (["--offload-group=2"], True),
        (["--cpu-offload-params", "gate_up_proj"], False),
        (["--enable-dbo"], False),
    ],
)
def test_weights_that_leave_by_layers_weigh_nothing_alone(model_id: str, arguments: list[str], moved: bool) -> None:
    """Before, a model of which half of each group leaves the card was told to take larger GPUs."""
    engine = {"kind": "vllm", "version": "0.28.0"}
    asked = factories.workload(model_id, engine=engine, nodePool="l4", extraArgs=arguments)
    config = factories.serving({"qwen": asked}, cluster=factories.STANDARD, pools=L4)
    try:
        (note,) = [note.text for note in factories.planned(config).notes if note.id == "memory-not-judged"]
    except ConfigError as error:
        heavy = any("the weights alone need 27.57" in problem.message for problem in error.problems)
    else:
        heavy = "by its name it does not fit" in note
    assert heavy != moved
