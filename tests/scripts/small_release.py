"""A release of vLLM in small: the files that the generator reads, and the contract that it makes of them."""

FILES = {
    "docker/Dockerfile": """ARG CUDA_VERSION=12.8.1
FROM x AS base
RUN pip install \\
    runai-model-streamer[s3]
FROM base AS sagemaker
ENTRYPOINT ["./wrapper.sh"]
FROM base AS vllm-openai
ENTRYPOINT ["vllm", "serve"]
""",
    "requirements/common.txt": "numpy\nopentelemetry-sdk >= 1.27  # tracing\n",
    "vllm/__init__.py": "",
    "vllm/envs.py": """
import os
environment_variables: dict = {
    "VLLM_ONE": lambda: os.getenv("VLLM_ONE"),
    "VLLM_TWO": lambda: os.getenv("VLLM_TWO"),
}
raise SystemExit("a generator that runs the release dies here")
""",
    "vllm/logger.py": "import vllm.envs as envs\n",
    "vllm/config/__init__.py": "from .model import *\nfrom .cache import CacheConfig\n",
    "vllm/config/cache.py": """
from dataclasses import field
from typing import Literal
from vllm.config.utils import config
CacheDType = Literal["fp8", "auto"]
DEFAULT_SHARE = 0.9

@config
class CacheConfig:
    cache_dtype: CacheDType = "auto"
    share: float = DEFAULT_SHARE
    enable_reuse: bool | None = None
    skip: list[str] = field(default_factory=list)
    old: bool = False
    \"\"\"Deprecated and will be removed in v0.9.\"\"\"
""",
    "vllm/config/model.py": """
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Optional, Union
from enum import Enum
from pydantic import Field
if TYPE_CHECKING:
    from vllm.quantization import QuantizationMethods
else:
    QuantizationMethods = Any

class Backend(Enum):
    FAST = "fast.path"
    SLOW = "slow.path"

class Level(str, Enum):
    HIGH = "high"

@config
class ModelConfig:
    known: ClassVar[int] = 3
    model: str = "acme/model"
    max_model_len: Optional[int] = Field(default=None, gt=0)
    max_num_batched_tokens: int = 2048
    quantization: QuantizationMethods | None = None
    backend: Optional[Backend] = None
    level: Level = Level.HIGH
    names: Optional[Union[str, list[str]]] = None
    shape: tuple[int, int] = (1, 2)
    extra: dict[str, Any] = Field(default_factory=dict)
    seed: Annotated[int, Field(ge=0)] = -1
    nested: Optional[CacheConfig] = None
    hook: Optional[Union[dict, "CacheConfig"]] = None
    limits: Limits = None
    moe: Optional[Level2] = None
Level2 = Literal["deep", "ep"]
class Limits(dict[str, int]): ...
from vllm.config.cache import CacheConfig
""",
    "vllm/quantization.py": 'from typing import Literal\nQuantizationMethods = Literal["fp8", "awq"]\n',
    "vllm/tools.py": """
@ToolParserManager.register_module(["hermes", "qwen"])
class Hermes: ...
""",
    "vllm/engine/arg_utils.py": """
import argparse
KINDS = ["slow", "fast"]
from vllm.config import CacheConfig, ModelConfig

def literal_to_kwargs(hints):
    return {"metavar": hints}

def _compute_kwargs(cls):
    type_hints = {dict if is_dict_subclass(th) else th for th in type_hints}
    if is_dataclass(cls):
        kwargs[name]["type"] = union_dict_and_str
    sizes = {"max_num_batched_tokens"}
    if name == "max_model_len":
        kwargs[name]["type"] = human_readable_int_or_auto
    elif name in sizes:
        kwargs[name]["type"] = human_readable_int
    kwargs[name]["choices"].append("None")

class EngineArgs:
    chatty: bool = False

    @staticmethod
    def add_cli_args(parser):
        model_kwargs = get_kwargs(ModelConfig)
        group = parser.add_argument_group(title="ModelConfig")
        if not "help":
            group.add_argument("--model", **model_kwargs["model"])
        for_names = model_kwargs["names"]
        group.add_argument("--served-name", **for_names)
        group.add_argument("--max-model-len", **model_kwargs["max_model_len"])
        group.add_argument("--max-num-batched-tokens", **{**model_kwargs["max_num_batched_tokens"], "default": None})
        group.add_argument("--quantization", "-q", **model_kwargs["quantization"])
        group.add_argument("--backend", **model_kwargs["backend"])
        group.add_argument("--level", **model_kwargs["level"])
        group.add_argument("--shape", **model_kwargs["shape"])
        group.add_argument("--extra", **model_kwargs["extra"])
        group.add_argument("--seed", **model_kwargs["seed"])
        group.add_argument("--nested", **model_kwargs["nested"])
        group.add_argument("--hook", **model_kwargs["hook"])
        group.add_argument("--limits", **model_kwargs["limits"])
        group.add_argument("--moe", **model_kwargs["moe"])
        group.add_argument("--loader", type=nullable_str, choices=[*KINDS, None])
        group.add_argument("--per-prompt", type=nullable_kvs)
        group.add_argument("--steps", action=StoreBoolean, nargs="?")
        cache_kwargs = get_kwargs(CacheConfig)
        cache_kwargs["cache_dtype"]["choices"].remove("fp8")
        group.add_argument("--kv-cache-dtype", **cache_kwargs["cache_dtype"])
        group.add_argument("--share", **cache_kwargs["share"])
        group.add_argument("--enable-reuse", **cache_kwargs["enable_reuse"])
        group.add_argument("--skip", **cache_kwargs["skip"])
        group.add_argument("--old", **cache_kwargs["old"])
        return parser

    def get_batch_defaults(self):
        if device_memory >= 70 * GiB_bytes and "a100" not in device_name:
            default_max_num_batched_tokens = {UsageContext.LLM_CLASS: 9, UsageContext.OPENAI_API_SERVER: 8}
            default_max_num_seqs = {UsageContext.LLM_CLASS: 7, UsageContext.OPENAI_API_SERVER: 6}
        else:
            default_max_num_batched_tokens = {UsageContext.LLM_CLASS: 5, UsageContext.OPENAI_API_SERVER: 4}
            default_max_num_seqs = {UsageContext.LLM_CLASS: 3, UsageContext.OPENAI_API_SERVER: 2}

class AsyncEngineArgs(EngineArgs):
    @staticmethod
    def add_cli_args(parser, async_args_only=False):
        if not async_args_only:
            parser = EngineArgs.add_cli_args(parser)
        parser.add_argument("--log", action=argparse.BooleanOptionalAction, default=AsyncEngineArgs.chatty)
        return parser
""",
    "vllm/utils/argparse_utils.py": """
class FlexibleArgumentParser:
    def parse_args(self):
        create_nested_dict()

class Action:
    _inverse_prefixes = {"--enable-": "--disable-"}
""",
    "vllm/entrypoints/openai/cli_args.py": """
import json
from vllm.engine.arg_utils import AsyncEngineArgs, optional_type
from dataclasses import dataclass

@dataclass
class BaseArgs:
    port: int = 8000
    origins: list[str] = field(default_factory=lambda: ["*"])
    tool_call_parser: str | None = None

    @classmethod
    def _customize(cls, kwargs):
        kwargs["origins"]["type"] = json.loads
        del kwargs["origins"]["nargs"]
        return kwargs

    @classmethod
    def add_cli_args(cls, parser):
        kwargs = get_kwargs(cls)
        kwargs = cls._customize(kwargs)
        group = parser.add_argument_group()
        for key, value in kwargs.items():
            extra = value.pop("flags", [])
            group.add_argument(*extra, f"--{key.replace('_', '-')}", **value)
        return parser

@dataclass
class FrontendArgs(BaseArgs):
    middleware: list[str] = field(default_factory=list)

    @classmethod
    def _customize(cls, kwargs):
        kwargs = super()._customize(kwargs)
        kwargs["middleware"]["action"] = "append"
        kwargs["middleware"]["type"] = str
        if "nargs" in kwargs["middleware"]:
            del kwargs["middleware"]["nargs"]
        return kwargs

def make_arg_parser(parser):
    parser.add_argument("model_tag", type=str, nargs="?")
    parser.add_argument("--headless", action="store_true", default=False)
    parser = FrontendArgs.add_cli_args(parser)
    parser = AsyncEngineArgs.add_cli_args(parser)
    return parser
""",
    "vllm/entrypoints/openai/api_server.py": """
@router.get("/health")
def health(): ...

@router.post("/v1/completions", dependencies=[])
def complete(): ...
""",
    "vllm/model_executor/models/registry.py": """
_TEXT_GENERATION_MODELS = {"AForCausalLM": ("a", "A"), "BForCausalLM": ("b", "B")}
_EMBEDDING_MODELS = {"CModel": ("c", "C"), "DModel": ("c", "D")}
_SPECULATIVE_DECODING_MODELS = {"Draft": ("b", "B")}
_PREVIOUSLY_SUPPORTED_MODELS = {"OldForCausalLM": "0.10.2"}
""",
    "vllm/model_executor/models/interfaces.py": """
class SupportsLoRA:
    packed_modules_mapping = {}
class SupportsPP: ...
""",
    "vllm/model_executor/models/a.py": """
from .interfaces import SupportsLoRA, SupportsPP
class Layers:
    def get_expert_mapping(self): ...
class Base(SupportsPP):
    def __init__(self):
        self.layers = Layers()
class A(Base, SupportsLoRA):
    def build(self):
        Attention(sinks=self.sinks)
""",
    "vllm/model_executor/models/b.py": """
class B:
    supports_lora = False
    def __init__(self):
        self.inner = init_vllm_registered_model(config)
""",
    "vllm/model_executor/models/c.py": """
from .a import A
class C: ...
D = as_embedding_model(A)
""",
    "vllm/v1/metrics/loggers.py": """
def build(self):
    self.running = self._gauge_cls(name="vllm:running", documentation="")
    self.tokens = self._counter_cls(name="vllm:tokens", documentation="")
    if self.show_hidden_metrics:
        self.old = self._histogram_cls(name="vllm:old_seconds", documentation="")
    if config.lora:
        self.lora = self._gauge_cls(name="vllm:lora", documentation="")
    specs = [("vllm:drafts", "Drafts."), ("vllm:accepted", "Accepted.")]
    self.specs = [self._counter_cls(name=name, documentation=doc) for name, doc in specs]
""",
}
EXPECTED = {
    "--model": {"type": "str", "default": "acme/model"},
    "--served-name": {"type": "str", "nargs": "+", "optional": True},
    "--max-model-len": {"type": "size_or_auto", "optional": True},
    "--max-num-batched-tokens": {"type": "size"},
    "--quantization": {"type": "str", "aliases": ["-q"], "optional": True, "values": ["awq", "fp8"]},
    "--backend": {"type": "str", "optional": True, "values": ["FAST", "SLOW"]},
    "--level": {"type": "str", "default": "high", "values": ["HIGH"]},
    "--shape": {"type": "int", "nargs": 2, "default": [1, 2]},
    "--extra": {"type": "json", "default": {}},
    "--seed": {"type": "int", "default": -1},
    "--nested": {"type": "json", "optional": True},
    "--hook": {"type": "json_or_text", "optional": True},
    "--limits": {"type": "json"},
    "--moe": {"type": "str", "choices": ["deep", "ep", "None"]},
    "--loader": {"type": "str", "choices": ["slow", "fast", "None"], "optional": True},
    "--per-prompt": {"type": "pairs"},
    "--steps": {"type": "truth", "nargs": "?"},
    "--kv-cache-dtype": {"type": "str", "choices": ["auto"], "default": "auto"},
    "--share": {"type": "float", "default": 0.9},
    "--enable-reuse": {"type": "bool", "negation": "--disable-reuse", "otherNegations": ["--no-enable-reuse"]},
    "--skip": {"type": "str", "nargs": "+", "default": []},
    "--old": {
        "type": "bool",
        "default": False,
        "negation": "--no-old",
        "deprecated": "removal announced for 0.9",
    },
    "--log": {"type": "bool", "default": False, "negation": "--no-log"},
    "--port": {"type": "int", "default": 8000},
    "--origins": {"type": "json", "default": ["*"]},
    "--tool-call-parser": {"type": "str", "optional": True, "values": ["hermes", "qwen"]},
    "--middleware": {"type": "str", "default": [], "repeatable": True},
    "--headless": {"type": "flag", "default": False},
}
