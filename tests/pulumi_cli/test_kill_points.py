"""An edit that is killed at a random moment is healed: taken back it leaves the old objects, destroyed none."""

import random
from pathlib import Path

import pytest

from benchmarks.engine.kill_edits import Returns
from benchmarks.engine.kill_points import CONFIG, objects
from benchmarks.engine.killing import timed
from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import planned
from tests.pulumi_cli.conftest import ControlPlane, stack_on

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(300, func_only=True)]


def test_an_edit_that_is_killed_is_taken_back_and_destroyed(control_plane: ControlPlane, tmp_path: Path) -> None:
    nodes = planned_nodes(planned(CONFIG, project=None))
    with stack_on(control_plane, nodes, tmp_path, "killed", CONFIG) as engine:
        edits = Returns(control_plane, objects(control_plane.client))
        longest_s = timed(engine.preview) * 2
        pair = edits.taken_back(engine, (random.uniform(0.5, longest_s), random.uniform(0.5, longest_s)))
    assert (pair.differing, pair.left) == ((), ()), pair.text()
