"""At no key of a stack does an odd value end in anything but a plan or a refusal; a huge number is refused."""

import json
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hostility.inputs import GOOD, MODEL, edited, fields
from l4serve.cli.shell.output import json_text
from l4serve.config.excess import excess
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_planner import plan_stack
from tests.factories import loaded

ODD: tuple[Any, ...] = ([], {}, 10**30, 10**310, 2**53 + 1, 2**53, "9" * 40, -(10**30), "", None)


def fault(serving: Any) -> str | None:
    try:
        json_text(stack_json(plan_stack(loaded(serving, has_token=True))))
    except ConfigError:
        return None
    except Exception as error:
        return repr(error)
    return None


def test_odd_values_are_planned_or_refused() -> None:
    faults = {
        f"{where} {key} {value!r:.20}": found
        for where, key in fields()
        for value in ODD
        if (found := fault(edited(GOOD, where, partial(dict, **{key: value}))))
    }
    assert faults == {}


@pytest.mark.parametrize("key", ["maxModelLen", "maxNumSeqs", "numGpuBlocksOverride", "seed"])
def test_a_number_that_no_setting_can_mean_is_refused(key: str) -> None:
    engine = ("workloads", "qwen", "engine")
    with pytest.raises(ConfigError, match="larger than any"):
        loaded(edited(GOOD, engine, lambda object_: {**object_, key: 2**53 + 1}))


def test_no_number_of_a_models_config_is_beyond_a_float(tmp_path: Path) -> None:
    rope = {**MODEL["rope_scaling"], "factor": 10**399}
    (tmp_path / "config.json").write_text(json.dumps({**MODEL, "rope_scaling": rope}), encoding="utf-8")
    serving = edited(GOOD, ("workloads", "qwen", "model"), lambda _: {"id": "a/b", "config": "config.json"})
    with pytest.raises(ConfigError, match="digits"):
        parse_stack("x", {SERVING_KEY: serving}, base=tmp_path)


ARGUMENTS = (
    f"--compilation-config={'9' * 5000}",
    f"--kv-cache-memory-bytes={'9' * 400}",
    f"--kv-offloading-size={'9' * 400}",
    f"--max-cudagraph-capture-size={'9' * 40}",
    f"--api-server-count={'[' * 3000}{']' * 3000}",
    "--long-prefill-token-threshold=${X}",
    "--hf-overrides=" + '{"rope_scaling": {"factor": ' + "9" * 400 + "}}",
)


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda text: text[:24])
def test_arguments_of_no_bounds_are_refused(argument: str) -> None:
    serving = edited(GOOD, ("workloads", "qwen", "extraArgs"), lambda _: [argument])
    with pytest.raises(ConfigError):
        plan_stack(loaded(serving, has_token=True))


@pytest.mark.parametrize("tokens", [{"a": 1}, "9" * 40, "x", [], 10**40, None])
def test_a_draft_of_no_number_of_tokens_is_refused(tokens: Any) -> None:
    draft = {"method": "ngram", "prompt_lookup_max": 4, "num_speculative_tokens": tokens}
    for release in ("0.26.0", "0.12.0", "0.33.0"):
        engine = {"version": release, "speculativeConfig": draft}
        assert fault(edited(GOOD, ("workloads", "qwen", "engine"), partial(dict, **engine))) is None


def test_hashes_dates_and_seeds_are_no_huge_numbers() -> None:
    for text in (
        "9b1c" * 10,
        "12e4567890abcdef12e4567890abcdef12e45678",
        "20260101120000",
        str(2**53),
        "1e-05",
        "0.5e10",
    ):
        assert excess(text) is None, text
    for text in ("9" * 19, '{"a": 1e400}', "x=" + "1" * 30, "1_000" * 6):
        assert excess(text), text


ENDLESS = (
    *('--hf-overrides={"rope_scaling":{"rope_type":"yarn","factor":Infinity}}', "--hf-overrides.rope_theta=-Infinity"),
    *('--hf-overrides={"rope_parameters": {"factor": [ NaN ]}}', '--hf-overrides={"max_position_embeddings":Infinity}'),
    *('--limit-mm-per-prompt={"image":Infinity}', '--mm-processor-kwargs={"max_pixels":-Infinity}'),
    *("--kv-offloading-size=Infinity", "--kv-offloading-size=nan", "--hf-overrides=NaN"),
)


@pytest.mark.parametrize("argument", ENDLESS)
def test_infinity_and_what_is_no_number_are_refused_in_an_argument(argument: str) -> None:
    for arguments in ([argument], argument.split("=", 1)):
        serving = edited(GOOD, ("workloads", "qwen", "extraArgs"), partial(lambda given, _: given, arguments))
        with pytest.raises(ConfigError, match="infinity or NaN"):
            plan_stack(loaded(serving, has_token=True))


def test_a_number_of_a_field_that_is_none_is_refused() -> None:
    serving = edited(
        GOOD, ("workloads", "qwen", "engine"), lambda object_: {**object_, "mmProcessorKwargs": {"a": nan}}
    )
    with pytest.raises(ConfigError, match="nan is not a number"):
        plan_stack(loaded(serving, has_token=True))


@pytest.mark.parametrize(
    "text", ['--hf-overrides={"name":"a, NaN, \\" b"}', "--x=infinite", "info", "--a=b [NaN]", "{}"]
)
def test_words_in_an_argument_are_no_infinity(text: str) -> None:
    assert excess(text) is None
