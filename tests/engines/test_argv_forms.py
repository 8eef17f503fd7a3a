"""Forms of values, of releases and of images on an engine's command line."""

import json

import pytest

from l4serve.engines.argv import check_argv
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import load_contract
from tests.engines.test_argv import V26, built, refused


def test_json_values_survive() -> None:
    config = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}
    token = built(V26, {"speculativeConfig": config}).argv[-1]
    assert json.loads(token.removeprefix("--speculative-config=")) == config


def test_values_that_the_version_does_not_take_are_refused_with_its_choices() -> None:
    assert "fp8_e5m2" in refused(V26, {"kvCacheDtype": "int3"})["engine.kvCacheDtype"]
    assert "compressed-tensors" in refused(load_contract("tgi", "3.3.7"), {"quantize": "hqq"})["engine.quantize"]


def test_all_problems_come_at_once() -> None:
    problems = refused(
        V26, {"swapSpace": 4, "kvCacheDtype": "int3"}, extra_args=("--bogus",), extra_env={"HF_TOKEN": "x"}
    )
    assert set(problems) == {"engine.swapSpace", "engine.kvCacheDtype", "extraArgs[0]", "extraEnv.HF_TOKEN"}


def test_pipeline_stages_are_refused_by_tgi() -> None:
    problems = refused(load_contract("tgi", "3.3.7"), layout=GpuLayout(2, 1, 2))
    assert "engine.numShard" in problems["engine.pipelineParallelSize"]


def test_another_port_is_written_out() -> None:
    assert "--port=9000" in built(V26, port=9000).argv
    assert built(load_contract("tgi", "3.3.7"), port=9000).env["PORT"] == "9000"


def test_a_revision_is_written_out() -> None:
    assert "--revision=abc" in built(V26, revision="abc").argv


def test_an_abbreviated_flag_is_the_flag_or_sent_to_its_field() -> None:
    guide = load_contract("vllm", "0.10.0")
    assert "engine.maxNumBatchedTokens" in refused(guide, extra_args=("--max-num-batched-token=8192",))["extraArgs[0]"]
    assert built(guide, extra_args=("--uvicorn-log=info",)).argv[-1] == "--uvicorn-log=info"
    assert "it may mean --ssl-ca-certs" in refused(guide, extra_args=("--ssl-c=x",))["extraArgs[0]"]
    assert "extraArgs[0]" in refused(load_contract("tgi", "3.3.7"), extra_args=("--hostnam=x",))


def test_flags_of_the_release_itself_count() -> None:
    taken = ("--kv-cache-memory-bytes=4G", "--enable-log-requests", "--structured-outputs-config.backend=xgrammar")
    assert built(load_contract("vllm", "0.12.0"), extra_args=taken).argv[-3:] == taken
    new = load_contract("vllm", "0.18.0")
    assert set(refused(new, {"swapSpace": 4}, extra_args=("--disable-log-requests",))) == {
        "engine.swapSpace",
        "extraArgs[0]",
    }
    assert "vllm-0.18.0 has no --swap-space" in refused(new, {"swapSpace": 4})["engine.swapSpace"]


def test_subclasses_of_dict_take_json_and_keys() -> None:
    for version in ("0.26.0", "0.33.0"):
        contract = load_contract("vllm", version)
        for argument in ("--limit-mm-per-prompt.image=1", '--limit-mm-per-prompt={"image":1}'):
            assert built(contract, extra_args=(argument,)).argv[-1] == argument
        assert "extraArgs[0]" in refused(contract, extra_args=("--limit-mm-per-prompt=image",))
    assert "extraArgs[0]" in refused(load_contract("vllm", "0.8.5"), extra_args=("--limit-mm-per-prompt.image=1",))


@pytest.mark.parametrize(
    ("version", "rendered"),
    [("0.8.5", False), ("0.9.0", True), ("0.9.2", True), ("0.10.2", True), ("0.11.0", True), ("0.11.1", False)],
)
def test_an_image_that_does_not_find_the_driver_is_told_where_it_is(version: str, rendered: bool) -> None:
    contract = load_contract("vllm", version)
    assert (built(contract).env.get("LD_LIBRARY_PATH") == "/usr/local/nvidia/lib64") is rendered
    own = {"LD_LIBRARY_PATH": "/opt/more:/usr/local/nvidia/lib64"}
    assert built(contract, extra_env=own).env["LD_LIBRARY_PATH"] == own["LD_LIBRARY_PATH"]
    assert "LD_LIBRARY_PATH" not in built(contract, {"image": "example.com/acme/vllm:1"}).env


@pytest.mark.parametrize("version", ["0.8.5", "0.10.0", "0.26.0"])
def test_a_search_path_without_the_drivers_folder_is_refused(version: str) -> None:
    contract, own = load_contract("vllm", version), {"LD_LIBRARY_PATH": "/opt/driver"}
    assert "extraEnv.LD_LIBRARY_PATH" in refused(contract, extra_env=own)
    elsewhere = built(contract, {"image": "example.com/acme/vllm:1"}, extra_env=own)
    assert elsewhere.env["LD_LIBRARY_PATH"] == "/opt/driver"


def test_a_flag_needs_its_package_in_the_image() -> None:
    traces = ("--otlp-traces-endpoint=http://collector:4317",)
    for version, held in (("0.8.3", False), ("0.8.4", True), ("0.9.1", True), ("0.9.2", False), ("0.17.0", True)):
        contract = load_contract("vllm", version)
        if held:
            assert built(contract, extra_args=traces).argv[-1] == traces[0]
        else:
            assert "opentelemetry-sdk" in refused(contract, extra_args=traces)["extraArgs[0]"]
    mirror = {"image": "example.com/acme/vllm:1"}
    assert built(load_contract("vllm", "0.12.0"), mirror, extra_args=traces).argv[-1] == traces[0]


@pytest.mark.parametrize(("version", "taken"), [("0.8.3", True), ("0.8.5", True), ("0.9.2", True), ("0.10.0", False)])
def test_numbers_by_name_were_taken_until_0_10(version: str, taken: bool) -> None:
    contract, argument = load_contract("vllm", version), "--limit-mm-per-prompt=image=4"
    if taken:
        assert argument in built(contract, extra_args=(argument,)).argv
    else:
        assert "not JSON" in refused(contract, extra_args=(argument,))["extraArgs[0]"]


@pytest.mark.parametrize(
    ("version", "taken"), [("0.8.5", False), ("0.10.2", False), ("0.11.0", False), ("0.11.1", True), ("0.33.0", True)]
)
def test_sizes_of_media_are_taken_from_0_11_1_on(version: str, taken: bool) -> None:
    contract = load_contract("vllm", version)
    sized, word, counted = (
        f"--limit-mm-per-prompt={value}"
        for value in ('{"image": {"count": 1, "width": 512}}', '{"image": "two"}', '{"image": 1}')
    )
    assert (not check_argv((sized,), {}, contract)) is taken
    assert "a whole number" in str(check_argv((word,), {}, contract)[0])
    assert check_argv((counted,), {}, contract) == ()


@pytest.mark.parametrize(
    ("version", "argument", "taken"),
    [
        ("0.9.1", "--compilation-config=3", True),
        ("0.9.1", "--compilation-config=4", False),
        ("0.9.2", "--compilation-config=3", False),
        ("0.10.1", "--compilation-config=3", False),
        ("0.11.2", "--compilation-config=3", False),
        ("0.20.0", "--compilation-config=3", False),
        ("0.20.0", "--compilation-config=[]", False),
        ("0.8.5", "-O3", True),
        ("0.11.0", "-O3", True),
        ("0.11.0", "-O=3", True),
        ("0.20.0", "-O3", True),
        ("0.8.5", "-O.level=3", False),
        ("0.9.2", "-O.level=3", True),
        ("0.11.0", "-O.mode=3", True),
        ("0.12.0", "-O.mode=3", True),
        ("0.13.0", "-O.mode=3", False),
        ("0.11.2", "-cc.mode=3", False),
        ("0.12.0", "-cc.mode=3", True),
        ("0.26.0", "-cc.cudagraph_mode=FULL", True),
        ("0.20.0", '--compilation-config={"mode": 3}', True),
        ("0.8.5", "--compilation-config={'level': 3}", True),
        ("0.9.0", "--compilation-config={'level': 3}", False),
        ("0.8.5", '--compilation-config={"use_cudagraph": false}', False),
        ("0.9.0", '--compilation-config={"use_cudagraph": false}', True),
        ("0.9.0", '--compilation-config={"mode": 3}', False),
        ("0.9.0.1", "--compilation-config.use_cudagraph=false", False),
        ("0.9.1", "--compilation-config.use_cudagraph=false", True),
        ("0.9.0", "--speculative-config.num_speculative_tokens=3", False),
        ("0.9.1", '-O{"level": 3}', True),
        ("0.9.1", '-O={"level": 3}', True),
        ("0.9.2", '-O={"level": 3}', False),
        ("0.11.2", '-O={"level": 3}', False),
        ("0.11.2", "-O4", False),
        ("0.10.1", "-Odecode", False),
        ("0.12.0", '--compilation-config={"level": 5}', False),
        ("0.12.0", "-O4", False),
        ("0.33.0", "--optimization-level=O3", False),
        ("0.33.0", "--optimization-level=3", True),
    ],
)
def test_each_release_reads_compilation_in_its_own_forms(version: str, argument: str, taken: bool) -> None:
    """As the parsers of these releases took and refused them."""
    contract = load_contract("vllm", version)
    assert (not check_argv((argument,), {}, contract)) is taken


@pytest.mark.parametrize(
    ("version", "argument", "said"),
    [
        ("0.12.0", '--compilation-config={"level": 3}', None),
        ("0.17.1", '--compilation-config={"level": 3}', None),
        ("0.18.0", "--compilation-config.level=3", "'level' is not a key"),
        ("0.12.0", '--compilation-config={"full_cuda_graph": true}', None),
        ("0.13.0", '--compilation-config={"full_cuda_graph": true}', "is not a key"),
        ("0.15.1", '--structured-outputs-config={"nosuch": 1}', None),
        ("0.16.0", '--structured-outputs-config={"nosuch": 1}', "'nosuch' is not a key"),
        ("0.26.0", "--structured-outputs-config.backnd=xgrammar", "did you mean backend?"),
        ("0.26.0", "--attention-config.backend=FLASH_ATTN", None),
        ("0.26.0", '--speculative-config={"method": "ngram", "num_speculative_token": 3}', "num_speculative_tokens?"),
        ("0.26.0", '--kv-transfer-config={"kv_connector": "LMCacheConnectorV1"}', "kv_role"),
        ("0.11.0", '--kv-transfer-config={"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}', None),
        ("0.9.0", "--limit-mm-per-prompt=3", "is not a JSON object such as"),
    ],
)
def test_a_configuration_has_the_keys_that_its_release_takes(version: str, argument: str, said: str | None) -> None:
    problems = check_argv((argument,), {}, load_contract("vllm", version))
    assert list(problems) == [] if said is None else said in str(problems[0])
