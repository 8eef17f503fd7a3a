"""l4serve-hook: what pre-commit runs in a repository that holds only stack files."""

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from l4serve.cli.commands.hook_commands import app
from tests import factories

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_every_changed_stack_is_planned_and_every_refusal_is_told(tmp_path: Path) -> None:
    good = factories.write_stack(tmp_path, factories.serving(), name="good")
    bad = [
        factories.write_stack(tmp_path, factories.serving({"qwen": factories.workload(replicas=99)}), name=name)
        for name in ("one", "two")
    ]
    assert run("plan", good) == (0, "")
    code, said = run("plan", *bad, good)
    assert code == 2
    assert said.count("99") >= 2


def test_a_schema_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "stack.schema.json"
    assert run("schema", file)[0] == 1
    assert run("schema", file) == (0, "")
    assert file.read_text("utf-8") == (ROOT / "docs/stack.schema.json").read_text("utf-8")


def test_the_hooks_name_what_there_is() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert {hook["entry"].split()[1] for hook in hooks} == commands
    assert all(hook["entry"].split()[0] == "l4serve-hook" for hook in hooks)


def test_a_commit_of_what_generated_files_are_made_from_runs_their_hooks() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = {hook["id"]: hook for repo in config["repos"] for hook in repo["hooks"]}
    for name in ("l4serve/config/keys/cluster.py", "stacks/recipes/chat-small.yaml"):
        assert all(re.search(hooks[one]["files"], name) for one in ("generated", "json-documents"))
    assert re.search(hooks["json-documents"]["files"], "docs/reference/json.schema.json")
    assert hooks["json-documents"]["entry"].endswith("-m scripts.json_schemas --check")
