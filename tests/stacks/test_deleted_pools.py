"""How the pools of a stack go: with their cluster, unless that is protected and stays."""

from typing import Any

import pytest

from l4serve.cli.recording import Registration
from tests import factories
from tests.stacks.registered import rendered

POOL = "gcp:container/nodePool:NodePool"


def pools(**cluster: Any) -> tuple[Registration, ...]:
    config = factories.serving({"a": factories.workload()}, cluster={**factories.STANDARD, **cluster})
    _, registered = rendered(factories.loaded(config))
    found = tuple(each for each in registered if each.type == POOL)
    assert len(found) == 2, "of the GPUs and of the system"
    return found


def test_pools_go_with_their_cluster() -> None:
    assert all(each.options.get("deletedWith") for each in pools())


@pytest.mark.parametrize("kept", ["deletionProtection", "protect"])
def test_a_pool_whose_cluster_stays_is_deleted_itself_or_stays_in_the_state(kept: str) -> None:
    """The engine takes what is deleted with a protected cluster from the state, and nobody deletes it."""
    for each in pools(**{kept: True}):
        assert each.options.get("protect") or not each.options.get("deletedWith"), each.name
