"""Which names are names of secrets: a variable's, an option's, a key's, whole or among the words of a text."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import pairwise

from l4serve.config.data_file import load_data
from l4serve.config.json_text import named_texts
from l4serve.config.secrecy.random_texts import WORD, looks_random
from l4serve.config.secrecy.secret_references import is_a_reference


@cache
def _words() -> Mapping[str, frozenset[str]]:
    return {group: frozenset(words) for group, words in load_data(__file__, "secret_words.yaml").items()}


@cache
def foreign_words() -> tuple[str, ...]:
    """What a password is called in other languages, in words that are not of ASCII letters alone, or are several."""
    words = load_data(__file__, "secret_words.yaml")["foreign"]
    both = {form for word in words for form in (unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word))}
    return tuple(sorted(both, key=len, reverse=True))


def is_foreign_password(name: str) -> bool:
    """Whether a name is another language's for a password."""
    return name.strip("-_ ").lower() in foreign_words()


_GLUED = re.compile(
    r"password|passwort|kennwort|passwd|passwrd|pswd|passphrase|passcode|secret(?!ar)|credential|apikey|accesskey|authkey"
    r"|privatekey|connstr|connectionstring|motdepasse|contrasena|wachtwoord|basicauth|authtkn|keytab"
    r"|sess(?:ion)?id$|(?:auth|access|api|hub|hf|bearer|refresh|bot|user|db|my)tokens?$|(?:pwd|jwt|cookie|dsn|creds)$"
)
"""Parts of a word that name a secret though nothing divides it: PGPASSWORD, CLIENTSECRET, PHPSESSID."""
_PASSES = (
    *("bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass"),
    *("onepass", "twopass", "multipass", "subpass", "lowpass", "highpass", "bandpass"),
)
_GLUED_PASS = re.compile(rf"^(?!(?:{'|'.join(_PASSES)})$)[a-z]{{1,12}}pass$")
"""DBPASS and SMTPPASS, but not BYPASS."""
_GLUED_CAPITALS = re.compile(
    r"[a-z](?:token|secret)$|^(?:db|sql|my|pg|root|admin|user|ftp|smtp|ldap|redis|mysql|bind|vnc)pw$"
)
"""Ends of a word of capitals alone: HFTOKEN, DBPW."""
_GLUED_KEY = re.compile(r"^(?P<of>[a-z]{2,})keys?$")
"""OPENAIKEY, but not SORTKEY or MONKEY."""
_PLAIN_VALUE = re.compile(r"(?i)|true|false|yes|no|on|off|none|null|auto|default|enabled|disabled|[01]")
_COUNTED_VALUE = re.compile(
    r"(?i)-?\d{1,6}(\.\d+)?[a-z]{0,2}|v\d{1,3}|basic|bearer|oidc|oauth2?|required|(?:sasl_)?(?:plain(?:text)?|ssl)"
    r"|scram-sha-\d{1,3}|[hrep]s\d{3}|sha-?\d{1,3}|hmac-sha\d{1,3}|md5|saml2?|http2?"
)
"""The value of a switch, or of something that is counted or chosen, under a name with a weak word."""
_MARK = re.compile(r"</?\|?[A-Za-z_]{1,30}\|?>|\[/?[A-Za-z_]{1,30}\]")
"""A mark of a chat template, under a name with the word token: <|im_end|>, [INST]."""
_A_WORD = r"(?:[a-z]{1,15}|[A-Z][a-z]{1,15}|[A-Z]{1,15}|v\d{1,2}|k8s[a-z]{0,15}|l[347]|s3|x509|ipv[46]|h2c?)"
_WORDS_VALUE = re.compile(rf"{_A_WORD}(?:[-_. ]{_A_WORD}){{0,7}}")
"""Words, in which no key is that anybody generated: `tenant-acme` under TENANT_KEY."""
_OF_A_SECRET = re.compile(r"[a-z]{2,15}(?:-[a-z]{1,15}){0,5}-(?:secrets?|token|creds?|credentials)")
"""What a Secret is called, under a name that ends in one."""
_HEADER = re.compile(r"[A-Z][A-Za-z]{0,19}(?:-[A-Z][A-Za-z]{0,19}){0,5}|[a-z]{1,20}(?:-[a-z]{1,20}){1,5}")
_HEADERS = re.compile(r"[A-Za-z]{1,20}(?:[-,][A-Za-z]{1,20}){0,9}")
_FILE = re.compile(r"(?:~|\$HOME|\.{1,2})?(?P<parts>(?:/[\w.@+-]+)+)/?", re.ASCII)
_ENDING = re.compile(
    r"[\w-]\.(?:json|pem|key|crt|cer|txt|ya?ml|toml|conf|cfg|ini|p12|pfx|jks|jwt|token|env|netrc|sock|pub|gpg|asc)$"
)


def is_file(value: str) -> bool:
    """Whether a text is the path of a file, rather than a password that begins with a slash.

    It has the ending of one, or it begins in a folder where files for containers lie; no part looks generated.
    """
    found = _FILE.fullmatch(value)
    parts = found["parts"].split("/")[1:] if found else []
    if not parts or any(looks_random(part) for part in parts):
        return False
    return bool(_ENDING.search(value)) or value[0] in "~$." or (len(parts) > 1 and parts[0] in _words()["folders"])


def is_secrets_name(text: str) -> bool:
    """Whether a text is what people call a Secret, in words: hf-token, hub-credentials."""
    return bool(_OF_A_SECRET.fullmatch(text)) and not looks_random(text)


def names_a_secret(name: str) -> bool:
    """Whether a variable, option or key is one for secrets, by its words: --hf-token, dbPassword, DBPASS."""
    return _secret_word(name) is not None


def holds_a_secret(name: str, value: str) -> bool:
    """Whether what stands under a name is a secret: the name is one for secrets, the value no switch, count or file."""
    word = _secret_word(name)
    if word is None or _PLAIN_VALUE.fullmatch(value) or is_file(value):
        return False
    last = name[-7:].lower()
    if (last.endswith("header") and _HEADER.fullmatch(value)) or (last == "headers" and _HEADERS.fullmatch(value)):
        return False
    if word == "secret" and name.lower().endswith("secret") and _OF_A_SECRET.fullmatch(value):
        return False
    if word == "token" and _MARK.fullmatch(value):
        return False
    if word in _words()["open"] and (_is_words(value) or _is_program(value)):
        return False
    return word not in _words()["weak"] or not _COUNTED_VALUE.fullmatch(value)


def _is_program(value: str) -> bool:
    """Whether a text is a program and its version, of those that keep accounts or sessions."""
    found = re.fullmatch(r"([a-z]{2,12}\d?)(?:-proxy)?(?:[-_ ]?v?\d{1,2}(?:\.\d{1,2}){0,2})?", value.lower())
    return found is not None and bool({found[1], found[1].rstrip("0123456789")} & _words()["programs"])


def _is_words(value: str) -> bool:
    text = value.strip(".,:;!?\u2026)/")
    return bool(_WORDS_VALUE.fullmatch(text)) and not looks_random(text)


@lru_cache(maxsize=4096)
def _secret_word(name: str) -> str | None:
    """The word that makes a name one for secrets."""
    if not name.isascii() and is_foreign_password(name):
        return "password"
    if _begins_an_option(name):
        return None
    words = [word.lower() for word in WORD.findall(name[:300])]
    while words and (words[-1].isdigit() or words[-1] in _words()["qualifiers"]):
        words.pop()
    if not words or words[-1] in _words()["about"] or (len(words) > 1 and words[0] in _words()["asking"]):
        return None
    capitals = name.isupper() or "_" in name
    if any(pair in _REFERENCES for pair in pairwise(words)) or (words[-1] == "id" and words[-2:-1] in _OWNERS):
        return None
    named = (word for word in words if word in _words()["secret"] or _is_glued(word, capitals=capitals))
    found = (*named, _token_in(words), _key_in(words, capitals=capitals), _last_in(name, words))
    # AUTH_TOKEN is a token, and no AUTH that keycloak may be.
    return min(filter(None, found), key=_weakness, default=None)


def _weakness(word: str) -> int:
    return (word in _words()["open"]) + (word in _words()["weak"])


def _begins_an_option(name: str) -> bool:
    """Whether a name is the beginning, of two words or more, of an option that holds no secret."""
    written = name.replace("_", "-")
    told = name.startswith("--") and "-" in written.lstrip("-")
    return told and any(option.startswith(written) for option in _words()["options"])


_REFERENCES = (("pull", "secret"), ("pull", "secrets"), ("tls", "secret"), ("secret", "store"), ("secrets", "manager"))
"""Names of what only names a Secret, or keeps many."""
_OWNERS = [[word] for word in ("client", "user", "account", "tenant", "app", "application", "project", "role", "group")]
"""Whose ids are told openly: AUTH0_CLIENT_ID."""


def _is_glued(word: str, *, capitals: bool) -> bool:
    return bool(_GLUED.search(word) or _GLUED_PASS.search(word) or (capitals and _GLUED_CAPITALS.search(word)))


def _last_in(name: str, words: list[str]) -> str | None:
    """What only a variable in capitals names at its end: a PIN, KEY alone, OPENAIKEY, GITHUB_TOKENS."""
    if not name.isupper():
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    glued = _GLUED_KEY.match(last)
    if last == "pin" or (before, last) == ("pin", "code"):
        return None if before in _words()["pinned"] else "pin"
    if words == ["key"] or (glued and glued["of"] not in _words()["openKeys"] and last not in _words()["noKeys"]):
        return "key"
    many = last == "tokens" and before and not _words()["text"] & {*words} and not _words()["manyText"] & {*words}
    return "tokens" if many else None


def _token_in(words: list[str]) -> str | None:
    """`token` in a name that speaks of no text; `tokens` only behind what gives some out."""
    if "token" in words and not _words()["text"] & {*words}:
        return "token"
    pairs = pairwise(words)
    return next(
        (second for first, second in pairs if second == "tokens" and first in (*_words()["keysOf"], "hf", "hub")), None
    )


_PAIRS = frozenset(
    [("connection", "string"), ("conn", "str"), ("conn", "string"), ("honeycomb", "team"), ("erlang", "cookie")]
    + [(kind, code) for kind in ("recovery", "activation", "access", "license", "backup") for code in ("code", "codes")]
    + [(kind, "phrase") for kind in ("seed", "recovery", "backup")]
)
"""Two words that name a secret together."""


def _key_in(words: list[str], *, capitals: bool) -> str | None:
    """`key` behind what it opens, and the id of one, which is half of a pair: AWS_ACCESS_KEY_ID."""
    if words[-1:] == ["id"] and words[-2:-1] in (["key"], ["keys"]):
        words = words[:-1]
    for first, second in pairwise(words):
        if second in ("key", "keys") and first in _words()["keysOf"]:
            return "apikey"
        if (first, second) in _PAIRS:
            return "apikey"
    return (
        "key" if capitals and len(words) > 1 and words[-1] == "key" and words[-2] not in _words()["openKeys"] else None
    )


HIDDEN = "[hidden]"
"""What stands where a secret was."""
STANDS_FOR = re.compile(r"VALUE\b|\$(?:[A-Z_({]|[a-z_]+(?![a-z_\d]))|<[A-Za-z]|\{\{")
"""What stands for a value: $TOKEN, <token>, and VALUE in remedies."""
_OURS = re.compile(r"(?:vllm|tgi)-\d{1,4}(?:\.\d{1,4}){0,3}(?:rc\d{1,3}|\.post\d{1,3})?")
"""A release, as messages name it behind the option or variable that it lacks."""
_TOLD = re.compile(r"(?=.*\d)[^/*]{6,}")
"""A value behind a colon that may be a secret: with a digit, and no path or address."""
_OF_A_VALUE = (
    r"""(?<![\w.-])(?=(?P<name>--?[A-Za-z][\w.-]{0,60}|[A-Za-z_][\w.-]{0,60})(?P<between>\\*["']?"""
    r"""(?:\s{0,4}(?::=|=>|[:=])|(?<=\w)\s(?!\s{0,4}-))\s{0,4}(?:[|>][-+]?\s{1,9})?\[?\s{0,4}\\*["']?\s{0,4})"""
)
_NAME, _NAMED = (re.compile(_OF_A_VALUE + rest) for rest in (")", r"""(?P<value>[^\s"',;&{}()\[\]]{1,200}))"""))
"""A name and its value: in JSON or YAML, as an option, in a header, a DSN or a query, also where quotes are escaped."""
_MAY_NAME = re.compile(r"[:=]|(?<![\w.-])-")
"""What stands behind a name that a value follows, or before an option: most of what is printed has neither."""


def _named(text: str) -> Iterator[re.Match[str]]:
    """Each name for secrets with what follows it; values are read behind those alone."""
    for found in _NAME.finditer(text) if _MAY_NAME.search(text) else ():
        if names_a_secret(found["name"]) and (whole := _NAMED.match(text, found.start())):
            yield whole


@lru_cache(maxsize=4096)
def names_a_secret_inside(text: str) -> bool:
    """Whether a text gives a value under a name for secrets: in JSON, YAML, a header, an option, a DSN or a query."""
    return any(map(_is_given, _named(text))) or any(holds_a_secret(name, value) for name, value in named_texts(text))


def given_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where values stand that a text gives under a name for secrets; behind a colon no words and no counts.

    A value in quotes ends with them.
    """
    for found in _named(text):
        value, start = found["value"], found.start("value")
        told = "=" in found["between"] or (_TOLD.fullmatch(value) and not _COUNTED_VALUE.fullmatch(value))
        hidden = text.startswith(HIDDEN, start - 1)
        ours = _OURS.fullmatch(value) or found["name"].endswith(value)
        if told and not hidden and not ours and found["name"].lstrip("-") not in _words()["ours"] and _is_given(found):
            quote = text[start - 1] if text[start - 1] in "\"'" else ""
            closed = text.find(quote, start, start + 300) if quote else -1
            yield start, max(closed, found.end("value"))


def _is_given(found: re.Match[str]) -> bool:
    """Whether a name and what follows it are a secret's; between words of a sentence it takes an option's dashes."""
    name, between, value = found["name"], found["between"], found["value"]
    told = ":" in between or "=" in between or (name.startswith("-") and '"' not in between)
    if not told or STANDS_FOR.match(value) or not holds_a_secret(name, value):
        return False
    if "=" in between or '"' in between or "'" in between:
        return True
    if is_a_reference(found):
        return False
    # What ends in a colon, and no space behind it, is a part of an address or a URN.
    return not (_is_of_a_sentence(found) or (between == ":" and _is_words(value)))


def _is_of_a_sentence(found: re.Match[str]) -> bool:
    """Whether a word and a colon begin what a sentence says: a value of words that more follow, behind other words.

    So a plan says what a field was and becomes: `Secret of the token: hub -> hub-2`.
    """
    behind, line = found.string[found.end("value") :], found.string[: found.start()].rpartition("\n")[2]
    return bool(line.strip(" -\t") and _is_words(found["value"]) and re.match(r"[ \t]+(?:-> )?\w", behind))
