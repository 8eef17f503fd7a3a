"""A part of the control plane that dies is named at once, whatever a rehearsal waits for, and nothing stays behind."""

from pathlib import Path

import pytest

from benchmarks.component_deaths import MOST_SECONDS, PARTS, kill
from tests.factories import ROOT

pytestmark = pytest.mark.timeout(400, func_only=True)

AT_ITS_START, LATER = 0.0, 2.5
MOMENTS = {
    "etcd": AT_ITS_START,
    "kube-apiserver": LATER,
    "kube-controller-manager": AT_ITS_START,
    "kube-scheduler": LATER,
    "kwok": LATER,
}
"""Seconds after which each part is killed here; `python -m benchmarks.component_deaths` kills each at many."""


def test_each_part_is_killed_once() -> None:
    assert set(MOMENTS) == set(PARTS)


@pytest.mark.parametrize(("part", "after"), MOMENTS.items())
def test_a_death_is_named(part: str, after: float) -> None:
    death = kill(part, after, Path(ROOT / "Pulumi.guide.yaml"))
    assert death is not None, "the rehearsal was over before the kill"
    assert death.named, death.output
    assert death.strays == 0
    assert "Traceback" not in death.output
    # Tests share their machine: what nobody had a processor for counts for nothing, here alone.
    assert death.seconds - death.queued < MOST_SECONDS, (death.seconds, death.queued, death.output)
