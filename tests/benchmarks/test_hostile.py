"""A sample of the attack of docs/security.md: no input breaks a bound, and no planted secret appears."""

import random
from collections import defaultdict

from benchmarks.hostile import MOST_SECONDS, run
from benchmarks.hostility.inputs import Case, cases
from benchmarks.hostility.planted import planted

PER_KIND = 6
SLACK = "took"
"""Times and sizes of a busy machine are the benchmark's to judge; a hang ends with a signal."""


def sample() -> list[Case]:
    rng = random.Random(20261125)
    kinds = defaultdict(list)
    for case in (*cases(rng, PER_KIND), *planted(rng)):
        kinds[case.kind].append(case)
    return [case for own in kinds.values() for case in rng.sample(own, min(PER_KIND, len(own)))]


def test_the_corpus_is_large_enough() -> None:
    rng = random.Random(1)
    assert sum(1 for _ in cases(rng, 110)) + sum(1 for _ in planted(rng)) >= 800
    assert sum(1 for _ in planted(rng)) >= 60


def test_no_input_breaks_a_bound() -> None:
    outcomes = [run(case) for case in sample()]
    broken = [(o.faults, o.case, o.output[:500]) for o in outcomes if any(not f.startswith(SLACK) for f in o.faults)]
    assert not broken
    assert all(outcome.seconds < 5 * MOST_SECONDS for outcome in outcomes)
