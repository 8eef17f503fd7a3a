"""A bound holds what it claims: measured figures lie between low and high, and the bound still tells something."""

from functools import cache

import pytest

from benchmarks.performance.h100_points import (
    advised_points,
    dense_points,
    h100_points,
    prefix_points,
    server_points,
    unseen_points,
)
from benchmarks.performance.l4_points import l4_points, other_host_points
from benchmarks.performance.point_errors import Answers, coverage
from benchmarks.performance.points import METRICS, Metric, Point, figures, predicted
from benchmarks.performance.rate_fitting import evidence, held_out, starts
from l4serve.planning.performance.card_speeds import all_card_speeds, bound_of
from l4serve.planning.performance.kernel_rates import kernel_rates

HELD = 0.95
HELD_OF_SERVERS = 0.88
"""Of dense models under many clients on hosts of other days, whose first tokens and prompts the page tells."""
SLOW_HOST = "w18-", "w23-"
"""Qwen2.5 1.5B on an H100, where a token is the host's time alone, whose noise the page tells."""


@cache
def group_held_out() -> Answers:
    points = l4_points()
    names, _ = starts()
    return held_out(points, evidence(points, kernel_rates(), names), lambda point: point.group)


def inside(points: tuple[Point, ...], metric: Metric, answers: Answers) -> float:
    found, asked = coverage(points, metric, answers)
    assert asked
    return found / asked


@pytest.mark.parametrize("metric", METRICS)
def test_points_of_an_l4_lie_in_the_bound_of_what_was_settled_without_their_group(metric: Metric) -> None:
    assert inside(l4_points(), metric, group_held_out()) >= HELD


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("points", [other_host_points, h100_points, advised_points, unseen_points])
def test_points_that_settled_nothing_lie_in_the_bound(points: object, metric: Metric) -> None:
    assert callable(points)
    asked: tuple[Point, ...] = points()
    assert inside(asked, metric, {point.id: figures(predicted(point)) for point in asked}) >= HELD


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("points", [dense_points, prefix_points])
def test_points_of_dense_models_as_servers_lie_in_their_bound(points: object, metric: Metric) -> None:
    assert callable(points)
    asked: tuple[Point, ...] = points()
    assert inside(asked, metric, {point.id: figures(predicted(point)) for point in asked}) >= HELD_OF_SERVERS


@pytest.mark.parametrize("metric", METRICS)
def test_points_of_cases_that_were_measured_on_an_h100_lie_in_their_bound(metric: Metric) -> None:
    asked = tuple(point for point in server_points() if not point.group.startswith(SLOW_HOST))
    assert inside(asked, metric, {point.id: figures(predicted(point)) for point in asked}) >= HELD


def test_a_bound_of_a_measured_card_still_tells_something() -> None:
    bound = bound_of(all_card_speeds()["nvidia-l4"], 1)
    assert max(bound.token.less, bound.token.more, bound.rate.less, bound.rate.more) <= 0.15
    assert max(bound.token.less, bound.token.more) <= 0.08
    assert max(bound.wait.less, bound.wait.more) <= 0.3
    assert max(bound.host_ms.less, bound.host_ms.more) <= 20
