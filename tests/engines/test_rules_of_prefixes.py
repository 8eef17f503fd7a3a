"""Prefix caching asked of a model that keeps no cache."""

import pytest

from tests.engines.rule_cases import QWEN, errors, like

ENCODER = like(QWEN, architecture="XLMRobertaModel")
RULE = "vllm-prefixes-without-a-cache"


@pytest.mark.parametrize(
    ("version", "asked", "refused"),
    [("0.19.0", True, True), ("0.14.0", True, True), ("0.19.0", False, False), ("0.12.0", True, False)],
)
def test_prefixes_of_an_encoder(version: str, asked: bool, refused: bool) -> None:
    assert (RULE in errors("vllm", version, ENCODER, enablePrefixCaching=asked)) is refused
    assert RULE not in errors("vllm", version, QWEN, enablePrefixCaching=asked)
