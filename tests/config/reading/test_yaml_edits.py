"""Edits of a YAML file that keep every other byte."""

import pytest
import yaml

from l4serve.config.reading.yaml_edits import YamlEditError, with_values

TEXT = """\
# A stack.
config:
  serving:
    workloads:
      chat:  # the one
        model: {id: a/b}   # small
        engine: {kind: vllm, version: 0.26.0}
        replicas: 1
      long:
        engine:
          kind: vllm   # block
          # a comment between
        model:
          id: c/d

# the end
    monitoring: {dashboard: true}
"""


def edited(*path: str, value: object) -> str:
    return with_values(TEXT, {("config", "serving", "workloads", *path): value})


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("chat", "replicas"), 2, "        replicas: 2"),
        (("chat", "engine", "version"), "0.27.0", "        engine: {kind: vllm, version: 0.27.0}"),
        (("chat", "engine", "quantization"), "fp8", "        engine: {kind: vllm, version: 0.26.0, quantization: fp8}"),
        (("chat", "gpus"), 2, "        gpus: 2"),
        (("long", "engine", "maxModelLen"), 600, "          maxModelLen: 600"),
        (("long", "load", "inputTokens"), 9, "        load: {inputTokens: 9}"),
        (("chat", "model", "id"), "x/y", "        model: {id: x/y}   # small"),
    ],
    ids=str,
)
def test_one_line_changes_and_nothing_else(path: tuple[str, ...], value: object, line: str) -> None:
    after = edited(*path, value=value)
    assert line in after.splitlines()
    before = TEXT.splitlines()
    kept = [each for each in after.splitlines() if each in before]
    assert len(kept) >= len(before) - 1
    assert kept == [each for each in before if each in kept]
    found = yaml.safe_load(after)["config"]["serving"]["workloads"]
    for key in path:
        found = found[key]
    assert found == value


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(YamlEditError, match="not a mapping"):
        edited("chat", "replicas", "most", value=1)
    with pytest.raises(YamlEditError, match="not a single value"):
        edited("chat", "engine", value=1)


def test_what_an_alias_shares_is_not_edited_for_one_of_its_places() -> None:
    text = "a:\n  engine: &e {kind: vllm, maxModelLen: 1}\nb:\n  engine: *e\n"
    for place in ("a", "b"):
        for key in ("maxModelLen", "dtype"):
            with pytest.raises(YamlEditError, match="several places"):
                with_values(text, {(place, "engine", key): 2})
    assert with_values(text, {("a", "replicas"): 2}).startswith(text.split("b:")[0] + "  replicas: 2\n")


def test_a_byte_order_mark_stays_and_moves_nothing() -> None:
    assert with_values("\ufeffa: {b: 1}\n", {("a", "b"): 2}) == "\ufeffa: {b: 2}\n"


def test_line_ends_stay_as_they_are() -> None:
    text = "a:\r\n  b: 1\r\n"
    assert with_values(text, {("a", "c"): 2}) == "a:\r\n  b: 1\r\n  c: 2\r\n"
    assert with_values(text, {("a", "b"): 2}) == "a:\r\n  b: 2\r\n"


@pytest.mark.parametrize("line_break", ["\r", "\x85", "\u2028", "\u2029"])
def test_any_line_break_of_yaml_ends_a_line(line_break: str) -> None:
    text = line_break.join(("a:", "  b: 1  # why", "c: 2", ""))
    assert with_values(text, {("a", "d"): 3}) == line_break.join(("a:", "  b: 1  # why", "  d: 3", "c: 2", ""))


def test_what_only_pulumi_reads_is_not_edited() -> None:
    with pytest.raises(YamlEditError, match="line 2 is YAML that only Pulumi reads"):
        with_values('a: 1\nb: "it\\\'s"\n', {("a",): 2})


@pytest.mark.parametrize("header", ["|", "|-", "|+", ">", ">-", "|2-", "|-  # folded"])
@pytest.mark.parametrize(
    "after", ["  engine: {k: v}\n", "\n  # next\n  engine: {k: v}\n", ""], ids=["key", "comment", "end"]
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_block_is_replaced_and_followed_with_its_line_break(header: str, after: str, line_break: str) -> None:
    text = f"a:\n  model:\n    id: {header}\n      Qwen/Qwen3-8B\n{after}".replace("\n", line_break)
    before = yaml.safe_load(text)
    for key in ("id", "revision"):
        found = with_values(text, {("a", "model", key): "new"})
        assert yaml.safe_load(found) == {"a": {**before["a"], "model": {**before["a"]["model"], key: "new"}}}
        assert found.endswith(after.lstrip().replace("\n", line_break))
    assert ("  # folded" in with_values(text, {("a", "model", "id"): "new"})) is ("folded" in header)


def test_a_block_that_ends_the_file_without_a_line_break_is_replaced_and_followed() -> None:
    text = "a:\n  id: |-\n    Qwen"
    assert with_values(text, {("a", "id"): "X"}) == "a:\n  id: X"
    assert with_values(text, {("a", "r"): "X"}) == "a:\n  id: |-\n    Qwen\n  r: X\n"
