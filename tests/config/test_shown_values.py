"""A refusal shows the value as it was written, and a model's id is no key that was drawn at random."""

import random
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.model_names import is_model_id
from l4serve.config.secrecy.secret_shapes import redact
from l4serve.planning.models.catalogue import all_models
from l4serve.planning.stack.stack_planner import plan_stack
from tests.config.test_planted_secrets import BASE62, BASE64, RANDOM20, SMALL20, drawn
from tests.each_case import each
from tests.factories import loaded, serving, workload

OTHERS = """Qwen2.5-1.5B-Instruct unsloth/DeepSeek-R1-Distill-Llama-8B-GGUF sentence-transformers/all-MiniLM-L6-v2
RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8 TheBloke/Mistral-7B-Instruct-v0.2-AWQ nvidia/Llama-3_1-Nemotron-51B
Alibaba-NLP/gte-Qwen2-1.5B-instruct CohereForAI/c4ai-command-r-v01 meta-lama/Llama-3.1-8B-Instruct my-org/Chat2-8B-v3"""
MAKERS = """cyankiwi unsloth QuantTrio RedHatAI lmstudio-community ISTA-DASLab AMead10 jart25 btbtyler09 tclf90
huihui-ai 01-ai pavlovsky mobiuslabsgmbh BSC-LT DevQuasar nm-testing fixie-ai"""
NAMES = """Qwen3-30B-A3B-Instruct-2507 Olmo-3.1-32B-Instruct Llama-4-Scout-17B-16E-Instruct gemma-3n-E4B-it GLM-4.5-Air
DeepSeek-R1-0528-Qwen3-8B Llama-3_3-Nemotron-Super-49B-v1_5 ERNIE-4.5-21B-A3B-PT c4ai-command-r7b-12-2024
InternVL3_5-30B-A3B Mixtral-8x7B-Instruct-v0.1 MiniMax-M2.1-REAP-139B-A10B"""
FORMATS = """AWQ-4bit AWQ-8bit AWQ-INT4 GPTQ-Int4-Int8Mix FP8-dynamic W4A16-G128 w4a16 quantized.w4a16 unsloth-bnb-4bit
NVFP4 NVFP4A16 MXFP4 GGUF int4-AutoRound AWQ-INT4-gs32 GPTQ-4bit-128g-actorder_True"""


def refused(**fields: Any) -> str:
    with pytest.raises(ConfigError) as found:
        loaded(serving({"qwen": {**workload(), **fields}}))
    return str(found.value)


def test_a_models_id_is_shown() -> None:
    ids = (*(model.id for model in all_models()), *OTHERS.split())
    assert [name for name in ids if repr(name) not in refused(model=name)] == []


def test_what_others_made_of_a_model_is_an_id() -> None:
    copies = [
        f"{maker}/{name}-{form}" for maker in MAKERS.split() for name in NAMES.split() for form in FORMATS.split()
    ]
    assert [name for name in copies if not is_model_id(name) or redact(name) != name] == []
    assert "cyankiwi/Olmo-3.1-32B-Instruct-AWQ-4bit" in refused(model="cyankiwi/Olmo-3.1-32B-Instruct-AWQ-4bit")


@each([RANDOM20, SMALL20, BASE64, f"{RANDOM20[:8]}/{RANDOM20[8:]}", "kX3v-Q9mZ-7pLw-2RtY", SMALL20.upper()], str)
def test_a_key_in_place_of_a_model_is_not_shown(secret: str) -> None:
    assert not is_model_id(secret)
    assert secret not in refused(model=secret)


@each(
    [(16, 0, "/"), (20, 0, "/"), (20, 4, "-"), (24, 4, "-"), (25, 5, "-"), (40, 8, "/"), (24, 3, "-"), (20, 2, "-")],
    str,
)
def test_of_keys_drawn_at_random_few_read_as_an_id(form: tuple[int, int, str]) -> None:
    length, group, divider = form
    taken = 0
    for seed in range(500):
        key, cut = drawn(BASE62, length, seed), random.Random(seed).randrange(3, length - 3)
        steps = range(0, length, group) if group else ()
        taken += is_model_id(divider.join(key[i : i + group] for i in steps) if group else f"{key[:cut]}/{key[cut:]}")
    assert taken <= 15


CLUSTER = {"mode": "standard", "name": "llm", "location": "us-central1-a"}
SHOWN: dict[str, tuple[dict[str, Any], str]] = {
    "a key of Cloud KMS": ({"cluster": {**CLUSTER, "databaseEncryptionKey": "my-key"}}, "'my-key'"),
    "a switch near a secret": ({"huggingFace": {"secretManager": {"secret": "a", "manageAccess": "4cores"}}}, "4cores"),
    "a mode that is a boolean": ({"cluster": {**CLUSTER, "mode": True}}, "true is none of standard"),
    "a number too large": ({"nodePools": {"l4": {"machineType": "g2-standard-8", "diskSizeGb": 2**60}}}, str(2**60)),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_value_is_shown(name: str) -> None:
    fields, said = SHOWN[name]
    with pytest.raises(ConfigError) as found:
        loaded(serving(**fields))
    assert said in str(found.value)


def test_a_date_is_shown_as_it_was_written() -> None:
    engine = {"kind": "vllm", "version": "2026-01-01 00:00:00 +0000 UTC"}
    assert "'2026-01-01' is not a release" in refused(engine=engine)


def test_a_word_of_the_engine_is_shown_as_it_was_written() -> None:
    with pytest.raises(ConfigError, match="has no attention backend many"):
        plan_stack(loaded(serving({"qwen": workload(engine={"attentionBackend": "many"})})))


def test_a_memory_without_a_multiple_is_told_in_bytes() -> None:
    with pytest.raises(ConfigError, match="memory of 8000 bytes is below"):
        plan_stack(loaded(serving({"qwen": workload(resources={"requests": {"memory": "8k"}})})))
