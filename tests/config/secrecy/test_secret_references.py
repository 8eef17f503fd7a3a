"""The name of a Secret is told wherever a command tells it, and what may be the secret itself is not."""

import pytest

from l4serve.config.secrecy.secret_shapes import redact

TOLD = """\
  Secret of the token: hub-2026 -> hub-token-2027
  Secret: hf-token-2026 -> hf-token-2027
  edit workloads.qwen3.apiKey.secret: qwen3-api-key-2026 -> qwen3-api-key-2027
  edit huggingFace.existingSecret: hf-token-2026 -> unset
  edit workloads.qwen3.env.API_KEY.secret: api-key-v2 -> api-key-v3
urn:pulumi:prod::l4serve::l4serve:HfToken$kubernetes:core/v1:Secret::hf-token-secret-4
kubernetes:core/v1:Secret:llm-api-key-2026
ns/v1/Secret:hf-token-4 is not in the cluster"""
HIDDEN = (
    *(
        "Secret: hunter2x9",
        "client_secret: hunter2x9",
        "Secret of the token: Hunter2-x9 -> hub",
        "db.secret: hunter2x9",
    ),
    *("existingSecret: 8f3kd9sk2lqpz0xmv7wn4bty", "apiKey.secret: hub-8f3kd9sk2lqpz0xm", "my-v1-secret: hunter2x9"),
)


@pytest.mark.parametrize("line", TOLD.splitlines())
def test_a_name_of_a_secret_is_told(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize("line", HIDDEN)
def test_what_may_be_the_secret_itself_is_hidden(line: str) -> None:
    assert "[hidden]" in redact(line)
