"""Secrets where nothing names them, or where their name belongs: each is refused, and nothing repeats it."""

import random
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.secret_names import holds_a_secret
from l4serve.config.secrecy.secret_shapes import redact
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from tests.each_case import each
from tests.factories import loaded, serving, workload

BASE62 = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
RANDOM20 = "kX3vQ9mZ7pLw2RtY8bNc"
SMALL20 = "k3j9x8f2m1q7z5w4p6t0"
HEX32 = "3f9a7c21e8b04d56a1c2f3e4d5b69788"
BASE64 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLKEY"
SECRET = "hunter22-not-a-real-one"

FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "random in a variable": (RANDOM20, {"extraEnv": {"A": RANDOM20}}),
    "random without capitals": (SMALL20, {"extraEnv": {"A": SMALL20}}),
    "random in an argument": (RANDOM20, {"extraArgs": [f"--x={RANDOM20}"]}),
    "random as a name": (RANDOM20, {"engine": {"servedModelName": [RANDOM20]}}),
    "random as a label": (RANDOM20, {"labels": {"team": RANDOM20}}),
    "random as a key": (RANDOM20, {"labels": {RANDOM20: "x"}}),
    "random with dashes": (f"{RANDOM20}-Zz9", {"extraEnv": {"A": f"{RANDOM20}-Zz9"}}),
    "random in a stop word": (RANDOM20, {"engine": {"overrideGenerationConfig": {"stop": [RANDOM20]}}}),
    "random in a reason": (RANDOM20, {"allow": [{"rule": "vllm-eager", "reason": f"as in {RANDOM20}"}]}),
    "random as a revision": (RANDOM20, {"extraArgs": [f"--code-revision={RANDOM20}"]}),
    "several short options": (SECRET, {"extraEnv": {"A": f"curl -su me:{SECRET} https://example.com/x"}}),
    "hexadecimal": (HEX32, {"extraEnv": {"A": HEX32}}),
    "hexadecimal in an argument": (HEX32, {"extraArgs": [f"--x={HEX32}"]}),
    "base64 with slashes": (BASE64, {"extraEnv": {"A": BASE64}}),
    "key in place of its name": (SMALL20, {"apiKey": {"config": SMALL20}}),
    "password in place of its name": (SECRET, {"apiKey": {"config": SECRET}}),
    "key in place of a Secret's name": (SMALL20[:16], {"apiKey": {"secret": SMALL20[:16]}}),
    "key in place of a key's name": (RANDOM20, {"apiKey": {"secret": "s", "key": RANDOM20}}),
    "key in place of a variable's Secret": (SMALL20, {"env": {"A_KEY": {"secret": SMALL20, "key": "k"}}}),
    "key in place of a ConfigMap": (SMALL20, {"env": {"A": {"configMap": SMALL20, "key": "k"}}}),
    "key in place of Secret Manager's": (
        RANDOM20,
        {"apiKey": {"secretManager": {"secret": RANDOM20}}},
    ),
    "key in place of the mapping": (SECRET, {"apiKey": SECRET}),
    "key in a list": (SECRET, {"apiKey": [SECRET]}),
    "key in place of an inner mapping": (SECRET, {"apiKey": {"secretManager": SECRET}}),
    "nested arguments": (SECRET, {"extraArgs": [["--api-key", SECRET]]}),
    "arguments nested apart": (SECRET, {"extraArgs": [["--api-key"], [SECRET]]}),
    "arguments nested deep": (SECRET, {"extraArgs": [[["--x-password"]], [[SECRET]]]}),
    "a mapping of arguments": (SECRET, {"extraArgs": {"--x-password": SECRET}}),
    "a password like a path": ("/hunter2..", {"extraEnv": {"DB_PASSWORD": "/hunter2.."}}),
    "a password like a long path": ("/hunter2/x/y", {"extraEnv": {"DB_PASSWORD": "/hunter2/x/y"}}),
    "curl": (SECRET, {"extraEnv": {"A": f"curl -s -u me:{SECRET} https://example.com/x"}}),
    "curl, long option": (SECRET, {"extraEnv": {"A": f"curl --user=me:{SECRET} https://example.com/x"}}),
    "mysql": (SECRET, {"extraEnv": {"A": f"mysql -u root -p{SECRET} -h db"}}),
    "sshpass": (SECRET, {"extraEnv": {"A": f"sshpass -p {SECRET} ssh me@host"}}),
    "docker": (SECRET, {"extraArgs": [f"docker login -u me -p {SECRET} registry"]}),
    "redis": (SECRET, {"extraEnv": {"A": f"/usr/bin/redis-cli -h r -a '{SECRET}' ping"}}),
    "netrc": (SECRET, {"extraEnv": {"A": f"machine example.com login me password {SECRET}"}}),
    "netrc of several lines": (SECRET, {"extraEnv": {"A": f"machine example.com\n  login me\n  password {SECRET}\n"}}),
    "XML": (SECRET, {"extraEnv": {"A": f"<server><password>{SECRET}</password></server>"}}),
    "XML with a space of names": (SECRET, {"extraEnv": {"A": f"<s:apiKey type='x'>{SECRET}</s:apiKey>"}}),
    "plist": (SECRET, {"extraEnv": {"A": f"<key>password</key><string>{SECRET}</string>"}}),
    "an entry of JSON": (SECRET, {"extraEnv": {"A": f'[{{"name": "DB_PASSWORD", "value": "{SECRET}"}}]'}}),
    "an entry of YAML": (SECRET, {"extraEnv": {"A": f"- name: DB_PASSWORD\n  value: {SECRET}\n"}}),
    "YAML at the line's begin": (SECRET, {"extraEnv": {"A": "password: correct horse battery"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_a_secret_is_refused_unseen(name: str) -> None:
    secret, fields = FIELDS[name]
    with pytest.raises(ConfigError) as refused:
        loaded(serving({"qwen": workload(**fields)}))
    assert secret not in str(refused.value)
    assert secret not in repr(refused.value.problems)


@each([SECRET, 5, ["x", SECRET], {"secretManager": SECRET}, {"existingSecret": SMALL20}, {"key": RANDOM20}], str)
def test_what_stands_in_place_of_the_hub_tokens_place_is_not_repeated(value: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(serving(huggingFace=value))
    assert not any(part in str(refused.value) for part in (SECRET, SMALL20, RANDOM20))


NAMES = """ADMIN_PW ADMIN_PIN PASSWORT GITHUB_TOKENS OPENAIKEY KEY SALT DBPW USER_PSWD MOTDEPASSE HASH_SALT
TOTP_SEED_OTP WANDBKEY SLACK_TOKENS PIN_CODE KENNWORT AUTH_TKN RECOVERY_CODES INGESTION_KEY BASICAUTH PWORD
KRB5_KEYTAB_B64"""


@each(NAMES.split(), str)
def test_more_names_of_secrets(name: str) -> None:
    assert holds_a_secret(name, "hunter22x")
    assert "hunter22x" not in redact(f"{name}=hunter22x")
    with pytest.raises(ConfigError, match="plain text"):
        loaded(serving({"qwen": workload(extraEnv={name: "hunter22x"})}))


STRONGER = """AUTH_TOKEN AUTH_SECRET SESSION_SECRET COOKIE_SECRET WEBHOOK_SECRET BASIC_AUTH_PASSWORD AWS_SESSION_TOKEN
X-Auth-Token authToken SAS_TOKEN BEARER_TOKEN FERNET_KEY PSK BINDPW ERLANG_COOKIE"""


@each(STRONGER.split(), str)
def test_a_weak_word_of_a_name_takes_nothing_from_a_strong_one(name: str) -> None:
    assert holds_a_secret(name, "swordfish")
    with pytest.raises(ConfigError, match="plain text"):
        loaded(serving({"qwen": workload(extraEnv={name: "correct-horse-battery"})}))


def test_a_number_to_remember_is_a_secret_and_a_pinned_core_is_none() -> None:
    assert holds_a_secret("ADMIN_PIN", "4711")
    for name, value in (("CPU_PIN", "4711"), ("PIN_MEMORY", "x"), ("ADMIN_PIN", "true")):
        assert not holds_a_secret(name, value)


def drawn(alphabet: str, length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


@each([(BASE62, 20), (BASE62, 24), (BASE62[:26] + BASE62[52:], 20), (BASE62[26:], 32), ("0123456789abcdef", 32)], str)
def test_of_what_is_drawn_at_random_nearly_all_is_hidden(drawing: tuple[str, int]) -> None:
    """The seeds are fixed: of 500 runs at most a twentieth happens to look like words, numbers or a pattern."""
    runs = [drawn(*drawing, seed) for seed in range(500)]
    assert sum(run in redact(f"it says {run}, and ends") for run in runs) <= 25


IN_TEXTS = (
    f"it failed: curl -u me:{SECRET} https://x", f"mysqldump --host db -p{SECRET} all",
    f"<password>{SECRET}</password>",
    f"machine h login me password {SECRET}", f'{{"name": "API_KEY", "value": "{SECRET}"}}', f"DB_PASSWORD: {SECRET}",
    f"password='{SECRET} x'", f"password => {SECRET}", f"--password {SECRET}", f"PASSWORD_='{SECRET}'",
    f"username=\"me\" password=\"{SECRET}\";", f"aws configure set aws_secret_access_key {SECRET}",
    f"the password is {SECRET}", f"vault login {SECRET}", f"wandb login {SECRET}",
    f"ngrok config add-authtoken {SECRET}",
    f"CREATE USER me WITH PASSWORD '{SECRET}'", f"alter user me identified by \"{SECRET}\"",
    f"sqlplus -S me/{SECRET}@db",
    f"jdbc:oracle:thin:me/{SECRET}@db:1521:x", f"cosign login -u me -p {SECRET} h", f"cqlsh -p {SECRET}",
    f"mosquitto_pub -P {SECRET}", f"twine upload -u me -p {SECRET}", f"openssl enc -k {SECRET}",
    f"curl --oauth2-bearer {SECRET} x", f"SEED_PHRASE={SECRET}",
    f"https://maps.example.com/api?key={RANDOM20}", f"https://hooks.zapier.com/hooks/catch/12345/{SECRET}",
    f"--x-password {RANDOM20}", f"the key {HEX32} is wrong", f"{BASE64} is wrong", f"it is {RANDOM20}.",
)  # fmt: skip


@each(IN_TEXTS, str)
def test_what_is_printed_hides_it(text: str) -> None:
    said = redact(text)
    assert not any(secret in said for secret in (SECRET, RANDOM20, HEX32, BASE64))


COMMANDS = (
    "wandb login failed with 5", "org/name@main", "the password 'is' wrong", "sqlplus is not here",
    "identified by a 'name'",
    "docker pull a/b@sha256:1", "openssl enc is an old command",
)  # fmt: skip


@each(COMMANDS, str)
def test_what_tells_of_a_command_without_a_secret_is_shown(text: str) -> None:
    assert redact(text) == text


RECIPE = "about: a\nsource: b\nworkload:\n  engine: {kind: vllm, version: 0.26.0}\n  model: {id: a/b}\n"


@pytest.mark.parametrize(
    ("added", "path"),
    [
        (f"  extraEnv: {{DB_PASSWORD: {SECRET}}}\n", "extraEnv.DB_PASSWORD"),
        (f"  labels: {{team: {RANDOM20}}}\n", "labels.team"),
        (f"  apiKey: {SECRET}\n", "apiKey"),
        ('  labels: {team: "a\\u3164b"}\n', "labels.team"),
    ],
)
def test_what_a_recipe_brings_is_looked_through_too(tmp_path: Path, added: str, path: str) -> None:
    (tmp_path / "r.yaml").write_text(f"{RECIPE}{added}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        parse_stack("x", {SERVING_KEY: serving({"qwen": {"recipe": "r"}})}, base=tmp_path, recipes=tmp_path)
    assert [problem.path for problem in refused.value.problems] == [f"workloads.qwen.{path}"]
    assert not any(secret in str(refused.value) for secret in (SECRET, RANDOM20, "\u3164"))


@pytest.mark.parametrize(
    "engine", ["", "  engine: {}\n", "  engine: vllm\n", "  engine: {kind: [vllm]}\n", "  engine:\n"]
)
def test_a_recipe_without_an_engine_is_none(tmp_path: Path, engine: str) -> None:
    (tmp_path / "r.yaml").write_text(
        f"about: a\nsource: b\nworkload:\n  model: {{id: a/b}}\n{engine}", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="this is not a recipe"):
        parse_stack("x", {SERVING_KEY: serving({"qwen": {"recipe": "r"}})}, base=tmp_path, recipes=tmp_path)
