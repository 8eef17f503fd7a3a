"""Passwords in lines of .pgpass and behind what other languages call them; and what the program itself says stays."""

import unicodedata
from pathlib import Path

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.secret_names import foreign_words, names_a_secret
from l4serve.config.secrecy.secret_shapes import redact
from l4serve.engines.releases.contract import contract_versions, load_contract
from tests.each_case import each
from tests.factories import loaded, planned, serving, workload

SECRET = "hunter22"
TEXTS = (Path(__file__).with_name("foreign_passwords.txt")).read_text("utf-8").splitlines()
LINES = [line for line in TEXTS if "{}" in line and not line.startswith("#")]
OPEN = [line for line in TEXTS if "{}" not in line and not line.startswith("#")]


@each(LINES, str)
def test_a_password_is_hidden_and_refused_unseen(line: str) -> None:
    text = line.replace("{}", SECRET)
    assert SECRET not in redact(text)
    with pytest.raises(ConfigError) as refused:
        loaded(serving({"qwen": workload(extraEnv={"A": text})}))
    assert SECRET not in str(refused.value)


@each(OPEN, str)
def test_what_holds_none_stays(line: str) -> None:
    assert redact(line) == line


def test_words_are_known_however_their_marks_are_written() -> None:
    assert {unicodedata.normalize("NFD", word) for word in foreign_words()} <= {*foreign_words()}
    assert all(names_a_secret(word) for word in foreign_words() if not word.isascii())


def test_a_message_keeps_the_release_and_the_option_that_it_names() -> None:
    hidden = {
        (name, said)
        for kind in ("vllm", "tgi")
        for contract in (load_contract(kind, version) for version in contract_versions(kind)[-3:])
        for name in (*contract.flags, *contract.env, "--ngrok-auth", "--password", "--auth", "MY_SECRET")
        for said in (
            f"extraArgs[0]: {name}: {contract.name} has no {name}",
            f"extraArgs[0]: {name}: the option needs a value; write {name}=VALUE",
            f"env.{name}: {name} is a setting of the engine",
        )
        if redact(said) != said
    }
    assert hidden == set()


def test_a_cut_option_for_a_secret_names_the_release_that_lacks_it() -> None:
    with pytest.raises(ConfigError) as refused:
        planned(serving({"qwen": workload(extraArgs=["--ngrok-auth"])}))
    assert "[hidden]" not in redact(str(refused.value))
