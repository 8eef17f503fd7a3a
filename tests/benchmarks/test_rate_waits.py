"""What is said of waits at a rate is what requests wait in the mean of many draws, whatever engine and load."""

from benchmarks.rate_waits import LOADS, TOLD, cases

DRAWS, CLOSE = 12, 0.15
LEAST = (0.75, 0.75, 0.55)
"""The share of loads whose mean, 95th and 99th percentile are close; of one draw about a half, a third, a quarter."""
BIAS = 0.1


def test_waits_of_random_loads_are_those_of_many_draws() -> None:
    every = zip(*(case.errors(DRAWS) for case in cases(LOADS)), strict=True)
    for name, errors, least in zip(TOLD, every, LEAST, strict=True):
        assert sum(abs(error) < CLOSE for error in errors) >= least * LOADS, name
        assert abs(sum(errors)) < BIAS * LOADS, name
