"""A verified workload's timing stands beside what the performance model expects of it."""

from l4serve.verification.checks import CheckResult
from l4serve.verification.latency import Latency
from l4serve.verification.report import Report
from l4serve.verification.workload_checks import expected_latency
from tests import factories

STACK = {
    "cluster": {"mode": "standard", "name": "c", "location": "us-central1-a"},
    "nodePools": {"l4": {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 2}},
    "workloads": {
        "fast": {"model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}, "engine": {"kind": "vllm", "maxModelLen": 4096}},
        "other": {"model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}, "engine": {"kind": "tgi"}},
    },
}


def test_the_model_expects_something_of_what_it_judges() -> None:
    fast, other = factories.planned(STACK).workloads
    expected = expected_latency(fast)
    assert expected is not None
    assert 0.005 < (expected.inter_token_seconds or 0) < 0.05
    assert expected_latency(other) is None


def test_a_report_shows_both() -> None:
    seen, expected = Latency(0.05, 0.014, 0.02, 16), Latency(0.04, 0.0133, None, 16)
    check = CheckResult("completion stream", "pass", "16 tokens", 0.3, seen)
    report = Report("fast", (check,), expected)
    assert "TTFT 50.0 ms, 14.0 ms per token, estimated TTFT 40.0 ms, 13.3 ms per token" in report.verdict()
    assert report.to_json()["estimate"]["interTokenSeconds"] == 0.0133
    assert report.to_json()["latency"]["interTokenSeconds"] == 0.014
