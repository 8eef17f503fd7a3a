"""l4serve doctor: an exported state in which nothing is pending, while the cluster may have what no state knows."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.planning.stack import pending
from l4serve.planning.stack.pending import REAPPLYING
from l4serve.verification import doctor_state
from l4serve.verification.cluster_access import AccessError
from tests.cli.test_doctor_healing import CLASS, CLUSTER, DEPLOYMENT, doctor
from tests.factories import cluster_plan


def left(monkeypatch: pytest.MonkeyPatch, changed: list[str] | Exception, stack: str = "local") -> tuple[int, str]:
    """What is said of a state with a Deployment where nothing is pending and the cluster answers so."""

    def answer(*_: Any, **__: Any) -> list[str]:
        if isinstance(changed, Exception):
            raise changed
        return changed

    monkeypatch.setattr(doctor_state, "changed_deployments", answer)
    resource = {**DEPLOYMENT, "urn": str(DEPLOYMENT["urn"]).replace(":dev:", f":{stack}:")}
    return doctor({"deployment": {"resources": [resource], "pending_operations": []}})


def test_what_nothing_pending_tells_of_is_read_from_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = left(monkeypatch, ["llm/chat"])
    assert (code, said.startswith("llm/chat\n")) == (1, True)
    assert f"Heal it with: pulumi cancel; {REAPPLYING}\n" in said
    code, said = left(monkeypatch, [])
    assert (code, said) == (
        0,
        "Nothing is pending, and the cluster has what the state says: pulumi cancel, then pulumi up, goes on.\n",
    )


@pytest.mark.parametrize(
    ("changed", "stack", "why"),
    [
        (AccessError("no way in\n    fix: x"), "local", "no way in"),
        ([], "another", "its stack is none of this project"),
    ],
    ids=["no access", "another project"],
)
def test_nothing_is_promised_where_the_cluster_cannot_be_asked(
    changed: list[str] | Exception, stack: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = left(monkeypatch, changed, stack)
    assert code == 0
    assert f"is not known: {why}." in said
    assert REAPPLYING in said


def test_every_kubernetes_object_is_applied_again_by_the_next_update() -> None:
    going = {**CLASS, "delete": True}
    document = {"deployment": {"resources": [DEPLOYMENT, going, CLUSTER]}}
    result = CliRunner().invoke(app, ["doctor", "--reapply"], input=json.dumps(document))
    again = {**DEPLOYMENT, "initErrors": [pending._APPLIED_AGAIN]}
    assert json.loads(result.stdout)["deployment"]["resources"] == [again, going, CLUSTER]
    refused = CliRunner().invoke(app, ["doctor", "-s", "dev", "--reapply"])
    assert (refused.exit_code, "--reapply reads an exported state" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (ApiException(status=404), ["llm/chat"]),
        (SimpleNamespace(data=b'{"spec": {"paused": true}}'), ["llm/chat"]),
        (SimpleNamespace(data=b'{"spec": {"replicas": 3, "paused": false}}'), []),
        (ApiException(status=403), None),
        (OSError(), None),
    ],
    ids=["gone", "another", "the same", "forbidden", "unreachable"],
)
def test_a_deployment_that_is_gone_is_told_and_a_cluster_that_does_not_answer_is_none(
    answer: Any, found: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any, **__: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    api = SimpleNamespace(read_namespaced_deployment=read)
    monkeypatch.setattr(doctor_state, "stack_client", lambda *_, **__: None)
    monkeypatch.setattr(doctor_state, "AppsV1Api", lambda _: api)
    state = {"deployment": {"resources": [{**DEPLOYMENT, "outputs": {"spec": {"replicas": 1, "paused": False}}}]}}
    arguments = (state, cluster_plan(), "dev", Path())
    if found is not None:
        assert doctor_state.changed_deployments(*arguments, trusted=True) == found
        return
    with pytest.raises(AccessError, match="does not answer"):
        doctor_state.changed_deployments(*arguments, trusted=True)
