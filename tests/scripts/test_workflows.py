"""The workflows: pinned, without a credential where a stranger's code runs, and each step a plain command."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import factories
from tests.cli.commands.test_diff_command import git
from tests.each_case import each
from tests.report.pages import document_of
from tests.scripts.shims import ROOT, environment, programs

FILES = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / "action.yml"]
USES = re.compile(r"uses: (\S+)(?: # (\S+))?")


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / f"{name}.yml").read_text("utf-8"))
    return found


@each(FILES, lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    for action, version in USES.findall(path.read_text("utf-8")):
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r"v\d+\.\d+\.\d+", version), (action, version)


@each(FILES, lambda path: path.name)
def test_no_expression_is_pasted_into_a_command(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    steps = [step for job in document.get("jobs", {}).values() for step in job.get("steps", ())]
    for step in (*steps, *document.get("runs", {}).get("steps", ())):
        assert "${{" not in step.get("run", ""), step


def test_what_runs_a_strangers_code_has_no_credential() -> None:
    preview = workflow("preview")
    assert preview["permissions"] == {}
    assert preview["jobs"]["diff"]["permissions"] == {"contents": "read"}
    assert "secrets." not in str(preview["jobs"]["diff"])
    assert "head.repo.full_name == github.repository" in preview["jobs"]["pulumi"]["if"]


def test_what_has_a_token_runs_no_strangers_code() -> None:
    steps = workflow("preview-comment")["jobs"]["comment"]["steps"]
    checkout = next(step for step in steps if "checkout" in step.get("uses", ""))
    assert checkout["with"] == {"persist-credentials": False}, "no ref: the default branch is checked out"


def test_updates_go_from_dev_to_prod_one_at_a_time_for_each_stack() -> None:
    jobs = workflow("deploy")["jobs"]
    assert [jobs[name].get("needs") for name in ("dev", "staging", "prod")] == [None, "dev", "staging"]
    for name, job in jobs.items():
        assert job["environment"] == name
        assert job["concurrency"] == {"group": f"stack-{name}", "cancel-in-progress": False}
        assert job["env"] == {"STACK": name}


def gitlab() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text("utf-8"))
    return found


def test_gitlab_has_the_same_jobs() -> None:
    jobs = gitlab()
    assert {"diff", "comment", "dev", "staging", "prod", "drift"} <= set(jobs)
    assert jobs[".stack"]["resource_group"] == "stack-$STACK"
    assert jobs["prod"]["rules"][0]["when"] == "manual"


def test_gitlab_previews_with_the_engine_on_branches_of_the_project_alone() -> None:
    jobs = gitlab()
    job = jobs["pulumi"]
    assert job["extends"] == ".stack"
    assert job["script"] == ["scripts/pulumi_stack.sh preview-of preview/diff.json"]
    assert job["environment"] == {"name": "preview", "action": "access"}
    (rule,) = job["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]
    assert job["parallel"] == jobs["drift"]["parallel"]


def test_the_image_that_talks_to_clusters_holds_googles_plugin() -> None:
    """Of Pulumi's images the one for all languages has gcloud and gke-gcloud-auth-plugin: docker/pulumi/Dockerfile."""
    image = gitlab()[".stack"]["image"]
    assert re.fullmatch(r"pulumi/pulumi:\d+\.\d+\.\d+", image["name"])
    assert image["entrypoint"] == [""], "else the runner's shell becomes an argument of pulumi"


def test_the_trusted_clone_on_gitlab_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """Also where an earlier job left a folder of the clone's name, or a link in its place."""
    origin, work, victim, bin_ = (tmp_path / name for name in ("origin", "work", "victim", "bin"))
    for folder in (origin, work / "preview", victim, bin_):
        folder.mkdir(parents=True)
    (victim / "kept").touch()
    for name in ("trusted", "clone"):
        (work / name).symlink_to(victim)
    git(origin, "init", "-q", "-b", "main")
    (origin / "requirements").mkdir()
    (origin / "requirements/runtime.txt").touch()
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "one")
    line = f'#!/bin/sh\necho "$PWD $*" >> "{tmp_path}/calls"\n'
    fake = f'{line}[ "$2" != venv ] || {{ mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; }}\n'
    (bin_ / "python").write_text(fake, encoding="utf-8")
    (bin_ / "python").chmod(0o755)
    values = {
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
        "CI_DEFAULT_BRANCH": "main",
        "CI_REPOSITORY_URL": str(origin),
        "CI_PROJECT_DIR": str(work),
    }
    script = "set -eo pipefail\n" + "\n".join(gitlab()["comment"]["script"])
    subprocess.run(["bash", "-c", script], cwd=work, env=environment(**values), check=True)
    last = (tmp_path / "calls").read_text("utf-8").splitlines()[-1]
    place, _, arguments = last.partition(" ")
    assert arguments == f"-m scripts.pr_comment gitlab {work}/preview/diff.json"
    assert not Path(place).is_relative_to(work)
    assert not Path(place).exists(), "left behind"
    assert [path.name for path in victim.iterdir()] == ["kept"]


@pytest.fixture
def pulumi(tmp_path: Path) -> Path:
    """A `pulumi` that writes down what it is called with and what it is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    line = f'#!/bin/sh\necho "$*" >> "{tmp_path}/calls"\ncase "$*" in *hfToken*) cat >> "{tmp_path}/stdin";; esac\n'
    (folder / "pulumi").write_text(line, encoding="utf-8")
    (folder / "pulumi").chmod(0o755)
    return tmp_path


def ran(tmp_path: Path, command: str, **variables: str) -> str:
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    values = {"STACK": "dev", "GOOGLE_CLOUD_PROJECT": "p", **variables, "PATH": path}
    subprocess.run([ROOT / "scripts/pulumi_stack.sh", command], env=environment(**values), check=True)
    return (tmp_path / "calls").read_text("utf-8")


@pytest.mark.parametrize("command", ["preview", "up", "drift"])
def test_without_a_token_no_command_makes_one_up(command: str, pulumi: Path) -> None:
    assert "hfToken" not in ran(pulumi, command, HF_TOKEN="")


def test_a_token_reaches_pulumi_and_no_command_line(pulumi: Path) -> None:
    calls = ran(pulumi, "up", HF_TOKEN="the-token")
    assert "config set --secret hfToken" in calls
    assert "the-token" not in calls
    assert (pulumi / "stdin").read_text("utf-8") == "the-token"


@pytest.mark.slow
@pytest.mark.parametrize(("verdict", "runs"), [("changed", True), ("same", False)])
def test_a_stack_that_a_change_does_not_touch_is_not_previewed(verdict: str, runs: bool, pulumi: Path) -> None:
    document = document_of("scaled up")
    document["stacks"][0] |= {"stack": "dev", "verdict": verdict}
    (pulumi / "diff.json").write_text(json.dumps(document), encoding="utf-8")
    path = f"{pulumi / 'bin'}{os.pathsep}{os.environ['PATH']}"
    values = {"STACK": "dev", "GOOGLE_CLOUD_PROJECT": "p", "PATH": path, "PYTHON": sys.executable}
    command: list[str | Path] = [ROOT / "scripts/pulumi_stack.sh", "preview-of", pulumi / "diff.json"]
    subprocess.run(command, cwd=ROOT, env=environment(**values), check=True)
    calls = (pulumi / "calls").read_text("utf-8") if (pulumi / "calls").exists() else ""
    assert ("preview --non-interactive" in calls) == runs


@pytest.mark.parametrize("missing", [None, "gcloud", "gke-gcloud-auth-plugin"])
def test_gitlab_signs_gcloud_in_or_says_what_the_image_lacks(missing: str | None, tmp_path: Path) -> None:
    for name in {"gcloud", "gke-gcloud-auth-plugin"} - {missing}:
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/calls"\n', encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "env", "cat"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    file = tmp_path / "credential"
    values = {
        "PATH": str(tmp_path),
        "GOOGLE_ID_TOKEN": "the-token",
        "WORKLOAD_IDENTITY_PROVIDER": "p",
        "SERVICE_ACCOUNT": "s",
        "GOOGLE_APPLICATION_CREDENTIALS": str(file),
    }
    command = [ROOT / "scripts/gitlab_sign_in.sh"]
    done = subprocess.run(command, env=environment(**values), capture_output=True, text=True, check=False)
    if missing is not None:
        assert done.returncode == 1
        assert missing in done.stderr
        assert not file.exists()
        return
    assert done.returncode == 0, done.stderr
    assert json.loads(file.read_text("utf-8"))["type"] == "external_account"
    assert file.stat().st_mode & 0o077 == 0
    calls = (tmp_path / "calls").read_text("utf-8")
    assert calls == f"auth login --brief --quiet --cred-file={file}\n"


def test_a_preview_and_an_update_make_the_same_config(pulumi: Path) -> None:
    first = ran(pulumi, "preview", HF_TOKEN="t").splitlines()[:-1]
    assert ran(pulumi, "up", HF_TOKEN="t").splitlines()[len(first) + 1 : -1] == first


@pytest.mark.slow
def test_the_action_works_in_a_repository_of_stack_files_alone(tmp_path: Path) -> None:
    repository = tmp_path / "stacks"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    factories.write_stack(repository, factories.serving())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "a stack")
    factories.write_stack(repository, factories.serving({"qwen": factories.workload(replicas=2)}))
    step = next(each for each in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if each.get("id"))
    programs(tmp_path / "temp" / "l4serve" / "bin", ROOT)
    values = {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "BASE": "main",
    }
    for level, code in (("", 0), ("in place", 1)):
        environ = environment(**values, FAIL_ON=level)
        done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=repository, env=environ, check=False)
        assert done.returncode == code
        assert "1 workload changed" in (tmp_path / "summary").read_text("utf-8")
        assert (tmp_path / "temp/l4serve-diff/report.html").is_file()
