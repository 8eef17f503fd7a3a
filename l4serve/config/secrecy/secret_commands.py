"""Secrets by what stands around them in a text: a command's option, a line of .netrc, an element of XML, an entry."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.secrecy.placed_secrets import placed_secrets
from l4serve.config.secrecy.secret_names import HIDDEN, STANDS_FOR, foreign_words, holds_a_secret

_QUOTE = r"\\*[\"']?"
_NETRC = re.compile(
    r"(?:\bmachine\s{1,9}\S{1,200}|\bdefault)(?:\s{1,9}(?:login|account)\s{1,9}\S{1,200}){0,2}"
    r"\s{1,9}password\s{1,9}(?P<value>\S{1,300})"
)
_ELEMENT = re.compile(
    r"<(?P<name>[A-Za-z][\w:.-]{0,60})(?:\s[^<>]{0,200})?>\s{0,9}(?P<value>[^<>\s][^<>]{0,500}?)\s{0,9}</"
)
_OF_PLIST = re.compile(r"<key>(?P<name>[^<>]{1,60})</key>\s{0,9}<string>(?P<value>[^<>]{1,500})</string>")
_ENTRY = re.compile(
    rf"\b(?:parameter)?(?:name|key){_QUOTE}\s{{0,3}}[:=]\s{{0,3}}{_QUOTE}(?P<name>[A-Za-z][\w.-]{{0,60}}){_QUOTE}\s{{0,9}}[,;\n]?\s{{0,9}}"
    rf"{_QUOTE}(?:parameter)?value{_QUOTE}\s{{0,3}}[:=]\s{{0,3}}{_QUOTE}(?P<value>[^\s\"',;{{}}\\]{{1,300}})",
    re.I,
)
"""`name: X, value: Y`, as lists of variables have it, in JSON or YAML."""
_SET = re.compile(r"\bset\s{1,4}(?P<name>[A-Za-z_][\w.-]{0,60})\s{1,4}[\"']?(?P<value>(?=\S*\d)[^\s\"'/*]{6,300})")
"""`aws configure set aws_secret_access_key VALUE`, and others that set what they name."""
_SUBSCRIPT = re.compile(
    rf"\[{_QUOTE}(?P<name>[A-Za-z_][\w.-]{{0,60}}){_QUOTE}\]\s{{0,4}}=\s{{0,4}}\\*[\"'](?P<value>[^\s\"'\\]{{1,300}})"
)
"""`os.environ["X"] = "VALUE"`, and the same of other languages."""
_CALL = re.compile(
    rf"(?i)\b(?:(?:set|put)_?env(?:ironmentvariable)?|define|setdefault)\(\s{{0,4}}{_QUOTE}(?P<name>[A-Za-z_][\w.-]{{0,60}})"
    rf"{_QUOTE}\s{{0,4}},\s{{0,4}}{_QUOTE}(?P<value>[^\s\"'\\]{{1,300}})"
)
"""`os.Setenv("X", "VALUE")`, `define('X', 'VALUE')`."""
_SAID = re.compile(
    r"(?i)\b(?:password|passwd|passphrase|secret|token|api[ -]?key|pin)\s{1,4}(?:is|was)\s{1,4}[\"'`]?"
    r"(?!v?\d{1,4}(?:\.\d{1,4}){1,3}(?:[-.]?(?:rc|post|dev)\.?\d{1,3})?[.!?)]?(?![\w.-]))"
    r"(?P<value>(?=\S*\d)[^\s\"'`,;/*]{6,300})"
)
"""A sentence that tells one; a release is none."""
_OPTIONS_OF_A_LOGIN = r"\s{1,4}(?:-\S{1,60}\s{1,4})*"
_LOGIN = re.compile(rf"\bvault\s{{1,4}}login{_OPTIONS_OF_A_LOGIN}(?P<value>[^\s=-]\S{{5,300}})")
_KEY_LOGIN = re.compile(
    rf"\b(?:wandb\s{{1,4}}login|(?:add-)?authtoken|auth:token){_OPTIONS_OF_A_LOGIN}(?P<value>(?=\S*\d)[^\s=-]\S{{5,300}})"
)
_OF_SQL = re.compile(
    r"(?i)\b(?:password(?:\s{1,4}for\s{1,4}\S{1,100})?(?:\s{0,4}=\s{0,4}(?:n|password\s{0,4}\()?|\s{1,4})"
    r"|identified\s{1,4}(?:with\s{1,4}\S{1,60}\s{1,4})?by\s{1,4})['\"](?P<value>[^'\"\s]{4,300})['\"]"
)
"""`CREATE USER me WITH PASSWORD 'VALUE'`, and the same of MySQL, SQL Server and Oracle."""
_BARE_IN_SQL = re.compile(r"\bIDENTIFIED\s{1,4}BY\s{1,4}(?P<value>[^\s'\";,$<(]{4,300})")
"""Oracle needs no quotes."""
_OF_MONGO = re.compile(
    r"\bdb\.(?:auth|changeUserPassword)\(\s{0,4}[\"'][^\"']{1,60}[\"']\s{0,4},\s{0,4}[\"'](?P<value>[^\"'\s]{1,300})"
)
_OF_EXPECT = re.compile(r"\bsend\s{1,4}(?:-\S{1,10}\s{1,4}){0,2}\\*\"(?P<value>[^\\\"\s$]{6,300})\\{1,4}[rn]\\*\"")
"""`send "VALUE\\r"`, what a script of expect answers to a prompt."""
_OF_POSTFIX = re.compile(r"\]:\d{2,5}\s{1,9}[^\s:]{1,100}:(?P<value>[^\s:]{4,300})")
"""`[smtp.example.com]:587 me:VALUE`, a line of sasl_passwd."""
_OF_ORACLE = re.compile(
    r"(?:\b(?:sqlplus|expdp|impdp|rman|sqlldr)\s{1,4}(?:-\S{1,20}\s{1,4})*|\bjdbc:oracle:\w{1,10}:)[\w.]{1,60}/(?P<value>[^\s/@'\"]{1,300})(?=@)"
)
_PGPASS = re.compile(
    r"(?<![\w./:@*-])(?![0-9a-fA-F:]{1,40}(?![\w:.*-]))"
    r"(?P<host>\*|[\w.-]{1,253}|\[[0-9a-fA-F:]{2,40}\]):(?P<port>\*|\d{2,5})"
    r":(?:\*|[\w.-]{0,62}[A-Za-z_][\w.-]{0,62}):(?:\*|[\w.@-]{0,62}[A-Za-z_][\w.@-]{0,62})"
    r":(?P<value>(?:\\\\?[:\\]|[^\s:\"',;\\]){4,300})(?!:)"
)
"""A line of .pgpass: host:port:database:user:password, each of the first four a star or a name."""
_HOST = re.compile(r"\*|\[.*|localhost|db|pg|postgres(?:ql)?|.*[.\d].*")
_LEAST_PORT, _LAST_PORT = 1024, 65535
"""A number below the first is a port only behind what looks like a host."""
# A pattern is looked for where a word of it stands: most of what is printed has none.
_AN_OPTION = re.compile(r"\s-")
_SENTENCES = (
    (("password",), _NETRC),
    ((" is ", " was "), _SAID),
    (("vault",), _LOGIN),
    (("wandb", "authtoken", "auth:token"), _KEY_LOGIN),
    (("password", "PASSWORD", "identified", "IDENTIFIED"), _OF_SQL),
    (("IDENTIFIED",), _BARE_IN_SQL),
    (("db.auth", "db.changeUserPassword"), _OF_MONGO),
    (("send",), _OF_EXPECT),
    (("]:",), _OF_POSTFIX),
    (("sqlplus", "expdp", "impdp", "rman", "sqlldr", "jdbc:oracle"), _OF_ORACLE),
)
_NAMED = (
    ("set ", _SET),
    ("]", _SUBSCRIPT),
    ("(", _CALL),
    ("</", _ELEMENT),
    ("</key>", _OF_PLIST),
    ("value", _ENTRY),
    ("Value", _ENTRY),
    ("VALUE", _ENTRY),
)
_COLONS_OF_PGPASS = 4
_IDS = re.compile(r"\d{1,6}")


@cache
def _foreign() -> re.Pattern[str]:
    """A word of another language for a password, and its value."""
    return re.compile(
        rf"(?i)(?<!\w)(?:{_any(list(foreign_words()))}){_QUOTE}\s{{0,4}}(?:[:=\uff1a]|=>|:=)\s{{0,4}}"
        rf"(?:\\*[\"'`\u201c\u2018\u300c\u00ab])?(?P<value>[^\s\"'`,;&{{}}()\[\]\u201d\u2019\u300d\u00bb\u3002\uff0c]{{1,300}})"
    )


@cache
def _ascii_foreign() -> re.Pattern[str]:
    """Any of those words that a text of ASCII letters can hold."""
    return re.compile(f"(?i){_any([word for word in foreign_words() if word.isascii()])}")


@cache
def _commands() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    """Each group of commands with its pattern: the command, its option on the same line, and the value."""
    data = load_data(__file__, "secret_commands.yaml")
    pair = r"(?P<user>[^\s:%\"'\\]{1,100})[:%](?P<value>[^\s\"'\\]{1,300})"
    alone = r"(?P<value>[^\s\"'\\`-][^\s\"'\\]{0,300})"
    return tuple(
        (
            tuple(group["commands"]),
            re.compile(
                rf"(?<![\w-])(?:{_any(group['commands'])})\s{_with(group)}[^\n;|]{{0,200}}?(?<!\S)"
                rf"(?:{_options(group['options'])})(?:={between}|{between}){_QUOTE}{value}"
            ),
        )
        for kind, value in (("pair", pair), ("alone", alone))
        for group in data[kind]
        for between in ("" if group.get("glued") else r"\s{0,4}",)
    )


def _with(group: Mapping[str, Any]) -> str:
    return rf"[^\n;|]{{0,40}}?\b{group['with']}\s" if "with" in group else ""


def _options(options: list[str]) -> str:
    """Each option; one of a single letter also at the end of several: -su."""
    return "|".join(rf"-[A-Za-z]{{0,5}}{option[1]}" if len(option) == 2 else re.escape(option) for option in options)


def _any(words: list[str]) -> str:
    return "|".join(map(re.escape, words))


def surrounded_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand in a text, by the command, the line, the element or the entry around them."""
    commands = _commands() if _AN_OPTION.search(text) else ()
    for pattern in (pattern for words, pattern in commands if any(word in text for word in words)):
        yield from (found.span("value") for found in pattern.finditer(text) if not _is_of_ids(found))
    yield from placed_secrets(text)
    for pattern in (pattern for words, pattern in _SENTENCES if any(word in text for word in words)):
        yield from (found.span("value") for found in pattern.finditer(text))
    if text.count(":") >= _COLONS_OF_PGPASS:
        yield from (found.span("value") for found in _PGPASS.finditer(text) if _is_of_pgpass(found))
    if not text.isascii() or _ascii_foreign().search(text):
        yield from (found.span("value") for found in _foreign().finditer(text) if _is_password(found["value"]))
    for pattern in (pattern for word, pattern in _NAMED if word in text):
        yield from (found.span("value") for found in pattern.finditer(text) if _is_secret(found))


def _is_of_pgpass(found: re.Match[str]) -> bool:
    """Whether the first two parts are a host and its port."""
    if found["port"] == "*":
        return True
    return int(found["port"]) <= _LAST_PORT and (
        int(found["port"]) >= _LEAST_PORT or bool(_HOST.fullmatch(found["host"]))
    )


def _is_password(value: str) -> bool:
    return not STANDS_FOR.match(value) and holds_a_secret("password", value) and value != HIDDEN


def _is_secret(found: re.Match[str]) -> bool:
    return not found["value"].startswith(("$", "{{")) and holds_a_secret(
        found["name"].rpartition(":")[2], found["value"]
    )


def _is_of_ids(found: re.Match[str]) -> bool:
    """Whether a value is none: numbers of a user and a group, a port, or what a variable holds."""
    return found["value"].startswith(("$", "<", "{{")) or bool(_IDS.fullmatch(found["value"]))
