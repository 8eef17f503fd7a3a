"""Settings whose effect on memory the sources tell: levels, modes, passes, ranks of contexts, towers, drafts."""

from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import ServingOptions
from tests.planning.memory.test_extra_flags import asked, shape

SMALL = "Qwen/Qwen2.5-7B-Instruct"
LATENT = "deepseek-ai/DeepSeek-V2-Lite"


def fit(model: str, options: ServingOptions, gpu: str = "nvidia-l4") -> Fit:
    card = find_gpu(gpu)
    assert card is not None
    return estimate(shape(model), card, options)


@pytest.mark.parametrize(
    ("version", "flags", "eager"),
    [
        ("0.10.0", ["-O0"], False),
        ("0.11.0", ["-O0"], True),
        ("0.11.0", ["-O.level=0"], True),
        ("0.11.0", ['--compilation-config={"level":0,"cudagraph_mode":"FULL"}'], False),
        ("0.12.0", ['--compilation-config={"mode":0,"cudagraph_mode":"FULL_DECODE_ONLY"}'], True),
        ("0.26.0", ['--compilation-config={"mode":0,"cudagraph_mode":"FULL_DECODE_ONLY"}'], False),
        ("0.26.0", ["--compilation-config.mode=NONE"], True),
        ("0.26.0", ["-O1"], False),
        ("0.26.0", ["-O3"], False),
    ],
)
def test_a_level_or_mode_without_compilation_is_eager_unless_graphs_need_none(
    version: str, flags: list[str], eager: bool
) -> None:
    options = asked(*flags, version=version)
    assert options.is_eager == eager
    plain = asked(version=version, enforce_eager=eager)
    assert fit(SMALL, options).kv_room_gib == fit(SMALL, plain).kv_room_gib


def test_a_mode_between_is_not_judged() -> None:
    assert asked("--compilation-config.mode=1").unjudged == ("compilation mode 1",)


@pytest.mark.parametrize("key", ["fuse_norm_quant", "eliminate_noops", "fuse_attn_quant"])
def test_a_pass_that_fuses_takes_nothing_and_one_of_the_network_buffers(key: str) -> None:
    ranks: dict[str, Any] = {"version": "0.13.0", "tensor_parallel_size": 2, "max_model_len": 8192}
    plain = fit(SMALL, asked(**ranks))
    assert fit(SMALL, asked(f"-cc.pass_config.{key}=true", **ranks)) == plain
    on, off = (fit(SMALL, asked(f"-cc.pass_config.fuse_allreduce_rms={on}", **ranks)) for on in ("true", "false"))
    assert off == plain
    assert plain.kv_room_gib - on.kv_room_gib == pytest.approx(2 * 4 * 64 / 1024)
    assert asked('-cc={"pass_config":{"enable_sp":true}}').unjudged == (
        "pass_config.enable_sp of the compilation config",
    )


def test_throughput_doubles_what_nobody_set_and_interactivity_captures_every_small_size() -> None:
    window: dict[str, Any] = {"max_model_len": 4096}
    limits = window | {"default_max_num_seqs": 256, "default_max_num_batched_tokens": 2048}
    doubled = window | {"max_num_seqs": 512, "max_num_batched_tokens": 4096}
    mode = "--performance-mode=throughput"
    assert fit(SMALL, asked(mode, **limits)) == fit(SMALL, asked(**doubled))
    assert fit(SMALL, asked(mode, **doubled)) == fit(SMALL, asked(**doubled))
    quick = fit(SMALL, asked("--performance-mode=interactivity", **limits))
    assert quick.cuda_graph_gib > fit(SMALL, asked(**limits)).cuda_graph_gib


def test_ranks_that_share_a_context_hold_as_many_times_the_tokens() -> None:
    ranks: dict[str, Any] = {"version": "0.12.0", "tensor_parallel_size": 2, "max_model_len": 8192}
    alone, shared = fit(LATENT, asked(**ranks)), fit(LATENT, asked("--decode-context-parallel-size=2", **ranks))
    assert shared.kv_room_gib == alone.kv_room_gib
    assert shared.kv_cache_tokens == pytest.approx(2 * alone.kv_cache_tokens, rel=0.001)
    with pytest.raises(MemoryModelError, match="windows"):
        fit("google/gemma-3-4b-it", asked("--decode-context-parallel-size=2", **ranks))


def test_a_tower_copied_to_every_rank_is_whole_on_each() -> None:
    name = "Qwen/Qwen2.5-VL-7B-Instruct"
    ranks: dict[str, Any] = {"version": "0.11.0", "tensor_parallel_size": 2, "max_model_len": 8192}
    split, copied = (fit(name, asked(f"--mm-encoder-tp-mode={mode}", **ranks)) for mode in ("weights", "data"))
    whole = shape(name).extra_parameters * 2 / 2**30
    assert copied.weights_gib - split.weights_gib == pytest.approx(whole / 2, abs=0.01)


def test_a_server_that_can_sleep_is_judged_within_a_layer() -> None:
    awake, asleep = fit(SMALL, asked()), fit(SMALL, asked("--enable-sleep-mode"))
    assert asleep.kv_room_gib == awake.kv_room_gib
    assert asleep.uncertainty_gib > awake.uncertainty_gib


@pytest.mark.parametrize("name", ["NixlConnector", "MooncakeConnector"])
def test_a_connector_that_copies_the_cache_itself_takes_no_memory(name: str) -> None:
    plain = f'--kv-transfer-config={{"kv_connector":"{name}","kv_role":"kv_both"}}'
    assert asked(plain).unjudged == ()
    host = f'--kv-transfer-config={{"kv_connector":"{name}","kv_role":"kv_both","kv_buffer_device":"cpu"}}'
    assert asked(host).unjudged == (f"the connector {name}",)


def test_a_connector_that_keeps_cache_elsewhere_is_not_judged() -> None:
    store = '--kv-transfer-config={"kv_connector":"MooncakeStoreConnector","kv_role":"kv_both"}'
    assert asked(store).unjudged == ("the connector MooncakeStoreConnector",)


@pytest.mark.parametrize(("ranks", "gib"), [(1, 1.88), (2, 0.94)])
def test_a_draft_of_blocks_has_its_own_layers_and_cache(ranks: int, gib: float) -> None:
    drafter = {"method": "dflash", "model": "z-lab/Qwen3-8B-DFlash-b16", "num_speculative_tokens": 7}
    options, notes = with_draft(asked(tensor_parallel_size=ranks), drafter, shape("Qwen/Qwen3-8B"))
    assert not notes
    projection = 5 * 4096**2 * 2 / 2**30
    assert options.draft_weights_gib / ranks - projection == pytest.approx(gib - projection / ranks, abs=0.1)
    assert options.draft_kv_fraction == pytest.approx(5 / 36)
    with pytest.raises(MemoryModelError, match="in no catalogue"):
        with_draft(asked(), {**drafter, "model": "someone/else-DFlash"}, shape("Qwen/Qwen3-8B"))
