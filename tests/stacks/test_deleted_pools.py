"""How the pools of a stack go: with their cluster, unless that is protected and stays."""

from typing import Any

import pytest

from l4serve.cli.recording import Registration
from tests import factories
from tests.stacks.registered import rendered

POOL = "gcp:container/nodePool:NodePool"


def pools(*allow_replace: str, **cluster: Any) -> tuple[Registration, ...]:
    made = {**factories.STANDARD, **cluster}
    config = factories.serving({"a": factories.workload()}, cluster=made, allowReplace=list(allow_replace))
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


@pytest.mark.parametrize(("kept", "goes_along"), [("deletionProtection", False), ("protect", True)])
def test_a_lifted_protection_takes_pools_along_only_where_google_lets_the_cluster_go(
    kept: str, *, goes_along: bool
) -> None:
    for each in pools("cluster", **{kept: True}):
        assert bool(each.options.get("deletedWith")) is goes_along, each.name
        assert not each.options.get("protect"), each.name
