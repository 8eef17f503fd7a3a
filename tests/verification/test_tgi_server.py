"""TGI's checks against a process, with the real `text-generation` client."""

import sys

import pytest

from l4serve.verification.server import verify_server
from l4serve.verification.tgi_api import MissingClientError
from tests.verification.conftest import report_on, target_of

pytest.importorskip("text_generation", reason="needs the extra: pip install '.[text-generation]'")
pytestmark = [
    pytest.mark.text_generation,
    pytest.mark.filterwarnings("ignore:The `dict` method is deprecated"),  # the client's own
]

CHECKS = ("health", "version", "model", "generate", "generate stream", "context limit", "metrics")

FAULTS = (
    ("health-503", "health", "503"),
    ("version-other", "version", "runs tgi 2.4.0; the plan is 3.3.7"),
    ("model-other", "model", "serves org/other; the plan is org/model"),
    ("model-shorter", "model", "max total tokens is 32; the plan is 64"),
    ("info-page", "model", "not JSON"),
    ("answer-424", "generate", "CUDA out of memory"),
    ("answer-424", "generate stream", "CUDA out of memory"),
    ("answer-429", "generate", "OverloadedError"),
    ("answer-500", "generate", "IncompleteGenerationError"),
    ("answer-500-unknown", "generate", "without TGI's field 'error'"),
    ("answer-502-page", "generate", "not the JSON that TGI answers"),
    ("answer-page", "generate", "not the JSON that TGI answers"),
    ("answer-page", "generate stream", "ended after 0 events"),
    ("answer-empty-text", "generate", "text is empty"),
    ("answer-no-details", "generate", "details"),
    ("count-output", "generate", "16 tokens came and 15 are counted"),
    ("count-output", "generate stream", "16 tokens came and 15 are counted"),
    ("stream-cut", "generate stream", "broke after 5 events"),
    ("stream-ends-early", "generate stream", "ended after 5 events without its details"),
    ("stream-no-details", "generate stream", "without its details"),
    ("stream-error", "generate stream", "Request failed during generation"),
    ("limit-accepted", "context limit", "prompt tokens over the limit of 64 were accepted"),
    ("limit-output-accepted", "context limit", "prompt and new tokens over the limit of 64 were accepted"),
    ("limit-500", "context limit", "status 500, no 4xx"),
    ("limit-kills", "context limit", "may have died"),
    ("limit-breaks", "context limit", "left the server answering 424"),
    ("metrics-404", "metrics", "404"),
    ("metrics-no-prometheus", "metrics", ""),
)


def test_healthy_server_passes_every_check(engine):
    report = verify_server(target_of(engine("tgi"), "tgi"), "w")
    assert [(c.name, c.status) for c in report.checks] == [(name, "pass") for name in CHECKS]
    assert report.ok
    assert report.latency.output_tokens == 16
    assert report.latency.ttft_seconds + 15 * report.latency.inter_token_seconds >= 0.06


@pytest.mark.parametrize(("fault", "check", "words"), FAULTS)
def test_each_fault_is_reported_by_its_check(fault, check, words):
    report = report_on("tgi", fault)
    result = next(c for c in report.checks if c.name == check)
    assert result.status == "fail", result
    assert words in result.detail
    assert check in report.broken


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("answer-stalls", "generate"),
        ("stream-stalls", "generate stream"),
        ("stream-trickles", "generate stream"),
    ],
)
def test_slow_answers_fail_within_the_timeout(impatient, fault, check):
    result = next(c for c in report_on("tgi", fault, impatient).checks if c.name == check)
    assert result.status == "fail", result
    assert result.seconds < 5


def test_missing_client_is_an_error_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "text_generation", None)
    with pytest.raises(MissingClientError, match=r"pip install -e '\.\[text-generation\]'"):
        verify_server(target_of("http://127.0.0.1:9", "tgi"), "w")
