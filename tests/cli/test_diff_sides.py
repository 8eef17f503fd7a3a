"""l4serve diff where a side is missing or refused: a stack that goes, and a base that cannot work."""

from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.cli.commands.test_diff_command import SERVING, changed, document, files, git, repository, run

__all__ = ["files", "repository"]
LONG = {"maxModelLen": 10_000_000}
TWO_POOLS = {"l4": {"machineType": "g2-standard-8", "maxNodes": 4}, "big": {"machineType": "g2-standard-24"}}


def compared(sides: tuple[Path, Path]) -> dict[str, Any]:
    (stack,) = document("--from", sides[0], "--to", sides[1])["stacks"]
    found: dict[str, Any] = stack
    return found


def test_a_refused_base_is_compared_by_its_edits(files: Any) -> None:
    sides = files(changed(engine=LONG), SERVING)
    stack = compared(sides)
    assert stack["verdict"] == "changed"
    assert "maxModelLen" in stack["baseRefusals"][0]["path"]
    (workload,) = stack["workloads"]
    assert (workload["change"], workload["lands"], workload["before"]) == ("changed", "pod restart", None)
    assert workload["flags"] == {"added": {}, "removed": {}, "changed": {}}, "what the base would start is unknown"
    (edit,) = stack["edits"]
    assert (edit["path"], edit["before"], edit["after"]) == ("workloads.qwen.engine.maxModelLen", 10_000_000, 4096)
    assert [(pool["change"], pool["before"] is None) for pool in stack["pools"]] == [("same", False)]
    assert stack["cost"]["before"] is None
    for arguments in ((), ("--markdown",)):
        said = run("--from", sides[0], "--to", sides[1], *arguments).stdout
        assert "the base was refused" in said
        assert "only by its edits" in said


def test_what_plans_of_a_refused_base_is_compared_whole(files: Any) -> None:
    base = {
        "qwen": factories.workload(engine=LONG),
        "other": factories.workload(),
        "gone": factories.workload(engine=LONG),
    }
    after = {"qwen": factories.workload(), "other": factories.workload(replicas=2)}
    stack = compared(files(factories.serving(base), factories.serving(after)))
    changes = {each["name"]: (each["change"], each["lands"]) for each in stack["workloads"]}
    assert changes == {"qwen": ("changed", "pod restart"), "other": ("changed", "in place"), "gone": ("removed", None)}
    other = next(each for each in stack["workloads"] if each["name"] == "other")
    assert (other["before"]["replicas"], other["after"]["replicas"]) == (1, 2)
    assert ("workload removed", "workloads.gone") in {(each["kind"], each["path"]) for each in stack["danger"]}


def test_a_base_that_is_not_even_valid_is_compared_as_its_file_has_it(files: Any) -> None:
    cluster = {**factories.STANDARD, "protect": True}
    base = factories.serving({"qwen": {**factories.workload(), "nonsense": 1}}, cluster=cluster, pools=TWO_POOLS)
    other = {**factories.STANDARD, "name": "other"}
    spot = {"l4": {"machineType": "g2-standard-8", "maxNodes": 4, "spot": True}}
    stack = compared(files(base, factories.serving(cluster=other, pools=spot)))
    assert {(each["kind"], each["path"]) for each in stack["danger"]} == {
        ("cluster replaced", "cluster"),
        ("pool removed", "nodePools.big"),
        ("protection lifted", "cluster.protect"),
    }
    assert {each["name"]: each["lands"] for each in stack["pools"]} == {"l4": "cluster replaced"}
    assert [each["lands"] for each in stack["workloads"]] == ["cluster replaced"]


def test_a_public_endpoint_that_was_there_is_no_danger_of_the_edit(files: Any) -> None:
    public = {"controlPlane": {"ipEndpoint": "public"}, "authorizedNetworks": [{"cidr": "203.0.113.0/24"}]}
    cluster = {**factories.STANDARD, **public}
    broken = factories.serving({"qwen": {**factories.workload(), "nonsense": 1}}, cluster=cluster)
    assert compared(files(broken, factories.serving(cluster=cluster)))["danger"] == []
    opened = compared(files({**broken, "cluster": factories.STANDARD}, factories.serving(cluster=cluster)))["danger"]
    assert {each["kind"] for each in opened} == {"public endpoint"}


def test_what_a_base_was_refused_for_is_not_repeated_by_its_edits(files: Any) -> None:
    base = changed(extraEnv={"DB_PASSWORD": "correct-horse"}, labels={"team": "the-team"})
    stack = compared(files(base, SERVING))
    assert {edit["before"] for edit in stack["edits"]} == {"[hidden]"}


def test_what_a_valid_base_is_refused_for_is_told(files: Any) -> None:
    argument = ["--host=127.0.0.1"]
    (edit,) = compared(files(changed(extraArgs=argument), SERVING))["edits"]
    assert (edit["path"], edit["before"], edit["after"]) == ("workloads.qwen.extraArgs", argument, None)


def test_a_base_that_cannot_be_read_has_nothing_to_compare(repository: Path) -> None:
    (repository / "Pulumi.made.yaml").write_text("a: [", encoding="utf-8")
    git(repository, "commit", "-q", "-am", "broken")
    factories.write_stack(repository, SERVING)
    said = run("HEAD").stdout
    assert "the base was refused unread, so all counts as added" in said


@pytest.mark.parametrize("engine", [{}, LONG], ids=["sound", "refused"])
def test_a_stack_whose_file_goes_is_a_danger(engine: dict[str, Any], repository: Path) -> None:
    factories.write_stack(repository, changed(engine=engine, replicas=2))
    git(repository, "commit", "-q", "-am", "one")
    (repository / "Pulumi.made.yaml").unlink()
    (stack,) = document("HEAD")["stacks"]
    assert stack["verdict"] == "changed"
    (danger,) = stack["danger"]
    assert (danger["kind"], danger["path"]) == ("stack removed", "Pulumi.made.yaml")
    assert "pulumi destroy -s made" in danger["text"]
    assert "the stack goes" in run("HEAD").stdout
    assert run("HEAD", "--fail-on", "danger").exit_code == 1
    assert run("HEAD").exit_code == 0
    if not engine:
        assert {each["downtime"]["expected"] for each in stack["workloads"]} == {False}, "Pulumi deletes nothing"


@pytest.mark.parametrize(
    ("level", "stack", "pool", "workload"),
    [
        ("danger", 1, 1, 1),
        ("in place", 1, 1, 1),
        ("workload replaced", 1, 1, 1),
        ("pool replaced", 1, 1, 0),
        ("cluster replaced", 1, 0, 0),
    ],
)
def test_what_goes_fails_a_level_as_its_replacement_does(
    level: str, stack: int, pool: int, workload: int, repository: Path
) -> None:
    two = {"qwen": factories.workload(nodePool="l4"), "other": factories.workload(nodePool="l4")}
    factories.write_stack(repository, factories.serving(two, pools=TWO_POOLS))
    git(repository, "commit", "-q", "-am", "two")
    arguments = ("HEAD", "--fail-on", level)
    factories.write_stack(repository, factories.serving({"qwen": two["qwen"]}, pools=TWO_POOLS))
    assert run(*arguments).exit_code == workload
    factories.write_stack(repository, factories.serving(two, pools={"l4": TWO_POOLS["l4"]}))
    assert run(*arguments).exit_code == pool
    (repository / "Pulumi.made.yaml").unlink()
    assert run(*arguments).exit_code == stack


def test_what_comes_fails_the_mildest_level_alone(repository: Path) -> None:
    factories.write_stack(repository, factories.serving({"qwen": factories.workload(), "other": factories.workload()}))
    assert run("main", "--fail-on", "in place").exit_code == 1
    assert run("main", "--fail-on", "pod restart").exit_code == 0


def test_a_refusal_names_file_and_line(files: Any) -> None:
    sides = files(SERVING, changed(replicas="many"))
    (stack,) = document("--from", sides[0], "--to", sides[1], code=1)["stacks"]
    (refusal,) = stack["refusals"]
    line = next(i for i, text in enumerate(sides[1].read_text("utf-8").splitlines(), 1) if "replicas: many" in text)
    assert refusal["place"] == f"{sides[1].name}:{line}"
    said = run("--from", sides[0], "--to", sides[1])
    assert f"{sides[1].name}:{line}: workloads.qwen.replicas: 'many' is not a whole number" in said.stdout


def test_a_value_of_a_file_makes_no_line_of_its_own(files: Any) -> None:
    forged = {"extraEnv": {"A": "x\nFORGED one"}, "allow": [{"rule": "vllm-eager", "reason": "ok\nFORGED two"}]}
    said = run(*(a for pair in zip(("--from", "--to"), files(SERVING, changed(**forged)), strict=True) for a in pair))
    lines = said.stdout.splitlines()
    assert sum("FORGED" in line for line in lines) >= 2
    assert not any(line.lstrip().startswith("FORGED") for line in lines)


def test_a_rename_with_other_edits_is_told_as_one(files: Any) -> None:
    other = {**SERVING, "workloads": {"chat": {**SERVING["workloads"]["qwen"], "replicas": 2}}}
    other["workloads"]["chat"]["engine"] = {**other["workloads"]["chat"]["engine"], "maxModelLen": 2048}
    dangers = compared(files(SERVING, other))["danger"]
    assert any(each["kind"] == "rename" and "renamedFrom: qwen" in each["text"] for each in dangers)
