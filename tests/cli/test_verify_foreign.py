"""l4serve verify on stacks and kubeconfigs that are not the project's own: nothing of them runs unasked."""

import json
import os

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.project import is_own, stack_path
from l4serve.config.stack_file import PROJECT
from l4serve.verification.google_apis import LoginError
from tests.cli.test_doctor_healing import DEPLOYMENT
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


def pulumi_that_marks(folder, monkeypatch):
    """The mark of a Pulumi CLI that ran."""
    mark = folder / "asked"
    program = folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return mark


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("command", ["verify", "doctor", "bench"])
def test_pulumi_is_not_asked_in_a_foreign_folder_unasked(tmp_path, monkeypatch, command, flag):
    """That folder may name its own backend: its state holds any output, and it gets the user's token."""
    mark = pulumi_that_marks(tmp_path, monkeypatch)
    stack_file(tmp_path, {"mode": "standard", "name": "llm", "location": "us-central1-a"})
    (tmp_path / "Pulumi.yaml").write_text("name: x\nbackend: {url: https://example.com}\n", encoding="utf-8")
    monkeypatch.setattr("l4serve.verification.google_apis.google_apis", no_login)
    options = [*(["--run"] if command == "bench" else []), *(["--run-kubeconfig-commands"] if flag else [])]
    told = CliRunner().invoke(app, [command, "-f", str(tmp_path / "Pulumi.some.yaml"), *options])
    assert mark.exists() == flag, told.output
    assert flag or "add --run-kubeconfig-commands" in " ".join(told.output.split())


def no_login():
    raise LoginError("login", "none", "none")


def test_an_exported_state_has_nothing_run_for_a_foreign_project(tmp_path, monkeypatch):
    mark = pulumi_that_marks(tmp_path, monkeypatch)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: gke-llm-serving\nruntime: python\n", encoding="utf-8")
    stack_file(tmp_path, {"mode": "standard", "name": "llm", "location": "us-central1-a"})
    resource = {**DEPLOYMENT, "urn": f"urn:pulumi:some::{PROJECT}::kubernetes:apps/v1:Deployment::w"}
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["doctor"], input=json.dumps({"deployment": {"resources": [resource]}}))
    assert "is not known" in told.output
    assert not mark.exists()


@pytest.mark.parametrize("how", ["a link by its name", "a worktree inside", "a repository inside", "its own"])
def test_what_lies_in_the_project_is_not_its_own_for_that(tmp_path, monkeypatch, how):
    """A link of a fork's pull request may lead to a file that somebody else writes later."""
    project, foreign = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project / "stacks", project / "inside" / "deep", foreign):
        folder.mkdir(parents=True)
    (project / "Pulumi.yaml").touch()
    monkeypatch.setattr("l4serve.cli.project.OWN_PROJECT", project)
    file = project / "inside" / "deep" / "Pulumi.x.yaml"
    match how:
        case "a link by its name":
            (foreign / "x.yaml").touch()
            file = project / "Pulumi.x.yaml"
            file.symlink_to(foreign / "x.yaml")
        case "a worktree inside":
            (project / "inside" / "Pulumi.yaml").touch()
        case "a repository inside":
            (project / "inside" / ".git").mkdir()
    monkeypatch.chdir(project)
    assert is_own(stack_path("x", None) if how == "a link by its name" else file) == (how == "its own")


def test_the_client_of_a_foreign_kubeconfig_is_made_of_what_was_looked_at(tmp_path, monkeypatch):
    path, mark = tmp_path / "kubeconfig", tmp_path / "ran"
    path.write_text(MERGED % f"{{exec: {ACTS % mark}}}", encoding="utf-8")
    harmless = yaml.safe_dump(kubeconfig("http://127.0.0.1:1")).encode()
    monkeypatch.setattr("l4serve.verification.cluster_access.read_bytes", lambda *_: harmless)
    run("-f", stack_file(tmp_path, {"mode": "existing", "kubeconfig": str(path)}))
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
