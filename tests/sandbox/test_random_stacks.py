"""Plan and rehearsal agree on random stacks, and the API server takes a hundred renderings of them.

A sample of `python -m benchmarks.plan_against_rehearsal`.
"""

import os
import random

import pytest

from benchmarks.plan_against_rehearsal import rehearsed, trials
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.rehearsal import prepare
from l4serve.sandbox.stand_ins import missing_namespaces

REHEARSED = int(os.environ.get("L4SERVE_REHEARSED_STACKS", "12"))
TAKEN = int(os.environ.get("L4SERVE_TAKEN_STACKS", "100"))
SEED = 20261125

pytestmark = pytest.mark.timeout(1200, func_only=True)


def test_what_is_planned_runs_and_what_lacks_nodes_does_not(state_dir) -> None:
    disagreed, planned = [], 0
    for tried in rehearsed(trials(random.Random(SEED), REHEARSED), REHEARSED):
        trial, outcome = tried.trial, tried.outcome
        if trial is None or outcome is None:
            continue
        planned += trial.planned
        if outcome.ok != trial.planned:
            reasons = [row.reason for row in outcome.placements if not row.ready]
            disagreed.append((trial.serving, outcome.refused, reasons))
    assert disagreed == []
    assert planned == REHEARSED


def test_the_api_server_takes_every_rendering(state_dir) -> None:
    with running_sandbox("renderings") as sandbox, sandbox.client() as client:
        applier = prepare(sandbox, client, ())
        taken = 0
        for trial in trials(random.Random(SEED + 1), TAKEN):
            if trial is not None:
                own = trial.candidate.objects
                spaces = [each for each in own if each["kind"] == "Namespace"]
                assert applier.apply([*missing_namespaces(own), *spaces]) == (), trial.serving
                # Stored, each would have the controllers make its pods, which the test above is about.
                assert applier.apply(own, keep=False) == (), trial.serving
                taken += 1
    assert taken >= TAKEN
