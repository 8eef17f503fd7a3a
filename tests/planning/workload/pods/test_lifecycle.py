"""A pod's start and its end: what is predicted, what may never be killed, and who waits for whom."""

from typing import Any

import pytest

from l4serve.planning.machines.shapes import find_shape
from l4serve.planning.values.note import note_kind
from l4serve.planning.workload.pods.start import deadline_seconds
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories

RELEASES = [
    ("vllm", "0.8.0"),
    ("vllm", "0.11.0"),
    ("vllm", "0.17.1"),
    ("vllm", "0.18.0"),
    ("vllm", "0.26.0"),
    ("vllm", "0.33.0"),
    ("tgi", "2.0.0"),
    ("tgi", "3.2.1"),
    ("tgi", "3.2.2"),
    ("tgi", "3.3.7"),
]
LARGE = "meta-llama/Llama-3.3-70B-Instruct"


def chat(kind: str = "vllm", version: str = "0.26.0", *, model: str = factories.SMALL, **more: Any) -> WorkloadPlan:
    spot, pool = more.pop("spot", False), more.pop("pool", {})
    engine = {"kind": kind, "version": version, **more.pop("engine", {})}
    if kind == "tgi":
        engine = {"maxModelLen": None, "maxTotalTokens": 4096, **engine}
    machine = {**factories.POOL, "spot": spot, **pool}
    values = factories.serving({"chat": factories.workload(model, engine=engine, **more)}, pools={"l4": machine})
    return factories.planned(values).workloads[0]


@pytest.mark.parametrize(("kind", "version"), RELEASES)
@pytest.mark.parametrize("spot", [False, True])
def test_the_grace_is_above_leaving_and_finishing(kind: str, version: str, spot: bool) -> None:
    plan = chat(kind, version, spot=spot)
    life, shutdown = plan.lifecycle, plan.engine.contract.shutdown
    finish = 90 if shutdown.drains else 0
    assert life.grace_seconds >= life.leave_seconds + finish + 10
    assert life.leave_seconds >= (5 if spot else 15)
    if spot:
        assert life.leave_seconds < 15, "GKE kills the pods of a spot node after 15 s"


@pytest.mark.parametrize(("kind", "version"), RELEASES)
def test_an_engine_is_told_to_finish_where_the_release_can_be_told(kind: str, version: str) -> None:
    plan = chat(kind, version)
    flag = {"vllm": "--shutdown-timeout", "tgi": "--graceful-termination-timeout"}[kind]
    takes = plan.engine.contract.flag(flag) is not None
    assert (f"{flag}=90" in plan.engine.argv) is takes
    assert takes is (
        (kind, version)
        in {("vllm", "0.18.0"), ("vllm", "0.26.0"), ("vllm", "0.33.0"), ("tgi", "3.2.2"), ("tgi", "3.3.7")}
    )


def test_an_engine_that_cannot_finish_serves_on_for_longer() -> None:
    assert chat(version="0.17.1").lifecycle.leave_seconds > chat(version="0.18.0").lifecycle.leave_seconds


@pytest.mark.parametrize(
    ("kind", "version", "given"),
    [
        ("vllm", "0.26.0", {"extraArgs": ["--shutdown-timeout=300"]}),
        ("vllm", "0.26.0", {"extraArgs": ["--shutdown_timeout=300"]}),
        ("vllm", "0.26.0", {"extraArgs": ["--shutdown-t=300"]}),
        ("vllm", "0.26.0", {"extraArgs": ["--shutdown-timeout", "300"]}),
        ("tgi", "3.3.7", {"extraArgs": ["-g", "300"]}),
        ("tgi", "3.3.7", {"extraEnv": {"GRACEFUL_TERMINATION_TIMEOUT": "300"}}),
        (
            "tgi",
            "3.3.7",
            {"extraArgs": ["--graceful-termination-timeout=300"], "extraEnv": {"GRACEFUL_TERMINATION_TIMEOUT": "60"}},
        ),
    ],
)
def test_a_stated_timeout_stays_and_the_grace_follows(kind: str, version: str, given: dict[str, Any]) -> None:
    plan = chat(kind, version, **given)
    assert plan.lifecycle.drain_args == ()
    assert not [word for word in plan.engine.argv if word.endswith("=90")]
    assert plan.lifecycle.grace_seconds == 15 + 300 + 15


@pytest.mark.parametrize("most", [300, 4000])
def test_a_rollout_waits_until_an_old_pod_gives_its_gpu_away(most: int) -> None:
    plan = chat(replicas=4, extraArgs=[f"--shutdown-timeout={most}"])
    assert plan.scale.rollout.max_surge == 0
    start, deadline = plan.lifecycle.start, plan.scale.rollout.progress_deadline_seconds
    assert deadline >= plan.lifecycle.grace_seconds + start.image + start.budget


@pytest.mark.parametrize(("most", "told"), [(570, False), (571, True)])
def test_a_grace_that_the_autoscaler_cuts_short_is_told(most: int, told: bool) -> None:
    notes = chat(extraArgs=[f"--shutdown-timeout={most}"]).judgement.notes
    assert [note_kind(note).id for note in notes if "to end" in note] == ["cut-short"] * told


def test_readiness_fails_long_before_liveness() -> None:
    probes = chat().lifecycle.probes
    assert probes.readiness.seconds * 4 <= probes.liveness.seconds
    assert probes.startup_seconds >= 1800


@pytest.mark.parametrize(("kind", "version"), RELEASES)
def test_a_start_within_a_slow_download_is_never_killed(kind: str, version: str) -> None:
    plan = chat(kind, version)
    start = plan.lifecycle.start
    assert start.container is not None
    assert plan.lifecycle.probes.startup_seconds >= 3 * start.container
    assert plan.scale.rollout.progress_deadline_seconds >= start.budget + start.node + start.image
    assert plan.scale.rollout.progress_deadline_seconds == deadline_seconds(start, plan.lifecycle.grace_seconds)


def test_a_large_model_gets_half_a_minute_for_each_gib() -> None:
    assert find_shape("g2-standard-96") is not None
    pool = {"machineType": "g2-standard-96", "maxNodes": 1}
    plan = chat(model=LARGE, pool=pool, gpus=8, engine={"tensorParallelSize": 8})
    assert plan.lifecycle.probes.startup_seconds >= 130 * 30


def test_the_wait_covers_every_pod_of_a_rollout() -> None:
    rollout = chat(replicas=4).scale.rollout
    assert rollout.await_seconds == 4 * rollout.progress_deadline_seconds


def test_each_source_has_its_rate() -> None:
    bucket = {"kind": "bucket", "uri": "gs://models/m"}
    sources: dict[str, dict[str, Any] | None] = {
        "hub": None,
        "disk": bucket,
        "memory": {**bucket, "cache": "memory"},
        "streamer": {**bucket, "reader": "streamer"},
        "fast disk": {"kind": "hyperdisk", "throughputMibps": 2400},
    }
    seconds = {}
    for name, source in sources.items():
        values = factories.serving({"chat": factories.workload("Qwen/Qwen2.5-7B-Instruct")})
        if source is not None:
            values["workloads"]["chat"]["model"]["source"] = source
        weights = factories.planned(values).workloads[0].lifecycle.start.weights
        assert weights is not None
        seconds[name] = weights
    assert seconds["hub"] > seconds["disk"] > seconds["streamer"] == seconds["memory"] > seconds["fast disk"] > 0


def test_eager_execution_and_a_kept_cache_shorten_the_start() -> None:
    usual, eager = chat().lifecycle.start, chat(engine={"enforceEager": True}).lifecycle.start
    kept = chat(compileCache={"claim": "compiled"}).lifecycle.start
    assert (eager.compile, eager.graphs) == (0, 0)
    assert 0 < kept.compile < usual.compile
    assert chat("tgi", "3.3.7", engine={"cudaGraphs": [0]}).lifecycle.start.graphs == 0


def test_an_image_is_cached_or_streamed_where_the_pool_and_its_registry_let_it() -> None:
    disk = {"secondaryBootDisk": {"image": "global/images/vllm"}}
    streamed = {"image": "us-central1-docker.pkg.dev/p/r/vllm-openai:v0.26.0"}
    usual = chat().lifecycle.start.image
    assert chat(pool=disk).lifecycle.start.image < chat(engine=streamed).lifecycle.start.image < usual


def test_the_start_of_an_unknown_model_is_not_guessed() -> None:
    start = chat(model="my-org/unheard-of", fit="warn").lifecycle.start
    assert (start.weights, start.load, start.container, start.total) == (None, None, None, None)
    assert start.budget == 1800
