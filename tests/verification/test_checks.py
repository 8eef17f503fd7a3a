"""The runner, the clock and the comparison of metrics, without a server."""

import time

import pytest

from l4serve.verification.checks import (
    Check,
    CheckError,
    Finding,
    NotOfferedError,
    UnreachableError,
    describe,
    run_checks,
)
from l4serve.verification.latency import StreamClock
from l4serve.verification.metrics import compare, families
from l4serve.verification.report import Report


def _raises(error):
    def run():
        raise error

    return run


def _statuses(*runs, timeout=5.0):
    checks = [Check(f"c{i}", run) for i, run in enumerate(runs)]
    return [result.status for result in run_checks(checks, timeout)]


def test_every_check_runs_whatever_the_others_raise():
    runs = (_raises(CheckError("a")), _raises(KeyError("b")), _raises(NotOfferedError("c")), lambda: Finding("d"))
    assert _statuses(*runs) == ["fail", "fail", "skip", "pass"]


def test_unreachable_skips_what_follows():
    assert _statuses(_raises(UnreachableError("gone")), lambda: Finding("d")) == ["fail", "skip"]


def test_a_check_that_cannot_be_prepared_fails():
    results = run_checks([Check("a", lambda: Finding("d"), prepare=_raises(ValueError("no client")))], 5)
    assert [(result.status, result.detail) for result in results] == [("fail", "ValueError: no client")]


def late() -> Finding:
    time.sleep(0.2)
    return Finding("late")


def stuck() -> Finding:
    time.sleep(30)
    return Finding("never")


def test_check_over_its_time_fails_though_it_holds():
    (result,) = run_checks([Check("slow", late)], 0.1)
    assert result.status == "fail"
    assert "over the 0.1 s" in result.detail


def test_check_that_never_ends_is_given_up(impatient):
    (result,) = run_checks([Check("stuck", stuck)], 0.1)
    assert result.status == "fail"
    assert "no full answer within 0.1 s" in result.detail
    assert result.seconds < 3


def test_describe_is_one_short_line_with_the_cause():
    error = CheckError("it\nbroke")
    error.__cause__ = ValueError("since")
    assert describe(error) == "it broke (since)"
    assert describe(ValueError("x" * 500), limit=20) == "ValueError: xxxxxxx…"


def test_describe_ends_where_an_error_is_its_own_cause():
    error = ValueError("no")
    error.__cause__ = error
    assert describe(error) == "ValueError: no"


def test_clock_gives_ttft_and_time_per_token(monkeypatch):
    times = iter((100.0, 100.5, 100.6, 101.1))
    monkeypatch.setattr("l4serve.verification.latency.time.perf_counter", lambda: next(times))
    clock = StreamClock()
    for _ in range(3):
        clock.tick()
    latency = clock.read(output_tokens=4)  # one of the three events carried two tokens
    assert latency.ttft_seconds == pytest.approx(0.5)
    assert latency.inter_token_seconds == pytest.approx(0.2)
    assert latency.longest_gap_seconds == pytest.approx(0.5)


def test_clock_of_one_event_has_no_time_between_tokens():
    clock = StreamClock()
    clock.tick()
    latency = clock.read(output_tokens=16)
    assert latency.inter_token_seconds is None
    assert latency.longest_gap_seconds is None


EXPOSITION = """\
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0"} 5.0
# TYPE vllm:iteration_tokens_total histogram
vllm:iteration_tokens_total_bucket{le="+Inf"} 1.0
vllm:iteration_tokens_total_count 1.0
vllm:iteration_tokens_total_sum 5.0
# TYPE vllm:lora_requests_info gauge
vllm:lora_requests_info 1.0
"""
ALWAYS = {"vllm:prompt_tokens_total": "counter", "vllm:iteration_tokens_total": "histogram"}


def test_total_belongs_to_a_counters_name_only():
    assert families(EXPOSITION) == {
        "vllm:prompt_tokens": "counter",
        "vllm:iteration_tokens_total": "histogram",
        "vllm:lora_requests_info": "gauge",
    }
    assert compare(families(EXPOSITION), ALWAYS, {}) == "all 2 metrics of the contract"


def test_feature_metrics_may_be_missing_but_not_of_another_type():
    feature = {"vllm:lora_requests_info": "gauge", "vllm:spec_decode_num_drafts_total": "counter"}
    assert "1 of 2 that features bring" in compare(families(EXPOSITION), ALWAYS, feature)
    with pytest.raises(CheckError, match="vllm:lora_requests_info is a gauge, not a counter"):
        compare(families(EXPOSITION), ALWAYS, {"vllm:lora_requests_info": "counter"})


def test_every_missing_metric_is_named():
    with pytest.raises(CheckError, match="missing: vllm:a, vllm:b"):
        compare({}, {"vllm:a": "gauge", "vllm:b": "counter"}, {})


def test_report_counts_a_skip_as_no_failure():
    results = tuple(run_checks([Check("a", _raises(NotOfferedError("none"))), Check("b", lambda: Finding("x"))], 5))
    report = Report("w", results)
    assert report.ok
    assert [c["status"] for c in report.to_json()["checks"]] == ["skip", "pass"]
    assert report.to_json()["latency"] is None
