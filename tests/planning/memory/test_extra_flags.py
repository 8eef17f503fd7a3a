"""Flags and variables that move memory: what the model makes of them, and what it leaves unjudged."""

from typing import Any

import pytest

from l4serve.config.keys.vllm import VllmEngine
from l4serve.engines.releases.contract import load_contract
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.extra_flags import with_fields, with_flags
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.host import host_needs
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedies import remedies
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape
from tests import factories

QWEN = "Qwen/Qwen2.5-14B-Instruct"
HYBRID = "Qwen/Qwen3.5-27B"
MACHINE = "g2-standard-16"


def shape(name: str) -> ModelShape:
    found = find_model(name)
    assert found is not None
    return found


def asked(*flags: str, env: dict[str, str] | None = None, version: str = "0.26.0", **fields: Any) -> ServingOptions:
    options = ServingOptions(engine="vllm", engine_version=version, **fields)
    return with_flags(options, flags, env or {}, load_contract("vllm", version))


def fit(model: str, options: ServingOptions) -> Fit:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    return estimate(shape(model), gpu, options)


@pytest.mark.parametrize(
    ("version", "env", "moved"),
    [("0.26.0", {}, 0), ("0.26.0", {"VLLM_USE_V2_MODEL_RUNNER": "0"}, 12), ("0.28.0", {}, 12), ("0.12.0", {}, 12)],
)
def test_offloaded_weights_leave_the_card_where_the_runner_moves_them(
    version: str, env: dict[str, str], moved: int
) -> None:
    plain = fit(QWEN, asked(version=version, env=env, max_model_len=8192))
    offloaded = fit(QWEN, asked(version=version, env=env, max_model_len=8192, cpu_offload_gib=12.0))
    assert plain.weights_gib - offloaded.weights_gib == pytest.approx(moved)
    assert bool(offloaded.notes) == (moved == 0)


@pytest.mark.parametrize(("version", "set_"), [("0.26.0", True), ("0.28.0", False), ("0.20.0", False)])
def test_offloading_comes_with_the_variable_that_the_release_needs(version: str, set_: bool) -> None:
    engine = {"version": version, "cpuOffloadGb": 16}
    stack = factories.serving({"chat": factories.workload(QWEN, engine=engine)}, pools={"l4": {"machineType": MACHINE}})
    launch = factories.planned(stack, has_token=True).workloads[0].judgement.launch
    assert launch is not None
    env = launch.env
    assert (env.get("VLLM_USE_V2_MODEL_RUNNER") == "0") == set_


def test_the_host_holds_what_leaves_the_card() -> None:
    model = shape(QWEN)
    plain = host_needs(model, asked()).minimum_memory_gib
    assert host_needs(model, asked(cpu_offload_gib=12.0)).minimum_memory_gib == plain + 12
    assert host_needs(model, asked("--kv-offloading-size=40")).minimum_memory_gib == plain + 40


@pytest.mark.parametrize(("value", "fits"), [("1G", False), ("2G", True), (str(2**30), False), ("1g", False)])
def test_a_cache_of_stated_bytes_holds_a_sequence_or_not(value: str, fits: bool) -> None:
    answer = fit("Qwen/Qwen2.5-7B-Instruct", asked(f"--kv-cache-memory-bytes={value}", max_model_len=32768))
    assert answer.fits == fits


@pytest.mark.parametrize("flag", ["--kv-cache-memory-bytes=210M", "--num-gpu-blocks-override=250"])
def test_a_stated_cache_that_holds_no_sequence_is_short_for_sure(flag: str) -> None:
    """However little it is short: what a stated cache holds is no measurement."""
    answer = fit("Qwen/Qwen2.5-7B-Instruct", asked(flag, max_model_len=4096))
    assert not answer.fits
    assert answer.max_concurrency > 0.9
    assert not answer.margin_is_uncertain


def test_a_stated_cache_may_not_find_its_place_on_the_card() -> None:
    """Its bytes are sure, and what is beside them is known only within the uncertainty."""
    short, sure = (
        fit("Qwen/Qwen2.5-7B-Instruct", asked(f"--kv-cache-memory-bytes={size}M", max_model_len=4096))
        for size in (6380, 6900)
    )
    assert not short.fits and short.margin_is_uncertain
    assert not sure.fits and not sure.margin_is_uncertain


def test_a_state_of_two_bytes_leaves_more_tokens_than_one_of_four() -> None:
    limits: dict[str, Any] = {"max_model_len": 32768, "max_num_seqs": 1, "weights_gib": 14.0, "enforce_eager": True}
    tokens = [
        fit(HYBRID, asked("--language-model-only", f"--mamba-ssm-cache-dtype={dtype}", **limits)).kv_cache_tokens
        for dtype in ("float16", "float32")
    ]
    assert tokens[0] > 1.03 * tokens[1]


def test_a_tower_that_serves_no_pictures_is_not_loaded() -> None:
    name = "google/gemma-3-4b-it"
    whole = fit(name, asked(version="0.24.0"))
    text = fit(name, asked("--limit-mm-per-prompt", '{"image": 0}', version="0.24.0"))
    assert whole.weights_gib - text.weights_gib == pytest.approx(0.79, abs=0.02)
    assert whole.uncertainty_gib < 0.5


def test_how_kernels_are_wrapped_moves_no_memory() -> None:
    assert fit(QWEN, asked("--compilation-config.ir_enable_torch_wrap=false")) == fit(QWEN, asked())


@pytest.mark.parametrize(
    "flag",
    [
        "--offload_group_size=8",
        "--kv-cache-memory-bytes=lots",
        "--enable-dbo",
        "--compilation-config.mode=2",
        '--compilation-config={"inductor_passes":{"mine":"here.there"}}',
        '--kv-transfer-config={"kv_connector":"MyConnector"}',
    ],
)
def test_what_moves_memory_and_is_not_modelled_is_not_judged(flag: str) -> None:
    with pytest.raises(MemoryModelError, match="is not modelled"):
        fit(QWEN, asked(flag))


def test_an_encoder_keeps_no_cache_and_fits() -> None:
    config = {
        "architectures": ["XLMRobertaModel"],
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "max_position_embeddings": 8194,
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
        "torch_dtype": "float32",
        "vocab_size": 250002,
    }
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    model = shape_from_config(config, model_id="bge", source="test")
    answer = estimate(model, gpu, asked("--runner=pooling"))
    assert answer.fits
    assert answer.kv_room_gib == 0
    assert answer.weights_gib == pytest.approx(1.07, abs=0.03)


@pytest.mark.parametrize("key", ["hybrid_override_pattern", "mamba_n_heads", "state_size"])
def test_state_space_layers_are_not_taken_for_attention(key: str) -> None:
    config = {"architectures": ["Zamba2ForCausalLM"], "num_attention_heads": 8, "hidden_size": 64, key: "M-M*"}
    config["num_hidden_layers"] = 4
    with pytest.raises(ModelConfigError, match="Mamba"):
        shape_from_config(config, model_id="m", source="test")


def test_too_high_a_utilisation_is_lowered() -> None:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    options = asked(
        version="0.10.0",
        max_model_len=8192,
        max_num_batched_tokens=8192,
        max_num_seqs=256,
        gpu_memory_utilization=0.95,
        kv_cache_dtype="fp8",
        attention_backend="FLASHINFER",
    )
    cures = remedies(shape("Qwen/Qwen2.5-7B-Instruct"), gpu, options, gpus_available=(1,))
    assert any(float(str(cure.edit.get("engine.gpuMemoryUtilization", 1))) < 0.95 for cure in cures)


@pytest.mark.parametrize("flag", ["-O2", "--compilation-config=3", "--optimization-level=2"])
def test_the_releases_own_level_changes_nothing(flag: str) -> None:
    assert asked(flag, version="0.26.0").unjudged == ()
    assert asked("-O3", version="0.11.0").unjudged == ()


@pytest.mark.parametrize("flag", ["-O0", "-O=0", "--optimization-level=0"])
def test_level_nought_is_eager_since_it_is_what_eager_sets(flag: str) -> None:
    model = "Qwen/Qwen2.5-7B-Instruct"
    assert fit(model, asked(flag, version="0.26.0")) == fit(model, asked(version="0.26.0", enforce_eager=True))


def test_fewer_graphs_leave_more_cache() -> None:
    model = "Qwen/Qwen2.5-7B-Instruct"
    plain = fit(model, asked(version="0.33.0"))
    few = fit(model, asked("--cudagraph-capture-sizes", "1", "2", "4", version="0.33.0"))
    small = fit(model, asked("--max-cudagraph-capture-size=8", version="0.33.0"))
    none = fit(model, asked('--compilation-config={"cudagraph_mode":"NONE"}', version="0.33.0"))
    assert plain.cuda_graph_gib > small.cuda_graph_gib > few.cuda_graph_gib > none.cuda_graph_gib == 0
    assert few.kv_cache_tokens > plain.kv_cache_tokens
    old = [fit(model, asked("--cuda-graph-sizes", *sizes, version="0.11.0")) for sizes in (["8"], ["1", "2", "4", "8"])]
    assert old[0].cuda_graph_gib == old[1].cuda_graph_gib


def test_stated_blocks_are_the_cache_whatever_the_utilisation() -> None:
    model = "Qwen/Qwen2.5-7B-Instruct"
    for utilization in (0.5, 0.9):
        answer = fit(
            model, asked("--num-gpu-blocks-override=1000", gpu_memory_utilization=utilization, max_model_len=8192)
        )
        assert answer.kv_cache_tokens == 16_000
    assert not fit(model, asked("--num-gpu-blocks-override=100000", max_model_len=8192)).fits
    assert not fit(model, asked("--num-gpu-blocks-override=100", max_model_len=8192)).fits


def test_arguments_of_a_picture_processor_matter_where_a_tower_is_loaded() -> None:
    pixels = '--mm-processor-kwargs={"max_pixels":1003520}'
    assert fit(QWEN, asked(pixels, max_model_len=4096, gpu_memory_utilization=0.9)).max_model_len == 4096
    assert fit("google/gemma-3-4b-it", asked(pixels, "--language-model-only")).weights_gib > 0
    with pytest.raises(MemoryModelError, match="picture processor"):
        fit("google/gemma-3-4b-it", asked(pixels))


def test_typed_fields_and_extra_arguments_say_the_same() -> None:
    typed = VllmEngine.model_validate(
        {
            "kvCacheMemoryBytes": "4G",
            "numGpuBlocksOverride": 512,
            "mambaSsmCacheDtype": "float16",
            "kvOffloadingSize": 40,
            "limitMmPerPrompt": {"image": 2},
            "languageModelOnly": True,
            "cudagraphCaptureSizes": [1, 2],
            "runner": "pooling",
        }
    )
    flags = (
        "--kv-cache-memory-bytes=4G",
        "--num-gpu-blocks-override=512",
        "--mamba-ssm-cache-dtype=float16",
        "--kv-offloading-size=40",
        "--limit-mm-per-prompt.image=2",
        "--language-model-only",
        "--cudagraph-capture-sizes",
        "1",
        "2",
        "--runner=pooling",
    )
    assert with_fields(asked(), typed) == asked(*flags)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["--kv-cache-memory", "4G"], ["--kv-cache-memory-bytes=4G"]),
        (["--num_gpu_blocks", "512"], ["--num-gpu-blocks-override=512"]),
        (["--language-model", "--uvicorn-log-level", "info"], ["--language-model-only"]),
        (["--no-language-model-only"], []),
        (["--no-language-model"], []),
        (["--no-enable-sleep-mode"], []),
        (["--enable-sleep"], ["--enable-sleep-mode"]),
        (["--disable-hybrid-kv"], ["--disable-hybrid-kv-cache-manager"]),
        (["--limit-mm.image", "2"], ["--limit-mm-per-prompt.image=2"]),
        (["--limit_mm_per_prompt.image=2", "--limit-mm-per.video=0"], ['--limit-mm-per-prompt={"image":2,"video":0}']),
        (["-O", "1"], ["-O1"]),
        (["-O=1"], ["--optimization-level=1"]),
        (["--uvicorn-log-level", "info", "--kv-cache-memory-bytes", "4G"], ["--kv-cache-memory-bytes=4G"]),
    ],
)
def test_memory_reads_a_command_line_as_the_releases_parser_does(written: list[str], meant: list[str]) -> None:
    assert asked(*written) == asked(*meant)


def test_an_abbreviation_means_what_its_own_release_has() -> None:
    """0.9.0 has no other option of that beginning than --cuda-graph-sizes; 0.26.0 has none at all."""
    assert asked("--cuda-graph", "8", version="0.11.0").graphs == asked("--cuda-graph-sizes=8", version="0.11.0").graphs
    assert asked("--cuda-graph", "8").graphs is None


@pytest.mark.parametrize(
    ("connector", "env", "gib"),
    [
        ('{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}', {}, 5),
        ('{"kv_connector":"LMCacheConnectorV1"}', {"LMCACHE_MAX_LOCAL_CPU_SIZE": "20"}, 20),
        ('{"kv_connector":"OffloadingConnector","kv_connector_extra_config":{"cpu_bytes_to_use":8589934592}}', {}, 8),
    ],
)
def test_a_connector_that_keeps_cache_on_the_host_asks_for_its_memory(
    connector: str, env: dict[str, str], gib: int
) -> None:
    assert asked(f"--kv-transfer-config={connector}", env=env).kv_offloading_gib == gib


def test_graphs_of_a_part_count_as_those_of_the_whole() -> None:
    for mode in ("PIECEWISE", "full_decode_only", "full_and_piecewise", "none"):
        assert asked(f"--compilation-config.cudagraph_mode={mode}").unjudged == ()
