"""Prompts that begin alike: what the prefix cache holds is not computed and kept once; every sequence reads it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.performance.load import Load
from l4serve.planning.performance.prefixes import OFF, OFTEN, SHARED
from l4serve.planning.performance.speed import Speed, loop_limits, speed_of
from tests.planning.performance.engines import served, with_cache

LONG = Load(input_tokens=2048, output_tokens=64, clients=8)


def shared(load: Load, tokens: int) -> Load:
    return replace(load, shared_tokens=tokens)


def figures(found: Speed) -> tuple[float, float, float]:
    said = found.figures
    assert said.ttft_ms is not None
    assert said.itl_ms is not None
    assert said.output_tokens_per_second is not None
    return said.ttft_ms, said.itl_ms, said.output_tokens_per_second


def test_one_client_waits_as_for_the_tokens_that_are_its_own() -> None:
    one = replace(LONG, clients=1)
    first, each, _ = figures(speed_of(served(), shared(one, 1792)))
    whole, whole_each, _ = figures(speed_of(served(), one))
    own, own_each, _ = figures(speed_of(served(), replace(one, input_tokens=256)))
    assert own < first < own + 0.1 * (whole - own), "its tokens attend to the shared ones"
    assert each == pytest.approx(whole_each), "the whole cache is read all the same"
    assert own_each < each


def test_nothing_that_is_shared_changes_nothing_but_what_is_said() -> None:
    plain, few = speed_of(served(), LONG), speed_of(served(), shared(LONG, 15))
    assert figures(plain) == figures(few), "only whole blocks are found again"
    assert plain.assumed == (OFTEN,)
    assert few.assumed == (SHARED,)
    assert (few.low.itl_ms or 0) < (plain.low.itl_ms or 0)


@pytest.mark.parametrize(
    "options", [{"enable_prefix_caching": False}, {"engine_version": "0.7.3", "default_max_num_batched_tokens": None}]
)
def test_an_engine_without_a_prefix_cache_computes_every_prompt(options: dict[str, Any]) -> None:
    off = served(**options)
    assert figures(speed_of(off, shared(LONG, 1792))) == figures(speed_of(off, LONG))
    assert speed_of(off, shared(LONG, 1792)).assumed[0] == OFF
    assert OFTEN not in speed_of(off, LONG).assumed


def test_a_small_cache_holds_more_sequences_that_share() -> None:
    small = with_cache(served(), 8 * 1024)
    many = replace(LONG, clients=32)
    alone, together = speed_of(small, many), speed_of(small, shared(many, 1792))
    assert (alone.figures.running_requests or 0) < 5
    assert (together.figures.running_requests or 0) > 15
    assert together.limited_by


@pytest.mark.parametrize("spread", [0.0, 0.5])
@pytest.mark.parametrize("clients", [1, 8, 300, None])
@given(st.integers(0, 120), st.integers(1, 8))
@settings(max_examples=8, deadline=None)
def test_the_more_is_shared_the_sooner_everybody_is_served(
    clients: int | None, spread: float, blocks: int, more: int
) -> None:
    load = replace(LONG, clients=clients, rate=None if clients else 1.0)
    less, further = (
        speed_of(served(), replace(shared(load, 16 * tokens), input_spread=spread, output_spread=spread))
        for tokens in (min(blocks, 126 - more), min(blocks, 126 - more) + more)
    )
    assert (further.figures.end_to_end_ms or 0) <= 1.02 * (less.figures.end_to_end_ms or 0)


def test_what_is_kept_once_never_passes_the_cache() -> None:
    small = with_cache(served(), 8 * 1024)
    limits = loop_limits(small, shared(LONG, 1792))
    assert (limits.shared, limits.cache_tokens) == (1792, 8 * 1024 - 1792)
