"""The shape table: every G2 machine, and a new accelerator as rows alone."""

from dataclasses import replace

import pytest

from l4serve.planning.machines.gpus import all_gpus, card_of, find_gpu
from l4serve.planning.machines.shapes import accelerators, all_shapes, find_shape, missing_figure

# https://cloud.google.com/compute/docs/accelerator-optimized-machines#g2-vms
G2 = {
    "g2-standard-4": (4, 16, 1),
    "g2-standard-8": (8, 32, 1),
    "g2-standard-12": (12, 48, 1),
    "g2-standard-16": (16, 64, 1),
    "g2-standard-24": (24, 96, 2),
    "g2-standard-32": (32, 128, 1),
    "g2-standard-48": (48, 192, 4),
    "g2-standard-96": (96, 384, 8),
}


def test_every_g2_machine_is_there_with_its_size() -> None:
    found = {s.machine_type: (s.vcpus, s.memory_gib, s.gpus) for s in all_shapes("nvidia-l4")}
    assert found == G2


def test_the_table_is_in_order_of_vcpus() -> None:
    for accelerator in ("nvidia-l4", "nvidia-rtx-pro-6000", "nvidia-a100-80gb", "nvidia-h100-80gb"):
        sizes = [shape.vcpus for shape in all_shapes(accelerator)]
        assert sizes == sorted(sizes)


@pytest.mark.parametrize("machine_type", ["g2-standard-64", "n1-standard-4", "", "G2-STANDARD-8"])
def test_an_unknown_machine_type_has_no_shape(machine_type: str) -> None:
    assert find_shape(machine_type) is None


def test_every_shape_names_its_source_and_may_go_without_local_ssds() -> None:
    for shape in all_shapes(None):
        assert "http" in shape.source
        assert 0 in (shape.local_ssd_counts or (0,))
        assert shape.sold_as


@pytest.mark.parametrize(
    ("machine_type", "accelerator", "gpus", "vcpus", "memory_gib"),
    [
        ("g4-standard-48", "nvidia-rtx-pro-6000", 1, 48, 180),
        ("g4-standard-384", "nvidia-rtx-pro-6000", 8, 384, 1440),
        ("a2-highgpu-1g", "nvidia-tesla-a100", 1, 12, 85),
        ("a2-megagpu-16g", "nvidia-tesla-a100", 16, 96, 1360),
        ("a2-ultragpu-1g", "nvidia-a100-80gb", 1, 12, 170),
        ("a3-highgpu-1g", "nvidia-h100-80gb", 1, 26, 234),
        ("a3-highgpu-8g", "nvidia-h100-80gb", 8, 208, 1872),
        ("a3-megagpu-8g", "nvidia-h100-mega-80gb", 8, 208, 1872),
        ("a3-ultragpu-8g", "nvidia-h200-141gb", 8, 224, 2952),
    ],
)
def test_the_accelerators_after_the_l4(
    machine_type: str, accelerator: str, gpus: int, vcpus: int, memory_gib: int
) -> None:
    shape = find_shape(machine_type)
    assert shape is not None
    assert (shape.accelerator, shape.gpus, shape.vcpus, shape.memory_gib) == (accelerator, gpus, vcpus, memory_gib)


def test_every_accelerator_of_the_table_has_a_card() -> None:
    assert [name for name in accelerators() if find_gpu(name) is None] == []


@pytest.mark.parametrize("machine_type", ["g4-standard-6", "g4-standard-12", "g4-standard-24"])
def test_a_fraction_whose_host_memory_nobody_states_has_no_shape_and_says_why(machine_type: str) -> None:
    assert find_shape(machine_type) is None
    assert f"no source states the memory of {machine_type}" in (missing_figure(machine_type) or "")
    assert missing_figure("g4-standard-48") is None


def test_a_fraction_has_the_memory_of_its_machine_type_not_of_its_label() -> None:
    whole = find_shape("g4-standard-48")
    assert whole is not None
    assert card_of(whole) == find_gpu("nvidia-rtx-pro-6000")
    part = card_of(replace(whole, machine_type="g4-standard-12", card_memory_gb=24))
    assert part is not None
    assert (part.total_gib, part.name) == (24, "nvidia-rtx-pro-6000")
    assert part.lowest_total_gib == pytest.approx(22.35, abs=0.01)


def test_cards_attach_to_a_host_within_the_limits_of_their_count() -> None:
    one = find_shape("n1-standard-8", ("nvidia-tesla-t4", 1))
    assert one is not None
    assert (one.gpus, one.vcpus, one.memory_gib, one.name) == (1, 8, 30, "n1-standard-8 + 1 nvidia-tesla-t4")
    assert find_shape("n1-standard-8") is None
    assert find_shape("n1-standard-64", ("nvidia-tesla-t4", 2)) is None
    assert find_shape("n1-standard-64", ("nvidia-tesla-t4", 4)) is not None
    assert find_shape("n1-standard-8", ("nvidia-tesla-t4", 3)) is None


def test_a_total_is_a_range_and_a_measured_one_is_not() -> None:
    l4 = find_gpu("nvidia-l4")
    assert l4 is not None
    assert (l4.lowest_total_gib, l4.total_gib) == (21.95, 22.03)
    assert l4.at_lowest.total_gib == 21.95
    assert l4.with_total(22.0).at_lowest.total_gib == 22.0
    for card in all_gpus().values():
        assert card.context_gib < card.lowest_total_gib <= card.total_gib
        assert card.source
