"""YAML is read as Pulumi's own reader reads it, within limits, and an error repeats nothing of the file."""

import contextlib
import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.reading.yaml_reader import MOST_BYTES, MOST_ENTRIES, YamlError, read_yaml
from tests.each_case import each

CASES = json.loads((Path(__file__).parents[1] / "pulumi_yaml.json").read_text("utf-8"))["cases"]
STRICTER = ("null: ", "---\nconfig: {x")
"""Where this reader may refuse what Pulumi takes: a null key names nothing, a second document is not read at all."""


@each(CASES, lambda case: repr(case["text"]))
def test_values_are_those_that_pulumi_reads(case: dict[str, Any]) -> None:
    if case.get("refused") and "config:\n  1: 1" not in case["text"]:
        with pytest.raises(YamlError):
            read_yaml(case["text"].encode())
        return
    try:
        document = read_yaml(case["text"].encode())
    except YamlError:
        assert any(part in case["text"] for part in STRICTER), case["text"]
        return
    if "serving" in case:
        got = document["config"]["gke-llm-serving:serving"]
        assert json.dumps(got, sort_keys=True) == json.dumps(case["serving"], sort_keys=True)


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "aliases": bomb(12),
    "merges": "\n".join(
        ["a0: &a0 {k: v}", *(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}" for i in range(1, 40))]
    )
    + "\n"
    + "\n".join(f"b{i}: [{', '.join(['*a39'] * 90)}]" for i in range(90)),
    "open-lists": "[" * 500_000,
    "open-mappings": "{a: " * 200_000,
    "nested-keys": "? " * 200_000,
    "dashes": "- " * 200_000,
    "long-list": "[" + "1," * 500_000 + "]",
    "keys": "\n".join(f"k{i}: 1" for i in range(80_000)),
    "large": "a" * (MOST_BYTES + 1),
    "long-number": "a: " + "9" * 500_000,
    "anchors": "[" + ", ".join(f"&a{i} x" for i in range(70_000)) + "]",
    "tags": "[" + ", ".join(f"!t{i} x" for i in range(70_000)) + "]",
    "quotes": '["' * 300_000,
    "comments": "# x\n" * 250_000,
    "escaped-quotes": "[" + """ "\\'", """ * 90_000 + "]",
    "escaped-quotes-below-keys": "\n".join(f"""k{i}: "\\'" """ for i in range(60_000)),
    "question-marks": "{" + "? " * 300_000,
}


@each(BOMBS, str)
def test_bombs_end_quickly_and_small(name: str) -> None:
    content = BOMBS[name].encode()
    began = time.process_time()
    with contextlib.suppress(YamlError):
        read_yaml(content)
    assert time.process_time() - began < 1.5


def test_a_bomb_takes_little_memory() -> None:
    tracemalloc.start()
    with pytest.raises(YamlError):
        read_yaml(BOMBS["long-list"].encode())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


@each(
    [
        "config: {a: !hf_{0} }",
        "config: {a: *hf_{0} }",
        "config: {{hf_{0}: 1, hf_{0}: 2}}",
        "config: {{&hf_{0} a: [*hf_{0}",
        "%TAG hf_{0}",
        "config: !<hf_{0}",
        "config: @hf_{0}",
        "config: {{a: 1\n hf_{0}: : :",
    ],
    str,
)
def test_an_error_repeats_nothing_of_the_file(text: str) -> None:
    secret = "aB3" * 11
    try:
        read_yaml(text.replace("{0}", secret).encode())
    except YamlError as error:
        assert secret not in str(error)


TOO_MANY = ("[" + "1," * (MOST_ENTRIES + 1) + "]", "".join(f"k{number}: 1\n" for number in range(MOST_ENTRIES + 1)))


@pytest.mark.parametrize("text", TOO_MANY)
def test_one_mapping_or_list_holds_a_bounded_number_of_entries(text: str) -> None:
    with pytest.raises(YamlError, match=f"more than {MOST_ENTRIES} entries"):
        read_yaml(text.encode())
