"""How many CUDA graphs a release captures: bound by its sequences or not, and how far apart its sizes are."""

import pytest

from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.vllm import captured_graphs
from l4serve.planning.memory.vllm_activations import BatchLimits


@pytest.mark.parametrize(
    ("version", "by_v0", "seqs", "tokens", "sizes"),
    [
        ("0.8.5", False, 2, 2048, 67),
        ("0.9.2", False, 2, 2048, 67),
        ("0.9.2", False, 256, 64, 11),
        ("0.10.0", False, 2, 2048, 3),
        ("0.10.0", False, 256, 2048, 67),
        ("0.11.0", False, 256, 2048, 67),
        ("0.11.1", False, 256, 2048, 51),
        ("0.26.0", False, 8, 2048, 5),
        ("0.8.5", True, 8, 2048, 4),
        ("0.8.5", True, 256, 2048, 35),
        ("0.8.5", True, 512, 2048, 67),
    ],
)
def test_graphs_are_captured_as_the_release_lists_their_sizes(
    version: str, *, by_v0: bool, seqs: int, tokens: int, sizes: int
) -> None:
    generation = vllm_generation(version, by_v0=by_v0)
    options = ServingOptions(engine="vllm", engine_version=version)
    assert captured_graphs(options, generation, BatchLimits(4096, seqs, tokens)) == sizes
