"""`models`, `recipes` and `explain` say what is known, also outside a project."""

import json
from pathlib import Path

import pytest

from l4serve.cli.answers.reference_lists import note_reference
from l4serve.cli.commands.explain_command import _entries, _json, explain, key_spans
from l4serve.config.recipes import recipes
from l4serve.config.schema.key_reference import all_keys, known_keys, objects
from l4serve.engines.releases.field_flags import NO_FLAG
from l4serve.planning.gke.conflicts import refusals
from l4serve.planning.models.catalogue import all_models
from tests.cli.terminal import run


def test_every_model_is_listed_with_size_and_source() -> None:
    listed = json.loads(run("models", "--json").stdout)["models"]
    assert [row["id"] for row in listed] == [model.id for model in all_models()]
    assert all(row["parameters"] > 0 and row["source"] and row["gated"] in (True, False) for row in listed)
    text = run("models", COLUMNS="200").stdout
    assert all(row["id"] in text for row in listed)


def test_a_machine_chooses_what_fits() -> None:
    one = {row["id"]: row for row in json.loads(run("models", "--fits", "g2-standard-8", "--json").stdout)["models"]}
    four = {row["id"] for row in json.loads(run("models", "--fits", "g2-standard-48", "--json").stdout)["models"]}
    assert "Qwen/Qwen2.5-32B-Instruct" in four
    assert "Qwen/Qwen2.5-32B-Instruct" not in one
    assert all(row["fits"] and row["longestContext"] >= min(2048, row["context"]) for row in one.values())


def test_a_host_of_attached_cards_is_named_with_them() -> None:
    result = run("models", "--fits", "n1-standard-8")
    assert result.exit_code == 2
    assert "n1-standard-8 has no GPUs of its own" in result.stderr
    assert "n1-standard-8 + 1 nvidia-tesla-t4" in result.stderr
    asked = json.loads(run("models", "--fits", "n1-standard-8 + 2 nvidia-tesla-t4", "--json").stdout)
    assert (asked["machine"], asked["gpus"]) == ("n1-standard-8 + 2 nvidia-tesla-t4", 2)


def test_weights_that_several_gpus_share_are_said_to_be_those_of_each() -> None:
    assert "weights GiB per GPU" in run("models", "--fits", "g2-standard-24", COLUMNS="200").stdout
    assert "per GPU" not in run("models", "--fits", "g2-standard-8", COLUMNS="200").stdout
    rows = json.loads(run("models", "--fits", "g2-standard-24", "--json").stdout)["models"]
    assert all(row["weightsGibPerGpu"] == row["weightsGib"] for row in rows)


def test_the_key_of_the_whole_stack_is_explained() -> None:
    assert "workloads" in run("explain", "gke-llm-serving:serving").stdout


def test_the_key_that_picks_an_engine_is_required() -> None:
    assert run("explain", "workloads.engine.kind").stdout.count("default: required") == 2
    assert "default: COMPACT" in run("explain", "nodePools.placement.type").stdout.replace('"', "")


def test_an_unknown_machine_is_refused_with_the_nearest() -> None:
    result = run("models", "--fits", "g2-standrad-8")
    assert result.exit_code == 2
    assert "did you mean g2-standard-8?" in result.stderr


@pytest.mark.parametrize("card", ["L4", "nvidia-l4", "NVIDIA L4"])
def test_a_card_where_a_machine_is_asked_for_is_answered_with_its_machines(card: str) -> None:
    result = run("models", "--fits", card)
    assert result.exit_code == 2
    assert "fix: name a machine: nvidia-l4 is in g2-standard-4, g2-standard-8" in result.stderr


def test_every_recipe_is_listed_with_its_source() -> None:
    listed = json.loads(run("recipes", "--json").stdout)["recipes"]
    assert [row["name"] for row in listed] == list(recipes())
    assert all(row["about"] and row["source"] for row in listed)
    assert all(row["gated"] and row["parameters"] > 7e9 and row["weightsGibPerGpu"] > 4 for row in listed)
    by_name = {row["name"]: row for row in listed}
    assert by_name["vllm-7b-awq"]["weightsGibPerGpu"] < by_name["vllm-7b-token"]["weightsGibPerGpu"] / 2
    assert by_name["tgi-7b-bitsandbytes"]["gpus"] == 2
    text = " ".join(run("recipes", COLUMNS="300").stdout.split())
    assert all(" ".join(row["source"].split())[:30] in text for row in listed)
    assert f"{by_name['vllm-7b-awq']['weightsGibPerGpu']:.2f}" in text and "needed" in text
    whole = run("recipes", "vllm-7b-kvcache").stdout
    assert "kvCacheDtype: fp8_e5m2" in whole
    assert "GiB of weights on its GPU" in whole and "token: needed" in whole
    assert "did you mean vllm-7b-kvcache?" in run("recipes", "vllm-7b-kvcahce").stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("hfToken", "pod restart; the new Secret comes first"),
        ("workloads.env", "pod restart"),
        ("nodePools.reservation", "pool replaced"),
        ("workloads", "nothing to workload replaced; each of its keys says its own"),
    ],
)
def test_an_edit_of_an_object_does_what_its_keys_say(key: str, effect: str) -> None:
    assert f"an edit: {effect}" in run("explain", key).stdout


def test_every_key_says_what_an_edit_does() -> None:
    silent = [key for key in known_keys() for entry in _entries(key) if _json(entry)["edit"] is None]
    assert silent == []


def test_every_key_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for key in known_keys():
        explain(key, as_json=False)
        told = capsys.readouterr().out
        assert told.startswith(key)
        assert "example: " in told


def test_an_explanation_has_bounds_default_edit_and_flags_by_release() -> None:
    text = run("explain", "workloads.engine.attentionBackend").stdout
    assert "flag:    VLLM_ATTENTION_BACKEND in vllm 0.8.0 to 0.12.0" in text
    assert "flag:    --attention-backend in vllm 0.13.0" in text
    assert "an edit: pod restart" in text
    assert "integer >= 1 <= 65535" in run("explain", "workloads.service.port").stdout
    swap = json.loads(run("explain", "workloads.engine.swapSpace", "--json").stdout)["entries"][0]
    assert [span["flag"] for span in swap["flags"]] == ["--swap-space", None]


def test_both_engines_answer_for_a_key_that_both_have() -> None:
    entries = json.loads(run("explain", "workloads.engine.kvCacheDtype", "--json").stdout)["entries"]
    assert [entry["chosenBy"] for entry in entries] == ["kind: tgi", "kind: vllm"] or [
        entry["chosenBy"] for entry in entries
    ] == ["kind: vllm", "kind: tgi"]


def test_a_key_of_several_objects_names_them_all_and_its_lines_hang() -> None:
    text = run("explain", "cluster.location", COLUMNS="80").stdout
    assert "cluster.location (mode: autopilot, mode: standard)\n  Region" in text
    assert "cluster.location (mode: existing)" in text
    assert all(line.startswith(("cluster.", "  ")) for line in text.splitlines() if line)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("maxModelLenn", "workloads.engine.maxModelLen"),
        ("workloads.engin.maxModelLn", "workloads.engine.maxModelLen"),
        ("nodepools", "nodePools"),
        ("workloads.engine.extraArgs", "workloads.extraArgs"),
        ("workloads.engine.gpus", "workloads.gpus"),
        ("cluster.nodePools", "nodePools"),
    ],
)
def test_a_misspelt_key_gets_the_nearest(key: str, meant: str) -> None:
    result = run("explain", key)
    assert result.exit_code == 2
    assert f"did you mean {meant}?" in result.stderr


def test_the_last_part_of_a_key_is_enough_where_it_is_the_only_one() -> None:
    assert run("explain", "maxModelLen").stdout == run("explain", "workloads.engine.maxModelLen").stdout
    assert "give one of" in run("explain", "version").stderr


@pytest.mark.parametrize("args", [("models",), ("recipes",), ("explain", "nodePools"), ("--version",)], ids=str)
def test_they_work_outside_a_project(args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*args)
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_reference_knows_each_key_of_each_object() -> None:
    assert {(entry.part, entry.path.rpartition(".")[2]) for entry in all_keys()} == {
        (part, key) for part, definition in objects().items() for key in definition.get("properties", {})
    }


def test_every_key_of_an_engine_tells_the_flag_that_it_becomes() -> None:
    told = [entry for entry in all_keys() if entry.path.startswith("workloads.engine.")]
    mute = {entry.path.removeprefix("workloads.engine.") for entry in told if not key_spans(entry)}
    assert mute == {
        *NO_FLAG,
        *(f"{adapters}.{key}" for adapters in ("loraAdapters", "lora.adapters") for key in ("name", "path")),
    }
    assert "--max-lora-rank in vllm" in run("explain", "workloads.engine.lora.maxRank").stdout


@pytest.mark.parametrize(("key", "said"), [("gcp:project", "pays for the stack"), ("hfToken", "--secret hfToken")])
def test_the_keys_beside_the_serving_key_are_explained(key: str, said: str) -> None:
    told = run("explain", key)
    assert told.exit_code == 0
    assert said in " ".join(told.stdout.split())
    assert json.loads(run("explain", key, "--json").stdout)["entries"][0]["text"]


def test_the_notes_page_lists_what_google_cloud_refuses_and_notes_of_no_kind() -> None:
    page = note_reference()
    rows = [row["id"] for rows in refusals().values() for row in rows]
    assert len(rows) > 20
    assert all(f"| `{one}` |" in page for one in (*rows, "other"))
