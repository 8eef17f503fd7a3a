"""What extra arguments say that rules look at: what a model is served for, and options without a field."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic.alias_generators import to_snake

from l4serve.config.keys.workload import Engine
from l4serve.engines.arguments.checking import Option, read_options
from l4serve.engines.arguments.config_values import read_object, read_word
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.made_classes import is_made

_FIELDS = ("runner", "convert", "task")
_OPTIONS = (
    "arg.maxNumPartialPrefills",
    "arg.maxLongPartialPrefills",
    "arg.logitsProcessorPattern",
    "arg.preemptionMode",
    "arg.disableAsyncOutputProc",
    "arg.enablePromptAdapter",
    "arg.enablePromptEmbeds",
    "arg.numSchedulerSteps",
    "arg.schedulerDelayFactor",
    "arg.schedulingPolicy",
    "arg.enableExpertParallel",
    "arg.asyncScheduling",
    "arg.enableEplb",
    "arg.numRedundantExperts",
    "arg.eplbConfig.num_redundant_experts",
    "arg.decodeContextParallelSize",
    "arg.maxCpuLoras",
    "arg.mambaBlockSize",
    "arg.longPrefillTokenThreshold",
    "arg.enableLogOutputs",
    "arg.prefixCachingHashAlgo",
    "arg.guidedDecodingBackend",
    "arg.guidedDecodingDisableAnyWhitespace",
    "arg.kvSharingFastPrefill",
    "arg.enableLogRequests",
    "arg.failOnEnvironValidation",
    "arg.collectDetailedTraces",
    "arg.otlpTracesEndpoint",
    "arg.structuredOutputsConfig.backend",
    "arg.structuredOutputsConfig.disable_any_whitespace",
    "arg.structuredOutputsConfig.disable_additional_properties",
    "arg.cudagraphCaptureSizes",
    "arg.maxCudagraphCaptureSize",
    "arg.compilationConfig.cudagraph_capture_sizes",
    "arg.compilationConfig.max_cudagraph_capture_size",
    "arg.compilationConfig.full_cuda_graph",
    "arg.compilationConfig.splitting_ops",
    "arg.attentionConfig.backend",
    "arg.distributedExecutorBackend",
    "arg.rayWorkersUseNsight",
    "arg.numaBind",
    "arg.numaBindNodes",
    "arg.numaBindCpus",
    "arg.defaultMmLoras",
    "arg.toolParserPlugin",
    "arg.reasoningParserPlugin",
    "arg.mmEncoderOnly",
    "arg.profilerConfig.profiler",
    "arg.profilerConfig.torch_profiler_dir",
    "arg.configFormat",
    "arg.tokenizerMode",
    "arg.disableSlidingWindow",
    "arg.kvOffloadingBackend",
    "arg.kvOffloadingSize",
    "arg.disableHybridKvCacheManager",
    "arg.compilationConfig.compile_sizes",
    "arg.kvTransferConfig.kv_connector",
    "arg.kvTransferConfig.kv_connector_extra_config.cpu_bytes_to_use",
    "arg.kvTransferConfig.kv_connector_extra_config.num_cpu_blocks",
    "arg.kvTransferConfig.kv_connector_extra_config.spec_name",
    "arg.ecTransferConfig.ec_connector",
    "arg.ecTransferConfig.ec_role",
    "arg.disableMmPreprocessorCache",
    "arg.interleaveMmStrings",
    "arg.mmShmCacheMaxObjectSizeMb",
    "arg.mmProcessorCacheType",
    "arg.hfOverrides.architectures",
    "arg.poolerConfig.pooling_type",
    "arg.poolerConfig.seq_pooling_type",
    "arg.poolerConfig.tok_pooling_type",
    "arg.attentionConfig.flash_attn_version",
    "arg.modelImpl",
    "arg.modelLoaderExtraConfig.concurrency",
    "arg.modelLoaderExtraConfig.memory_limit",
    "arg.rendererNumWorkers",
    "arg.mmProcessorCacheGb",
    "arg.mmTensorIpc",
    "arg.mmEncoderTpMode",
    "arg.enableReasoning",
    "arg.apiServerCount",
    "arg.enableReturnRoutedExperts",
    "arg.enableMambaCacheStochasticRounding",
    "arg.mambaBackend",
    "arg.moeBackend",
    "arg.compilationConfig.level",
    "arg.compilationConfig.mode",
    "arg.compilationConfig.cudagraph_mode",
    "arg.compilationConfig.backend",
    "arg.offloadGroupSize",
    "arg.offloadNumInGroup",
    "arg.maxNumActiveSeqs",
)
"""Options that no typed field sets, or not alone: the fact that holds the value of each, or of a key of its object."""
_NOTHING: Mapping[str, None] = dict.fromkeys(_OPTIONS)
_HOLDERS = {name.split(".")[1] for name in _OPTIONS if name.count(".") > 1}
"""Options that are objects, in camel case."""
_NUMBERS = ("int", "float", "size", "size_or_auto", "u16", "u32", "u64", "f32")


def asked_words(engine: Engine, extra_args: tuple[str, ...], contract: Contract) -> Mapping[str, Any]:
    """The words of runner, convert and task, and the options' values; None where the config says nothing.

    Numbers are numbers, switches the texts true and false, several values a tuple of texts.
    """
    given = vars(engine)
    named: dict[str, Any] = {**_NOTHING, **{field: given.get(field) for field in _FIELDS}}
    for word, field in _either_way(type(engine)):
        if (value := given[field]) is not None:
            named |= _known(word, value)
    for option in read_options(extra_args, contract) if extra_args else ():
        if option.flag is not None:
            named |= {key: value for key, value in _said(option) if key in named}
    return named


@cache
def _either_way(model: type[Engine]) -> tuple[tuple[str, str], ...]:
    """Options that may be a typed field as well, each with that field."""
    words = dict.fromkeys(name.split(".")[1] for name in _OPTIONS)
    return tuple((word, to_snake(word)) for word in words if to_snake(word) in model.model_fields)


def _said(option: Option) -> Iterator[tuple[str, Any]]:
    """The facts that one option tells."""
    assert option.flag is not None
    word = option.flag.name.removeprefix("--")
    camel = re.sub(r"-(\w)", lambda found: found[1].upper(), word)
    if option.key:
        yield f"arg.{camel}.{option.key}", read_word(option.values[0]) if option.values else None
    elif camel in _HOLDERS:
        yield from _known(camel, read_object(option.values[0]) if option.values else None).items()
    elif not option.flag.takes_value:
        yield word if word in _FIELDS else f"arg.{camel}", "false" if option.says_no else "true"
    elif option.values:
        values = tuple(read_word(v) if option.flag.type in _NUMBERS else v for v in option.values)
        yield word if word in _FIELDS else f"arg.{camel}", values[0] if len(values) == 1 else values


def _known(option: str, value: Any) -> dict[str, Any]:
    """The facts of an option's value, by key where it is an object."""
    if option not in _HOLDERS:
        return {f"arg.{option}": value}
    return {name: inner for name, inner in _inner(f"arg.{option}", value or {}) if name in _NOTHING}


def _inner(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every value of an object by its path, those of the objects in it too."""
    for key, inner in value.items():
        yield f"{name}.{key}", inner
        if isinstance(inner, Mapping):
            yield from _inner(f"{name}.{key}", inner)


def unknown_class(facts: Mapping[str, Any], contract: Contract) -> str | None:
    """The class that --hf-overrides names for the model by `architectures`, where the release has none of them."""
    named = facts["arg.hfOverrides.architectures"]
    given = (named,) if isinstance(named, str) else named if isinstance(named, list | tuple) else ()
    names = [name for name in given if isinstance(name, str)]
    if not names or any(name in contract.models for name in names):
        return None
    return None if any(is_made(name, contract) for name in names) else names[0]


def unknown_compile_size(facts: Mapping[str, Any]) -> str | None:
    """A size to compile for that is neither a number nor the one word that stands for those to capture."""
    sizes = facts["arg.compilationConfig.compile_sizes"]
    words = (size for size in (sizes if isinstance(sizes, list | tuple) else ()) if isinstance(size, str))
    return next((word for word in words if word != "cudagraph_capture_sizes"), None)


def graphs_contradict(facts: Mapping[str, Any]) -> bool:
    """Whether a largest graph is asked for that is not the largest of the sizes to capture."""
    counts, most = _graph_sizes(facts)
    return most is not None and bool(counts) and max(counts) != most


def largest_graph(facts: Mapping[str, Any]) -> int | None:
    """Tokens of the largest graph that is asked for; None where none is, or its size cannot be read.

    Below a largest one alone a release captures 1, 2, 4 and every eighth size, so it may be smaller.
    """
    counts, most = _graph_sizes(facts)
    if counts or most is None:
        return max(counts, default=None)
    return most - most % _GRAPH_STEP if most >= _GRAPH_STEP else max((n for n in (1, 2, 4) if n <= most), default=None)


_GRAPH_STEP = 8


def _graph_sizes(facts: Mapping[str, Any]) -> tuple[tuple[int, ...], int | None]:
    """Sizes of graphs that are asked for, and the largest one where it is asked for by itself."""
    inside = "arg.compilationConfig."
    sizes = facts["arg.cudagraphCaptureSizes"] or facts[f"{inside}cudagraph_capture_sizes"]
    most = facts["arg.maxCudagraphCaptureSize"] or facts[f"{inside}max_cudagraph_capture_size"]
    counts = tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,) if isinstance(sizes, int) else ()
    return counts if all(type(n) is int for n in counts) else (), most if isinstance(most, int) else None
