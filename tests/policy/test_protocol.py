"""The pack over the protocol that Pulumi's engine speaks to it."""

import copy
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from l4serve.cli.project import project_root
from policy.all_rules import ALL_NAMES
from policy.model import NODE_POOL, Resource
from tests.policy.cases import BAD, edited, good_pool, on


@pytest.fixture(scope="module")
def analyzer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as Pulumi starts it: a program that prints the port it serves on."""
    start = f"import runpy; runpy.run_path({str(project_root() / 'policy')!r}, run_name='__main__')"
    folder = tmp_path_factory.mktemp("elsewhere")
    process = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, cwd=folder, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _request(resource: Resource) -> dict[str, Any]:
    properties = json_format.ParseDict(dict(resource.props), struct_pb2.Struct())
    urn = f"urn:pulumi:{resource.stack}::gke-llm-serving::{resource.type}::{resource.name}"
    options = analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect)
    return {"type": resource.type, "properties": properties, "urn": urn, "name": resource.name, "options": options}


def test_the_pack_announces_every_policy_as_mandatory(analyzer: Any) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=30)
    assert info.name == "l4serve"
    assert [policy.name for policy in info.policies] == list(ALL_NAMES)
    assert {policy.enforcementLevel for policy in info.policies} == {analyzer_pb2.MANDATORY}


@pytest.mark.parametrize("case", BAD[:: len(BAD) // 6], ids=lambda c: c[0])
def test_the_protocol_reports_a_violation(analyzer: Any, case: tuple[str, str, str, Any, str]) -> None:
    rule, kind, path, value, names = case
    request = analyzer_pb2.AnalyzeRequest(**_request(edited(kind, path, value)))
    found = analyzer.Analyze(request, timeout=30).diagnostics
    assert [d.policyName for d in found] == [rule]
    assert names in found[0].message


def test_the_protocol_reports_the_stack_rules(analyzer: Any) -> None:
    pool = good_pool()
    pool["autoscaling"]["totalMaxNodeCount"] = 500
    resources = [on("prod", NODE_POOL, pool, protect=False)]
    request = analyzer_pb2.AnalyzeStackRequest(
        resources=[analyzer_pb2.AnalyzerResource(**_request(resource)) for resource in resources]
    )
    found = {d.policyName for d in analyzer.AnalyzeStack(request, timeout=30).diagnostics}
    assert found == {"cost-ceiling", "protect-on-prod"}


def test_an_input_that_is_unknown_in_a_preview_is_no_violation(analyzer: Any) -> None:
    pool = copy.deepcopy(good_pool())
    pool["nodeConfig"]["serviceAccount"] = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    request = analyzer_pb2.AnalyzeRequest(**_request(Resource(NODE_POOL, "l4", pool, True, "dev")))
    found = analyzer.Analyze(request, timeout=30).diagnostics
    assert {d.enforcementLevel for d in found} <= {analyzer_pb2.ADVISORY}
