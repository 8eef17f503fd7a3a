"""vLLM's checks against a process: the healthy one passes, and each way to break is reported by the right check."""

import pytest

from l4serve.verification import openai_api
from l4serve.verification.server import verify_server
from tests.verification.conftest import LIMIT, MODEL, report_on, target_of

CHECKS = (
    "health",
    "version",
    "models",
    "completion",
    "completion stream",
    "chat",
    "chat stream",
    "token counts",
    "full context",
    "context limit",
    "metrics",
)

FAULTS = (
    ("health-503", "health", "503"),
    ("version-other", "version", "runs vllm 0.19.1; the plan is 0.26.0"),
    ("models-other", "models", "not served: org/model; the server lists org/other"),
    ("models-shorter", "models", "max model length of 32; the plan is 64"),
    ("models-page", "models", "not JSON"),
    ("answer-400", "completion", "400"),
    ("answer-401", "completion", "401"),
    ("answer-429", "completion", "429"),
    ("answer-500", "completion", "500"),
    ("answer-503", "chat", "503"),
    ("answer-502-page", "chat stream", "502"),
    ("answer-page", "completion", "not JSON"),
    ("answer-page", "completion stream", "no text"),
    ("answer-page", "chat", "not JSON"),
    ("answer-broken-json", "completion", "JSON"),
    ("answer-no-choices", "completion", "no choices"),
    ("answer-no-choices", "chat", "no choices"),
    ("answer-empty-text", "completion", "text is empty"),
    ("answer-empty-text", "chat", "message is empty"),
    ("answer-no-usage", "completion", "counts no tokens"),
    ("answer-other-model", "completion", "asked org/model and org/other answered"),
    ("answer-other-model", "chat", "asked org/model and org/other answered"),
    ("answer-stops", "completion", "finish reason 'stop'"),
    ("count-prompt", "token counts", "16 prompt tokens were sent and 17 counted"),
    ("count-output", "completion", "16 output tokens were asked for and 15 counted"),
    ("count-output", "chat stream", "16 output tokens were asked for and 15 counted"),
    ("count-total", "completion stream", "do not add up"),
    ("stream-cut", "completion stream", "broke after 5 events"),
    ("stream-cut", "chat stream", "broke after 4 events"),
    ("stream-ends-early", "completion stream", "ended after 5 events without a finish reason"),
    ("stream-no-text", "completion stream", "no text"),
    ("stream-no-usage", "completion stream", "counts no tokens"),
    ("stream-error", "completion stream", "EngineCore died"),
    ("limit-lower", "full context", "400"),
    ("limit-accepted", "context limit", "65 prompt tokens were accepted, over the limit of 64"),
    ("limit-500", "context limit", "status 500, no 4xx"),
    ("limit-kills", "context limit", "may have died"),
    ("limit-breaks", "context limit", "left the server unable to serve"),
    ("metrics-404", "metrics", "404"),
    ("metrics-no-prometheus", "metrics", ""),
)


def test_healthy_server_passes_every_check(engine):
    target = target_of(engine("vllm"), "vllm")
    report = verify_server(target, "w")
    assert [(c.name, c.status) for c in report.checks] == [(name, "pass") for name in CHECKS]
    assert report.ok
    latency = report.latency
    assert latency.output_tokens == 16
    # 16 tokens 4 ms apart take the fake 60 ms or more, from the request's start to the last one.
    assert latency.ttft_seconds + 15 * latency.inter_token_seconds >= 0.06
    assert latency.inter_token_seconds <= latency.longest_gap_seconds


@pytest.mark.parametrize(("fault", "check", "words"), FAULTS)
def test_each_fault_is_reported_by_its_check(fault, check, words):
    report = report_on("vllm", fault)
    result = next(c for c in report.checks if c.name == check)
    assert result.status == "fail", result
    assert words in result.detail
    assert not report.ok
    assert check in report.broken
    assert check in report.verdict()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("answer-stalls", "completion"),
        ("answer-stalls", "chat"),
        ("stream-stalls", "completion stream"),
        ("stream-trickles", "chat stream"),
        ("metrics-trickle", "metrics"),
    ],
)
def test_slow_answers_fail_within_the_timeout(impatient, fault, check):
    result = next(c for c in report_on("vllm", fault, impatient).checks if c.name == check)
    assert result.status == "fail", result
    assert result.seconds < 5


def test_engine_killed_by_a_request_fails_what_follows(engine):
    report = verify_server(target_of(engine("vllm", "limit-kills"), "vllm"), "w")
    assert report.broken == ("context limit", "metrics")


@pytest.mark.parametrize("fault", ["health-stalls", ""])
def test_nothing_more_is_asked_of_an_unreachable_server(engine, impatient, fault):
    url = engine("vllm", fault) if fault else "http://127.0.0.1:9"
    report = verify_server(target_of(url, "vllm", timeout=impatient), "w")
    assert report.broken == ("health",)
    assert {c.status for c in report.checks[1:]} == {"skip"}
    assert not report.ok


def test_refused_connection_is_named():
    report = verify_server(target_of("http://127.0.0.1:9", "vllm"), "w")
    assert "refused" in report.checks[0].detail
    assert "http://127.0.0.1:9" in report.checks[0].detail


def test_model_without_chat_template_skips_chat_only(engine):
    report = verify_server(target_of(engine("vllm", "chat-no-template"), "vllm"), "w")
    assert [c.name for c in report.checks if c.status == "skip"] == ["chat", "chat stream"]
    assert report.ok


def test_server_without_version_path_skips_version(engine):
    report = verify_server(target_of(engine("vllm", "version-404"), "vllm"), "w")
    assert [c.name for c in report.checks if c.status == "skip"] == ["version"]
    assert report.ok


def test_what_the_server_lists_stands_in_for_what_was_not_promised(engine):
    report = verify_server(target_of(engine("vllm"), "vllm", served_names=(), max_model_len=None), "w")
    assert report.ok
    assert "the limit is 64" in next(c.detail for c in report.checks if c.name == "context limit")


def test_missing_and_mistyped_metrics_are_named(engine):
    url = engine("vllm", metrics={"vllm:num_requests_running": "counter", "vllm:prompt_tokens_total": "counter"})
    report = verify_server(target_of(url, "vllm"), "w")
    detail = next(c.detail for c in report.checks if c.name == "metrics")
    assert "missing: vllm:iteration_tokens_total, vllm:time_to_first_token_seconds" in detail
    assert "vllm:num_requests_running is a counter, not a gauge" in detail


def test_key_reaches_the_server_and_no_output(engine):
    target = target_of(engine("vllm", "answer-500"), "vllm", api_key="k-very-secret")
    report = verify_server(target, "w")
    assert "k-very-secret" not in repr((target, report))
    assert target.headers == {"Authorization": "Bearer k-very-secret"}
    assert MODEL in target.served_names


@pytest.mark.parametrize(("fault", "status"), [("key-wanted", "pass"), ("", "fail")])
def test_a_planned_key_must_guard_the_server(engine, fault, status):
    report = verify_server(target_of(engine("vllm", fault), "vllm", api_key="k-very-secret", guarded=True), "w")
    (found,) = [check for check in report.checks if check.name == "key"]
    assert found.status == status
    assert all(check.status == "pass" for check in report.checks if check.name != "key")


def test_full_context_of_a_very_long_model_is_not_asked_for(engine, monkeypatch):
    monkeypatch.setattr(openai_api, "_LONGEST_PROMPT", LIMIT // 4)
    report = verify_server(target_of(engine("vllm"), "vllm"), "w")
    assert next(c.status for c in report.checks if c.name == "full context") == "skip"
