"""The edges of an estimate under a rate, up to the most that is served and beyond it."""

from itertools import pairwise

import pytest

from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed, speed_of
from tests.planning.performance.engines import served

SHARES = (0.5, 0.8, 0.88, 0.92, 0.96, 1.01, 1.05, 1.5)


@pytest.fixture(scope="module", params=[None, "fp8"], ids=["bf16", "fp8"])
def speeds(request: pytest.FixtureRequest) -> dict[float, Speed]:
    engine = served("Qwen/Qwen2.5-7B-Instruct", quantization=request.param)
    most = speed_of(engine, Load(input_tokens=512, output_tokens=128, rate=1.0)).most_requests
    assert most is not None
    loads = {share: Load(input_tokens=512, output_tokens=128, rate=share * most) for share in SHARES}
    return {share: speed_of(engine, load) for share, load in loads.items()}


def test_the_more_come_the_longer_a_token_may_take_and_the_more_may_run(speeds: dict[float, Speed]) -> None:
    for key in ("itl_ms", "running_requests"):
        found = [getattr(speeds[share].high, key) for share in SHARES]
        assert all(less <= more * 1.001 for less, more in pairwise(found)), (key, found)


def test_what_the_slowest_card_does_not_serve_is_the_pace_of_a_full_one(speeds: dict[float, Speed]) -> None:
    close, full = speeds[0.96], speeds[1.5]
    assert not close.slowest_keeps_up
    assert close.high.itl_ms == pytest.approx(full.high.itl_ms)
    assert close.high.running_requests == pytest.approx(full.high.running_requests)
    assert close.most_requests is not None
    for key in ("output_tokens_per_second", "requests_per_second"):
        said, least = getattr(close.figures, key), getattr(close.low, key)
        assert least == pytest.approx(getattr(full.figures, key) / 1.08, rel=1e-3)
        assert least < said == getattr(close.high, key)


@pytest.mark.parametrize("share", SHARES)
def test_no_more_is_served_than_comes(share: float, speeds: dict[float, Speed]) -> None:
    speed = speeds[share]
    assert speed.most_requests is not None
    for part in (speed.low, speed.figures, speed.high):
        assert part.requests_per_second is not None
        assert part.requests_per_second <= share * speed.most_requests * 1.001
