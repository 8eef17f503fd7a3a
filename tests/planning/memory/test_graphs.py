"""How many CUDA graphs a release captures: bound by its sequences or not, and how far apart its sizes are."""

import pytest

from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.graphs import captured_graphs, largest_captured
from l4serve.planning.memory.options import GraphOptions, ServingOptions
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


@pytest.mark.parametrize(
    ("asked", "seqs", "largest"),
    [
        (None, 300, 288),
        (None, 1024, 512),
        (None, 100, 96),
        (None, 7, 4),
        (GraphOptions(sizes=(1, 40, 512)), 256, 40),
        (GraphOptions(largest=2**53), 64, 64),
        (GraphOptions(sizes=()), 64, 0),
    ],
)
def test_the_largest_captured_batch_is_one_of_those_sizes(asked: GraphOptions | None, seqs: int, largest: int) -> None:
    options = ServingOptions(engine="vllm", engine_version="0.17.0", graphs=asked)
    assert largest_captured(options, vllm_generation("0.17.0"), BatchLimits(4096, seqs, 8192)) == largest
