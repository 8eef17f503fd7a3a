"""`l4serve verify`: what it prints and how it exits, for a server at an address and for a deployed stack."""

import json
import os
import stat
import subprocess
import sys

import pytest
import yaml

from l4serve.cli.subjects.client_keys import API_KEY_VARIABLE
from l4serve.engines.releases.resolution import resolve_contract
from tests import factories
from tests.cli.verifying import kubeconfig, run, stack_file
from tests.json_forms import faults
from tests.verification.conftest import LIMIT, MODEL

TRUSTED = "--run-kubeconfig-commands"
VLLM = ("--engine", "vllm", "--engine-version", "0.26.0")
ALL_CHECKS = 11


def contract_metrics(kind, version):
    contract = resolve_contract(kind, version).contract
    return {name: contract.metrics[name] for name in contract.always_metrics}


@pytest.fixture
def vllm(engine):
    return lambda fault="": engine("vllm", fault, contract_metrics("vllm", "0.26.0"))


@pytest.fixture
def existing(tmp_path):
    """A stack on an existing cluster whose kubeconfig leads to that URL."""

    def make(url, **workload):
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(url)))
        return stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)}, **workload)

    return make


@pytest.fixture
def managed(tmp_path):
    """A stack on a cluster that Pulumi makes, with a `pulumi` that prints or fails; returns file and environment."""

    def make(script):
        program = tmp_path / "bin" / "pulumi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return stack_file(tmp_path, factories.AUTOPILOT), {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}

    return make


def test_table_of_a_healthy_server_fits_80_columns(vllm):
    result = run("--base-url", vllm(), *VLLM)
    assert result.exit_code == 0, result.output
    assert "every check holds" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout.count(" ok ") == ALL_CHECKS


def test_json_of_a_healthy_server(vllm):
    result = run("--base-url", vllm(), *VLLM, "--model", MODEL, "--max-model-len", LIMIT, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["ok"] is True
    assert len(document["checks"]) == ALL_CHECKS
    assert faults("verify-url", document) == []
    assert document["latency"]["ttftSeconds"] > 0
    assert document["latency"]["outputTokens"] == 16


def test_a_broken_server_exits_1_and_is_named(vllm):
    result = run("--base-url", vllm("stream-cut"), *VLLM)
    assert result.exit_code == 1
    assert "broken: completion stream, chat stream" in result.stdout
    assert "Traceback" not in result.output


def test_wrong_model_and_length_are_broken_promises(vllm):
    result = run("--base-url", vllm(), *VLLM, "--model", "org/wanted", "--max-model-len", 128, "--json")
    assert result.exit_code == 1
    broken = {c["name"] for c in json.loads(result.stdout)["checks"] if not c["ok"]}
    assert {"models", "full context"} <= broken


def test_a_contract_that_stands_in_is_said(vllm):
    result = run("--base-url", vllm(), "--engine", "vllm", "--engine-version", "0.27.0rc1", "--json")
    assert result.exit_code == 1
    assert "judged by the contract of 0.27.0" in result.stderr
    assert "runs vllm 0.26.0+cu130; the plan is 0.27.0rc1" in result.stdout


@pytest.mark.text_generation
@pytest.mark.filterwarnings("ignore:The `dict` method is deprecated")
def test_tgi_server(engine):
    pytest.importorskip("text_generation")
    url = engine("tgi", "", contract_metrics("tgi", "3.3.7"))
    result = run("--base-url", url, "--engine", "tgi", "--engine-version", "3.3.7")
    assert result.exit_code == 0, result.output


def test_key_goes_to_the_server_and_not_to_the_terminal(vllm):
    result = run("--base-url", vllm("answer-500"), *VLLM, env={API_KEY_VARIABLE: "k-very-secret"})
    assert result.exit_code == 1
    assert "k-very-secret" not in result.output


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "one server is checked"),
        (("-s", "dev", "--base-url", "http://127.0.0.1:9"), "one server is checked"),
        (("--base-url", "http://127.0.0.1:9"), "add --engine and --engine-version"),
        (("--base-url", "127.0.0.1:9", *VLLM), "is not the URL of a server"),
        (("--base-url", "http://", *VLLM), "is not the URL of a server"),
        (("--base-url", "http://127.0.0.1:99999", *VLLM), "is not the URL of a server"),
        (("--base-url", "http://127.0.0.1:9/v1", *VLLM), "has a path"),
        (("--base-url", "http://user:pw@127.0.0.1:9", *VLLM), "holds a user or password"),
        (("--base-url", "http://127.0.0.1:9", "--engine", "vllm", "--engine-version", "9.9"), "outside the known"),
        (("--base-url", "http://127.0.0.1:9", "--engine", "vllm", "--engine-version", "new"), "is not a version"),
        (("--base-url", "http://127.0.0.1:9", "--engine", "other", "--engine-version", "1"), "is unknown"),
        (("--base-url", "http://127.0.0.1:9", *VLLM, "--max-model-len", "0"), "Invalid value"),
        (("--base-url", "http://127.0.0.1:9", *VLLM, "--timeout", "0"), "Invalid value"),
        (("-s", "dev", "--model", "m", "--engine", "vllm"), "--engine, --model goes with --base-url"),
        (("-s", "dev", "--workload", "none"), "the stack has no such workload"),
        (("--base-url", "http://127.0.0.1:9", *VLLM, "--workload", "w"), "--workload is of a stack"),
        (("-s", "no-such-stack"), "does not exist"),
    ],
)
def test_bad_input_exits_2_with_one_readable_message(args, words):
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert "pw" not in result.output
    assert "Traceback" not in result.output


def test_stack_is_checked_through_its_cluster(vllm, kube, existing):
    result = run("-f", existing(kube(vllm())), "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert document["ok"] is True and faults("verify-stack", document) == []
    checks = document["workloads"]["w"]["checks"]
    assert len(checks) == ALL_CHECKS + 1
    assert checks[0]["detail"] == "pod pod-b, port 8123"


@pytest.mark.slow
def test_broken_workload_of_a_stack_exits_1(vllm, kube, existing):
    result = run("-f", existing(kube(vllm("limit-accepted"))))
    assert result.exit_code == 1
    assert "w: broken: context limit" in result.stdout


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("no-service", "service", "the Kubernetes API answered 404"),
        ("no-selector", "service", "Service w selects no pods"),
        ("other-port", "service", "Service w has no port 8000"),
        ("unnamed-port", "service", "no port named nope"),
        ("no-pods", "service", "it has no pods"),
        ("not-ready", "service", "pod-a Pending (ContainersNotReady) (ImagePullBackOff)"),
        ("forbidden", "port-forward", "403"),
        ("nothing-listens", "port-forward", "failed to connect to localhost:8123 inside pod"),
    ],
)
def test_what_breaks_on_the_way_to_the_pod_is_named(vllm, kube, existing, fault, check, words):
    result = run("-f", existing(kube(vllm(), fault)), "--json", "--timeout", 5)
    assert result.exit_code == 1, result.output
    details = {c["name"]: c["detail"] for c in json.loads(result.stdout)["workloads"]["w"]["checks"] if not c["ok"]}
    assert words in details[check]


def test_cluster_that_does_not_answer_fails_the_service_check(existing):
    result = run("-f", existing("http://127.0.0.1:9"), "--timeout", 1)
    assert result.exit_code == 1
    assert "w: broken: service" in result.stdout
    assert "Traceback" not in result.output


def test_workload_without_replicas_is_skipped(existing):
    result = run("-f", existing("http://127.0.0.1:9", replicas=0), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["workloads"]["w"]["checks"][0]["status"] == "skip"


@pytest.mark.parametrize("content", ["", "current-context: gone\nkind: Config\ncontexts: []\n", "{ no yaml"])
def test_kubeconfig_without_access_exits_2(tmp_path, content):
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    result = run("-f", stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)}))
    assert result.exit_code == 2, result.output
    assert "gives no access" in result.output
    assert "fix: set cluster.kubeconfig" in result.output


def test_missing_kubeconfig_exits_2(tmp_path):
    result = run("-f", stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(tmp_path / "none")}))
    assert result.exit_code == 2, result.output
    assert str(tmp_path / "none") in result.output


def test_made_cluster_is_reached_by_pulumis_output(vllm, kube, managed, tmp_path):
    config = tmp_path / "output"
    config.write_text(json.dumps(kubeconfig(kube(vllm()))))
    arguments = "stack output kubeconfig --show-secrets --stack some --non-interactive"
    path, env = managed(f'test "$*" = "{arguments}" && cat {config}')
    result = run("-f", path, TRUSTED, env=env)
    assert result.exit_code == 0, result.output
    assert "s3cret-bearer" not in result.output


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'error: no stack named some found' >&2; exit 255", "no stack named some found"),
        ("exit 0", "no output"),
        ("echo 'token: s3cret-bearer'", "is not a kubeconfig that this machine can use"),
        ("echo '[ s3cret-bearer'", "is not a kubeconfig that this machine can use"),
    ],
)
def test_pulumi_that_gives_no_kubeconfig_exits_2(managed, script, words):
    path, env = managed(script)
    result = run("-f", path, TRUSTED, env=env)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert "s3cret-bearer" not in result.output
    assert "Traceback" not in result.output


def test_missing_pulumi_exits_2_with_the_remedy(tmp_path):
    path = stack_file(tmp_path, factories.AUTOPILOT)
    result = run("-f", path, TRUSTED, env={"PATH": str(tmp_path)})
    assert result.exit_code == 2, result.output
    assert "install the Pulumi CLI" in result.output


def test_missing_tgi_client_exits_2_before_any_check(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "text_generation", None)
    engine = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None}
    path = stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(tmp_path / "none")}, engine=engine)
    result = run("-f", path)
    assert result.exit_code == 2, result.output
    assert "pip install -e '.[text-generation]'" in result.output


def test_proxy_of_the_environment_gets_no_request_to_this_machine(vllm):
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    result = run("--base-url", vllm(), *VLLM, env=proxy)
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_planning_commands_load_no_client_of_verify():
    code = (
        "import sys, l4serve.cli.commands.verify_command;"
        "print(*{'openai', 'httpx2', 'kubernetes', 'text_generation'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
