"""A sample of the attack of docs/security.md: no input breaks a bound, and no planted secret appears."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks import hostile
from benchmarks.hostile import MOST_SECONDS, all_cases, run
from benchmarks.hostility.inputs import Case, cases
from benchmarks.hostility.planted import planted

PER_KIND = 4
SLACK = "took"
"""Times and sizes of a busy machine are the benchmark's to judge; a hang ends with a signal."""


def sample() -> list[Case]:
    rng = random.Random(20261125)
    kinds = defaultdict(list)
    for case in all_cases(rng, PER_KIND, 2 * PER_KIND):
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


SECRET = "planted-for-this-test"


def leak(way: str) -> None:
    match way:
        case "printed":
            os.write(2, SECRET.encode())
        case "in the arguments of a process":
            subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", SECRET], check=True)
        case "in the file .log":
            Path("some.log").write_text(f"x {SECRET}", encoding="utf-8")
        case "in the file out":
            Path(os.environ["TMPDIR"], f"{SECRET}-of").mkdir()
            Path(os.environ["TMPDIR"], "out").write_bytes(SECRET.encode())


@pytest.mark.parametrize("way", ["printed", "in the arguments of a process", "in the file .log", "in the file out"])
def test_a_secret_that_gets_out_is_found(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "app", lambda args: leak(way))
    assert f"secret {way}" in run(Case("leak", (), lambda _: None, SECRET)).faults
