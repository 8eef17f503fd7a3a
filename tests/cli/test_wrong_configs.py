"""Each wrong config gives one readable error with its YAML path, exit code 2 and no traceback."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.config.contradicting_configs import CONTRADICTING
from tests.config.meant_configs import MEANT
from tests.config.wrong_configs import GOOD, REMOVE, WRONG, Wrong

KEY = "gke-llm-serving:serving"
REFUSED = (*WRONG, *CONTRADICTING)


def edited(edits: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(GOOD)
    for dotted, value in edits.items():
        *parents, last = dotted.split(".")
        at = config
        for parent in parents:
            at = at.setdefault(parent, {})
        if value is REMOVE:
            del at[last]
        else:
            at[last] = copy.deepcopy(value)
    return config


def plan(tmp_path: Path, document: Any) -> Any:
    file = tmp_path / "Pulumi.test.yaml"
    text = document if isinstance(document, str | bytes) else yaml.safe_dump(document, sort_keys=False)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(app, ["plan", "-f", str(file), "--json"])


def test_the_good_config_is_good(tmp_path: Path) -> None:
    assert plan(tmp_path, {"config": {KEY: GOOD}}).exit_code == 0


def test_the_corpus_is_large_enough() -> None:
    assert len({wrong.id for wrong in REFUSED}) == len(REFUSED) >= 60


@pytest.mark.parametrize("wrong", [*REFUSED, *MEANT], ids=[wrong.id for wrong in (*REFUSED, *MEANT)])
def test_refused_with_path_and_no_traceback(wrong: Wrong, tmp_path: Path) -> None:
    result = plan(tmp_path, {"config": {KEY: edited(wrong.edits)}})
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, result.stderr
    told = LOCATED.match(errors[0])
    assert told and told["path"].startswith(f"{wrong.path}: "), result.stderr
    assert told["file"] == str(tmp_path / "Pulumi.test.yaml")
    assert last_key(wrong.path, int(told["line"]), tmp_path), result.stderr
    assert wrong.text in result.stderr
    assert lines[lines.index(errors[0]) + 1].startswith("    fix: "), result.stderr
    assert not PYDANTIC.search(result.stderr), result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)
    assert shows_a_value(wrong, result.stderr), result.stderr
    assert all(numbers == sorted(numbers) for numbers in listed_numbers(result.stderr)), result.stderr


LISTED = re.compile(r"(?<![\w.,-])\d+(?:, \d+)+(?:,? (?:and|or) \d+)?(?![\w.-])")


def listed_numbers(said: str) -> list[list[int]]:
    """The lists of numbers of a text, such as 1, 8, 16 or 32."""
    return [[int(number) for number in re.findall(r"\d+", found)] for found in LISTED.findall(" ".join(said.split()))]


NO_VALUE = {"recipe-other-engine", "dashboard-of-no-project", "flag-removed", "replicas-null", "key-in-the-env"}
"""What is wrong with these is no value: two keys do not go together, a key is gone, a secret is hidden."""


def shows_a_value(wrong: Wrong, said: str) -> bool:
    """Whether a refusal shows a value that is wrong, of a location its region; an unknown key is wrong by its name."""
    values = [str(value) for value in wrong.edits.values() if isinstance(value, str | int | float)]
    shown = [value for value in values if value.lower() in said.lower() or value.rpartition("-")[0] in said]
    return not values or bool(shown) or "there is no such key" in said or wrong.id in NO_VALUE


LOCATED = re.compile(r"error: (?P<file>[^:]+):(?P<line>\d+): (?P<path>.*)")
PYDANTIC = re.compile(r"[Ii]nput should|unable to parse|valid integer|valid number|valid boolean|String should")


def last_key(path: str, line: int, folder: Path) -> bool:
    """Whether a line of the file holds the last key of a path that the file has; line 1 where it has none."""
    text = (folder / "Pulumi.test.yaml").read_text("utf-8").splitlines()[line - 1]
    parts = path.split(".")
    keys = [*re.split(r"[.\[]", path), *(".".join(parts[i:]) for i in range(len(parts))), "config", KEY]
    return any(re.search(rf"(^|[\s{{'\"-]){re.escape(key)}['\"]?:", text) for key in keys) or "- " in text


WRONG_FILES: dict[str, tuple[str | bytes, str]] = {
    "config-list": ("config: [1]\n", "`config` is a list, not a mapping"),
    "config-number": ("config: 5\n", "`config` is a single value, '5', not a mapping"),
    "config-empty": ("config:\n", "fix: write the stack's values below `config:`"),
    "config-misspelt": ("konfig: {}\n", "write `config:` for `konfig:`"),
    "not-a-number": (f"config:\n  {KEY}: {{a: .nan}}\n", ":2: a: .nan is infinite or not a number"),
    "latin-1": ("config: {a: é}\n".encode("latin-1"), "the file is not UTF-8 text"),
    "odd-project": (f"config:\n  gcp:project: My Project\n  {KEY}: {{}}\n", "'My Project' is not the id of a Google"),
    "other-key": (f"config:\n  {KEY}: {{}}\n  c: 1\n", ":3: c: there is no such key"),
    "not-yaml": ("config: {a: [", "the bracket that is opened here is not closed"),
    "twice": (
        f"config:\n  {KEY}: {{cluster: {{}}, cluster: {{}}}}\n",
        "the key `cluster` is given twice, first on line 2",
    ),
    "empty": ("", ":1: the file is empty"),
    "list": ("- a\n", ":1: the file is a list, not a mapping"),
    "text": ("hello\n", ":1: the file is a text, not a mapping"),
    "two-documents": ("config: {}\n---\nconfig: {}\n", ":2: a second document begins here"),
    "misindented": ("config:\n  a: 1\n b: 2\n", ":3: the indentation of this line"),
    "no-blank-in-braces": (f"config:\n  {KEY}: {{cluster: {{mode:standard}}}}\n", "behind the `:`, as mode: standard"),
    "no-value": ("config:\n  a: @x\n", ":2: a value cannot begin with @"),
    "tab": ("config:\n\ta: 1\n", ":2: a tab stands"),
    "open-quote": ("config:\n  a: 'x\n", ":2: the quote that is opened here is not closed"),
    "open-bracket": ("config:\n  a: [1, 2\n  b: 3\n", "the bracket that is opened here is not closed"),
    "two-colons": ("config:\n  a: b: c\n", ":2: a second `: ` stands"),
    "no-colon": ("config:\n  a 1\n  b: 2\n", ":2: a key has no `:` behind it"),
    "unknown-alias": ("config: *gone\n", ":1: an alias has no anchor"),
    "deeper": ("config:\n  a: 1\n    b: 2\n", ":3: this line is indented deeper than the line above"),
    "no-blank": ("config:\n  a:1\n  b: 2\n", ":2: no blank stands behind the `:`"),
    "no-blank-among-keys": ("config:\n  a: 0\n  b:1\n  c: 2\n", ":3: no blank stands behind the `:`"),
    "no-break-space-among-keys": ("config:\n  a: 0\n  b:\u00a01\n  c: 2\n", ":3: a no-break space"),
    "no-break-space": ("config:\n  a:\u00a01\n  b: 2\n", ":2: a no-break space"),
    "conflict": ("config:\n<<<<<<< HEAD\n  a: 1\n=======\n  a: 2\n>>>>>>> x\n", ":2: a merge conflict"),
    "template": ("config:\n  a: {% name %}\n", ":2: a template's braces"),
    "template-value": ("config:\n  a: {{ name }}\n", "nothing fills in a template's {{ }}"),
    "escape": ('config:\n  a: "b\\q"\n', ":2: a backslash in double quotes"),
    "item-among-keys": ("config:\n  a: 1\n  - b: 2\n", ":3: a list item stands among keys"),
    "toml": ("[config]\na = 'x'\n", ":2: the document ends above this line"),
    "escape-character": ("config:\n  a: b\x1bc\n", ":2: the control character U+001B"),
    "config-case": ("Config: {}\n", "write `config:` for `Config:`"),
    "serving-text": (f"config:\n  {KEY}: standard\n", ":2: gke-llm-serving:serving: a mapping is expected"),
    "serving-secret": (f"config:\n  {KEY}:\n    secure: v1:x\n", ":2: gke-llm-serving:serving: an encrypted value"),
    "serving-typo": ("config:\n  gke-llm-serving:servin: {}\n", f"did you mean {KEY}?"),
    "serving-of-another": ("config:\n  l4serve:serving: {}\n", f"fix: write it as {KEY}, the key of this project"),
    "project-case": (f"config:\n  gcp:project: My_Proj7\n  {KEY}: {{}}\n", "fix: write it as my-proj7"),
    "serving-bare": ("config:\n  serving: {}\n", f"did you mean {KEY}?"),
    "project-typo": (f"config:\n  gcp:projct: p-1234\n  {KEY}: {{}}\n", ":2: gcp:projct: there is no such key"),
    "null-key": ("config:\n  ~: 1\n", ":2: a key is null"),
    "not-utf8": (b"config: \xff\n", "the file is not UTF-8 text"),
    "control": ("config: \x00\n", ":1: the control character U+0000 stands"),
    "no-serving": ("config: {gcp:project: p}\n", KEY),
    "serving-list": (f"config:\n  {KEY}: []\n", KEY),
    "key-typo": (f"config:\n  {KEY}: {{}}\n  gke-llm-serving:hftoken: {{secure: x}}\n", "gke-llm-serving:hftoken"),
    "plain-token": (f"config:\n  {KEY}: {{}}\n  gke-llm-serving:hfToken: hf_plain_value\n", "plain text"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_unreadable_files_are_refused(name: str, tmp_path: Path) -> None:
    text, expected = WRONG_FILES[name]
    result = plan(tmp_path, text)
    assert result.exit_code == 2, result.output
    assert LOCATED.match(result.stderr), result.stderr
    assert "    fix: " in result.stderr
    assert not re.search(r"expected <|did not find|could not", result.stderr), result.stderr
    assert expected in result.stderr
    assert "hf_plain_value" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    edits = {"cluster.mode": "x", "nodePools.l4.maxNodes": 0, "workloads.qwen.replicas": -1, "workload": {}}
    result = plan(tmp_path, {"config": {KEY: edited(edits)}})
    assert result.stderr.count("error: ") == 4


@pytest.mark.parametrize(
    ("wrong", "right", "part"), [("region", "location", "cluster"), ("name", "id", "workloads.qwen.model")]
)
def test_a_key_that_stands_for_another_is_told_so(wrong: str, right: str, part: str, tmp_path: Path) -> None:
    edits = {f"{part}.{right}": REMOVE, f"{part}.{wrong}": "x"}
    edits |= {"cluster.name": "llm"} if part == "cluster" else {}
    said = plan(tmp_path, {"config": {KEY: edited(edits)}}).stderr
    assert f"{part}.{right}: a value is required here\n    fix: write {right} for {wrong}\n" in said
    assert f"{part}.{wrong}: there is no such key here\n    fix: did you mean {right}?\n" in said


def test_numbers_may_arrive_as_strings(tmp_path: Path) -> None:
    edits = {"workloads.qwen.engine.maxModelLen": "4096", "nodePools.l4.maxNodes": "2", "nodePools.l4.spot": "true"}
    assert plan(tmp_path, {"config": {KEY: edited(edits)}}).exit_code == 0


@pytest.mark.parametrize(
    "path",
    ["huggingFace.existingSecret", "workloads.qwen.extraEnv.MY_TOKEN", "workloads.qwen.model.revision", "namespace"],
)
@pytest.mark.parametrize("command", ["plan", "render", "rehearse", "check"])
def test_a_token_in_the_wrong_place_is_refused_unseen(path: str, command: str, tmp_path: Path) -> None:
    token = "hf_" + "aB3" * 11
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": {KEY: edited({path: f"x-{token}"})}}), encoding="utf-8")
    out = ["--out", str(tmp_path / "out")] if command == "render" else []
    result = CliRunner().invoke(app, [command, "-f", str(file), *out])
    assert result.exit_code == 2
    assert f": {path}: a Hugging Face token is written here" in result.stderr
    assert token not in result.output
    assert not (tmp_path / "out").exists()


def test_an_empty_key_is_called_one(tmp_path: Path) -> None:
    document = {"config": {"gcp:project": "my-project", KEY: edited({"workloads.qwen.load": {"": 1}})}}
    result = plan(tmp_path, document)
    assert result.exit_code == 2
    assert "workloads.qwen.load.: an empty key stands here" in result.output
    assert "fix: give one of inputTokens" in result.output
