"""The attention backend by a key of --attention-config is the one that the field names, to every rule."""

import pytest

from l4serve.engines.rule_inputs import backend_of
from tests.engines.rule_cases import QWEN, case, errors, like

UNFIT = "vllm-attention-backend-unfit"
SINKS = like(QWEN, architecture="GptOssForCausalLM", head_dim=64)


@pytest.mark.parametrize(
    ("argument", "refused"),
    [
        ('--attention-config={"backend":"FLASHINFER"}', True),
        ("--attention-config.backend=flashinfer", True),
        ("-ac.backend=FLASHINFER", True),
        ("--attention-config.backend=TRITON_ATTN", False),
        ("--attention-config.backend=auto", False),
    ],
)
def test_sinks_need_a_backend_that_has_them(argument: str, *, refused: bool) -> None:
    assert (UNFIT in errors("vllm", "0.26.0", SINKS, extra_args=(argument,))) is refused
    assert UNFIT not in errors("vllm", "0.26.0", QWEN, extra_args=(argument,))


def test_the_backend_in_force_is_the_one_that_the_key_names() -> None:
    argument = "--attention-config.backend=FLASHINFER"
    assert backend_of(case("vllm", "0.26.0", QWEN, extra_args=(argument,))).name == "FLASHINFER"


def test_a_backend_named_twice_is_refused_and_by_the_key_alone_is_not() -> None:
    twice, argument = "vllm-attention-backend-twice", ("--attention-config.backend=FLASHINFER",)
    assert twice in errors("vllm", "0.26.0", QWEN, attentionBackend="FLASHINFER", extra_args=argument)
    assert twice not in errors("vllm", "0.26.0", QWEN, extra_args=argument)
