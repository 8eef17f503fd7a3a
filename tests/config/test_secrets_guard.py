"""What a stack file must not hold is refused by its place or its shape, and the refusal repeats none of it."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError, StackFileError
from l4serve.config.secrecy.secret_names import names_a_secret
from l4serve.config.secrecy.secret_shapes import redact
from l4serve.config.stack_file import read_stack_file
from l4serve.engines.releases.contract import contract_versions, load_contract
from tests.each_case import each
from tests.factories import loaded, serving, workload

SECRET = "hunter22-not-a-real-one"
TOKEN = "hf_" + "aB3" * 11
USER_INFO = f"https://me:{SECRET}@example.com"

PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "api-key": ({"extraArgs": [f"--api-key={SECRET}"]}, "extraArgs[0]"),
    "api-key-in-two": ({"extraArgs": ["--api-key", SECRET]}, "extraArgs[0]"),
    "api-key-underscored": ({"extraArgs": [f"--api_key={SECRET}"]}, "extraArgs[0]"),
    "api-key-short": ({"extraArgs": [f"--api-k={SECRET}"]}, "extraArgs[0]"),
    "hub-token-flag": ({"extraArgs": [f"--hf-token={SECRET}"]}, "extraArgs[0]"),
    "password-flag": ({"extraArgs": [f"--db-password={SECRET}"]}, "extraArgs[0]"),
    "vllm-api-key": ({"extraEnv": {"VLLM_API_KEY": SECRET}}, "extraEnv.VLLM_API_KEY"),
    "aws": ({"extraEnv": {"AWS_SECRET_ACCESS_KEY": SECRET}}, "extraEnv.AWS_SECRET_ACCESS_KEY"),
    "token-as-number": ({"extraEnv": {"MY_TOKEN": 123456}}, "extraEnv.MY_TOKEN"),
    "endpoint": ({"extraEnv": {"HF_ENDPOINT": USER_INFO}}, "extraEnv.HF_ENDPOINT"),
    "proxy": ({"extraEnv": {"HTTPS_PROXY": USER_INFO}}, "extraEnv.HTTPS_PROXY"),
    "glued": ({"extraEnv": {"PGPASSWORD": SECRET}}, "extraEnv.PGPASSWORD"),
    "key-of-a-vendor": ({"extraEnv": {"WANDB_KEY": SECRET}}, "extraEnv.WANDB_KEY"),
    "pass": ({"extraEnv": {"SMTP_PASS": SECRET}}, "extraEnv.SMTP_PASS"),
    "glued-capitals": ({"extraEnv": {"HFTOKEN": SECRET}}, "extraEnv.HFTOKEN"),
    "header": ({"extraEnv": {"HEADERS": f"authorization=Bearer%20{SECRET}"}}, "extraEnv.HEADERS"),
    "address-without-scheme": ({"extraEnv": {"A": f"//me:{SECRET}@host/x"}}, "extraEnv.A"),
    "account-key": ({"extraEnv": {"A": f"AccountName=me;AccountKey={SECRET}"}}, "extraEnv.A"),
    "signed-address": ({"extraEnv": {"A": f"https://b/x?X-Amz-Signature={SECRET}"}}, "extraEnv.A"),
    "inside-json": ({"extraArgs": [f'--kv-transfer-config={{"password": "{SECRET}"}}']}, "extraArgs[0]"),
    "header-in-json": ({"extraEnv": {"A": f'{{"Authorization": "Bearer {SECRET}"}}'}}, "extraEnv.A"),
    "header-in-json-of-an-argument": (
        {"extraArgs": [f'--x={{"h": {{"authorization": "Basic {SECRET}"}}}}']},
        "extraArgs[0]",
    ),
    "header-in-yaml": ({"extraEnv": {"A": f"headers:\n  Authorization: Bearer {SECRET}\n"}}, "extraEnv.A"),
    "header-alone": ({"extraEnv": {"A": f"Bearer {SECRET}"}}, "extraEnv.A"),
    "basic-alone": ({"extraEnv": {"A": "Basic bWU6aHVudGVyMjI="}}, "extraEnv.A"),
    "header-in-another-place": ({"engine": {"servedModelName": [f"Bearer {SECRET}"]}}, "engine.servedModelName[0]"),
    "escaped-json": ({"extraEnv": {"A": f'{{\\"password\\": \\"{SECRET}\\"}}'}}, "extraEnv.A"),
    "json-with-escapes": ({"extraEnv": {"A": f'{{"pass\\u0077ord": "{SECRET}"}}'}}, "extraEnv.A"),
    "json-with-a-list": ({"extraEnv": {"A": f'{{"api_keys": ["{SECRET}"]}}'}}, "extraEnv.A"),
    "docker-config": ({"extraEnv": {"A": f'{{"auths": {{"r.io": {{"auth": "{SECRET}"}}}}}}'}}, "extraEnv.A"),
    "yaml": ({"extraEnv": {"A": f"user: me\npassword: {SECRET}\n"}}, "extraEnv.A"),
    "header-of-a-key": ({"extraEnv": {"A": f"x-api-key: {SECRET}"}}, "extraEnv.A"),
    "generated": ({"extraEnv": {"A": "Zk3q1WmPx9dR2vT8sLhB4nYc7A"}}, "extraEnv.A"),
    "webhook": ({"extraEnv": {"A": "https://hooks.slack.com/services/T00/B00/hunter22hunter22"}}, "extraEnv.A"),
    "pem": ({"extraEnv": {"A": "-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter22\n"}}, "extraEnv.A"),
    "label": ({"labels": {"password": "hunter22-not-a-real-one"}}, "labels.password"),
    "free-form": ({"engine": {"mmProcessorKwargs": {"auth": SECRET}}}, "engine.mmProcessorKwargs.auth"),
    "name-and-value-in-a-name": ({"nodePool": f"password={SECRET}"}, "nodePool"),
    "name-and-value-in-a-key": ({"labels": {f"password={SECRET}": "x"}}, "labels"),
    "name-and-value-in-an-address": ({"engine": {"tokenizer": f"gs://b/token={SECRET}"}}, "engine.tokenizer"),
    "generated-beside-a-secret": ({"apiKey": {"secret": "s", "key": "Zk3q1WmPx9dR2vT8sLhB4nYc7A"}}, "apiKey.key"),
    "generated-as-a-name": (
        {"engine": {"servedModelName": ["Zk3q1WmPx9dR2vT8sLhB4nYc7A"]}},
        "engine.servedModelName[0]",
    ),
    "option-of-two": ({"extraArgs": ["--x-auth", SECRET]}, "extraArgs[0]"),
    "option-in-a-variable": ({"extraEnv": {"A": f"--x --api-key {SECRET}"}}, "extraEnv.A"),
    "image": ({"engine": {"image": f"me:{SECRET}@registry.example.com/vllm:1"}}, "engine.image"),
    "nested": ({"engine": {"speculativeConfig": {"auth": {"token": SECRET}}}}, "engine.speculativeConfig.auth.token"),
    "key": ({"labels": {TOKEN: "x"}}, "labels"),
    "recipe": ({"recipe": f"x-{TOKEN}"}, "recipe"),
    "served-name": ({"engine": {"servedModelName": [f"sk-{'a1' * 12}"]}}, "engine.servedModelName[0]"),
    "expansion": ({"engine": {"servedModelName": ["$(HF_TOKEN)"]}}, "engine.servedModelName[0]"),
    "expansion-behind-pairs": ({"extraEnv": {"A": "$$$(HF_TOKEN)"}}, "extraEnv.A"),
    "expansion-in-env": ({"extraEnv": {"A": "x$(DB_PASSWORD)y"}}, "extraEnv.A"),
    "from-a-secret": ({"extraEnv": {"A": {"valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}}}, "extraEnv.A"),
}


@each(PLACES, str)
def test_a_secret_is_refused_at_its_place_unseen(name: str) -> None:
    fields, path = PLACES[name]
    with pytest.raises(ConfigError) as refused:
        loaded(serving({"qwen": workload(**fields)}))
    assert [problem.path for problem in refused.value.problems] == [f"workloads.qwen.{path}"]
    for hidden in (SECRET, TOKEN, "a1a1a1"):
        assert hidden not in str(refused.value)
        assert hidden not in repr(refused.value.problems)


ALLOWED: dict[str, dict[str, Any]] = {
    "expansion-of-another": {"extraEnv": {"A": "$(POD_IP) costs $5"}},
    "no-expansion": {"extraEnv": {"A": "$$(HF_TOKEN) $$$$(HF_TOKEN)"}},
    "file": {"extraEnv": {"GOOGLE_APPLICATION_CREDENTIALS": "/var/run/key.json"}},
    "tokens": {"extraEnv": {"VLLM_MAX_TOKENS": "5", "TOKENIZERS_PARALLELISM": "false"}},
    "template": {"engine": {"chatTemplate": "{% if x %}\n[INST]\t{{ x }}[/INST]{% endif %}"}},
    "digest": {"engine": {"image": "docker.io/vllm/vllm-openai:v0.26.0@sha256:" + "ab" * 32}},
    "switches": {
        "extraEnv": {"USE_AUTH": "true", "SESSION_TIMEOUT": "30s", "AUTH": "basic", "MY_TOKEN_FILE": "/run/t"}
    },
    "sentence": {"extraEnv": {"A": "clients send a bearer token, basic authentication is off; the key is elsewhere"}},
    "model": {
        "extraEnv": {"DRAFT": "Qwen/Qwen3-4B-FP8", "SHA": "9b1c" * 10, "ID": "0b9c1f7e-1111-4222-8333-944445555666"}
    },
    "json": {"extraEnv": {"A": '{"max_tokens": 5, "tokenizer": "x", "cache_key": "y", "auth": false}'}},
    "settings-that-speak-of-tokens": {
        "extraArgs": [
            '--hf-overrides={"classifier_from_token": ["no", "x"], "image_token_index": 32000, "eos_token_id": 2}',
            '--kv-transfer-config={"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}',
            '--default-chat-template-kwargs={"enable_thinking": false}',
        ]
    },
    "usual-variables": {
        "extraEnv": {
            "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
            "HTTPS_PROXY": "http://proxy.corp:3128",
            "TZ": "Europe/Berlin",
            "AWS_ENDPOINT_URL": "https://storage.googleapis.com",
            "LMCACHE_CONFIG_FILE": "/etc/lmcache/config.yaml",
            "NCCL_SOCKET_IFNAME": "eth0",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=chat,deployment.environment=prod",
            "NO_PROXY": "10.0.0.0/8,.svc,metadata.google.internal",
            "VLLM_USE_V1": "1",
            "HF_HUB_ENABLE_HF_TRANSFER": "1",
        }
    },
    "batched-tokens": {"extraArgs": ["--long-prefill-token-threshold=512"]},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_no_secret_passes(name: str) -> None:
    loaded(serving({"qwen": workload(**ALLOWED[name])}))


@each(["\x1b", "\x00", "\n", "\r", "\u202e", "\u2028", "\u200b", "\x85", "\t"], ascii)
def test_names_hold_no_character_that_acts(character: str) -> None:
    for fields in ({"labels": {f"a{character}b": "c"}}, {"engine": {"servedModelName": [f"a{character}b"]}}):
        with pytest.raises(ConfigError) as refused:
            loaded(serving({"qwen": workload(**fields)}))
        assert len(refused.value.problems) == 1
        assert f"U+{ord(character):04X}" in str(refused.value)
        assert character not in str(refused.value).replace("\n    fix:", "")


NAMED = """VLLM_API_KEY HF_TOKEN --api-key dbPassword S3_ACCESS_KEY API_KEY TOKEN_1 API_TOKEN_PROD MY_SECRET_V2 SECRETS
APIKEY2 BASIC_AUTH JWT COOKIE PRIVATE_PEM SSH_KEY_B64 VLLM_API_KEY_2 MY_PAT MY_CRED GIT_CREDS AUTH SECRET_VALUE DBPASS
PASSPHRASE DSN SENTRY_DSN DB_PWD DBPWD CONNECTION_STRING SQLCONNSTR COOKIE_VALUE SESSION PHPSESSID AZURE_SAS AUTH_HEADER
AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN CLIENTSECRET APITOKEN HF_TOKENS TOKEN_FOR_HUB wandb_key mySecretValue X_SIGNATURE
PROXY_AUTHORIZATION LICENSE_KEY"""


@each(NAMED.split(), str)
def test_names_of_secrets(name: str) -> None:
    assert names_a_secret(name)


OTHERS = """MAX_TOKENS TOKENIZER --tokenizer key SORT_KEY --max-num-batched-tokens TOKENIZERS_PARALLELISM HF_HUB_OFFLINE
VLLM_ALLOW_LONG_MAX_MODEL_LEN CUDA_LAUNCH_BLOCKING NCCL_DEBUG OMP_NUM_THREADS BYPASS COMPASS SESSION_TIMEOUT
TOKEN_TYPE AUTH_TYPE SECRET_NAME PASSWORD_FILE KEYCLOAK_URL PATH LD_LIBRARY_PATH PATTERN SASL_MECHANISM
TOKEN_LIMIT PASSES --return-tokens-as-token-ids --allow-credentials"""


@each(OTHERS.split(), str)
def test_names_of_other_things(name: str) -> None:
    assert not names_a_secret(name)


def test_a_secret_in_a_comment_a_tag_or_an_anchor_is_refused_unseen(tmp_path: Any) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    cluster = "{mode: standard, name: llm, location: us-central1-a}"
    for line in (f"# {TOKEN}", f"x: !{TOKEN} y", f"x: &{TOKEN} y"):
        file.write_text(f"config:\n  gke-llm-serving:serving:\n    cluster: {cluster}\n{line}\n", encoding="utf-8")
        with pytest.raises(StackFileError) as refused:
            read_stack_file(file)
        assert refused.value.line == 4
        assert TOKEN not in str(refused.value)


IDENTIFIERS = ("../../etc", "my-pr\u043eject", "A-B", "x", "my-project\n", "a" * 40)


@pytest.mark.parametrize("project", IDENTIFIERS, ids=ascii)
def test_a_project_has_the_form_of_one(project: str) -> None:
    with pytest.raises(ConfigError, match="gcp:project"):
        loaded(serving(), project=project)


@each(["a/../../b:v", "a//b", "/a", "vllm/vll\u043c", "a:b:c", "a b", "a/b@sha256:xyz", "http://a/b"], ascii)
def test_an_image_has_the_form_of_a_reference(image: str) -> None:
    with pytest.raises(ConfigError, match="image"):
        loaded(serving({"qwen": workload(engine={"image": image})}))


@pytest.mark.parametrize("image", ["vllm/vllm-openai", "localhost:5000/a/b_c:1.0", "eu.gcr.io/my-project/a.b/c__d:x"])
def test_images_of_every_usual_form_pass(image: str) -> None:
    loaded(serving({"qwen": workload(engine={"image": image})}))


@pytest.mark.parametrize("name", ["--max-num-batched-token", "maxNewToken", "--eos-token"])
def test_a_token_that_is_a_piece_of_text_names_no_secret(name: str) -> None:
    assert not names_a_secret(name)
    assert names_a_secret("--hf-token")


@pytest.mark.parametrize("name", ["Qwen3VLMoeForConditionalGeneration", "DeepseekV32ForCausalLMWithExperts"])
def test_the_name_of_a_class_is_not_hidden(name: str) -> None:
    assert redact(f"vLLM has no {name}") == f"vLLM has no {name}"


ASSIGNED = ("host=b password=hunter2hunter2", "https://h.co/?token=bbcdefabcdef12345678", "a=1&api_key=0123456789ab")


@pytest.mark.parametrize("text", ASSIGNED)
def test_a_secret_of_a_dsn_or_a_query_is_refused_and_hidden(text: str) -> None:
    with pytest.raises(ConfigError, match="plain text") as refused:
        loaded(serving({"qwen": workload(extraEnv={"DSN": text})}))
    secret = text.rsplit("=", 1)[-1]
    assert secret not in str(refused.value)
    assert secret not in redact(f"environment DSN: {text} -> {text}")


@pytest.mark.parametrize(
    "text", ["xai-" + "a1B2" * 8, "pplx-" + "a1B2" * 8, "doo_v1_" + "ab12" * 10, "sq0atp-" + "aB1-" * 6]
)
def test_more_issuers_are_known_by_their_shape(text: str) -> None:
    assert text not in redact(f"it is {text}.")


def test_a_password_with_a_slash_in_a_url_is_hidden() -> None:
    assert "wJalr/K7" not in redact("https://user:wJalr/K7MDENG@huggingface.co")
    assert redact("http://localhost:8000/a@b") == "http://localhost:8000/a@b"


_OF_CONTRACTS = """API_KEY HF_API_TOKEN HF_TOKEN HUGGING_FACE_HUB_TOKEN NGROK_AUTHTOKEN S3_ACCESS_KEY_ID VLLM_API_KEY
S3_SECRET_ACCESS_KEY --api-key --hf-token --ngrok-authtoken"""


def test_of_all_variables_and_flags_of_every_release_only_those_for_secrets_are_taken_for_some() -> None:
    names = {
        name
        for kind in ("vllm", "tgi")
        for version in contract_versions(kind)
        for name in (*load_contract(kind, version).env, *load_contract(kind, version).flags)
    }
    assert len(names) > 900
    assert {name for name in names if names_a_secret(name)} == {*_OF_CONTRACTS.split()}


HIDDEN_IN_TEXTS = (
    f'{{"password": "{SECRET}"}}', f"Authorization: Basic {SECRET}", f"authorization: token {SECRET}",
    f"Bearer {SECRET}", f"https://hooks.slack.com/services/T0/B0/{SECRET}", f"'db_pwd': '{SECRET}'",
)  # fmt: skip


@each(HIDDEN_IN_TEXTS, str)
def test_what_is_printed_hides_what_a_text_gives_under_a_name_for_secrets(text: str) -> None:
    assert SECRET not in redact(f"the server said: {text}")


def test_what_is_printed_keeps_our_own_words() -> None:
    for text in (
        'apiKey: {"secret": "llm-api-key", "key": "k"}',
        "clients send a bearer token",
        "basic settings of it",
    ):
        assert redact(text) == text
