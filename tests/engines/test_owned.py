"""What the plan relies on is not the user's to set, in no spelling; values of it that break nothing pass."""

from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import Contract
from tests.each_case import each
from tests.engines.test_argv import V26, built, load_contract, refused

TGI = load_contract("tgi", "3.3.7")
ONE_ENGINE = "MASTER_ADDR MASTER_PORT RANK LOCAL_RANK WORLD_SIZE"
VARIABLES = {
    V26: f"CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES {ONE_ENGINE} PYTHONHOME "
    "NODE_RANK RAY_ADDRESS VLLM_HOST_IP VLLM_PORT VLLM_USE_MODELSCOPE VLLM_MODEL_REDIRECT_PATH "
    "HF_HUB_OFFLINE VLLM_PP_LAYER_PARTITION",
    TGI: f"CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES {ONE_ENGINE} PYTHONHOME PORT HOSTNAME PROMETHEUS_PORT "
    "HF_HUB_OFFLINE WEIGHTS_CACHE_OVERRIDE MODEL_ID SHARDED",
}
ARGUMENTS = {
    V26: "--distributed-executor-backend=external_launcher --distributed_executor_backend=my.Launcher --worker-cls=x.Y "
    "--distributed-exec=external_launcher --api-server-count=0 --device-ids=0 --data-parallel-backend=ray "
    "--tokens-only --enable-elastic-ep --io-processor-plugin=nope --disable-log-stats --master_addr=h --nnodes=2",
    TGI: "--master-addr=h --validation-workers=0 --master-port=1 --env -e --prometheus-port=8000 -p=1 "
    "--weights-cache-override=/x",
}
HARMLESS = {
    V26: "--distributed-executor-backend=mp --distributed-executor-backend=uni --api-server-count=2 --worker-cls=auto",
    TGI: "--json-output --validation-workers=2 --otlp-endpoint=http://c:4317",
}


@each(VARIABLES, lambda contract: contract.name)
def test_variables_that_the_plan_relies_on_are_refused(contract: Contract) -> None:
    for name in VARIABLES[contract].split():
        for value in ("1", "" if name == "CUDA_VISIBLE_DEVICES" else "2"):
            assert refused(contract, extra_env={name: value}).keys() == {f"extraEnv.{name}"}


@each(ARGUMENTS, lambda contract: contract.name)
def test_arguments_that_the_plan_relies_on_are_refused(contract: Contract) -> None:
    for argument in ARGUMENTS[contract].split():
        assert refused(contract, extra_args=(argument,)).keys() == {"extraArgs[0]"}, argument


@each(HARMLESS, lambda contract: contract.name)
def test_values_that_break_nothing_pass(contract: Contract) -> None:
    for argument in HARMLESS[contract].split():
        assert argument in built(contract, extra_args=(argument,)).argv


@each(VARIABLES, lambda contract: contract.name)
def test_all_gpus_of_the_pod_may_be_named(contract: Contract) -> None:
    for name, value in (
        ("CUDA_VISIBLE_DEVICES", "0"),
        ("NVIDIA_VISIBLE_DEVICES", "all"),
        ("NVIDIA_VISIBLE_DEVICES", "0"),
    ):
        assert built(contract, extra_env={name: value}).env[name] == value
    two = GpuLayout(2, 2, 1)
    assert built(contract, extra_env={"CUDA_VISIBLE_DEVICES": "0,1"}, layout=two).env["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert refused(contract, extra_env={"CUDA_VISIBLE_DEVICES": "0"}, layout=two)
    assert refused(contract, extra_env={"CUDA_VISIBLE_DEVICES": "all"})


def test_a_server_without_the_hub_is_for_weights_from_elsewhere() -> None:
    away = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    assert "model.source" in refused(V26, extra_env=away)["extraEnv.HF_HUB_OFFLINE"]
    assert away.items() <= built(V26, extra_env=away, model_argument="/models/gemma").env.items()
    assert built(V26, extra_env={"HF_HUB_OFFLINE": "0"}).env["HF_HUB_OFFLINE"] == "0"


@each(VARIABLES, lambda contract: contract.name)
def test_a_path_without_the_commands_of_the_image_is_refused(contract: Contract) -> None:
    for path in ("/x", "/opt/venv/bin:$(PATH)", "/usr/local/binary"):
        assert refused(contract, extra_env={"PATH": path}).keys() == {"extraEnv.PATH"}, path
    whole = {"PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"}
    assert whole.items() <= built(contract, extra_env=whole).env.items()


def test_a_shared_cache_is_where_the_stack_mounts_it() -> None:
    given = {"VLLM_CACHE_ROOT": "/home/vllm/x"}
    assert built(V26, extra_env=given)
    assert (
        "compileCache"
        in refused(V26, extra_env=given, location_env={"VLLM_CACHE_ROOT": "/cache"})["extraEnv.VLLM_CACHE_ROOT"]
    )


def test_another_device_is_refused_where_a_release_can_take_one() -> None:
    old = load_contract("vllm", "0.8.5")
    assert refused(old, extra_args=("--device=cpu",)).keys() == {"extraArgs[0]"}
    assert built(old, extra_args=("--device=cuda",)).argv[-1] == "--device=cuda"
