"""Settings as public stacks have them, and names that look like more than they are: none is refused or hidden."""

import base64
import json
from typing import Any

import pytest

from benchmarks.hostility.ordinary import variables
from l4serve.cli.shell.output import json_text
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.secret_names import is_file
from l4serve.config.secrecy.secret_shapes import has_secret_shape, redact
from tests.each_case import each
from tests.factories import loaded, serving, workload


@each(variables(), "=".join)
def test_a_variable_of_ordinary_use_passes_as_it_is(variable: tuple[str, str]) -> None:
    name, value = variable
    loaded(serving({"qwen": workload(extraEnv={name: value})}))
    for text in (f"environment {name}: {value}", f"{name}={value}"):
        assert redact(text) == text
    assert json.loads(json_text({name: value})) == {name: value}


ORDINARY: dict[str, dict[str, Any]] = {
    "build number": {"engine": {"image": "registry.example.com/a/vllm:20240101123456789012"}},
    "build number as a name": {"engine": {"servedModelName": ["chat-20240101123456789012", "20240101123456789012"]}},
    "name before sk": {"engine": {"servedModelName": ["sk-learn-assistant-large", "sk-admin-assistant", "acme/sk-7b"]}},
    "label of a gateway": {"labels": {"example.com/auth": "keycloak", "auth": "oidc-v2", "tenant-key": "acme-eu"}},
    "label of a commit": {"labels": {"commit": "9b1c" * 10, "build-id": "3f9a7c21e8b04d56a1c2f3e4d5b69788"}},
    "JSON of an override": {"extraArgs": ['--hf-overrides={"tie_word_embeddings": true, "eos_token_id": 2}']},
    "folder of a commit": {
        "extraEnv": {"A": f"gs://models/qwen/{'0a1b2c3d4e' * 4}", "B": f"snapshots/{'0a1b2c3d4e' * 4}/x"}
    },
    "secret by its name": {"env": {"A": {"secret": "llm-api-key-7d9f8b6c5d", "key": "tls.crt"}}},
    "secret of the config": {"apiKey": {"config": "chatKey"}},
    "another secret of the config": {"apiKey": {"config": "llm-key-2"}},
    "middleware": {"extraArgs": ["--middleware=my_package.auth.SessionMiddleware"]},
    "origins": {"extraArgs": ['--allowed-origins=["https://example.com"]', "--uvicorn-log-level=info"]},
}


@pytest.mark.parametrize("name", ORDINARY)
def test_a_setting_of_ordinary_use_passes(name: str) -> None:
    loaded(serving({"qwen": workload(**ORDINARY[name])}))


def test_a_revision_takes_what_git_takes_of_a_version() -> None:
    for revision in ("v1.2+cu128", "release/2025.1+build.7", "main"):
        loaded(serving({"qwen": {**workload(), "model": {"id": "a/b", "revision": revision}}}))
    for revision in ("../x", "a..b", "a b", "-x", "a/", "+x"):
        with pytest.raises(ConfigError, match="branch, tag or commit"):
            loaded(serving({"qwen": {**workload(), "model": {"id": "a/b", "revision": revision}}}))


KEYS = (
    "sk-" + "a1B2" * 12,
    "sk-proj-A1b2C3d4E5f6",
    "sk-ant-api03-" + "aB3_x-" * 12,
    "sk-or-v1-" + "ab12" * 16,
    "sk-" + "ab12" * 8,
    "sk-aB3_dE-fG5hI7jK9lM1nO2",
    "sk-lf-1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f",
    "sk-1a2b3c4d5e6f",
)


@each(KEYS, str)
def test_a_key_behind_sk_is_known_by_its_own_form(key: str) -> None:
    assert has_secret_shape(key)
    assert key not in redact(f"it is {key}.")


HEX40, UUID = "0a1b2c3d4e" * 4, "0a1b2c3d-4e5f-6a7b-8c9d-0a1b2c3d4e5f"
ISSUED = {
    "Mailgun": "key-" + "0a1b2c3d" * 4,
    "Google OAuth, to refresh": "1//0g" + "aB3_dE-f" * 6,
    "E2B": "e2b_" + "0a1b2c3d4e" * 4,
    "ntfy": "tk_" + "agqd6kbxrw" + "0a1b2c3d4e5f6g7h8i9",
    "Slack, of an app": "xapp-1-A02BC3DE4FG-1234567890123-" + "0a1b2c3d" * 4,
    "the Hub, behind letters": "tokenhf_" + "AbCdEfGh" * 4,
    "SonarQube": "squ_" + HEX40,
    "Sourcegraph": "sgp_0a1b2c3d0a1b2c3d_" + HEX40,
    "Daytona": "dtn_" + "0a1b2c3d" * 8,
    "Trello": "ATTA" + "0a1b2c3d" * 8,
    "New Relic": HEX40[:36] + "NRAL",
    "Braintree": "access_token$production$0a1b2c3d0a1b2c3d$" + HEX40[:32],
    "Plaid": f"access-production-{UUID}",
    "HubSpot": f"pat-na1-{UUID}",
    "LaunchDarkly": f"sdk-{UUID}",
    "Razorpay": "rzp_live_AbCdEfGhIjKlMn",
    "kubeadm": "a1b2c3.0a1b2c3d4e5f6a7b",
    "bcrypt": "$2y$10$" + "AbCdEfGh" * 6 + "./AbC",
    "crypt": "$6$salt$" + "AbCdEfGh" * 10 + "./AbCd",
}


@each(ISSUED, str)
def test_a_token_is_known_by_the_form_that_its_issuer_publishes(name: str) -> None:
    assert has_secret_shape(ISSUED[name])
    assert ISSUED[name] not in redact(f"it is {ISSUED[name]}.")
    assert ISSUED[name][-20:] not in redact(f"it is {ISSUED[name]}.")


@each(
    [
        "tk_tiles_per_block",
        "tk_abcdefghijklmnopqrstuvwxyzabc",
        "cache-key-v2",
        "1//0",
        "e2b_sandbox",
        "xapp-1",
        "myhf_transformers",
        "sgp_attention",
        "md-preview-of-all-models",
        "sdk-python",
        UUID,
        f"org/{HEX40}",
        "a1b2c3.example.com",
    ],
    str,
)
def test_a_name_that_begins_as_a_token_is_none(name: str) -> None:
    assert not has_secret_shape(name)


NAMES = """sk-learn-assistant-large sk-hynix-memory-expert-7b sk-llama-3-70b-instruct sk-proj-manager-assistant
sk-test-model-large pypi-mirror-internal-proxy-service-eu sk-admin-administration-model"""


@each(NAMES.split(), str)
def test_a_name_behind_an_issuers_letters_is_none(name: str) -> None:
    assert not has_secret_shape(name)
    assert redact(f"--served-model-name {name}") == f"--served-model-name {name}"


@each(
    ["/var/run/key.json", "~/.ssh/id_rsa", "/run/secrets/token", "/keys/a", "$HOME/.netrc", "/token.txt", "./certs/a"],
    str,
)
def test_a_path_of_a_file_is_one(path: str) -> None:
    assert is_file(path)


@each(
    ["/hunter2", "/hunter2..", "/hunter2/x", "/", "//", "/var/kX3vQ9mZ7pLw2RtY8bNc", "hunter2", "/etc", "/ab+cd="], str
)
def test_a_password_that_begins_like_a_path_is_none(value: str) -> None:
    assert not is_file(value)


def _pem(kind: str) -> str:
    lines = "\n".join(BASE64[i : i + 44] for i in range(0, len(BASE64), 44))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


BASE64 = "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTESMBAGA1UEChMJQmFsdGltb3JlMRMw"
PUBLIC = {
    "certificate": _pem("CERTIFICATE"),
    "two certificates": _pem("CERTIFICATE") * 2,
    "public key": _pem("PUBLIC KEY"),
    "certificate in base64": base64.b64encode(_pem("CERTIFICATE").encode()).decode(),
    "public key of SSH": f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{BASE64} me@example.com",
}


@each(PUBLIC, str)
def test_what_is_for_everybody_is_no_secret(name: str) -> None:
    loaded(serving({"qwen": workload(extraEnv={"A": PUBLIC[name]})}))
    assert redact(PUBLIC[name]) == PUBLIC[name]


@each([_pem("CERTIFICATE") + _pem("RSA PRIVATE KEY"), _pem("PRIVATE KEY")], str)
def test_a_private_key_behind_a_certificate_is_one(text: str) -> None:
    for given in (text, base64.b64encode(text.encode()).decode()):
        with pytest.raises(ConfigError, match="plain text"):
            loaded(serving({"qwen": workload(extraEnv={"A": given})}))
        assert redact(given) != given


HEX32 = "3f9a7c21e8b04d56a1c2f3e4d5b69788"
DIGESTS = (
    "MD5_OF_WEIGHTS",
    "WEIGHTS_MD5SUM",
    "md5OfWeights",
    "HASH_OF_CONFIG",
    "MODEL_REVISION",
    "SHA256_PREFIX_LOCAL",
    "CHECKSUM_V2",
)
NO_DIGESTS = (
    "API_KEY_MD5",
    "HASH_SALT",
    "MD5_SECRET",
    "PASSWORD_HASH",
    "TOKEN_DIGEST",
    "DBPASS_MD5",
    "LICENSE",
    "CONFIG",
)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_under_a_name_for_digests_is_no_secret(name: str) -> None:
    for value in (HEX32, HEX32.upper(), f"md5:{HEX32}", HEX32 * 2):
        loaded(serving({"qwen": workload(extraEnv={name: value})}))
        assert redact(f"{name}={value}") == f"{name}={value}"
        assert json.loads(json_text({name: value})) == {name: value}
    loaded(serving({"qwen": workload(extraEnv={"A": f"x --{name}={HEX32}"})}))


@pytest.mark.parametrize("name", NO_DIGESTS)
def test_hexadecimal_digits_under_other_names_stay_secrets(name: str) -> None:
    with pytest.raises(ConfigError, match="secret"):
        loaded(serving({"qwen": workload(extraEnv={name: HEX32})}))
    assert HEX32 not in redact(f"{name}={HEX32}")


@pytest.mark.parametrize("name", DIGESTS)
def test_what_is_no_digest_stays_a_secret_under_a_name_for_digests(name: str) -> None:
    for value in ("Zx9fQ2LmT7vK4bW8RnP3", f"{HEX32[:-1]}g", "hf_" + "aB3x" * 6):
        with pytest.raises(ConfigError, match=r"secret|token"):
            loaded(serving({"qwen": workload(extraEnv={name: value})}))
