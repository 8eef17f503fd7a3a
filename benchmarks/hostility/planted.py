"""Secrets planted where none belongs: each must appear in nothing that a command prints or writes."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.hostility.inputs import GOOD, Case, stack_case

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


_NAMES = """VLLM_API_KEY API_KEY AWS_SECRET_ACCESS_KEY DB_PASSWORD MY_TOKEN CLIENT_SECRET WANDB_API_KEY MY_PAT MY_CRED
AUTH SECRET_VALUE DBPASS DSN DB_PWD CONNECTION_STRING SESSION AWS_ACCESS_KEY_ID ADMIN_PW ADMIN_PIN PASSWORT
GITHUB_TOKENS OPENAIKEY KEY SALT PSK BINDPW"""
_STRONG = """AUTH_TOKEN SESSION_SECRET COOKIE_SECRET BASIC_AUTH_PASSWORD AWS_SESSION_TOKEN FERNET_KEY
ERLANG_COOKIE"""
"""Names beside whose word for secrets a weaker one stands: plain words under them are a secret too."""
_INSIDE = (
    'x={"Authorization": "Bearer {}"}', "headers:\n  Authorization: Basic {}", "--x --api-key {}", "a=1&api_key={}",
    'x={"auths": {"r.io": {"auth": "{}"}}}', "host=b password={}", "https://hooks.slack.com/services/T0/B0/{}",
    "curl -su me:{} https://x", "mysql -u root -p{}", "machine h login me password {}",
    "<a><password>{}</password></a>",
    "wandb login {}", "CREATE USER me PASSWORD '{}'", "sqlplus me/{}@db", "cqlsh -p {}", "cosign login -u me -p {} h",
    '[{"name": "DB_PASSWORD", "value": "{}"}]',
)  # fmt: skip
_ALPHABETS = {
    "letters and digits": (_LETTERS, 20), "small letters and digits": ("abcdefghijkmnpqrstuvwxyz23456789", 24),
    "hexadecimal": ("0123456789abcdef", 32), "base64": (f"{_LETTERS}+/", 44), "base64 of URLs": (f"{_LETTERS}-_", 43),
}  # fmt: skip
_REFERENCES: tuple[tuple[tuple[Any, ...], Any], ...] = (
    (("apiKey",), {"config": "{}"}), (("apiKey",), {"secret": "s", "key": "{}"}), (("apiKey",), "{}"),
    (("apiKey",), ["{}"]), (("apiKey",), {"secretManager": "{}"}), (("apiKey",), {"secretManager": {"secret": "{}"}}),
    (("env",), {"A": "{}"}), (("env",), {"A": {"secret": "s", "key": "{}"}}), (("env",), {"A": ["{}"]}),
    (("/", "huggingFace"), "{}"), (("/", "huggingFace"), ["{}"]), (("/", "huggingFace"), {"key": "{}"}),
    (("/", "huggingFace"), {"secretManager": "{}"}), (("/", "huggingFace"), {"secretManager": {"secret": "{}"}}),
    (("extraArgs",), [["--api-key", "{}"]]), (("extraArgs",), [["--x-password"], ["{}"]]),
    (("extraArgs",), {"--x-password": "{}"}), (("extraEnv",), {"DB_PASSWORD": "/{}.."}),
)  # fmt: skip
_RENDER = ("render", "--out", "{}/out")


def planted(rng: random.Random) -> Iterator[Case]:
    """At least sixty secrets of several issuers, each in a place of its own."""

    def run(length: int) -> str:
        return "".join(rng.choices(_LETTERS, k=length))

    def token() -> str:
        form = rng.choice(
            ("hf_{34}", "sk-{40}", "ghp_{36}", "glpat-{20}", "AKIA{16}", "nvapi-{40}", "xoxb-{30}", "pul-{40}")
        )
        name, length = form.rstrip("}").split("{")
        text = run(int(length))
        return name + (
            text.upper()
            if name == "AKIA"
            else "".join(rng.choices("0123456789abcdef", k=40))
            if name == "pul-"
            else text
        )

    commands = (("plan",), ("plan", "--json"), ("check", "--json"), ("shapes",), ("dashboard",), _RENDER, ("verify",))
    for place in (*_workload_places(), *_stack_places()):
        for _ in range(2):
            secret = token()
            yield stack_case("secrets by shape", _planted(place, secret), rng.choice(commands), secret)
    for name in _NAMES.split():
        secret = f"plain{run(9)}"
        yield stack_case("secrets by place", _planted(("extraEnv", name), secret), rng.choice(commands), secret)
    for name in _STRONG.split():
        secret = f"sword{''.join(rng.choices('abcdefgh', k=6))}"
        yield stack_case("secrets by place", _planted(("extraEnv", name), secret), rng.choice(commands), secret)
    for option in (
        "--api-key={}",
        "--api_key={}",
        "--api-k={}",
        "--hf-token={}",
        "--ssl-keyfile-password={}",
        "--x-secret={}",
    ):
        secret = f"plain{run(9)}"
        serving = _planted(("extraArgs",), [option.format(secret)])
        yield stack_case("secrets by place", serving, rng.choice(commands), secret)
    for form in _INSIDE:
        secret = f"plain{run(9)}7"
        for place in (("extraEnv", "A"), ("extraArgs", 0)):
            text = form.replace("{}", secret)
            yield stack_case("secrets inside texts", _planted(place, text), rng.choice(commands), secret)
    for alphabet, length in _ALPHABETS.values():
        for place in _workload_places():
            secret = "".join(rng.choices(alphabet, k=length))
            yield stack_case("secrets at random", _planted(place, secret), rng.choice(commands), secret)
    for place, form in _REFERENCES:
        secret = run(20)
        value = json.loads(json.dumps(form).replace("{}", secret))
        yield stack_case("secrets for their names", _planted(place, value), rng.choice(commands), secret)
    for text in ("https://me:{}@example.com", "me:{}@registry.example.com/a:b", "http://{}@example.com/x"):
        for place in (("engine", "image"), ("extraEnv", "HF_ENDPOINT"), ("engine", "tokenizer"), ("model", "id")):
            secret = f"plain{run(9)}"
            yield stack_case("secrets in addresses", _planted(place, text.format(secret)), rng.choice(commands), secret)
    for tail in ("# {}\n", "x: !{} y\n", "x: &{} y\n", "x: *{}\n", "{}: 1\n{}: 2\n", "'{}\n", "%TAG {}\n"):
        secret = token()
        yield stack_case("secrets in YAML itself", dict(GOOD), rng.choice(commands), secret, tail.replace("{}", secret))

    yield from _outside_of_stacks(token)


def _outside_of_stacks(token: Callable[[], str]) -> Iterator[Case]:
    """Secrets that a command is given rightly, by its environment, and those in its arguments and other files."""
    server = ("--engine", "vllm", "--engine-version", "0.26.0", "--timeout", "1")
    for argv, variable, form in (
        (("fit", "--model", "org/unknown"), "HF_TOKEN", "{}"),
        (("fit", "--model", "org/unknown"), "HF_ENDPOINT", "http://me:{}@127.0.0.1:9"),
        (("fit", "--model", "org/unknown"), "HF_ENDPOINT", "{}://x"),
        (("verify", "--base-url", "http://127.0.0.1:9", *server), "L4SERVE_API_KEY", "{}"),
        (("verify", "--json", "--base-url", "http://127.0.0.1:9", *server), "L4SERVE_API_KEY", "{}"),
        (("-v", "plan", "-f", "gone"), "PULUMI_CONFIG_PASSPHRASE", "{}"),
    ):
        secret = token()
        environment = {variable: form.format(secret)}
        yield Case("secrets in the environment", argv, lambda _: None, secret, environment)
    arguments: tuple[tuple[str, ...], ...] = (
        ("verify", "--base-url", "http://me:{}@127.0.0.1:9", *server), ("plan", "-s", "{}"), ("plan", "-f", "{}"),
        ("fit", "--model", "{}"), ("fit", "--model", "a/b", "--{}"), ("shapes", "{}"), ("{}",), ("sandbox", "{}"),
        ("check", "-s", "dev", "--engine-version", "{}"), ("contract", "show", "{}"),
    )  # fmt: skip
    for asked in arguments:
        secret = token()
        yield Case("secrets in arguments", tuple(part.format(secret) for part in asked), lambda _: None, secret)
    for place in ("id", "urn", "type"):
        secret = token()
        resource = {"urn": "urn:a", "type": "b", "inputs": {"password": secret}, place: secret}
        state = {"deployment": {"pending_operations": [{"type": "creating", "resource": resource}]}}
        text = json.dumps(state)
        yield Case(
            "secrets in a state", ("doctor", "{}/s"), lambda f, text=text: (f / "s").write_text(text, "utf-8"), secret
        )


def _workload_places() -> tuple[tuple[Any, ...], ...]:
    return (
        ("engine", "image"), ("engine", "version"), ("engine", "quantization"), ("engine", "servedModelName", 0),
        ("engine", "chatTemplate"), ("engine", "overrideGenerationConfig", "stop", 0), ("model", "id"),
        ("model", "revision"), ("extraEnv", "A"), ("extraArgs", 0), ("labels", "team"), ("nodePool",), ("recipe",),
        ("allow", 0, "reason"), ("allow", 0, "rule"), ("service",), ("replicas",),
    )  # fmt: skip


def _stack_places() -> tuple[tuple[Any, ...], ...]:
    return (
        ("/", "cluster", "name"),
        ("/", "cluster", "location"),
        ("/", "namespace"),
        ("/", "huggingFace", "existingSecret"),
    )


def _planted(place: tuple[Any, ...], value: Any) -> Any:
    serving: Any = copy.deepcopy(dict(GOOD))
    at = serving if place[0] == "/" else serving["workloads"]["qwen"]
    *parents, last = place[1:] if place[0] == "/" else place
    for key in parents:
        at = at.setdefault(key, {}) if isinstance(at, dict) else at[key]
    at[last] = value
    return serving
