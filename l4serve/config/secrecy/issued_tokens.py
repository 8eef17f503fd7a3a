"""Tokens by the form that their issuers give them."""

import re

from l4serve.config.secrecy.random_texts import looks_random

_BEFORE = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[abefnrtv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})"
    r"|(?<=\[m)|(?<=\[\dm)|(?<=\[\d\dm))"
)
"""Where a token may begin: not inside a word, but behind an escape or a terminal's colour, which end in letters."""
_UUID = r"[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}"
_ISSUED = (
    r"hf_[A-Za-z0-9]{16,}",  # Hugging Face
    r"api_org_[A-Za-z0-9]{16,}",  # Hugging Face, organisations
    r"gh[pousr]_[A-Za-z0-9]{16,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{16,}",
    r"gl(?:pat|dt|cbt|ptt|ft|ffct|soat|rt|agent|imt)-[A-Za-z0-9_-]{16,}",  # GitLab
    r"GR1348941[A-Za-z0-9_-]{20}",  # GitLab, of a runner
    r"xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-\d-[A-Za-z0-9-]{10,}",  # Slack, of an app
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",  # AWS
    r"AIza[A-Za-z0-9_-]{30,}",  # Google API keys
    r"ya29\.[A-Za-z0-9_-]{16,}",  # Google OAuth
    r"GOCSPX-[A-Za-z0-9_-]{16,}",
    r"1//0[A-Za-z0-9_-]{30,}",  # Google OAuth, to refresh
    r"pul-[a-f0-9]{32,}",  # Pulumi
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-AgE[A-Za-z0-9_-]{16,}",
    r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}",  # Docker
    r"nvapi-[A-Za-z0-9_-]{16,}",  # NVIDIA
    r"gsk_[A-Za-z0-9]{16,}",  # Groq
    r"r8_[A-Za-z0-9]{16,}",  # Replicate
    r"do[opr]_v1_[a-f0-9]{32,}",  # DigitalOcean
    r"xai-[A-Za-z0-9]{20,}",
    r"pplx-[A-Za-z0-9]{20,}",  # Perplexity
    r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{16,}",  # Square
    r"(?:[sr]k|whsec)_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"rzp_(?:live|test)_[A-Za-z0-9]{14}",  # Razorpay
    r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}",  # Braintree
    rf"(?:access|public)-(?:production|development|sandbox)-{_UUID}",  # Plaid
    rf"pat-(?:na|eu|ap)\d-{_UUID}",  # HubSpot
    rf"(?:api|sdk|ms)-{_UUID}",  # LaunchDarkly, ModelScope
    r"sk-helicone(?:-[a-z0-9]{7}){4}",
    r"sq[uap]_[a-f0-9]{40}",  # SonarQube
    r"sgp_(?:(?:[a-f0-9]{16}|local)_)?[a-f0-9]{40}",  # Sourcegraph
    r"dtn_[a-f0-9]{64}",  # Daytona
    r"md-(?=[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])",  # Mandrill
    r"SCW(?=[A-Z]*\d)[A-Z0-9]{17}(?![A-Za-z0-9])",  # Scaleway
    r"PLAK[a-f0-9]{32}",  # Planet
    # kubeadm, to join a cluster
    r"(?=[a-z]*\d)[a-z0-9]{6}\.(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{16}(?![A-Za-z0-9-]|\.[A-Za-z0-9])",
    r"\$2[abxy]\$\d\d\$[A-Za-z0-9./]{53}",  # bcrypt's hash of a password
    r"\$(?:apr1|[156])\$[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{22,86}",  # crypt's
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"hv[sbr]\.[A-Za-z0-9_-]{16,}",  # Vault
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
    r"(?:dapi|dose)[a-f0-9]{32}",  # Databricks
    r"lin_api_[A-Za-z0-9]{16,}",  # Linear
    r"(?:ntn|secret)_[A-Za-z0-9]{40,}",  # Notion
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{16,}",  # Shopify
    r"gl(?:sa|c)_[A-Za-z0-9_+/=-]{20,}",  # Grafana
    r"NRAK-[A-Z0-9]{20,}",  # New Relic
    r"[a-f0-9]{36}NRAL",
    r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{16,}",  # LangSmith
    r"tskey-[a-z]+-[A-Za-z0-9-]{16,}",  # Tailscale
    r"ATATT3[A-Za-z0-9_=-]{20,}",  # Atlassian
    r"ATTA[a-f0-9]{64}",  # Trello
    r"BBDC-[A-Za-z0-9+/]{40,}",  # Bitbucket
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{16,}",  # Doppler
    r"pscale_(?:tkn|pw)_[A-Za-z0-9_-]{16,}",  # PlanetScale
    r"[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_-]{16,}",  # Terraform Cloud
    r"sntry[su]_[A-Za-z0-9_=+/-]{16,}",  # Sentry
    r"wandb_v1_[A-Za-z0-9_-]{16,}",  # Weights & Biases
    r"fw_[A-Za-z0-9]{20,}",  # Fireworks
    r"tgp_v1_[A-Za-z0-9_-]{20,}",  # Together
    r"pcsk_[A-Za-z0-9_]{20,}",  # Pinecone
    r"csk-[a-z0-9]{30,}",  # Cerebras
    r"rpa_[A-Z0-9]{20,}",  # RunPod
    r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{20,}",  # Tavily
    r"jina_[a-f0-9]{24,}[A-Za-z0-9_-]*",  # Jina
    r"sbp_[a-f0-9]{30,}",  # Supabase
    r"sb_secret_[A-Za-z0-9_-]{16,}",
    r"nfp_[A-Za-z0-9]{30,}",  # Netlify
    r"figd_[A-Za-z0-9_-]{20,}",  # Figma
    r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}",  # Airtable
    r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",  # Postman
    r"dt0[cs]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}",  # Dynatrace
    r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}",  # Brevo
    r"CCIPAT_[A-Za-z0-9_]{30,}",  # CircleCI
    r"bkua_[a-f0-9]{40}",  # Buildkite
    r"(?<![-_])key-[a-f0-9]{32}(?![A-Za-z0-9])",  # Mailgun
    r"e2b_[a-f0-9]{40}",
    r"tk_(?=[A-Za-z]*\d)[A-Za-z0-9]{29}(?![A-Za-z0-9])",  # ntfy
    r"rubygems_[a-f0-9]{48}",
    r"LTAI[A-Za-z0-9]{16,20}",  # Alibaba Cloud
    r"phx_[A-Za-z0-9]{30,}",  # PostHog, personal
    r"[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}",  # Microsoft Entra
    r"(?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{30,}",  # Telegram bots
    r"LS0tLS1CRUdJTi(?!BDRVJU|BQVUJM)[A-Za-z0-9+/]{16,}",  # a PEM block in base64, of no certificate or public key
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON web tokens
)
TOKEN = re.compile(_BEFORE + "(?:" + "|".join(_ISSUED) + ")", re.ASCII)
_SHORTEST = 14
_RUN = re.compile(rf"\S{{{_SHORTEST},}}")
"""Where a token may be: none is shorter or holds a blank, and most words of a stack are."""
_HUB_GLUED = re.compile(r"hf_(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{30,}")
"""A token of the Hub directly behind letters: of both cases, and longer than what a name has there."""
_SK = re.compile(_BEFORE + r"sk-(?P<rest>[A-Za-z0-9][A-Za-z0-9_-]{10,})", re.ASCII)
_SK_ISSUER = re.compile(
    r"(?:ant-(?:api|admin|oat|sid)\d\d-|or-v\d-|(?:proj|svcacct|admin|lf|None|test|live)-"
    r"[A-Za-z0-9_-]*?(?:(?=[A-Za-z]*\d)[A-Za-z0-9]{12}|[A-Za-z0-9]{16}))",
    re.ASCII,
)
_SK_PIECE = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}|[A-Za-z0-9]{20,}", re.ASCII)
_SK_SHORT = re.compile(r"(?=[A-Za-z]*\d+[A-Za-z]+\d)[A-Za-z0-9]{11,}", re.ASCII)


def issued_tokens(text: str) -> list[tuple[int, int]]:
    """Where in a text tokens of known issuers begin and end."""
    found = []
    for run in _RUN.finditer(text):
        found += [match.span() for pattern in (TOKEN, _HUB_GLUED) for match in pattern.finditer(text, *run.span())]
        found += [match.span() for match in _SK.finditer(text, *run.span()) if _is_sk_key(match["rest"])]
    return found


def _is_sk_key(rest: str) -> bool:
    """Whether what follows `sk-` is a key, of OpenAI or of the many that follow it, and not words between dashes."""
    if _SK_ISSUER.match(rest) or _SK_PIECE.search(rest) or _SK_SHORT.fullmatch(rest):
        return True
    return len(rest) >= 20 and looks_random(re.sub("[-_]", "", rest))
