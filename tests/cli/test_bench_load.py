"""The load of `l4serve bench`: what options ask for, what a report says of it, and what contradicts."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests import factories

REPORT = {
    "completed": 32, "mean_ttft_ms": 240.123456, "mean_tpot_ms": 14.2, "mean_e2el_ms": 3900.0,
    "output_throughput": 530.0, "request_throughput": 2.07,
}  # fmt: skip


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["bench", "-s", "dev", *args], env={"COLUMNS": "200", "NO_COLOR": "1"})
    return result.exit_code, result.stdout, result.stderr


def reported(tmp_path: Path, **said: object) -> str:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**REPORT, **said}))
    return str(file)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--concurrency", "4", "--rate", "2"), "give either --concurrency or --rate"),
        (("--input-tokens", "8000", "--output-tokens", "500"), "longer than the context of 8192"),
        (("--rate", "0.05"), "give --timeout 12000, or a higher --rate"),
        (("--rate", "0.000001"), "give a higher --rate"),
        (("--plot", "x.svg"), "give --report FILE, or --run"),
        (("--run-kubeconfig-commands",), "give --run, or leave it out"),
        (("--workload", "qwem"), "did you mean qwen?"),
        (("--workload", "other"), "give one of qwen"),
    ],
)
def test_what_contradicts_or_cannot_be_is_refused_with_its_remedy(args: tuple[str, ...], said: str) -> None:
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert said in err
    assert "fix: " in err


def test_a_run_and_a_report_are_not_asked_for_at_once(tmp_path: Path) -> None:
    for option in (("--run",), ("--timeout", "60")):
        code, _, err = run("--report", reported(tmp_path), *option)
        assert code == 2
        assert "--report" in err


def test_a_slow_rate_has_its_time() -> None:
    code, out, _ = run("--rate", "0.05", "--timeout", "12000", "--json")
    assert code == 0
    assert json.loads(out)["spec"]["activeDeadlineSeconds"] == 12_000


@pytest.mark.parametrize(
    ("report", "load"),
    [
        ({"max_concurrency": 16, "request_rate": "inf"}, "512 tokens in, 256 out, 16 at a time"),
        ({"max_concurrency": None, "request_rate": 3.0}, "512 tokens in, 256 out, 3 requests a second"),
        ({"total_input_tokens": 3200, "total_output_tokens": 640}, "100 tokens in, 20 out, 8 at a time"),
    ],
)
def test_a_report_is_held_against_the_load_that_it_was_made_under(
    report: dict[str, object], load: str, tmp_path: Path
) -> None:
    code, out, _ = run("--report", reported(tmp_path, **report))
    assert code == 0
    assert load in out


@pytest.mark.parametrize(
    "args", [("--concurrency", "8"), ("--rate", "2"), ("--input-tokens", "300")], ids=["clients", "rate", "lengths"]
)
def test_a_report_of_another_load_is_refused(args: tuple[str, ...], tmp_path: Path) -> None:
    made = {"max_concurrency": 16, "request_rate": "inf", "total_input_tokens": 3200, "total_output_tokens": 640}
    code, _, err = run("--report", reported(tmp_path, **made), *args)
    assert code == 2
    assert "the report was made under" in err
    assert run("--report", reported(tmp_path, **made), "--concurrency", "16", "--input-tokens", "102")[0] == 0


def test_figures_say_no_more_than_is_known(tmp_path: Path) -> None:
    _, out, _ = run("--report", reported(tmp_path), "--json")
    first = json.loads(out)["lines"][0]
    assert first["measured"] == 240.12
    assert all(len(str(first[key]).replace(".", "").lstrip("0")) <= 5 for key in ("estimated", "low", "high"))


def made(tmp_path: Path, **workload: object) -> list[str]:
    serving = factories.serving({"qwen": factories.workload(**workload)})  # type: ignore[arg-type]
    return ["-f", str(factories.write_stack(tmp_path, serving))]


def figures(*args: str) -> dict[str, float]:
    done = CliRunner().invoke(app, ["bench", *args, "--json"])
    assert done.exit_code == 0, done.output
    return {line["figure"]: line["estimated"] for line in json.loads(done.stdout)["lines"]}


@pytest.mark.parametrize(
    ("whole", "part"),
    [({"max_concurrency": 64}, {"max_concurrency": 32}), ({"request_rate": 6.0}, {"request_rate": 3.0})],
    ids=["clients", "rate"],
)
def test_pods_share_the_load_of_their_service(
    whole: dict[str, object], part: dict[str, object], tmp_path: Path
) -> None:
    both, alone = tmp_path / "both", tmp_path / "alone"
    for folder in (both, alone):
        folder.mkdir()
    two = figures(*made(both, replicas=2), "--report", reported(both, **whole))
    one = figures(*made(alone, replicas=1), "--report", reported(alone, **part))
    for name in ("first token, ms", "each token after, ms", "whole answer, ms"):
        assert two[name] == pytest.approx(one[name], rel=1e-3)
    for name in ("output, tokens/s", "requests a second"):
        assert two[name] == pytest.approx(2 * one[name], rel=1e-3)


def test_how_the_load_is_dealt_out_is_told(tmp_path: Path) -> None:
    scaled = {"minReplicas": 2, "maxReplicas": 4, "metric": "queue", "target": 5}
    stack = made(tmp_path, autoscaling=scaled)
    done = CliRunner().invoke(app, ["bench", *stack, "--report", reported(tmp_path, max_concurrency=9)])
    assert "assumed: 2 pods with 5 clients each" in done.stdout
    assert "the autoscaler makes no more meanwhile" in done.stdout.replace("\n", " ")


PODS = Path(__file__).parents[2] / "benchmarks/gpu/pods.yaml"
REPORTS = Path(__file__).parents[1] / "verification/reports"


@pytest.mark.parametrize("log", sorted(REPORTS.glob("*.log")), ids=lambda log: log.stem)
def test_what_the_load_tool_printed_of_a_rendered_pod_is_near_the_estimate(log: Path) -> None:
    workload = "encrypted" if "encrypted" in log.name else "guarded"
    args = ["bench", "-f", str(PODS), "--workload", workload, "--report", str(log)]
    done = CliRunner().invoke(app, [*args, "--json"])
    assert done.exit_code == 0, done.output
    lines = {line["figure"]: line for line in json.loads(done.stdout)["lines"]}
    for figure in ("each token after, ms", "whole answer, ms", "output, tokens/s", "requests a second"):
        assert abs(lines[figure]["error"]) < 0.1, figure
    assert lines["each token after, ms"]["withinBound"]
    text = CliRunner().invoke(app, args, env={"COLUMNS": "200"}).stdout
    assert ("wait for HTTP and the load tool too" in text) is ("a-second" not in log.name)


def test_what_a_rate_says_itself_has_no_bound() -> None:
    log = REPORTS / "vllm-0.26.0-guarded-6-a-second.log"
    done = CliRunner().invoke(app, ["bench", "-f", str(PODS), "--workload", "guarded", "--report", str(log), "--json"])
    within = {line["figure"]: line["withinBound"] for line in json.loads(done.stdout)["lines"]}
    assert within["output, tokens/s"] is None
    assert within["requests a second"] is None
    assert within["each token after, ms"]
