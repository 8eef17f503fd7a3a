"""Texts of ordinary use that no guard refuses, and secrets in their company that none repeats."""

from typing import Any

import pytest

from l4serve.config.excess import excess
from l4serve.config.refusals.problem_words import shown
from l4serve.config.secrecy.secret_names import holds_a_secret
from l4serve.config.secrecy.secret_shapes import has_secret_shape


@pytest.mark.parametrize(
    "text",
    ["550e8400-e29b-41d4-a716-446655440000", "service.instance.id=123e4567-e89b-12d3", "http://otel:4317/12e4567"],
)
def test_an_id_is_no_number(text: str) -> None:
    assert excess(text) is None


@pytest.mark.parametrize("text", ["1e999", "9" * 40, "--max-num-seqs=1e400", '{"a": 1e999}'])
def test_a_huge_number_is_told(text: str) -> None:
    assert excess(text) is not None


@pytest.mark.parametrize("text", ["mailto:ops@example.com", "ssh://git@github.com/acme/llm.git"])
def test_an_address_or_a_name_is_no_secret(text: str) -> None:
    assert not has_secret_shape(text)


@pytest.mark.parametrize("text", ["ssh://me:hunter2@host/x", "sk-proj-A1b2C3d4E5f6", "https://hunter2word@host/x"])
def test_a_credential_in_an_address_is_one(text: str) -> None:
    assert has_secret_shape(text)


@pytest.mark.parametrize("value", ["<|im_end|>", "</s>", "[INST]", "[/INST]", "<start_of_turn>"])
def test_a_mark_of_a_chat_template_is_no_token_that_opens_a_door(value: str) -> None:
    assert not holds_a_secret("STOP_TOKEN", value)
    assert holds_a_secret("API_PASSWORD", value)
    assert holds_a_secret("STOP_TOKEN", f"{value[:-1]}4{value[-1]}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("secret-scan", "enabled"), ("PASS_THROUGH", "headers"), ("session-affinity", "sticky")),
        *(("SECRETARY", "office-3b"), ("KRB5_KEYTAB", "/etc/krb5.keytab")),
    ],
)
def test_a_word_beside_a_secrets_makes_none(name: str, value: str) -> None:
    assert not holds_a_secret(name, value)


@pytest.mark.parametrize("value", [[{"name": "API_KEY", "value": "hunter2"}], ["--api-key", "hunter2"], [["hunter2"]]])
def test_what_a_message_repeats_of_a_list_holds_no_secret(value: Any) -> None:
    assert "hunter2" not in shown(value)
