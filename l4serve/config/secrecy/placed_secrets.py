"""Secrets that commands take by their place: as an argument without an option, as a pair, or on standard input."""

import re
from collections.abc import Iterator
from functools import cache

from l4serve.config.data_file import load_data
from l4serve.config.secrecy.secret_names import STANDS_FOR, holds_a_secret

_BLANK = r"[ \t]{1,4}"
_QUOTE = r"\\*[\"']?"
_ONE = rf"{_QUOTE}[^\s|;]{{1,200}}"
_ANY = rf"(?:{_ONE}{_BLANK}){{0,12}}?"
_END = r"(?<!:)(?=[\s\"'\\|;&)]|$)"
_FORMS = {
    "_": _ONE,
    "{}": rf"(?<!\\)(?P<value>[^\s\"'\\/*`|<>$-][^\s\"'\\]{{0,300}}){_END}",
    "{#}": rf"(?<!\\)(?P<value>(?=\S*\d)[^\s\"'\\/*`|<>$-][^\s\"'\\]{{5,300}}){_END}",
}
_REST = r"(?P<rest>[^\n|;]{1,2000})"
_PAIR = re.compile(
    rf"(?:(?<=\s)|(?<=[\"'=]))[A-Za-z_][\w.-]{{0,60}}={_QUOTE}(?P<value>[^\s\"'\\$<][^\s\"'\\]{{0,300}})"
)
_NAMED = re.compile(rf"(?<=\s)(?=(?P<name>[A-Za-z_]\w{{0,60}})[ =]{_QUOTE}(?P<value>[^\s\"'\\$<][^\s\"'\\]{{0,300}}))")
_PLACEHOLDER = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_ECHO = rf"\b(?:echo|printf){_BLANK}(?:-\w{{1,3}}{_BLANK}|{_QUOTE}%s(?:\\{{1,2}}n)?{_QUOTE}{_BLANK}){{0,3}}"


def placed_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand in a text as the arguments of commands that take them by place, or before a pipe to one."""
    if _commands().search(text):
        for line in _lines():
            yield from (found.span("value") for found in line.finditer(text) if _is_secret("password", found["value"]))
        for kind, pair in (("pairs", _PAIR), ("named", _NAMED)):
            for rest in _rests(kind).finditer(text):
                for found in pair.finditer(text, *rest.span("rest")):
                    if _is_secret(found.groupdict().get("name", "password"), found["value"]):
                        yield found.span("value")
    if "|" in text or "<<<" in text:
        for piped in _piped():
            yield from (found.span("value") for found in piped.finditer(text) if _is_secret("password", found["value"]))


def _is_secret(name: str, value: str) -> bool:
    return not (STANDS_FOR.match(value) or _PLACEHOLDER.fullmatch(value)) and holds_a_secret(name, value)


@cache
def _commands() -> re.Pattern[str]:
    """The first word of any of the commands: most of what is printed has none."""
    data = load_data(__file__, "placed_secrets.yaml")
    firsts = {line.split()[0] for line in (*data["lines"], *data["pairs"], *data["named"])}
    return re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(firsts))}){_BLANK}")


@cache
def _lines() -> tuple[re.Pattern[str], ...]:
    return tuple(_compiled(line) for line in load_data(__file__, "placed_secrets.yaml")["lines"])


def _compiled(line: str) -> re.Pattern[str]:
    parts = [part for word in line.split(" ") for part in _part(word)]
    return re.compile(rf"(?<![\w-]){''.join(parts)}"[: -len(_BLANK)])


def _part(word: str) -> tuple[str, str]:
    """A word of a line as a pattern, and what divides it from the next; any number of arguments end with a blank."""
    if word == "...":
        return _ANY, ""
    for form in ("{#}", "{}"):
        if word.endswith(form):
            return f"{word.removesuffix(form)}{_QUOTE}{_FORMS[form]}{_QUOTE}", _BLANK
    return _FORMS.get(word, word), _BLANK


@cache
def _rests(kind: str) -> re.Pattern[str]:
    words = (words.replace(" ", _BLANK) for words in load_data(__file__, "placed_secrets.yaml")[kind])
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?=\s){_REST}")


@cache
def _piped() -> tuple[re.Pattern[str], ...]:
    words = (words.replace(" ", _BLANK) for words in load_data(__file__, "placed_secrets.yaml")["piped"])
    takers = "|".join(words)
    user = r"(?:[^\s:\"'\\]{1,60}:)?"
    value = rf"{_QUOTE}{user}(?P<value>[^\s\"'\\$<-](?:[^\s\"'\\]|\\{{1,2}}n){{0,300}})"
    return (
        re.compile(rf"{_ECHO}{value}{_QUOTE}\s{{0,4}}\|(?=[^\n;]{{0,200}}(?:{takers}))"),
        re.compile(rf"(?:{takers})[^\n;|]{{0,200}}?<<<[ \t]{{0,4}}{value}"),
    )
