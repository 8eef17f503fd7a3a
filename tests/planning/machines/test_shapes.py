"""The shape table: every G2 machine, and a new accelerator as rows alone."""

import pytest

from l4serve.config.data_file import load_data
from l4serve.planning.machines import shapes
from l4serve.planning.machines.shapes import accelerators, all_shapes, find_shape

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
    assert [s.vcpus for s in all_shapes()] == sorted(s.vcpus for s in all_shapes())


@pytest.mark.parametrize("machine_type", ["g2-standard-64", "n1-standard-4", "", "G2-STANDARD-8"])
def test_an_unknown_machine_type_has_no_shape(machine_type: str) -> None:
    assert find_shape(machine_type) is None


def test_every_shape_names_its_source_and_may_go_without_local_ssds() -> None:
    for shape in all_shapes(None):
        assert shape.source.startswith(("http", "vCPU"))
        assert "http" in shape.source
        assert 0 in shape.local_ssd_counts


def test_another_accelerator_is_rows_and_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    table = dict(load_data(shapes.__file__, "machine_shapes.yaml"))
    row = {"machineType": "a2-highgpu-1g", "accelerator": "nvidia-tesla-a100", "gpus": 1, "vcpus": 12}
    table["shapes"] = [*table["shapes"], row | {"memoryGib": 85, "localSsd": [0, 1]}]
    monkeypatch.setattr(shapes, "load_data", lambda module, name: table)
    shapes._shapes.cache_clear()
    try:
        assert accelerators() == ("nvidia-l4", "nvidia-tesla-a100")
        assert [s.machine_type for s in all_shapes("nvidia-tesla-a100")] == ["a2-highgpu-1g"]
        assert len(all_shapes("nvidia-l4")) == len(G2)
    finally:
        shapes._shapes.cache_clear()
