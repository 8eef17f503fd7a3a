"""Passwords that commands take by their place, behind an option, in a pair or on standard input."""

from pathlib import Path

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.secret_shapes import redact
from tests.each_case import each
from tests.factories import loaded, serving, workload

WITH_DIGITS, WORDS = "hunter22", "correcthorse"
TEXTS = Path(__file__).with_name("command_passwords.txt").read_text("utf-8")
HOLDING, OPEN = (part.splitlines()[1:] for part in TEXTS.split("\n\n"))


@each([*HOLDING], str)
def test_a_password_is_hidden_and_refused_unseen(line: str) -> None:
    for secret in (WITH_DIGITS,) if line.startswith("#") else (WITH_DIGITS, WORDS):
        text = line.removeprefix("#").replace("{}", secret)
        assert secret not in redact(text)
        assert secret not in redact(f"it ran: {text}\nand ended")
    with pytest.raises(ConfigError) as refused:
        loaded(serving({"qwen": workload(extraEnv={"A": line.removeprefix("#").replace("{}", WITH_DIGITS)})}))
    assert WITH_DIGITS not in str(refused.value)


@each([*OPEN], str)
def test_what_holds_none_stays(line: str) -> None:
    assert redact(line) == line
