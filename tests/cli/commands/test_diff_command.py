"""l4serve diff: against a git ref and between files, its JSON, its comment and its exit codes."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from l4serve.cli.app import app
from l4serve.cli.subjects.base_tree import find_commit, program_changes
from l4serve.planning.stack.edits import Effect
from l4serve.report.comment import LIMIT, MARK, comment
from tests import factories

SERVING = factories.serving()
LANDINGS = {effect.text for effect in Effect} | {None}
GIT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    **{"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_CONFIG_NOSYSTEM": "1"},
    **{"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com", "HOME": "/nonexistent"},
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, env=GIT, check=True, capture_output=True, text=True)
    return done.stdout


def changed(**workload: Any) -> dict[str, Any]:
    return factories.serving({"qwen": factories.workload(**workload)})


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


def document(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that holds one stack file, on a branch main, with a branch of its own checked out."""
    git(tmp_path, "init", "-q", "-b", "main")
    factories.write_stack(tmp_path, SERVING)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "a stack")
    git(tmp_path, "checkout", "-q", "-b", "change")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    def write(before: dict[str, Any], after: dict[str, Any]) -> tuple[Path, Path]:
        one, other = factories.write_stack(tmp_path, before, name="a"), factories.write_stack(tmp_path, after, name="b")
        return one, other

    return write


def test_two_files_make_one_entry_under_the_second_ones_name(files: Any) -> None:
    before, after = files(SERVING, changed(engine={"maxModelLen": 2048}, replicas=2))
    found = document("--from", before, "--to", after)
    assert found["base"] == str(before)
    (stack,) = found["stacks"]
    assert (stack["stack"], stack["verdict"]) == ("b", "changed")
    (workload,) = stack["workloads"]
    assert (workload["name"], workload["change"], workload["lands"]) == ("qwen", "changed", "pod restart")
    assert workload["flags"] == {"added": {}, "removed": {}, "changed": {"--max-model-len": ["4096", "2048"]}}
    assert [workload[side]["replicas"] for side in ("before", "after")] == [1, 2]
    costs = stack["cost"]
    assert costs["after"]["planned"]["usdPerHour"] > costs["before"]["planned"]["usdPerHour"]
    assert {"min", "planned", "max"} <= costs["before"].keys()


def test_the_cost_is_that_of_the_plan(files: Any) -> None:
    before, after = files(SERVING, changed(replicas=3))
    cost = document("--from", before, "--to", after)["stacks"][0]["cost"]["after"]
    plan = json.loads(CliRunner().invoke(app, ["plan", "-f", str(after), "--json"]).stdout)["cost"]
    assert {level: cost[level] for level in ("min", "planned", "max")} == {
        level: plan[level] for level in ("min", "planned", "max")
    }


def test_what_did_not_change_is_one_line(files: Any, repository: Path) -> None:
    assert run("main").stdout == "Nothing changes in 1 stack.\n"
    assert run(*(f for pair in zip(("--from", "--to"), files(SERVING, SERVING), strict=True) for f in pair)).stdout == (
        "Nothing changes in 1 stack.\n"
    )


def test_the_working_tree_is_compared_with_the_merge_base(repository: Path) -> None:
    factories.write_stack(repository, changed(replicas=2))
    git(repository, "commit", "-q", "-am", "two")
    git(repository, "checkout", "-q", "main")
    factories.write_stack(repository, changed(replicas=4))
    git(repository, "commit", "-q", "-am", "main moves on")
    git(repository, "checkout", "-q", "change")
    (stack,) = document()["stacks"]
    assert [stack["workloads"][0][side]["replicas"] for side in ("before", "after")] == [1, 2]
    (stack,) = document("main")["stacks"]
    assert [stack["workloads"][0][side]["replicas"] for side in ("before", "after")] == [4, 2]


def test_stacks_come_and_go(repository: Path) -> None:
    factories.write_stack(repository, SERVING, name="new")
    (repository / "Pulumi.made.yaml").unlink()
    stacks = {stack["stack"]: stack for stack in document("main")["stacks"]}
    assert [each["change"] for each in stacks["new"]["workloads"]] == ["added"]
    assert [each["change"] for each in stacks["made"]["workloads"]] == ["removed"]
    assert stacks["new"]["cost"]["before"] is None
    assert stacks["new"]["workloads"][0]["lands"] is None


def test_the_base_is_planned_with_its_own_recipes_and_model_configs(repository: Path) -> None:
    recipe: dict[str, Any] = {"about": "a", "source": "b", "workload": factories.workload(engine={"maxModelLen": 2048})}
    folder = repository / "stacks" / "recipes"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    factories.write_stack(repository, factories.serving({"qwen": {"recipe": "own"}}))
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "a recipe")
    recipe["workload"]["engine"]["maxModelLen"] = 1024
    (folder / "own.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    (stack,) = document("HEAD")["stacks"]
    assert stack["workloads"][0]["flags"]["changed"] == {"--max-model-len": ["2048", "1024"]}


def test_a_refused_new_side_exits_1_and_says_why(files: Any) -> None:
    before, after = files(SERVING, changed(engine={"maxModelLen": 10_000_000}))
    (stack,) = document("--from", before, "--to", after, code=1)["stacks"]
    assert stack["verdict"] == "refused"
    assert any("maxModelLen" in each["path"] for each in stack["refusals"])
    assert stack["workloads"] == [], "what is refused is not removed"
    assert "refused" in run("--from", before, "--to", after).stdout
    assert "**refused**" in run("--from", before, "--to", after, "--markdown").stdout


def test_a_first_file_that_is_no_stack_is_bad_input(files: Any, tmp_path: Path) -> None:
    broken = tmp_path / "Pulumi.broken.yaml"
    broken.write_text("a: [", encoding="utf-8")
    good, _ = files(SERVING, SERVING)
    assert run("--from", broken, "--to", good).exit_code == 2
    assert run("--from", good, "--to", broken).exit_code == 1


def test_a_folder_without_a_repository_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.write_stack(tmp_path, SERVING)
    monkeypatch.chdir(tmp_path)
    done = run()
    assert done.exit_code == 2
    assert "--from A --to B" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "a.yaml"),
        ("--from", "/no/such", "--to", "/no/such"),
        ("no-such-ref",),
        ("--fail-on", "sometimes"),
        ("main", "-s", "other"),
        ("main", "-s", "../made"),
        ("--output=/tmp/x",),
        ("main", "--json", "--markdown"),
    ],
    ids=str,
)
def test_bad_input_exits_2(arguments: tuple[str, ...], repository: Path) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


@pytest.mark.parametrize("ref", ["--upload-pack=touch", "-x", "HEAD:Pulumi.made.yaml", "main\x00", "a b", ""])
def test_a_ref_that_is_no_commit_reaches_no_option_of_git(ref: str, repository: Path) -> None:
    done = run("--json", "--", ref)
    assert done.exit_code == 2
    assert not (repository / "touch").exists()


@pytest.mark.parametrize("path", ["/dev/zero", "a" * 5000, "", "/etc/passwd:/nowhere"])
def test_a_path_that_leads_to_no_git_is_told(path: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert repository.is_dir()
    monkeypatch.setenv("PATH", path)
    done = run("HEAD")
    assert done.exit_code == 2
    assert "git is not on PATH, or cannot be run" in done.stderr


@pytest.mark.parametrize(
    ("level", "code"), [("in place", 1), ("pod-restart", 1), ("workload replaced", 0), ("danger", 0)]
)
def test_a_team_may_fail_on_a_level(level: str, code: int, files: Any) -> None:
    before, after = files(SERVING, changed(engine={"maxModelLen": 2048}))
    assert run("--from", before, "--to", after, "--fail-on", level).exit_code == code


MANY = 120
SMALL = LIMIT // 3
"""Room for fewer workloads than that."""


@pytest.mark.slow
def test_the_comment_has_its_mark_and_a_bounded_length(files: Any) -> None:
    many = {f"w{i}": factories.workload(engine={"maxModelLen": 2048}) for i in range(MANY)}
    fewer = {name: factories.workload() for name in many}
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 400}}
    before, after = files(factories.serving(fewer, pools=pools), factories.serving(many, pools=pools))
    text = comment(json.loads(run("--from", before, "--to", after, "--json").stdout), SMALL)
    assert text.startswith(MARK + "\n")
    assert len(text) < SMALL
    assert "are left out here" in text
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.slow
def test_many_dangers_leave_room_for_the_table_and_the_base(files: Any) -> None:
    many = {f"w{i}": factories.workload() for i in range(MANY)}
    renamed = {name: factories.workload(service={"name": f"{name}-other"}) for name in many}
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 400}}
    before, after = files(factories.serving(many, pools=pools), factories.serving(renamed, pools=pools))
    text = comment(json.loads(run("--from", before, "--to", after, "--json").stdout), SMALL)
    assert len(text) < SMALL
    assert "more dangers._" in text
    assert text.count("| `b` | `w") > 50
    assert "more changed workloads._" in text
    assert "Compared with" in text


def test_all_that_is_dangerous_in_a_new_stack_is_said(repository: Path) -> None:
    control = {"controlPlane": {"ipEndpoint": "public"}, "authorizedNetworks": [{"cidr": "203.0.113.0/24"}]}
    factories.write_stack(repository, {**SERVING, "cluster": {**factories.STANDARD, **control}}, name="new")
    stacks = {stack["stack"]: stack for stack in document("main")["stacks"]}
    assert {danger["kind"] for danger in stacks["new"]["danger"]} == {"public endpoint"}
    assert run("main", "--fail-on", "danger").exit_code == 1


def test_the_order_of_the_file_changes_nothing(files: Any) -> None:
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 400}}
    two = {"b": factories.workload(), "a": factories.workload()}
    before, after = files(
        factories.serving(two, pools=pools), factories.serving(dict(sorted(two.items())), pools=pools)
    )
    assert document("--from", before, "--to", after)["stacks"][0]["verdict"] == "same"


def test_links_in_the_base_are_not_followed(repository: Path) -> None:
    secret = repository / "secret.yaml"
    secret.write_text("config: {}\n", encoding="utf-8")
    (repository / "Pulumi.link.yaml").symlink_to(secret)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "a link")
    (repository / "Pulumi.link.yaml").unlink()
    names = [stack["stack"] for stack in document("HEAD")["stacks"]]
    assert names == ["made"]


def test_every_landing_is_a_word_of_the_edit_table(files: Any) -> None:
    before, after = files(SERVING, factories.serving({"other": factories.workload()}, namespace="models"))
    (stack,) = document("--from", before, "--to", after)["stacks"]
    for part in (*stack["workloads"], *stack["pools"], *stack["objects"]):
        assert part["lands"] in LANDINGS
        assert (part["lands"] is None) == (part["change"] in ("added", "removed"))


def test_no_filter_of_the_repository_runs(repository: Path) -> None:
    """Git would run it over each file that it compares with the working tree, or that was touched."""
    program = repository / "l4serve" / "a.py"
    program.parent.mkdir()
    program.write_text("a = 1\n", "utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "a program")
    (repository / ".gitattributes").write_text("*.py filter=x\n*.yaml filter=x\n", "utf-8")
    git(repository, "config", "filter.x.clean", f"touch {repository}/ran; cat")
    program.write_text("a = 2\n", "utf-8")
    commit = find_commit(repository, "HEAD")
    assert program_changes(commit) == ("l4serve/a.py",)
    assert run("HEAD").exit_code == 0
    assert not (repository / "ran").exists()
    program.write_bytes(b"a = 1\r\n")
    assert program_changes(commit) == (), "as a checkout with other line ends has it"
    program.unlink()
    assert program_changes(commit) == ("l4serve/a.py",)
