"""`l4serve check` and `l4serve contract`: what breaks, side by side, with exit codes that say so."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from l4serve.cli.commands.check_command import check
from l4serve.cli.commands.contract_command import contract_app

STACK = """
config:
  gke-llm-serving:serving:
    cluster: {mode: existing, context: here, kubeconfig: kubeconfig}
    workloads:
      one:
        engine: ENGINE
        model: {id: MODEL}
        gpus: 1
EXTRA
"""
app = typer.Typer()
app.command()(check)
app.add_typer(contract_app, name="contract")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def stack(tmp_path: Path, engine: str, model: str = "google/gemma-7b", extra: str = "") -> str:
    path = tmp_path / "Pulumi.made.yaml"
    text = STACK.replace("ENGINE", engine).replace("MODEL", model).replace("EXTRA", extra)
    path.write_text(text, encoding="utf-8")
    return str(path)


def answered(result: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_the_guide_runs_as_it_is() -> None:
    result = run("check", "-s", "guide", "--json")
    assert result.exit_code == 0, result.output
    answer = answered(result)
    assert not answer["breaks"]
    assert len(answer["workloads"]) == 7
    assert all(w["now"] == w["then"] for w in answer["workloads"].values())


def test_a_move_shows_flags_metrics_rules_and_memory_side_by_side() -> None:
    answer = answered(run("check", "-s", "guide", "--engine-version", "0.33.0", "--json"))
    moved = answer["workloads"]["vllm-7b-kvcache"]
    assert (moved["now"]["contract"], moved["then"]["contract"]) == ("vllm-0.10.0", "vllm-0.33.0")
    assert moved["settledRules"] == ["vllm-v0-fallback"]
    assert "vllm:gpu_cache_usage_perc" in [gone["name"] for gone in moved["metricsGone"]]
    assert {"flag": "--gpu-memory-utilization", "before": 0.9, "after": 0.92} in moved["defaultsChanged"]
    assert moved["now"]["memory"]["kvCacheTokens"] != moved["then"]["memory"]["kvCacheTokens"]
    assert answer["workloads"]["tgi-7b-token"]["then"]["contract"] == "tgi-2.3.1"


def test_what_breaks_is_named_and_exits_one(tmp_path: Path) -> None:
    path = stack(tmp_path, "{kind: vllm, version: 0.10.0, swapSpace: 4, quantization: bitsandbytes, maxModelLen: 512}")
    assert run("check", "-f", path, "--json").exit_code == 0
    result = run("check", "-f", path, "--engine-version", "vllm-0.33.0", "--json")
    assert result.exit_code == 1
    broken = answered(result)["workloads"]["one"]
    assert [problem["path"] for problem in broken["then"]["refusals"]] == ["engine.swapSpace"]
    assert broken["then"]["argv"] is None
    assert "vllm-bitsandbytes-removed" in broken["newRules"]


def test_a_model_that_no_longer_fits_breaks(tmp_path: Path) -> None:
    engine = "{kind: vllm, version: 0.26.0, maxModelLen: 8192}"
    assert run("check", "-f", stack(tmp_path, engine)).exit_code == 1
    assert run("check", "-f", stack(tmp_path, engine, extra="        fit: warn")).exit_code == 0


@pytest.mark.parametrize(
    ("version", "extra", "target", "path"),
    [
        ("0.8.5", "        extraEnv: {HF_HOME: /data/hf}", "0.26.0", "extraEnv.HF_HOME"),
        ("0.8.5", "        extraArgs: [--download-dir=/data]", "0.26.0", "extraArgs"),
        ("0.26.0", "        podSecurity: {level: restricted}", "0.8.5", "podSecurity.level"),
        ("0.26.0", "        podSecurity: {home: /home/x}", "0.8.5", "podSecurity.home"),
        (
            "0.26.0",
            "        objectives: {errors: 0.02}\n    monitoring: {alerts: {via: policies}}\n",
            "0.8.4",
            "objectives.errors",
        ),
    ],
)
def test_what_the_plan_of_a_release_refuses_breaks(
    tmp_path: Path, version: str, extra: str, target: str, path: str
) -> None:
    model = "Qwen/Qwen2.5-1.5B-Instruct"
    file = stack(tmp_path, f"{{kind: vllm, version: {version}, maxModelLen: 4096}}", model, extra)
    assert run("check", "-f", file).exit_code == 0
    result = run("check", "-f", file, "--engine-version", target, "--json")
    assert result.exit_code == 1
    then = answered(result)["workloads"]["one"]["then"]
    assert [problem["path"] for problem in then["refusals"]] == [path]
    moved = stack(tmp_path, f"{{kind: vllm, version: {target}, maxModelLen: 4096}}", model, extra)
    assert run("check", "-f", moved).exit_code == 1


def test_a_move_that_lowers_the_pods_security_says_so(tmp_path: Path) -> None:
    file = stack(tmp_path, "{kind: vllm, version: 0.26.0, maxModelLen: 512}")
    assert "baseline" not in run("check", "-f", file).stdout
    told = run("check", "-f", file, "--engine-version", "0.8.5").stdout.replace("\n", " ")
    assert 'the namespace enforces "baseline": vllm-0.8.5 runs as root' in told


def test_the_table_says_what_the_json_says(tmp_path: Path) -> None:
    path = stack(tmp_path, "{kind: vllm, version: 0.10.0, swapSpace: 4, maxModelLen: 512}")
    result = run("check", "-f", path, "--engine-version", "0.26.0")
    assert result.exit_code == 1
    for text in ("now vllm-0.10.0", "then vllm-0.26.0", "engine.swapSpace", "one would not run", "KV cache"):
        assert text in result.stdout


def test_a_contract_that_stands_in_is_noted(tmp_path: Path) -> None:
    path = stack(tmp_path, "{kind: vllm, version: 0.26.0, maxModelLen: 512}")
    assert "vllm 0.30.0rc1 is not a final release; it is judged by the contract of 0.30.0" in run(
        "check", "-f", path, "--engine-version", "0.30.0rc1"
    ).stdout.replace("\n", " ")


def test_a_model_that_nobody_knows_is_not_judged(tmp_path: Path) -> None:
    path = stack(tmp_path, "{kind: vllm, version: 0.26.0}", model="acme/unknown")
    answer = answered(run("check", "-f", path, "--json"))
    assert answer["workloads"]["one"]["now"]["memory"] is None
    assert "its memory is not judged" in answer["workloads"]["one"]["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "-s", "guide", "--engine-version", "99.0"), "no engine has a release"),
        (("check", "-s", "guide", "--engine-version", "newest"), "no engine has a release"),
        (("check", "-s", "nosuch"), "does not exist"),
        (("check",), "name one stack"),
        (("contract", "diff", "vllm-0.10.0", "tgi-3.3.7"), "different engines"),
        (("contract", "show", "vllm-0.1"), "outside the known versions"),
        (("contract", "show", "vllm-0.26.0", "--flag", "nosuch"), "no flag with 'nosuch'"),
        (("check", "-s", "prod", "--engine-version", "3.3.7"), "no workload of prod runs on tgi"),
    ],
)
def test_bad_input_is_one_readable_line(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_release_that_is_not_known_is_held_against_the_stacks_own_engine(tmp_path: Path) -> None:
    said = run("check", "-f", stack(tmp_path, "{kind: vllm}"), "--engine-version", "0.99").stderr
    assert "vllm 0.99 lies outside the known versions" in said
    assert "tgi" not in said


@pytest.mark.parametrize("place", ["nodePool", "computeClass"])
def test_a_place_that_the_stack_does_not_define_is_refused(tmp_path: Path, place: str) -> None:
    extra = f"        {place}: nowhere\n    nodePools: {{l4: {{machineType: g2-standard-8}}}}\n"
    path = stack(tmp_path, "{kind: vllm, version: 0.26.0, maxModelLen: 4096}", extra=extra)
    result = run("check", "-f", path)
    assert result.exit_code == 2
    assert f"workloads.one.{place}: there is no" in result.stderr


def test_diff_names_what_went_with_its_replacement() -> None:
    result = run("contract", "diff", "0.10.0", "0.26.0")
    assert result.exit_code == 0
    for text in (
        "- flag --swap-space: remove it",
        "- flag --num-scheduler-steps: remove it",
        "- flag --disable-log-requests: write --no-enable-log-requests",
        "- variable VLLM_ATTENTION_BACKEND: set engine.attentionBackend",
        "- metric vllm:gpu_cache_usage_perc: read vllm:kv_cache_usage_perc",
        "+ flag --attention-backend",
        "~ flag --gpu-memory-utilization: default 0.9 -> 0.92",
    ):
        assert text in result.stdout


def test_diff_names_the_values_that_came_and_went() -> None:
    lines = run("contract", "diff", "0.26.0", "0.33.0").stdout.splitlines()
    (quantization,) = [line for line in lines if line.startswith("~ flag --quantization: values")]
    assert "-bitsandbytes" in quantization.split()
    changes = answered(run("contract", "diff", "0.26.0", "0.33.0", "--json"))["flagsChanged"]
    (values,) = [change for change in changes if (change["flag"], change["what"]) == ("--quantization", "values")]
    assert "bitsandbytes" in values["before"] and "bitsandbytes" not in values["after"]


def test_a_contract_that_stands_in_is_noted_beside_the_diff() -> None:
    result = run("contract", "diff", "0.24.1", "0.26.0", "--json")
    assert "vllm 0.24.1 is not a final release; it is judged by the contract of 0.24.0" in result.stderr
    assert answered(result)["before"] == "vllm-0.24.0"


def test_a_diff_of_neighbours_shows_what_one_release_changed() -> None:
    answer = answered(run("contract", "diff", "0.17.1", "0.18.0", "--json"))
    assert "--swap-space" in [gone["name"] for gone in answer["flagsRemoved"]]
    assert "--shutdown-timeout" in answer["flagsAdded"]


def test_json_writes_every_field_in_one_case() -> None:
    rules = answered(run("check", "-s", "guide", "--json"))["workloads"]["tgi-7b-token"]["now"]["rules"]
    assert {tuple(sorted(rule)) for rule in rules} == {
        ("changes", "field", "reason", "remedy", "ruleId", "severity", "source")
    }
    flag = answered(run("contract", "show", "0.26.0", "--flag", "max-model-len", "--json"))["flags"]["--max-model-len"]
    assert "otherNegations" in flag


def test_names_are_whole_on_eighty_columns() -> None:
    result = CliRunner().invoke(app, ["contract", "show", "0.26.0", "--flag", "kv-cache"], env={"COLUMNS": "80"})
    assert "…" not in result.stdout


def test_diff_of_a_release_with_itself_is_empty() -> None:
    answer = answered(run("contract", "diff", "vllm-0.26.0", "vllm-0.26.0", "--json"))
    assert {key: value for key, value in answer.items() if value and key not in ("before", "after")} == {}


def test_rules_are_listed_with_their_sources() -> None:
    listed: Any = answered(run("contract", "rules", "--engine", "tgi", "--json"))
    assert {rule["engine"] for rule in listed} == {"tgi"}
    assert "tgi-maintenance" in run("contract", "rules").stdout
    assert run("contract", "rules", "--engine", "sglang").exit_code == 2


def test_show_and_list() -> None:
    shown = answered(run("contract", "show", "tgi-3.3.7", "--flag", "max-input", "--json"))
    assert set(shown["flags"]) == {"--max-input-length", "--max-input-tokens"}
    assert shown["autoscalingMetrics"]["queue"] == "tgi_queue_size"
    assert "--max-model-len" in run("contract", "show", "0.26.0", "--flag", "max-model-len").stdout
    listed: Any = answered(run("contract", "list", "--json"))
    assert {"2.1.1", "2.3.1", "3.3.7"} <= set(listed["tgi"]) and {"0.8.0", "0.12.0", "0.33.0"} <= set(listed["vllm"])


def test_the_metrics_that_the_stack_reads_are_followed(tmp_path: Path) -> None:
    engine = "{kind: vllm, version: 0.10.0, maxModelLen: 512, quantization: bitsandbytes}"
    extra = "        autoscaling: {maxReplicas: 2, metric: cache}\n    monitoring: {dashboard: true}"
    path = stack(tmp_path, engine, extra=extra)
    read = answered(run("check", "-f", path, "--engine-version", "vllm-0.26.0", "--json"))["workloads"]["one"]
    cache, latency = "vllm:kv_cache_usage_perc", "vllm:inter_token_latency_seconds"
    assert {"use": "autoscaling", "what": "cache", "now": cache, "then": cache} in read["metricsRead"]
    before = "vllm:time_per_output_token_seconds"
    moved = {"use": "dashboard", "what": "Inter-token latency (s)", "now": before, "then": latency}
    assert moved in read["metricsRead"]


def test_an_autoscaler_without_its_metric_breaks(tmp_path: Path) -> None:
    engine = "{kind: tgi, version: 3.3.7, quantize: bitsandbytes, maxInputTokens: 512, maxTotalTokens: 1024}"
    assert run("check", "-f", stack(tmp_path, engine)).exit_code == 0
    scaled = stack(tmp_path, engine, extra="        autoscaling: {maxReplicas: 2, metric: cache}")
    result = run("check", "-f", scaled)
    assert result.exit_code == 1
    assert "no metric" in result.output
