"""What a secret looks like: by the form that its issuer gives it, by a header, by an entropy; and how it is hidden."""

import base64
import math
import re
from collections import Counter
from functools import lru_cache

from l4serve.config.secret_names import WORD, holds_a_secret, names_a_secret

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
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",  # AWS
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
    r"dapi[a-f0-9]{32}",  # Databricks
    r"lin_api_[A-Za-z0-9]{16,}",  # Linear
    r"(?:ntn|secret)_[A-Za-z0-9]{40,}",  # Notion
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{16,}",  # Shopify
    r"gl(?:sa|c)_[A-Za-z0-9_+/=-]{20,}",  # Grafana
    r"NRAK-[A-Z0-9]{20,}",  # New Relic
    r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{16,}",  # LangSmith
    r"tskey-[a-z]+-[A-Za-z0-9-]{16,}",  # Tailscale
    r"ATATT3[A-Za-z0-9_=-]{20,}",  # Atlassian
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{16,}",  # Doppler
    r"pscale_(?:tkn|pw)_[A-Za-z0-9_-]{16,}",  # PlanetScale
    r"[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_-]{16,}",  # Terraform Cloud
    r"sntry[su]_[A-Za-z0-9_=+/-]{16,}",  # Sentry
    r"wandb_v1_[A-Za-z0-9_-]{16,}",  # Weights & Biases
    r"fw_[A-Za-z0-9]{20,}",  # Fireworks
    r"\d{8,10}:AA[A-Za-z0-9_-]{30,}",  # Telegram bots
    r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{16,}",  # a PEM block in base64
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON web tokens
)
_TOKEN = re.compile(_BEFORE + "(?:" + "|".join(_ISSUED) + ")", re.ASCII)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.S,
)
_HOOK = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{10,}|(?<=/api/webhooks/)\d{5,}/[\w-]{10,}"
    r"|(?<=\.webhook\.office\.com/)[\w@/-]{10,}"
)
"""What follows the host in the address of a webhook: whoever knows it may write."""
_USER_INFO = re.compile(
    r"(?<=https:/)[^\s/?#@'\"]{1,300}(?=@)|(?<=[a-z]:/)[^\s/?#@:'\"]{1,60}:[^\s/?#@'\"]{1,300}(?=@)"
    # A path of a file makes one slash of two.
    r"|(?<=//)(?<!ssh://)[^\s/?#@'\"]{1,300}(?=@)|(?<=//)[^\s/?#@:'\"]{1,60}:(?!\d+/)[^\s?#@'\"]{1,300}(?=@)"
    r"|(?<![\w/@.:-])(?!(?:mailto|sips?):)[^\s/:@'\"=,]{1,60}:[^\s/@'\"]{1,100}(?=@(?!sha256:))"
)
_SPACE = r"(?:\s{1,4}|%20|\+|\\u0020|\\t)"
_SCHEME = re.compile(
    rf"(?i)(?<![\w-])(?:(?P<scheme>bearer|basic){_SPACE}(?!tokens?\b|auth)|(?P<header>(?:proxy-)?authorization|x-api-key)"
    rf"\\*[\"']?\s?[:=]\s?\\*[\"']?(?:(?:bearer|basic|token|apikey|digest|negotiate){_SPACE})?)(?P<value>[^\s\"',;\\{{}}\[\]]{{4,}})"
)
"""A credential behind the scheme of an Authorization header, or behind the header's name."""
_RUN = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+_]{24,}={0,2}(?![A-Za-z0-9+/_-])", re.ASCII)
_RANDOM_BITS = 3.5
"""Entropy per character above which a long mix of cases and digits is taken for random; English has about 2.5."""

_LONGEST_WORD = 20
"""Letters up to which what follows `bearer` may be a word of a sentence."""
_LETTERS_OF_A_WORD = 3
"""Letters that words have on average at least: Qwen3MoeForCausalLM is words, a generated key changes case sooner."""
_ASSIGNED = re.compile(
    r"(?P<name>--?[A-Za-z][\w.-]{1,60}|\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)(?P<between>=|\s+(?!-))(?P<value>[^\s,;'\"]+)"
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
    return any(pattern.search(text) for pattern in (_TOKEN, _PRIVATE_KEY, _USER_INFO, _HOOK)) or _has_header(text)


def _has_header(text: str) -> bool:
    """Whether a text holds a credential as an Authorization header has it; prose about such headers is none."""
    return any(map(_is_credential, _SCHEME.finditer(text)))


def _is_credential(found: re.Match[str]) -> bool:
    value = found["value"]
    if (found["scheme"] or "").lower() != "basic":
        return len(value) >= _LONGEST_WORD or not (value.islower() and value.rstrip(".:!?)").isalpha())
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False


def holds_random_run(text: str) -> bool:
    """Whether an unbroken run of at least 24 letters and digits in a text looks generated."""
    return any(looks_random(run[0]) for run in _RUN.finditer(text))


def looks_random(text: str) -> bool:
    """Whether a text is long, mixes cases and digits, and has the entropy of a generated key."""
    if len(text) < 16 or not (re.search("[a-z]", text) and re.search("[A-Z]", text) and re.search(r"\d", text)):
        return False
    if len(text) >= _LETTERS_OF_A_WORD * len(WORD.findall(text)):
        return False
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts) > _RANDOM_BITS


@lru_cache(maxsize=4096)
def redact(text: str) -> str:
    """The text with every secret in it hidden: by shape, by the name before it, and what looks generated."""
    for pattern in (_PRIVATE_KEY, _TOKEN, _USER_INFO, _HOOK):
        text = pattern.sub(HIDDEN, text)
    text = _QUOTED.sub(
        _hide_named, _SCHEME.sub(lambda found: _hide_value(found) if _is_credential(found) else found[0], text)
    )
    text = _BARE.sub(lambda found: f"{found['name']}={HIDDEN}", _ASSIGNED.sub(_hide_assigned, text))
    return _RUN.sub(lambda run: HIDDEN if looks_random(run[0]) else run[0], text)


def _hide_assigned(found: re.Match[str]) -> str:
    """Hides the value of an option or variable that is one for secrets; `--api-key and` in a sentence is no value."""
    option = found["name"].startswith("-") or found["name"].isupper()
    if not names_a_secret(found["name"]) or not (found["between"] == "=" or (option and looks_random(found["value"]))):
        return found[0]
    return f"{found['name']}{found['between']}{HIDDEN}"


def _hide_value(found: re.Match[str]) -> str:
    return found[0][: -len(found["value"])] + HIDDEN


def _hide_named(found: re.Match[str]) -> str:
    """Hides what JSON gives under a name for secrets; `secret` itself is our key for the name of a Secret."""
    hides = found["name"].lower() != "secret" and holds_a_secret(found["name"], found["value"])
    return _hide_value(found) if hides else found[0]
