"""Plan and rehearsal agree on random stacks: a sample of `python -m benchmarks.plan_against_rehearsal`.

All of the sample's renderings are applied for real, so the API server has taken each of them.
"""

import random

import pytest

from benchmarks.plan_against_rehearsal import rehearsed, trials

PLANNED = 100
PER_BATCH = 70
SEED = 20261125

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(1500, func_only=True)]


def test_what_is_planned_runs_and_what_lacks_nodes_does_not(state_dir) -> None:
    planned, short, disagreed, refused = 0, 0, [], []
    for trial, outcome in rehearsed(trials(random.Random(SEED), PLANNED), PER_BATCH):
        if trial is None or outcome is None:
            continue
        planned += trial.planned
        short += not trial.planned
        refused += outcome.refused
        if outcome.ok != trial.planned:
            disagreed.append((trial.serving, [row.reason for row in outcome.placements if not row.ready]))
    assert refused == [], "the API server took every rendering"
    assert disagreed == []
    assert planned == PLANNED
    assert short > 3, "refusals for want of nodes are tried too"
