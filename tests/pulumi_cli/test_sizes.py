"""Pods of several sizes in a full pool: the scheduler gives each the emptiest node, so larger ones come first."""

from pathlib import Path

import pytest

from tests.factories import workload
from tests.pulumi_cli.conftest import ControlPlane
from tests.pulumi_cli.test_full_pool import await_ready, stack, up

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

FOUR = "g2-standard-48"
ONES, PAIR, ALL = workload(gpus=1, replicas=2), workload(gpus=2), workload(gpus=4)


def test_pods_that_exchange_their_sizes_all_serve_in_an_order_or_in_steps(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Small pods are said first, and land on both nodes where nothing makes them wait."""
    with up(control_plane, tmp_path, stack(FOUR, 2, a=ONES, b=PAIR, c=ALL)) as engine:
        await_ready(control_plane, {"a": 2, "b": 1, "c": 1})
        engine.configure(stack(FOUR, 2, a=PAIR, b=ONES, c=ALL))
        engine.up()
        await_ready(control_plane, {"a": 1, "b": 2, "c": 1})
        engine.up()  # The strategy of the rollout, once more.
        assert engine.preview().steps == ()

        after = stack(FOUR, 2, a=ALL, b=PAIR, c=ONES)
        engine.configure(after)
        told = "(1) this config without c and with a, b as deployed, pulumi up; (2) this config without c, pulumi up"
        assert told in engine.preview(refused=True).errors
        for step in (stack(FOUR, 2, a=PAIR, b=ONES), stack(FOUR, 2, a=ALL, b=PAIR), after):
            engine.configure(step)
            engine.up()
        await_ready(control_plane, {"a": 1, "b": 1, "c": 2})
