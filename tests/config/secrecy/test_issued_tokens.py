"""Tokens of known issuers are looked for in long runs of characters alone."""

from re import _parser  # type: ignore[attr-defined]

import pytest

from l4serve.config.secrecy import issued_tokens as module
from l4serve.config.secrecy.issued_tokens import issued_tokens


def test_no_token_is_shorter_than_the_runs_that_are_looked_through() -> None:
    shortest = min(_parser.parse(form).getwidth()[0] for form in (*module._ISSUED, module._SK.pattern))
    assert shortest >= module._SHORTEST


def test_short_words_are_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Watched:
        def finditer(self, text: str, first: int, last: int) -> list[object]:
            asked.append(text[first:last])
            return []

    monkeypatch.setattr(module, "TOKEN", Watched())
    assert issued_tokens("maxModelLen: 8192\nnodePool: l4\nid: google/gemma-2-27b\n" * 1000) == []
    assert set(asked) == {"google/gemma-2-27b"}


def test_a_token_is_found_wherever_it_stands() -> None:
    token = "hf_" + "Ab3" * 8
    for text in (token, f"a {token}", f"{token}\n", f"x='{token}'", f"\ta\x1b[31m{token}\nb", f"a=1&b={token}&c"):
        first = text.index(token)
        assert issued_tokens(text) == [(first, first + len(token))]
