"""`l4serve verify`: each workload of a stack is sent its own key, and none another's."""

import pytest
import yaml

from l4serve.cli.subjects.client_keys import API_KEY_VARIABLE, own_variable
from l4serve.verification.report import Report
from tests import factories
from tests.cli.verifying import kubeconfig, run

OWN, OTHER = {"secret": "own"}, {"secret": "other"}


def test_a_stack_behind_a_key_wants_it_before_it_asks_the_cluster(tmp_path):
    file = tmp_path / "Pulumi.keyed.yaml"
    text = (factories.ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    file.write_text(
        text.replace("        nodePool:", "        apiKey: {secret: keys, key: a}\n        nodePool:"), encoding="utf-8"
    )
    result = run("-f", file, env={API_KEY_VARIABLE: ""})
    assert result.exit_code == 2
    assert API_KEY_VARIABLE in result.output


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Checks a stack of three workloads with those keys, and gives what each was sent by its name."""
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig("http://127.0.0.1:9")))

    def check(keys, *arguments, **given):
        sent = {}

        def checked(client, workload, target):
            sent[workload.name] = target.api_key
            return Report(workload.name, ())

        monkeypatch.setattr("l4serve.verification.workload_checks.verify_workload", checked)
        fields = {name: {"apiKey": key} if key else {} for name, key in keys.items()}
        workloads = {name: factories.workload(**extra) for name, extra in fields.items()}
        cluster = {"mode": "existing", "kubeconfig": str(tmp_path / "kubeconfig")}
        file = factories.write_stack(tmp_path, factories.serving(workloads, cluster=cluster), name="keyed")
        cleared = dict.fromkeys((API_KEY_VARIABLE, *map(own_variable, keys)), "")
        return run("-f", file, *arguments, env={**cleared, **given}), sent

    return check


def test_each_workload_is_sent_its_own_key_and_no_other(asked):
    variables = {f"{API_KEY_VARIABLE}_SMALL_CHAT": "one", f"{API_KEY_VARIABLE}_BIG": "two", API_KEY_VARIABLE: "three"}
    result, sent = asked({"small-chat": OWN, "big": OTHER, "open": None}, **variables)
    assert result.exit_code == 0, result.output
    assert sent == {"small-chat": "one", "big": "two", "open": None}


def test_one_key_is_sent_to_the_workloads_that_have_it(asked):
    result, sent = asked({"a": OWN, "b": OWN, "open": None}, **{API_KEY_VARIABLE: "one"})
    assert result.exit_code == 0, result.output
    assert sent == {"a": "one", "b": "one", "open": None}


def test_one_key_is_not_sent_to_workloads_of_several(asked):
    result, sent = asked({"a": OWN, "b": OTHER}, **{API_KEY_VARIABLE: "one"})
    assert (result.exit_code, sent) == (2, {})
    assert f"{API_KEY_VARIABLE}_A, {API_KEY_VARIABLE}_B, or name one workload" in result.output


def test_one_workload_is_checked_with_its_key(asked):
    result, sent = asked({"a": OWN, "b": OTHER}, "--workload", "b", **{API_KEY_VARIABLE: "two"})
    assert result.exit_code == 0, result.output
    assert sent == {"b": "two"}
