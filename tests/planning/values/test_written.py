"""A config as a key of a cache: equal where the same was written, and nowhere else."""

from l4serve.config.keys.vllm import VllmEngine
from l4serve.planning.values.written import written
from tests.each_case import each


def engine(**settings: object) -> VllmEngine:
    return VllmEngine.model_validate({"kind": "vllm", "version": "0.26.0", **settings})


def test_two_configs_of_the_same_settings_are_one_key() -> None:
    one, other = (
        engine(maxNumSeqs=8, speculativeConfig={"method": "ngram", "num_speculative_tokens": 3}) for _ in "ab"
    )
    assert one is not other
    assert hash(written(one)) == hash(written(other))
    assert written(one) == written(other)


DIFFERENT: tuple[tuple[dict[str, object], dict[str, object]], ...] = (
    ({"maxNumSeqs": 8}, {"maxNumSeqs": 9}),
    ({"maxNumSeqs": 8}, {"maxNumBatchedTokens": 8}),
    ({}, {"enforceEager": False}),
    ({"speculativeConfig": {"k": 1}}, {"speculativeConfig": {"k": True}}),
    ({"speculativeConfig": {"k": 0.0}}, {"speculativeConfig": {"k": -0.0}}),
    ({"speculativeConfig": {"a": 1, "b": 2}}, {"speculativeConfig": {"b": 2, "a": 1}}),
    ({"speculativeConfig": {"k": [1, 2]}}, {"speculativeConfig": {"k": [2, 1]}}),
)


@each(DIFFERENT, str)
def test_what_makes_another_command_line_makes_another_key(pair: tuple[dict[str, object], dict[str, object]]) -> None:
    one, other = pair
    assert written(engine(**one)) != written(engine(**other))
