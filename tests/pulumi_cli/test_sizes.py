"""Pods of several sizes in a full pool: the scheduler gives each the emptiest node, so larger ones come first."""

from pathlib import Path

import pytest

from tests.factories import workload
from tests.pulumi_cli.conftest import ControlPlane
from tests.pulumi_cli.test_full_pool import await_ready, stack, up

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

FOUR = "g2-standard-48"
ONES, PAIR, ALL = workload(gpus=1, replicas=2), workload(gpus=2), workload(gpus=4)


def test_pods_that_exchange_their_sizes_all_serve(control_plane: ControlPlane, tmp_path: Path) -> None:
    """Small pods are said first, and land on both nodes where nothing makes them wait."""
    before = stack(FOUR, 2, a=ONES, b=PAIR, c=ALL)
    with up(control_plane, tmp_path, before) as engine:
        await_ready(control_plane, {"a": 2, "b": 1, "c": 1})
        engine.configure(stack(FOUR, 2, a=PAIR, b=ONES, c=ALL))
        engine.up()
        await_ready(control_plane, {"a": 1, "b": 2, "c": 1})
        engine.up()  # The strategy of the rollout, once more.
        assert engine.preview().steps == ()


def test_an_exchange_that_no_order_makes_safe_is_refused_and_its_three_steps_end(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    after = stack(FOUR, 2, a=PAIR, b=ONES, c=ALL)
    with up(control_plane, tmp_path, stack(FOUR, 2, a=ALL, b=PAIR, c=ONES)) as engine:
        engine.configure(after)
        told = "(1) this config without a, b and with c as deployed, pulumi up; (2) this config without a, b, pulumi up"
        for refusal in (engine.preview(refused=True), engine.up(refused=True)):
            assert told in refusal.errors
        for step in (stack(FOUR, 2, c=ONES), stack(FOUR, 2, c=ALL), after):
            engine.configure(step)
            engine.up()
        await_ready(control_plane, {"a": 1, "b": 2, "c": 1})
