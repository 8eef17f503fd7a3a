"""l4serve verify on stacks and kubeconfigs that are not the project's own: nothing of them runs unasked."""

import os

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.cli.verifying import kubeconfig, run, stack_file


@pytest.mark.parametrize("flag", [False, True])
def test_a_foreign_stack_file_runs_no_command_unasked(tmp_path, flag):
    mark = tmp_path / "ran"
    document = kubeconfig("http://127.0.0.1:1")
    script = tmp_path / "credential"
    script.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n", encoding="utf-8")
    script.chmod(0o755)
    command = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(script), "interactiveMode": "Never"}
    document["users"][0]["user"] = {"exec": command}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    file = stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)})
    result = run("-f", file, *(["--run-kubeconfig-commands"] if flag else []))
    assert mark.exists() == flag
    assert result.exit_code != 0
    assert flag or "--run-kubeconfig-commands" in result.output


FOREIGN = {
    "a token of another file": lambda user: user.update(tokenFile="/etc/hostname"),
    "an old provider": lambda user: user.update({"auth-provider": {"name": "gcp"}}),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_foreign_kubeconfig_that_reads_files_or_runs_providers_asks(tmp_path, what):
    document = kubeconfig("http://127.0.0.1:1")
    FOREIGN[what](document["users"][0]["user"])
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    result = run("-f", stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)}))
    assert result.exit_code == 2
    assert "--run-kubeconfig-commands" in result.output


MERGED = """
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: %s}]
"""
ACTS = "{apiVersion: client.authentication.k8s.io/v1, command: touch, args: [%s], interactiveMode: Never}"


@pytest.mark.parametrize("user", ["{!!merge x: {exec: %s}}", "{<<: {exec: %s}}", "[{name: exec, exec: %s}, exec]"])
def test_a_command_that_only_the_client_sees_asks(tmp_path, user):
    mark, path = tmp_path / "ran", tmp_path / "kubeconfig"
    path.write_text(MERGED % (user % (ACTS % mark)), encoding="utf-8")
    result = run("-f", stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)}))
    assert result.exit_code == 2
    assert "--run-kubeconfig-commands" in result.output
    assert not mark.exists()


def test_kubeconfigs_that_would_be_merged_ask(tmp_path):
    """One file's credential would go to the server that the other names."""
    named = f"{tmp_path}/a{os.pathsep}{tmp_path}/b"
    result = run("-f", stack_file(tmp_path, {"mode": "existing", "kubeconfig": named}))
    assert result.exit_code == 2
    assert "would be merged" in result.output


def test_a_kubeconfig_from_a_foreign_state_runs_no_command_unasked(tmp_path, monkeypatch):
    """The folder of a foreign stack may name its own backend, whose state holds any output."""
    mark = tmp_path / "ran"
    document = kubeconfig("http://127.0.0.1:1")
    command = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "touch", "args": [str(mark)]}
    document["users"][0]["user"] = {"exec": {**command, "interactiveMode": "Never"}}
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    pulumi = bin_folder / "pulumi"
    pulumi.write_text(f"#!/bin/sh\ncat <<'E'\n{yaml.safe_dump(document)}E\n", encoding="utf-8")
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    result = run("-f", stack_file(tmp_path, {"mode": "standard", "name": "llm", "location": "us-central1-a"}))
    assert result.exit_code == 2
    assert "--run-kubeconfig-commands" in result.output
    assert not mark.exists()


def test_a_proxy_that_no_client_can_use_is_told_before_the_cluster_is_asked(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig("http://127.0.0.1:1")), encoding="utf-8")
    file = stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)})
    result = run("-f", file, env={"https_proxy": "nonsense://x"})
    assert result.exit_code == 2, result.output
    assert "fix: unset https_proxy" in result.output


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("named", ["by its name", "by its file"])
def test_doctor_runs_no_command_of_a_foreign_project_unasked(tmp_path, monkeypatch, named, flag):
    mark, project = tmp_path / "ran", tmp_path / "project"
    (project / "stacks").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: x\nruntime: python\n", encoding="utf-8")
    (project / "kubeconfig").write_text(MERGED % f"{{exec: {ACTS % mark}}}", encoding="utf-8")
    file = stack_file(project, {"mode": "existing", "kubeconfig": str(project / "kubeconfig")})
    monkeypatch.chdir(project)
    asked = ("-s", "some") if named == "by its name" else ("-f", str(file))
    told = CliRunner().invoke(app, ["doctor", *asked, *(["--run-kubeconfig-commands"] if flag else [])])
    assert mark.exists() == flag
    assert flag or "--run-kubeconfig-commands" in told.output
