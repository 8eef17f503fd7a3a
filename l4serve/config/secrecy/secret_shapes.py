"""What a secret looks like: by the form that its issuer gives it, by a header, by an entropy; and how it is hidden."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

from l4serve.config.secrecy.issued_tokens import issued_tokens
from l4serve.config.secrecy.random_texts import looks_random, random_runs
from l4serve.config.secrecy.secret_commands import surrounded_secrets
from l4serve.config.secrecy.secret_names import HIDDEN, STANDS_FOR, given_secrets, holds_a_secret

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.S,
)
_HOOK = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{10,}|(?<=/api/webhooks/)\d{5,}/[\w-]{10,}"
    r"|(?<=\.webhook\.office\.com/)[\w@/-]{6,}|(?<=hooks\.zapier\.com/hooks/catch/)\d{3,}/[\w-]{6,}"
    r"|(?<=/with/key/)[\w-]{10,}|(?<=[?&]key=)(?=[\w-]*\d)[\w-]{16,}|(?<=[?&]code=)(?=[\w-]*\d)[\w-]{16,}={0,2}"
)
"""What follows the host in the address of a webhook, or a key in a query: whoever knows it may call."""
_USER_INFO = re.compile(
    r"(?<=https:/)[^\s/?#@'\"]{1,300}(?=@)|(?<=[a-z]:/)[^\s/?#@:'\"]{1,60}:[^\s/?#@'\"]{1,300}(?=@)"
    # A path of a file makes one slash of two.
    # Alone before the host of these, a name is a user's.
    r"|(?<=//)(?<!ssh://)(?<!git://)(?<!sftp://)(?<!amqp://)(?<!mysql://)(?<!postgres://)(?<!postgresql://)(?<!mongodb://)"
    r"[^\s/?#@'\"]{1,300}(?=@)|(?<=//)[^\s/?#@:'\"]{1,60}:(?!\d+/)[^\s?#@'\"]{1,300}(?=@)"
    r"|(?<![\w/@.:-])(?<!member=)(?!(?:mailto|sips?|serviceAccount|acct|xmpp):)[^\s/:@'\"=,]{1,60}:[^\s/@'\"]{1,100}(?=@(?!sha256:))"
)
_BEFORE_AT = re.compile(r"[^\s@'\"](?=@)")
_LONGEST_USER_INFO = 400
_SPACE = r"(?:\s{1,4}|%20|\+|\\u0020|\\t)"
_SCHEME = re.compile(
    rf"(?i)(?<![\w-])(?:(?P<scheme>bearer|basic){_SPACE}(?!tokens?\b|auth)|(?P<header>(?:proxy-)?authorization|x-api-key)"
    rf"\\*[\"']?\s?[:=]\s?\\*[\"']?(?:(?:bearer|basic|token|apikey|digest|negotiate){_SPACE})?)(?P<value>[^\s\"',;\\{{}}\[\]]{{4,}})"
)
"""A credential behind the scheme of an Authorization header, or behind the header's name."""
_LONGEST_WORD = 20
"""Letters up to which what follows `bearer` may be a word of a sentence."""
_ASSIGNED = re.compile(
    r"(?P<name>(?<![\w-])--?[A-Za-z][\w.-]{1,60}|\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|\b[A-Z][A-Z0-9]{2,40}(?==))"
    r"(?P<between>=|\s+(?!-))(?P<value>[^\s,;'\"]+)"
)
_QUOTED = re.compile(r"""["'](?P<name>[\w.-]{1,60})\\*["']\s?:\s?\\*["'](?P<value>[^"'\\\n]+)""")
_BARE = re.compile(
    r"(?i)(?<![\w-])(?P<name>pass(?:word|wd|phrase)|pwd|token|secret|credentials?|api[_-]?key"
    r"|(?:access|secret|auth|private|signing|account)[_-]?(?:key|token)|shared[_-]?access[_-]?key|client[_-]?secret"
    r"|authorization|sig(?:nature)?|x-(?:amz|goog)-signature)=(?P<value>[^\s,;&'\"{}$()]+)"
)
"""A name for secrets that is a word of its own, as in a DSN or in the query of a URL."""


@lru_cache(maxsize=4096)
def has_secret_shape(text: str) -> bool:
    """Whether a text holds a token of a known issuer, a private key, a webhook, a header or a password in a URL."""
    return bool(
        issued_tokens(text)
        or any(pattern.search(text) for pattern in (_PRIVATE_KEY, _HOOK))
        or any(True for _ in _user_infos(text))
        or _has_header(text)
    )


def _user_infos(text: str) -> Iterator[tuple[int, int]]:
    """Where names and passwords stand before the `@` of an address, looked for in front of each `@` alone."""
    for before in _BEFORE_AT.finditer(text):
        at = before.end()
        first = max(0, at - _LONGEST_USER_INFO)
        first = max(first, *(text.rfind(divider, first, at) for divider in " \n\t'\"@"))
        if text.find(":", first, at) >= 0 or text.find("//", first, at) >= 0:
            yield from (found.span() for found in _USER_INFO.finditer(text, first, at + len("@sha256:")))


def _has_header(text: str) -> bool:
    """Whether a text holds a credential as an Authorization header has it; prose about such headers is none."""
    return any(map(_is_credential, _SCHEME.finditer(text)))


def _is_credential(found: re.Match[str]) -> bool:
    value = found["value"]
    if STANDS_FOR.match(value):
        return False
    if (found["scheme"] or "").lower() != "basic":
        return len(value) >= _LONGEST_WORD or not (value.islower() and value.rstrip(".:!?)").isalpha())
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def holds_random_run(text: str) -> bool:
    """Whether an unbroken run of at least 20 letters and digits in a text looks generated."""
    return any(True for _ in random_runs(text))


@lru_cache(maxsize=4096)
def redact(text: str, *, is_id: bool = False) -> str:
    """The text with every secret in it hidden: by shape, by what stands around it, and what looks generated.

    What looks generated stays in a text that its name calls an id (`is_id`).
    """
    text = _without(_PRIVATE_KEY.sub(HIDDEN, text), issued_tokens)
    text = _HOOK.sub(HIDDEN, _without(text, _user_infos))
    text = _QUOTED.sub(
        _hide_named, _SCHEME.sub(lambda found: _hide_value(found) if _is_credential(found) else found[0], text)
    )
    text = _BARE.sub(_hide_bare, _ASSIGNED.sub(_hide_assigned, text))
    text = _without(_without(text, surrounded_secrets), given_secrets)
    return text if is_id else _without(text, lambda left: (run.span() for run in random_runs(left)))


_MOST_REDACTED = 2**13
"""Characters of which a cut is made, several times as many as any has."""
_AT_A_CUT = 1000
"""Characters before a cut in which a secret may have lost the end that tells of it."""


def excerpt(text: object, most: int, more: str = "") -> str:
    """The first `most` characters of a text without secrets, and `more` where it has others.

    It is redacted before it is cut: a cut may take away the `@` or the end that makes a secret one.
    """
    whole = str(text)
    safe = redact(whole[:_MOST_REDACTED])
    if len(whole) > _MOST_REDACTED:
        safe = safe[:-_AT_A_CUT]
    return safe if len(safe) <= most and len(whole) <= _MOST_REDACTED else safe[:most] + more


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with those secrets hidden, whatever they look like, also as JSON, HTML and URLs escape them."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def _forms(secret: str) -> tuple[str, ...]:
    escaped = json.dumps(secret)[1:-1]
    forms = (secret, escaped, escaped.replace("/", "\\/"), html.escape(secret), quote(secret, safe=""))
    return forms if secret else ()


def _without(text: str, spans: Callable[[str], Iterable[tuple[int, int]]]) -> str:
    """The text with what `spans` finds in it hidden; what overlaps is hidden once."""
    parts, end = [], 0
    for first, last in sorted(spans(text)):
        if first >= end:
            parts += [text[end:first], HIDDEN]
        end = max(end, last)
    return "".join((*parts, text[end:])) if parts else text


def _hide_assigned(found: re.Match[str]) -> str:
    """Hides the value of an option or variable that is one for secrets; `--api-key and` in a sentence is no value."""
    option = found["name"].startswith("-") or found["name"].isupper()
    given = found["between"] == "=" or (option and looks_random(found["value"]))
    if not given or STANDS_FOR.match(found["value"]) or not holds_a_secret(found["name"], found["value"]):
        return found[0]
    return f"{found['name']}{found['between']}{HIDDEN}"


def _hide_bare(found: re.Match[str]) -> str:
    given = not STANDS_FOR.match(found["value"]) and holds_a_secret(f"the_{found['name']}", found["value"])
    return _hide_value(found) if given else found[0]


def _hide_value(found: re.Match[str]) -> str:
    return found[0][: -len(found["value"])] + HIDDEN


def _hide_named(found: re.Match[str]) -> str:
    """Hides what JSON gives under a name for secrets; `secret` itself is our key for the name of a Secret."""
    hides = found["name"].lower() != "secret" and holds_a_secret(found["name"], found["value"])
    return _hide_value(found) if hides else found[0]
