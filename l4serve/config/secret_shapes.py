"""What a secret looks like: by the form that its issuer gives it, and by the name of the place where it stands."""

import math
import re
from collections import Counter
from functools import lru_cache

HIDDEN = "[hidden]"

_BEFORE = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[abefnrtv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})"
    r"|(?<=\[m)|(?<=\[\dm)|(?<=\[\d\dm))"
)
"""Where a token may begin: not inside a word, but behind an escape or a terminal's colour, which end in letters."""
_ISSUED = (
    r"hf_[A-Za-z0-9]{16,}",  # Hugging Face
    r"api_org_[A-Za-z0-9]{16,}",  # Hugging Face, organisations
    r"sk-[A-Za-z0-9][A-Za-z0-9_-]{10,}",  # OpenAI and many that follow it
    r"gh[pousr]_[A-Za-z0-9]{16,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{16,}",
    r"gl(?:pat|dt|cbt|ptt|ft|soat|rt|agent|imt)-[A-Za-z0-9_-]{16,}",  # GitLab
    r"xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    r"AIza[A-Za-z0-9_-]{30,}",  # Google API keys
    r"ya29\.[A-Za-z0-9_-]{16,}",  # Google OAuth
    r"GOCSPX-[A-Za-z0-9_-]{16,}",
    r"pul-[a-f0-9]{32,}",  # Pulumi
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[A-Za-z0-9_-]{30,}",
    r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}",  # Docker
    r"nvapi-[A-Za-z0-9_-]{16,}",  # NVIDIA
    r"gsk_[A-Za-z0-9]{16,}",  # Groq
    r"r8_[A-Za-z0-9]{16,}",  # Replicate
    r"do[opr]_v1_[a-f0-9]{32,}",  # DigitalOcean
    r"xai-[A-Za-z0-9]{20,}",
    r"pplx-[A-Za-z0-9]{20,}",  # Perplexity
    r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{16,}",  # Square
    r"(?:[sr]k|whsec)_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"hvs\.[A-Za-z0-9_-]{16,}",  # Vault
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON web tokens
)
_TOKEN = re.compile(_BEFORE + "(?:" + "|".join(_ISSUED) + ")", re.ASCII)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.S
)
_USER_INFO = re.compile(
    r"(?<=//)[^\s/?#@'\"]{1,300}(?=@)|(?<=//)[^\s/?#@:'\"]{1,60}:(?!\d+/)[^\s?#@'\"]{1,300}(?=@)"
    r"|(?<![\w/@.:-])[^\s/:@'\"=,]{1,60}:[^\s/@'\"]{1,100}(?=@(?!sha256:))"
)
_AUTHORIZATION = re.compile(
    r"(?i)(?<=\bbearer )(?!tokens?\b)[^\s'\",]{6,}|(?<=\bbearer%20)[^\s'\",]{6,}|(?<=\bbasic )[A-Za-z0-9+/]{8,}={0,2}"
)
_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+_]{24,}={0,2}(?![A-Za-z0-9+/_-])", re.ASCII)
_RANDOM_BITS = 3.5
"""Entropy per character above which a long mix of cases and digits is taken for random; English has about 2.5."""

_LETTERS_OF_A_WORD = 3
"""Letters that words have on average at least: Qwen3MoeForCausalLM is words, a generated key changes case sooner."""
_SECRET_WORDS = frozenset(
    {
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "pass",
        "credential",
        "credentials",
        "apikey",
        "authorization",
        "secrets",
        "passwords",
        "jwt",
        "cookie",
    }
)
_GLUED = ("password", "passwd", "passphrase", "apikey")
"""Ends of a word that names a secret though nothing divides it: PGPASSWORD."""
_GLUED_CAPITALS = ("token", "secret")
"""The same in a name of capitals alone: HFTOKEN."""
_OPEN = frozenset(
    {"sort", "cache", "primary", "foreign", "partition", "public", "routing", "hash", "index", "group", "lookup"}
)
"""Words before KEY in a variable's name that make it a key for no lock; any other, as in WANDB_KEY, may be one."""
_COUNTED = frozenset({"max", "min", "num", "batched", "prefill", "new", "eos", "bos", "pad", "per"})
"""Words beside which a token is a piece of text, and no credential: --max-num-batched-token."""
_SECRET_PAIRS = frozenset(
    {
        ("basic", "auth"),
        ("private", "pem"),
        *((kind, "key") for kind in ("api", "access", "secret", "private", "auth", "signing", "encryption", "account")),
        ("master", "key"),
    }
)
_QUALIFIERS = frozenset({"v", "b", "base", "prod", "production", "staging", "stage", "dev", "test", "old", "new"})
"""Last words that say which secret of a name it is, or in what form: TOKEN_1, API_TOKEN_PROD, SSH_KEY_B64."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ASSIGNED = re.compile(
    r"(?P<name>--?[A-Za-z][\w.-]{1,60}|\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)(?P<between>=|\s+(?!-))(?P<value>[^\s,;'\"]+)"
)
_BARE = re.compile(
    r"(?i)(?<![\w-])(?P<name>pass(?:word|wd|phrase)|pwd|token|secret|credentials?|api[_-]?key"
    r"|(?:access|secret|auth|private|signing|account)[_-]?(?:key|token)|shared[_-]?access[_-]?key|client[_-]?secret"
    r"|authorization|sig(?:nature)?|x-(?:amz|goog)-signature)=(?P<value>[^\s,;&'\"{}$()]+)"
)
"""A name for secrets that is a word of its own, as in a DSN or in the query of a URL."""


def has_secret_shape(text: str) -> bool:
    """Whether a text holds a token of a known issuer, a private key, or a password in a URL."""
    return any(pattern.search(text) for pattern in (_TOKEN, _PRIVATE_KEY, _USER_INFO))


def names_a_secret(name: str) -> bool:
    """Whether a variable, option or key is one for secrets, by its last words: VLLM_API_KEY, --hf-token, dbPassword."""
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in _QUALIFIERS):
        words.pop()
    if not words or (words[-1] == "token" and _COUNTED & {*words}):
        return False
    if words[-1].endswith(_GLUED if not name.isupper() else (*_GLUED, *_GLUED_CAPITALS)) or (
        name.isupper() and len(words) > 1 and words[-1] == "key" and words[-2] not in _OPEN
    ):
        return True
    return words[-1] in _SECRET_WORDS or tuple(words[-2:]) in _SECRET_PAIRS


_NAMED_INSIDE = re.compile(
    r"""(?:["'](?P<key>[\w-]{1,60})["']\s*:\s*["']|(?P<option>--?[A-Za-z][\w-]{1,60})[=\s]\s*)[^\s"'{\[-]"""
)


def names_a_secret_inside(text: str) -> bool:
    """Whether a text gives a value under a name for secrets: in JSON, as an option, in a DSN or a query."""
    named = (found["key"] or found["option"] for found in _NAMED_INSIDE.finditer(text))
    return bool(_BARE.search(text)) or any(map(names_a_secret, named))


def looks_random(text: str) -> bool:
    """Whether a text is long, mixes cases and digits, and has the entropy of a generated key."""
    if len(text) < 16 or not (re.search("[a-z]", text) and re.search("[A-Z]", text) and re.search(r"\d", text)):
        return False
    if len(text) >= _LETTERS_OF_A_WORD * len(_WORD.findall(text)):
        return False
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts) > _RANDOM_BITS


@lru_cache(maxsize=4096)
def redact(text: str) -> str:
    """The text with every secret in it hidden: by shape, by the name before it, and what looks generated."""
    for pattern in (_PRIVATE_KEY, _TOKEN, _USER_INFO, _AUTHORIZATION):
        text = pattern.sub(HIDDEN, text)
    text = _BARE.sub(lambda found: f"{found['name']}={HIDDEN}", _ASSIGNED.sub(_hide_assigned, text))
    return _RUN.sub(lambda run: HIDDEN if looks_random(run[0]) else run[0], text)


def _hide_assigned(found: re.Match[str]) -> str:
    """Hides the value of an option or variable that is one for secrets; `--api-key and` in a sentence is no value."""
    option = found["name"].startswith("-") or found["name"].isupper()
    if not names_a_secret(found["name"]) or not (found["between"] == "=" or (option and looks_random(found["value"]))):
        return found[0]
    return f"{found['name']}{found['between']}{HIDDEN}"
