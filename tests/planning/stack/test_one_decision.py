"""Each fact is decided once: whoever answers "can this work" or "what does it cost" gives the same answer."""

import json
import sys
from types import FrameType
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import read_stack_file
from l4serve.engines.releases.contract import contract_versions
from l4serve.engines.rule_inputs import backend_of
from l4serve.planning.machines import shapes
from l4serve.planning.models.catalogue import all_models
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.stack.version_move import version_move
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from tests import factories

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
QWEN7 = "Qwen/Qwen2.5-7B-Instruct"


def asked(*args: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["fit", *args, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.exit_code in (0, 1) else {}


def refusals(workload: dict[str, Any], machine: str = "g2-standard-8") -> tuple[str, ...]:
    pools = {"l4": {"machineType": machine, "maxNodes": 4}}
    try:
        factories.planned(factories.serving({"w": workload}, pools=pools))
    except ConfigError as error:
        return tuple(str(problem) for problem in error.problems)
    return ()


@pytest.mark.parametrize(
    ("args", "workload", "machine", "code"),
    [
        (
            ("--model", "google/gemma-7b", "--tensor-parallel", "3", "--max-model-len", "2048"),
            factories.workload("google/gemma-7b", engine={"maxModelLen": 2048}, gpus=3),
            "g2-standard-48",
            1,
        ),
        (
            ("--model", "Qwen/Qwen2.5-1.5B-Instruct", "--max-model-len", "65536"),
            factories.workload(engine={"maxModelLen": 65536}),
            "g2-standard-8",
            1,
        ),
        (
            ("--model", "Qwen/Qwen2.5-1.5B-Instruct", "--engine-version", "9.9.9"),
            factories.workload(engine={"version": "9.9.9"}),
            "g2-standard-8",
            2,
        ),
    ],
    ids=["three-ranks-of-sixteen-heads", "context-beyond-the-model", "unknown-release"],
)
def test_fit_refuses_what_the_plan_refuses(
    args: tuple[str, ...], workload: dict[str, Any], machine: str, code: int
) -> None:
    assert refusals(workload, machine)
    assert asked(*args)[0] == code


@pytest.mark.parametrize(
    "args",
    [
        ("--model", LLAMA),
        ("--model", "google/gemma-7b", "--max-model-len", "8192"),
        ("--model", "Qwen/Qwen2.5-14B-Instruct", "--max-model-len", "8192"),
        ("--model", "google/gemma-7b", "--engine", "tgi", "--max-model-len", "8192"),
    ],
    ids=lambda args: " ".join(args[1:4]),
)
def test_every_remedy_of_fit_is_one_that_the_plan_takes(args: tuple[str, ...]) -> None:
    code, answer = asked(*args)
    assert (code, bool(answer["remedies"])) == (0 if answer["marginIsUncertain"] else 1, True)
    engine = "tgi" if "tgi" in args else "vllm"
    length = {"vllm": "maxModelLen", "tgi": "maxTotalTokens"}[engine]
    for remedy in answer["remedies"]:
        base = factories.workload(args[1], engine={"kind": engine, "version": None, "maxModelLen": None})
        if "--max-model-len" in args:
            base["engine"][length] = int(args[args.index("--max-model-len") + 1])
        for key, value in remedy["edit"].items():
            step, _, field = key.partition(".")
            if field:
                base[step][field] = value
            else:
                base[step] = value
        machine = {1: "g2-standard-32", 2: "g2-standard-24"}.get(base.get("gpus", 1), "g2-standard-96")
        assert refusals(base, machine) == (), remedy


def test_a_remedy_for_a_pool_keeps_to_the_gpus_of_its_machine() -> None:
    (text,) = refusals(factories.workload(LLAMA, engine={"maxModelLen": 131072}))
    assert "gpus: 2" not in text or "machineType" in text


@pytest.mark.slow
def test_the_backend_of_the_rules_is_the_one_that_the_memory_model_counts() -> None:
    compared = 0
    for model in {(each.architecture, each.head_dim, each.torch_dtype): each for each in all_models()}.values():
        for release in contract_versions("vllm"):
            for kv in ("auto", "fp8", "fp8_e5m2"):
                settings = {"kvCache": kv}
                subject = subject_of(
                    Question(
                        model=model,
                        engine="vllm",
                        engine_version=release,
                        accelerator=shapes.default_accelerator(),
                        gpus=1,
                        settings=settings,  # type: ignore[arg-type]
                    )
                )
                assert subject.options.attention_backend == backend_of(subject.case).name
                compared += 1
    assert compared > 300


def test_batch_limits_are_those_of_the_contract_in_force() -> None:
    for release in contract_versions("vllm"):
        for card, gib in (("nvidia-l4", 22.0), ("nvidia-h100-80gb", 79.0)):
            model = next(iter(all_models()))
            question = Question(model=model, engine="vllm", engine_version=release, accelerator=card, gpus=1)
            subject = subject_of(question)
            limits = subject.resolved.contract.batch_limits_for(gib, card)
            assert limits is not None
            assert subject.options.default_max_num_seqs == limits.max_num_seqs
            assert subject.options.default_max_num_batched_tokens == limits.max_num_batched_tokens


def test_check_judges_as_the_plan_does() -> None:
    stack = factories.loaded(factories.serving({"w": factories.workload(QWEN7, engine={"maxModelLen": 8192})}))
    planned = factories.planned(stack.serving).workloads[0].judgement
    (moved,) = version_move(stack, None)
    assert moved.now.judgement.fit == planned.fit
    assert moved.now.judgement.verdicts == planned.verdicts
    assert not moved.breaks


def test_both_lengths_have_names_of_their_own_in_every_json() -> None:
    _, answer = asked("--model", "Qwen/Qwen2.5-1.5B-Instruct", "--max-model-len", "8192")
    plan = factories.planned(factories.serving({"w": factories.workload(engine={"maxModelLen": 8192})}))
    fit = stack_json(plan)["workloads"]["w"]["fit"]
    for found in (answer, fit):
        assert found["judgedMaxModelLen"] == 8192
        assert found["largestMaxModelLen"] == 32768
    assert (answer["maxModelLen"], fit["maxModelLen"]) == (32768, 8192), "the older keys stay as they were"
    assert fit["kvCacheGib"] == pytest.approx(answer["kvCacheGib"], abs=0.001)


def test_a_stack_looks_its_machine_up_twice_at_most() -> None:
    looked_up = []

    def called(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is shapes.find_shape.__code__:
            looked_up.append(frame.f_locals["machine_type"])

    dev = read_stack_file(factories.ROOT / "Pulumi.dev.yaml")
    sys.setprofile(called)
    try:
        plan_stack(dev)
    finally:
        sys.setprofile(None)
    assert 0 < len(looked_up) <= 2, looked_up


ALL_WRONG_WORKLOADS = {
    "far": factories.workload(engine={"maxModelLen": 65536}, nodePool="l4"),
    "old": factories.workload(engine={"version": "9.9.9"}, nodePool="l4"),
    "lost": factories.workload(nodePool="none"),
    "classless": factories.workload(computeClass="none"),
}
ALL_WRONG_POOLS = {
    "l4": {"machineType": "g2-standard-8"},
    "odd": {"machineType": "g2-standard-7"},
    "unsold": {"machineType": "a3-highgpu-1g"},
    "bare": {"machineType": "n1-standard-8"},
    "twice": {"machineType": "g2-standard-8", "zones": ["us-central1-a", "us-central1-a"]},
}
WRONG_CLUSTER = {**factories.ZONAL, "controlPlane": {"dnsEndpoint": False, "ipEndpoint": "none"}}
OF_POOLS_AND_WORKLOADS = {
    "nodePools.odd.machineType",
    "nodePools.unsold.provisioning",
    "nodePools.bare.accelerator",
    "nodePools.twice.zones",
    "workloads.far.engine.maxModelLen",
    "workloads.old.engine.version",
    "workloads.lost.nodePool",
    "workloads.classless.computeClass",
    "allowReplace[0]",
}


@pytest.mark.parametrize("cluster", [WRONG_CLUSTER, factories.ZONAL], ids=["wrong", "good"])
def test_errors_of_cluster_pools_and_workloads_come_all_at_once(cluster: dict[str, Any]) -> None:
    serving = factories.serving(ALL_WRONG_WORKLOADS, cluster=cluster, pools=ALL_WRONG_POOLS, allowReplace=["l5"])
    with pytest.raises(ConfigError) as caught:
        factories.planned(serving)
    paths = {problem.path for problem in caught.value.problems}
    assert paths >= OF_POOLS_AND_WORKLOADS, OF_POOLS_AND_WORKLOADS - paths
    assert ("cluster.controlPlane" in paths) is (cluster is WRONG_CLUSTER)


@pytest.mark.slow
def test_every_note_of_every_part_is_a_note_of_the_plan() -> None:
    cluster = {**factories.ZONAL, "network": "shared", "controlPlane": {"dnsEndpoint": False}}
    plan = factories.planned(
        factories.serving(cluster=cluster, pools={"l4": {**factories.POOL, "spot": True}}), has_token=False
    )
    paths = {note.path for note in plan.notes}
    assert {"cluster", "nodePools.l4"} <= paths
    texts = [note["text"] for note in stack_json(plan)["notes"]]
    assert any("NAT" in text for text in texts)
    assert any("inside the network" in text for text in texts)
    parts: tuple[Any, ...] = (plan.cluster, *plan.node_pools, *plan.placement, *plan.workloads)
    assert [n for part in parts for n in part.notes if n not in plan.notes] == []
