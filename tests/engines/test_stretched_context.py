"""How long a context a release takes whose rotary scaling is overridden."""

import pytest

from tests.engines.rule_cases import QWEN, errors

YARN = '{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}'


@pytest.mark.parametrize(
    ("version", "length", "extra_args", "extra_env", "refused"),
    [
        ("0.10.0", 32769, (), {}, True),
        ("0.10.0", 131072, (f"--rope-scaling={YARN}",), {}, False),
        ("0.10.0", 131073, (f"--rope-scaling={YARN}",), {}, True),
        ("0.26.0", 131072, (f'--hf-overrides={{"rope_parameters": {YARN}}}',), {}, False),
        ("0.26.0", 131072, (f'--hf-overrides={{"rope_scaling": {YARN}}}',), {}, False),
        ("0.26.0", 131073, (f'--hf-overrides={{"rope_scaling": {YARN}}}',), {}, True),
        ("0.29.0", 131072, (f'--hf-overrides={{"rope_parameters": {YARN}}}',), {}, False),
        ("0.30.0", 131072, (f'--hf-overrides={{"rope_parameters": {YARN}}}',), {}, True),
        (
            *("0.30.0", 131072),
            (f'--hf-overrides={{"rope_parameters": {YARN}, "max_position_embeddings": 131072}}',),
            *({}, False),
        ),
        ("0.26.0", 65536, ('--hf-overrides={"rope_parameters": {"rope_type": "linear", "factor": 2}}',), {}, False),
        ("0.26.0", 65536, ('--hf-overrides={"rope_parameters": {"rope_type": "llama3", "factor": 8}}',), {}, True),
        ("0.26.0", 65536, ('--hf-overrides={"max_position_embeddings": 65536}',), {}, False),
        ("0.26.0", 65536, ('--hf-overrides={"tie_word_embeddings": false}',), {}, True),
        ("0.26.0", 65536, ("--hf-overrides.max_position_embeddings=65536",), {}, False),
        ("0.26.0", 65536, (), {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}, False),
        ("0.8.5", 65536, (), {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "True"}, False),
        ("0.26.0", 65536, (), {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "0"}, True),
    ],
)
def test_a_stretched_context_is_taken_as_far_as_it_reaches(
    version: str, length: int, extra_args: tuple[str, ...], extra_env: dict[str, str], refused: bool
) -> None:
    found = errors("vllm", version, QWEN, maxModelLen=length, extra_args=extra_args, extra_env=extra_env)
    assert found == ({"vllm-context-beyond-model"} if refused else set())
