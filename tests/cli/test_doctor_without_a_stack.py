"""l4serve doctor where nobody names a stack: what can be looked at anyway, and what counts as an exported state."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import kube_config
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.verification import doctor_stackless
from l4serve.verification.google_apis import LoginError
from tests.verification.google_stand_in import Answers, google

SERVICES = ["cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"]
NOTHING_PENDING = json.dumps({"version": 3, "deployment": {"manifest": {}}})


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without programs, kubeconfig, gcloud's config and locks."""
    for name in ("CLOUDSDK_CORE_PROJECT", "CLOUDSDK_ACTIVE_CONFIG_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config"))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    return tmp_path


def _refused() -> None:
    raise LoginError("login", "no login: none", "gcloud auth application-default login")


def findings(monkeypatch: pytest.MonkeyPatch, apis: Callable[[], Any], *options: str) -> dict[str, dict[str, str]]:
    monkeypatch.setattr(doctor_stackless, "google_apis", apis)
    result = CliRunner().invoke(app, ["doctor", "--json", *options], input="\n")
    return {each["subject"]: each for each in json.loads(result.output)["findings"]}


def test_every_check_that_needs_no_stack_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch, _refused)
    verdicts = {subject: each["verdict"] for subject, each in found.items() if subject != "providers"}
    assert verdicts == {
        "stack": "unknown",
        "pulumi": "bad",
        "gke-gcloud-auth-plugin": "bad",
        "state lock": "ok",
        "login": "bad",
        "project": "unknown",
        "cluster": "unknown",
    }
    assert "l4serve doctor -s dev" in found["stack"]["remedy"]
    assert all(each["remedy"] for each in found.values() if each["verdict"] != "ok")
    assert "get-credentials" in found["cluster"]["remedy"]


def test_the_project_of_gcloud_s_config_and_its_apis_are_asked_about(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / "active_config").write_text("work\n", encoding="utf-8")
    (bare / "configurations").mkdir()
    (bare / "configurations/config_work").write_text("[core]\nproject = my-project\n", encoding="utf-8")
    on = [{"name": f"projects/1/services/{name}", "state": "ENABLED"} for name in SERVICES[:1]]
    said: Answers = {
        "/projects/projects/my-project": {"lifecycleState": "ACTIVE"},
        "/services/projects/my-project/services:batchGet": {"services": on},
    }
    with google(said) as apis:
        found = findings(monkeypatch, lambda: apis)
    assert found["project"]["verdict"] == "ok"
    assert found["APIs"]["remedy"] == f"gcloud services enable {SERVICES[1]} --project my-project"
    with google({}) as apis:
        found = findings(monkeypatch, lambda: apis)
    assert found["project"]["remedy"].startswith("gcloud config set project PROJECT")
    assert "my-project" in findings(monkeypatch, _refused)["project"]["text"]


def test_a_lock_of_any_stack_is_told_once(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = bare / ".pulumi/locks/organization/gke-llm-serving/dev"
    locks.mkdir(parents=True)
    (locks / "x.json").write_text("{}", encoding="utf-8")
    output = CliRunner().invoke(app, ["doctor", "--offline"], input="").output
    assert output.count("state lock: 1 in") == 1
    assert output.count("state lock: none in") == 1
    assert "login" not in output
    assert "cluster" not in findings(monkeypatch, _refused, "--offline")


def test_the_current_cluster_is_asked(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that is not there, no context may stop the rest."""
    entry = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
    }
    context = {"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}
    (bare / "config").write_text(json.dumps({**entry, **context}), encoding="utf-8")
    found = findings(monkeypatch, _refused)
    assert found["cluster"]["text"].startswith("it does not answer")
    assert found["cluster"]["remedy"]


def test_what_is_piped_in_is_a_state() -> None:
    assert CliRunner().invoke(app, ["doctor"], input=NOTHING_PENDING).output.startswith("Nothing is pending")
    refused = CliRunner().invoke(app, ["doctor"], input="{")
    assert (refused.exit_code, "give what pulumi stack export prints" in refused.output) == (2, True)
    assert CliRunner().invoke(app, ["doctor", "--json"], input=NOTHING_PENDING).exit_code == 2
    assert CliRunner().invoke(app, ["doctor", "--adopt"], input="").exit_code == 2


def test_a_terminal_is_not_waited_for() -> None:
    mine, its = pty.openpty()
    program = "from l4serve.cli.start import main; main()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, "doctor", "--offline"],
            stdin=its,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(mine)
        os.close(its)
    assert done.returncode == 1
    assert "pulumi: it is not on PATH" in done.stdout + done.stderr
