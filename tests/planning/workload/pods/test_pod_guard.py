"""Pod Security of the pods, by image, release and config."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.image_users import image_user
from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.planning.stack.stack_plan import StackPlan
from tests import factories
from tests.stack_cases import planned

TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}


def plan(engine: dict[str, Any] | None = None, **fields: Any) -> StackPlan:
    return factories.planned(factories.serving({"qwen": factories.workload(engine=engine, **fields)}))


def refusal(engine: dict[str, Any] | None = None, **fields: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        plan(engine, **fields)
    return str(refused.value)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_our_own_stacks_pass_restricted(stack: str) -> None:
    assert planned(stack).pod_security == "restricted"
    assert not [note for note in planned(stack).notes if note.id == "pods-not-restricted"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vllm", "tgi"])
def test_each_release_has_a_user_or_a_reason(kind: str) -> None:
    for version in contract_versions(kind):
        known = image_user(load_contract(kind, version))
        assert bool(known.user) != bool(known.reason), version
        assert known.user is None or (known.home and known.name), version


def test_vllm_runs_as_the_user_of_its_image_over_a_read_only_file_system() -> None:
    (workload,) = plan().workloads
    guard = workload.guard
    assert (guard.user, guard.group, guard.env) == (2000, 0, {"HOME": "/home/vllm", "USER": "vllm"})
    assert guard.writable == ("/home/vllm", "/tmp")


def test_an_image_that_only_root_can_run_lowers_the_namespace_and_says_why() -> None:
    found = plan(TGI)
    assert found.pod_security == "baseline"
    (note,) = [note for note in found.notes if note.id == "pods-not-restricted"]
    assert "below /root" in note.text


def test_one_workload_as_root_lowers_the_namespace_of_all() -> None:
    both = {"a": factories.workload(), "b": factories.workload(engine=TGI)}
    assert factories.planned(factories.serving(both)).pod_security == "baseline"


def test_restricted_is_refused_of_an_image_that_only_root_can_run() -> None:
    told = refusal(TGI, podSecurity={"level": "restricted"})
    assert "workloads.qwen.podSecurity.level" in told and "below /root" in told
    own = {"level": "restricted", "user": 10001, "home": "/home/app"}
    (workload,) = plan({**TGI, "image": "registry.example.com/tgi:1"}, podSecurity=own).workloads
    assert (workload.guard.user, workload.guard.group, workload.guard.env["HOME"]) == (10001, 10001, "/home/app")


@pytest.mark.parametrize("engine", [TGI, {"version": "0.8.0"}], ids=["tgi", "vllm"])
@pytest.mark.parametrize("level", [None, "restricted"])
def test_a_user_that_the_engines_own_image_shuts_out_is_refused(engine: dict[str, Any], level: str | None) -> None:
    named = {"user": 1000} | ({"level": level} if level else {})
    told = refusal(engine, podSecurity=named)
    assert "workloads.qwen.podSecurity.user" in told and "below /root" in told
    assert plan({**engine, "image": "registry.example.com/own:1"}, podSecurity=named).workloads[0].guard.user == 1000


def test_a_user_that_nobody_tried_is_told_of() -> None:
    notes = plan({**TGI, "version": "2.4.1"}, podSecurity={"user": 1000}).notes
    (note,) = [each for each in notes if "podSecurity" in each.path]
    assert (note.id, note.level) == ("user-unproven", "may fail")


def test_an_image_of_another_repository_is_told_of() -> None:
    image = {"image": "registry.example.com/vllm:0.26.0"}
    assert [n.id for n in plan(image).notes if n.path.endswith("podSecurity")] == ["user-of-another-image"]
    assert not [n for n in plan(image, podSecurity={"user": 10001}).notes if n.path.endswith("podSecurity")]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"extraEnv": {"HF_HOME": "/data"}}, "extraEnv.HF_HOME"),
        ({"extraEnv": {"VLLM_CACHE_ROOT": "/var/cache"}}, "extraEnv.VLLM_CACHE_ROOT"),
        ({"extraEnv": {"VLLM_RPC_BASE_PATH": "/data"}}, "extraEnv.VLLM_RPC_BASE_PATH"),
        ({"extraArgs": ["--download-dir=/models"]}, "extraArgs"),
        ({"extraArgs": ["--download-dir", "/models"]}, "extraArgs"),
        ({"engine": {"compilationConfig": {"cache_dir": "/data"}}}, "engine.compilationConfig"),
        ({"extraArgs": ["-cc.cache_dir=/data"]}, "extraArgs"),
        ({"extraArgs": ['--compilation-config={"debug_dump_path": "/data"}']}, "extraArgs"),
    ],
)
def test_a_folder_that_nobody_could_write_to_is_refused(fields: dict[str, Any], named: str) -> None:
    told = refusal(**fields)
    assert f"workloads.qwen.{named}" in told and "podSecurity.writable" in told
    assert plan(podSecurity={"writable": ["/data", "/var/cache", "/models"]}, **fields)
    assert plan(podSecurity={"level": "baseline"}, **fields)


def test_a_folder_below_home_needs_no_word() -> None:
    assert plan(extraEnv={"HF_HOME": "/home/vllm/hub", "TRITON_CACHE_DIR": "/tmp/triton"})


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"level": "baseline", "user": 7}, "remove user"),
        ({"group": 7}, "set user as well"),
        ({"user": 0}, "0 is below 1"),
        ({"writable": ["relative"]}, "writable"),
    ],
)
def test_what_says_nothing_is_refused(config: dict[str, Any], told: str) -> None:
    assert told in refusal(podSecurity=config)


def test_folders_are_refused_of_root() -> None:
    told = refusal(TGI, podSecurity={"home": "/home/me", "writable": ["/data"]})
    assert "podSecurity.home" in told and "podSecurity.writable" in told


HIDING = {
    "/usr": "(/usr/bin)",
    "/etc": "(/etc/alternatives)",
    "/usr/local": "(/usr/local/bin)",
    "/dev/x": "(/dev)",
    "/usr/lib/x86_64-linux-gnu": "(/usr/lib)",
    "/lib/x86_64-linux-gnu": "(/lib)",
    "/usr/local/lib/python3.12/dist-packages/vllm": "(/usr/local/lib)",
    "/usr/bin/python3": "(/usr/bin)",
    "/usr/local/cuda-12.9/lib64": "(/usr/local/cuda)",
    "/usr/local/nvidia": "the GPU driver, which GKE mounts there",
    "/usr/local/nvidia/lib64": "the GPU driver, which GKE mounts there",
    **{f"/etc/{file}": "look libraries, names" for file in ("passwd", "hosts", "resolv.conf", "ssl/certs")},
}


@pytest.mark.parametrize("folder", HIDING)
def test_an_empty_folder_over_what_the_image_starts_from_is_refused(folder: str) -> None:
    for field, value in (("home", folder), ("writable", [folder])):
        told = refusal(podSecurity={field: value})
        assert f"podSecurity.{field}" in told and f"at {folder} hides " in told and HIDING[folder] in told


def test_a_folder_that_no_image_starts_from_may_be_written_to() -> None:
    free = ["/usr/src/x", "/etc/vllm", "/opt/x", "/data", "/models", "/library", "/usr/local/models", "/vllm-workspace"]
    assert plan(podSecurity={"writable": [*free, "/opt/conda"]}), "vLLM's images have no conda"
    own = {**TGI, "version": "2.4.1", "image": "registry.example.com/tgi:mine"}
    assert plan(own, podSecurity={"user": 7, "writable": free})
    for folder in ("/opt/conda", "/usr/src/server/x", "/usr/src"):
        assert f"{folder} hides the server of the image" in refusal(own, podSecurity={"user": 7, "writable": [folder]})


def test_shared_memory_is_mounted_already() -> None:
    for folder in ("/dev/shm", "/dev/shm/x"):
        told = refusal(podSecurity={"writable": [folder]})
        assert "the pod mounts /dev/shm already, and may write there" in told and "hides" not in told
