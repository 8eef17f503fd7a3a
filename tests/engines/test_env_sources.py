"""Variables from Secrets and ConfigMaps: what an engine is given, and what is refused."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.releases.contract import contract_versions
from tests.each_case import each
from tests.factories import planned, serving, workload

PATHS = {"configMap": "paths", "key": "a"}
KEPT = {"secret": "keys", "key": "api-key"}
SECRET = "hunter22-not-a-real-one"


def sources(**fields: Any) -> dict[str, Any]:
    """The variables that a plan takes from elsewhere, by name."""
    (plan,) = planned(serving({"qwen": workload(**fields)})).workloads
    assert set(plan.engine.env).isdisjoint(plan.engine.env_sources)
    return {name: source.model_dump(exclude_none=True) for name, source in plan.engine.env_sources.items()}


def problems(**fields: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        planned(serving({"qwen": workload(**fields)}))
    return {p.path.removeprefix("workloads.qwen."): f"{p.message} {p.remedy}" for p in refused.value.problems}


@pytest.mark.slow
@each([version for version in contract_versions("vllm") if version.endswith(".0")], str)
def test_every_release_of_vllm_gets_its_key_by_its_variable(version: str) -> None:
    fields = {"engine": {"version": version}, "allow": []}
    assert sources(**fields, apiKey=KEPT) == {"VLLM_API_KEY": KEPT}
    assert sources(**fields) == {}


def test_tgi_gets_its_key_by_its_own_variable_where_it_reads_one() -> None:
    tgi = {"kind": "tgi", "maxModelLen": None}
    assert sources(engine={**tgi, "version": "3.3.7"}, apiKey=KEPT) == {"API_KEY": KEPT}
    said = problems(engine={**tgi, "version": "2.2.0"}, apiKey=KEPT)
    assert "serve whoever reaches it" in said["apiKey"]


def test_variables_come_from_secrets_and_config_maps() -> None:
    env = {"S3_SECRET_ACCESS_KEY": KEPT, "HTTPS_PROXY": {"configMap": "net", "key": "proxy"}}
    assert sources(env=env)["HTTPS_PROXY"] == {"config_map": "net", "key": "proxy"}
    assert sources(env=env, apiKey=KEPT).keys() == {*env, "VLLM_API_KEY"}


def test_the_path_of_libraries_may_come_from_elsewhere_in_an_image_of_one_s_own() -> None:
    env = {"LD_LIBRARY_PATH": PATHS}
    assert sources(engine={"version": "0.10.0", "image": "example.com/own/server:1"}, env=env).keys() == env.keys()


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "api-key": ({"env": {"VLLM_API_KEY": KEPT}}, "env.VLLM_API_KEY", "apiKey"),
    "hub-token": ({"env": {"HF_TOKEN": KEPT}}, "env.HF_TOKEN", "huggingFace"),
    "twice": ({"env": {"A": KEPT}, "extraEnv": {"A": "b"}}, "env.A", "remove one"),
    "setting": ({"env": {"VLLM_NO_USAGE_STATS": KEPT}}, "env.VLLM_NO_USAGE_STATS", "extraEnv.VLLM_NO_USAGE_STATS"),
    "misspelt": ({"env": {"VLLM_LOGING_LEVEL": KEPT}}, "env.VLLM_LOGING_LEVEL", "VLLM_LOGGING_LEVEL"),
    "libraries": ({"env": {"LD_LIBRARY_PATH": PATHS}}, "env.LD_LIBRARY_PATH", "with /usr/local/nvidia/lib64 in it"),
    **{
        name: ({"env": {name: PATHS}}, f"env.{name}", f"write its value in extraEnv.{name}")
        for name in ("HOME", "TMPDIR", "HF_HOME", "XDG_CACHE_HOME", "TRITON_CACHE_DIR")
    },
    "neither": ({"env": {"A": {"key": "a"}}}, "env.A", "add secret: NAME, or configMap: NAME"),
    "both": ({"env": {"A": {**KEPT, "configMap": "c"}}}, "env.A", "remove one of them"),
    "kubernetes' own form": ({"env": {"A": {"valueFrom": {}, "key": "a"}}}, "env.A.valueFrom", "no such key"),
    "value": ({"env": {"A": SECRET}}, "env.A", "extraEnv"),
    "secret": ({"env": {"DB_PASSWORD": SECRET}}, "env.DB_PASSWORD", "env.VARIABLE"),
    "number": ({"env": {"A": 5}}, "env.A", "extraEnv"),
    "key as text": ({"apiKey": SECRET}, "apiKey", "apiKey: {secret: NAME, key: KEY}"),
    "encrypted": ({"apiKey": {"secure": "v1:abc"}}, "apiKey", "apiKey: {secret: NAME, key: KEY}"),
    "list": ({"env": [f"A={SECRET}"]}, "env", "a mapping is expected"),
    "key with spaces": ({"apiKey": {"secret": "a", "key": f"{SECRET} !"}}, "apiKey.key", "api-key"),
    "no name": ({"apiKey": {"secret": SECRET.upper(), "key": "a"}}, "apiKey.secret", "the value"),
}


@each(REFUSED, str)
def test_what_is_no_source_is_refused_with_the_form_that_is(name: str) -> None:
    fields, path, said = REFUSED[name]
    found = problems(**fields)
    assert said in found[path]
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    ("given", "level", "told"),
    [
        ({}, "warn", "key-on-command-line"),
        ({"extraEnv": {"LOG_LEVEL": "error"}}, "error", "key-on-command-line"),
        ({"extraEnv": {"LOG_LEVEL": "info"}}, "info", "key-in-log"),
        ({"env": {"LOG_LEVEL": {"configMap": "levels", "key": "tgi"}}}, None, "key-in-log"),
    ],
)
def test_a_key_that_the_launcher_shows_is_told_of_and_kept_out_of_its_log(
    given: dict[str, Any], level: str | None, told: str
) -> None:
    tgi = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}
    plan = planned(serving({"qwen": workload(engine=tgi, apiKey=KEPT, **given)}))
    assert plan.workloads[0].engine.env.get("LOG_LEVEL") == level
    shown = {"key-on-command-line", "key-in-log"}
    assert [note.id for note in plan.notes if note.id in shown] == [told]


@pytest.mark.parametrize(
    "fields", [{"engine": {"kind": "tgi", "maxModelLen": None, "version": "3.3.7"}}, {"apiKey": KEPT}]
)
def test_no_key_or_an_engine_that_shows_none_keeps_its_log(fields: dict[str, Any]) -> None:
    plan = planned(serving({"qwen": workload(**fields)}))
    assert "LOG_LEVEL" not in plan.workloads[0].engine.env
    assert not [note for note in plan.notes if note.id.startswith(("key-on", "key-in-log"))]
