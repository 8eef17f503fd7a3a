"""Which names are names of secrets: a variable's, an option's, a key's, whole or among the words of a text."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from l4serve.config.data_file import load_data

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""VLLM_API_KEY, dbPassword and --hf-token alike, word by word."""


@cache
def _words() -> Mapping[str, frozenset[str]]:
    return {group: frozenset(words) for group, words in load_data(__file__, "secret_words.yaml").items()}


_GLUED = re.compile(
    r"password|passwd|passphrase|passcode|secret|credential|apikey|accesskey|authkey|privatekey|connstr|connectionstring"
    r"|sess(?:ion)?id$|(?:auth|access|api|hub|hf|bearer|refresh|bot|user|db|my)tokens?$|(?:pwd|jwt|cookie|dsn|creds)$"
)
"""Parts of a word that name a secret though nothing divides it: PGPASSWORD, CLIENTSECRET, PHPSESSID."""
_PASSES = (
    *("bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass"),
    *("onepass", "twopass", "multipass", "subpass", "lowpass", "highpass", "bandpass"),
)
_GLUED_PASS = re.compile(rf"^(?!(?:{'|'.join(_PASSES)})$)[a-z]{{1,12}}pass$")
"""DBPASS and SMTPPASS, but not BYPASS."""
_GLUED_CAPITALS = re.compile(r"[a-z](?:token|secret)$")
"""Ends of a word of capitals alone: HFTOKEN."""
_PLAIN_VALUE = re.compile(r"(?i)|true|false|yes|no|on|off|none|null|auto|default|[01]")
_COUNTED_VALUE = re.compile(r"(?i)-?\d{1,6}(\.\d+)?[a-z]{0,2}|basic|bearer|oidc|oauth2?|disabled|enabled|required")
"""The value of a switch, or of something that is counted or chosen, under a name with a weak word."""
_FILE = re.compile(r"~?/[\w./-]+", re.ASCII)


def names_a_secret(name: str) -> bool:
    """Whether a variable, option or key is one for secrets, by its words: --hf-token, dbPassword, DBPASS."""
    return _secret_word(name) is not None


def holds_a_secret(name: str, value: str) -> bool:
    """Whether what stands under a name is a secret: the name is one for secrets, the value no switch, count or file."""
    word = _secret_word(name)
    if word is None or _PLAIN_VALUE.fullmatch(value) or _FILE.fullmatch(value):
        return False
    return word not in _words()["weak"] or not _COUNTED_VALUE.fullmatch(value)


@lru_cache(maxsize=4096)
def _secret_word(name: str) -> str | None:
    """The word that makes a name one for secrets."""
    words = [word.lower() for word in WORD.findall(name[:300])]
    while words and (words[-1].isdigit() or words[-1] in _words()["qualifiers"]):
        words.pop()
    if not words or words[-1] in _words()["about"] or (len(words) > 1 and words[0] in _words()["asking"]):
        return None
    capitals = name.isupper() or "_" in name
    named = (word for word in words if word in _words()["secret"] or _is_glued(word, capitals=capitals))
    return next(named, None) or _token_in(words) or _key_in(words, capitals=capitals)


def _is_glued(word: str, *, capitals: bool) -> bool:
    return bool(_GLUED.search(word) or _GLUED_PASS.search(word) or (capitals and _GLUED_CAPITALS.search(word)))


def _token_in(words: list[str]) -> str | None:
    """`token` in a name that speaks of no text; `tokens` only behind what gives some out."""
    if "token" in words and not _words()["text"] & {*words}:
        return "token"
    pairs = pairwise(words)
    return next(
        (second for first, second in pairs if second == "tokens" and first in (*_words()["keysOf"], "hf", "hub")), None
    )


def _key_in(words: list[str], *, capitals: bool) -> str | None:
    """`key` behind what it opens, and the id of one, which is half of a pair: AWS_ACCESS_KEY_ID."""
    if words[-1:] == ["id"] and words[-2:-1] in (["key"], ["keys"]):
        words = words[:-1]
    for first, second in pairwise(words):
        if second in ("key", "keys") and first in _words()["keysOf"]:
            return "apikey"
        if (first, second) in (("connection", "string"), ("conn", "str"), ("conn", "string")):
            return "apikey"
    return (
        "key" if capitals and len(words) > 1 and words[-1] == "key" and words[-2] not in _words()["openKeys"] else None
    )


_NAMED = re.compile(
    r"""(?<![\w.-])(?=(?P<name>--?[A-Za-z][\w.-]{0,60}|[A-Za-z_][\w.-]{0,60})(?P<between>\\*["']?"""
    r"""(?:\s{0,4}[:=]|(?<=\w)\s(?!\s{0,4}-))\s{0,4}\[?\s{0,4}\\*["']?\s{0,4})(?P<value>[^\s"',;&{}()\[\]]{1,200}))"""
)
"""A name and its value: in JSON or YAML, as an option, in a header, a DSN or a query, also where quotes are escaped."""


def names_a_secret_inside(text: str) -> bool:
    """Whether a text gives a value under a name for secrets: in JSON, YAML, a header, an option, a DSN or a query."""
    return any(map(_is_given, _NAMED.finditer(text))) or any(
        holds_a_secret(name, value) for name, value in _json_pairs(text)
    )


def _is_given(found: re.Match[str]) -> bool:
    """Whether a name and what follows it are a secret's; between words of a sentence it takes an option's dashes."""
    name, between, value = found["name"], found["between"], found["value"]
    told = ":" in between or "=" in between or (name.startswith("-") and '"' not in between)
    return told and not value.startswith(("$", "<")) and holds_a_secret(name, value)


def _json_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Each name with its text in the JSON that a text holds, however its characters are escaped."""
    start = text.find("{")
    try:
        waiting: list[Any] = [] if start < 0 else [json.JSONDecoder().raw_decode(text, start)[0]]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        items = value.items() if isinstance(value, dict) else ()
        yield from ((name, str(inner)) for name, inner in items if isinstance(inner, str | int))
        yield from (
            (name, part) for name, inner in items if isinstance(inner, list) for part in inner if isinstance(part, str)
        )
        waiting += [*(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())]
