"""Autopilot's minimum sizes: applied once, so that applying them again changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4serve.planning.machines.allocatable import pod_capacity
from l4serve.planning.machines.autopilot_sizes import (
    AutopilotSize,
    AutopilotSizeError,
    Requests,
    adjust,
    changes,
    minimum_size,
    sizes,
    unknown_sizes,
)
from l4serve.planning.machines.shapes import all_shapes
from l4serve.planning.values.quantity import GIB, MIB

L4 = "nvidia-l4"


def least(gpus: int) -> AutopilotSize:
    size = minimum_size(gpus, L4)
    assert size is not None
    return size


def test_two_l4_are_at_least_21_vcpu_and_78_gib() -> None:
    small = Requests(cpu_millis=2000, memory_bytes=25 * GIB, ephemeral_bytes=40 * GIB)
    raised = adjust(small, 2, L4)
    assert raised == Requests(cpu_millis=21_000, memory_bytes=78 * GIB, ephemeral_bytes=40 * GIB)
    assert changes(small, raised) == ("cpu 2 -> 21", "memory 25Gi -> 78Gi")
    assert least(2).basis == "documented"


def test_one_l4_keeps_the_guides_smallest_requests() -> None:
    guide = Requests(cpu_millis=2000, memory_bytes=7 * GIB, ephemeral_bytes=20 * GIB)
    assert adjust(guide, 1, L4) == guide
    assert changes(guide, guide) == ()


requests = st.builds(
    Requests,
    cpu_millis=st.integers(0, 100_000),
    memory_bytes=st.integers(0, 400 * GIB),
    ephemeral_bytes=st.integers(0, 10_000 * GIB),
)


@given(requests, st.sampled_from([1, 2, 4, 8]))
def test_the_webhook_finds_nothing_to_change(asked: Requests, gpus: int) -> None:
    once = adjust(asked, gpus, L4)
    assert adjust(once, gpus, L4) == once
    assert once.cpu_millis >= max(asked.cpu_millis, least(gpus).cpu_millis)
    assert once.memory_bytes >= max(asked.memory_bytes, least(gpus).memory_bytes)
    assert once.cpu_millis % 250 == 0
    assert once.memory_bytes % GIB == 0


def test_storage_that_is_not_asked_becomes_the_default_and_a_trifle_the_minimum() -> None:
    assert adjust(Requests(2000, 7 * GIB, 0), 1, L4).ephemeral_bytes == GIB
    assert adjust(Requests(2000, 7 * GIB, MIB), 1, L4).ephemeral_bytes == 10 * MIB


@pytest.mark.parametrize("gpus", [3, 5, 16])
def test_a_count_that_autopilot_does_not_offer_is_refused_with_those_it_does(gpus: int) -> None:
    with pytest.raises(AutopilotSizeError, match=r"offers 1, 2, 4, 8.*Standard cluster"):
        adjust(Requests(2000, 7 * GIB, GIB), gpus, L4)


@pytest.mark.parametrize(
    ("accelerator", "said"),
    [
        ("nvidia-h100-80gb", "smallest pod with nvidia-h100-80gb"),
        ("nvidia-rtx-pro-6000", "whether Autopilot offers nvidia-rtx-pro-6000"),
    ],
)
def test_a_size_that_nobody_states_is_said_and_refuses_nothing(accelerator: str, said: str) -> None:
    asked = Requests(2100, 7 * GIB, GIB)
    assert minimum_size(1, accelerator) is None
    assert adjust(asked, 1, accelerator) == Requests(2250, 7 * GIB, GIB)
    assert said in (unknown_sizes(accelerator) or "")
    assert unknown_sizes(L4) is None


def test_too_much_storage_is_refused() -> None:
    with pytest.raises(AutopilotSizeError, match="56Ti"):
        adjust(Requests(2000, 7 * GIB, 60 * 1024 * GIB), 1, L4)


@pytest.mark.parametrize("size", sizes(L4), ids=lambda s: str(s.gpus))
def test_every_minimum_fits_a_machine_with_so_many_gpus(size: object) -> None:
    row = least(size.gpus)  # type: ignore[attr-defined]
    machines = [pod_capacity(s, row.gpus, boot_disk_gib=100) for s in all_shapes(L4) if s.gpus == row.gpus]
    assert any(m.cpu_millis >= row.cpu_millis and m.memory_bytes >= row.memory_bytes for m in machines)
    assert row.source
