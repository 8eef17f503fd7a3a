"""Secrets planted where none belongs: each must appear in nothing that a command prints or writes."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
_Place = tuple[Any, ...]
_REFERENCES: tuple[tuple[_Place, Any], ...] = (
    (("apiKey",), {"config": "{}"}), (("apiKey",), {"secret": "s", "key": "{}"}), (("apiKey",), "{}"),
    (("apiKey",), ["{}"]), (("apiKey",), {"secretManager": "{}"}), (("apiKey",), {"secretManager": {"secret": "{}"}}),
    (("env",), {"A": "{}"}), (("env",), {"A": {"secret": "s", "key": "{}"}}), (("env",), {"A": ["{}"]}),
    (("/", "huggingFace"), "{}"), (("/", "huggingFace"), ["{}"]), (("/", "huggingFace"), {"key": "{}"}),
    (("/", "huggingFace"), {"secretManager": "{}"}), (("/", "huggingFace"), {"secretManager": {"secret": "{}"}}),
    (("extraArgs",), [["--api-key", "{}"]]), (("extraArgs",), [["--x-password"], ["{}"]]),
    (("extraArgs",), {"--x-password": "{}"}), (("extraEnv",), {"DB_PASSWORD": "/{}.."}),
)  # fmt: skip
_RENDER = ("render", "--out", "{}/out")
_COMMANDS = (("plan",), ("plan", "--json"), ("check", "--json"), ("shapes",), ("dashboard",), _RENDER, ("verify",))
_TOKENS = ("hf_{34}", "sk-{40}", "ghp_{36}", "glpat-{20}", "AKIA{16}", "nvapi-{40}", "xoxb-{30}", "pul-{40}")
_OPTIONS = ("--api-key={}", "--api_key={}", "--api-k={}", "--hf-token={}", "--ssl-keyfile-password={}", "--x-secret={}")


@dataclass(frozen=True)
class _Chance:
    """Secrets, and commands to read them, as chance has them."""

    rng: random.Random

    def run(self, length: int) -> str:
        """Letters and digits."""
        return "".join(self.rng.choices(_LETTERS, k=length))

    def plain(self) -> str:
        """A secret that begins as a word does."""
        return f"plain{self.run(9)}"

    def token(self) -> str:
        """A token of some issuer."""
        name, length = self.rng.choice(_TOKENS).rstrip("}").split("{")
        text = self.run(int(length))
        if name == "pul-":
            text = "".join(self.rng.choices("0123456789abcdef", k=40))
        return name + (text.upper() if name == "AKIA" else text)

    def command(self) -> tuple[str, ...]:
        """A command that reads a stack."""
        return self.rng.choice(_COMMANDS)

    def case(self, kind: str, place: _Place, value: Any, secret: str) -> Case:
        """A stack that has a secret in a value at a place."""
        return stack_case(kind, _planted(place, value), self.command(), secret)


def planted(rng: random.Random) -> Iterator[Case]:
    """At least sixty secrets of several issuers, each in a place of its own."""
    chance = _Chance(rng)
    for kind in (_by_shape, _by_place, _inside_texts, _at_random, _for_their_names, _in_addresses, _in_yaml_itself):
        yield from kind(chance)
    yield from _outside_of_stacks(chance.token)


def _by_shape(chance: _Chance) -> Iterator[Case]:
    for place in (*_workload_places(), *_stack_places()):
        for _ in range(2):
            secret = chance.token()
            yield chance.case("secrets by shape", place, secret, secret)


def _by_place(chance: _Chance) -> Iterator[Case]:
    for name in _NAMES.split():
        secret = chance.plain()
        yield chance.case("secrets by place", ("extraEnv", name), secret, secret)
    for name in _STRONG.split():
        secret = f"sword{''.join(chance.rng.choices('abcdefgh', k=6))}"
        yield chance.case("secrets by place", ("extraEnv", name), secret, secret)
    for option in _OPTIONS:
        secret = chance.plain()
        yield chance.case("secrets by place", ("extraArgs",), [option.format(secret)], secret)


def _inside_texts(chance: _Chance) -> Iterator[Case]:
    for form in _INSIDE:
        secret = f"{chance.plain()}7"
        for place in (("extraEnv", "A"), ("extraArgs", 0)):
            yield chance.case("secrets inside texts", place, form.replace("{}", secret), secret)


def _at_random(chance: _Chance) -> Iterator[Case]:
    for alphabet, length in _ALPHABETS.values():
        for place in _workload_places():
            secret = "".join(chance.rng.choices(alphabet, k=length))
            yield chance.case("secrets at random", place, secret, secret)


def _for_their_names(chance: _Chance) -> Iterator[Case]:
    for place, form in _REFERENCES:
        secret = chance.run(20)
        yield chance.case("secrets for their names", place, json.loads(json.dumps(form).replace("{}", secret)), secret)


def _in_addresses(chance: _Chance) -> Iterator[Case]:
    for text in ("https://me:{}@example.com", "me:{}@registry.example.com/a:b", "http://{}@example.com/x"):
        for place in (("engine", "image"), ("extraEnv", "HF_ENDPOINT"), ("engine", "tokenizer"), ("model", "id")):
            secret = chance.plain()
            yield chance.case("secrets in addresses", place, text.format(secret), secret)


def _in_yaml_itself(chance: _Chance) -> Iterator[Case]:
    for tail in ("# {}\n", "x: !{} y\n", "x: &{} y\n", "x: *{}\n", "{}: 1\n{}: 2\n", "'{}\n", "%TAG {}\n"):
        secret = chance.token()
        text = tail.replace("{}", secret)
        yield stack_case("secrets in YAML itself", dict(GOOD), chance.command(), secret, text)


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
