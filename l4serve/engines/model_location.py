"""Where an engine finds its model: the Hub's id, a folder that the pod mounts, or an address that it streams itself."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.config.keys.model_source import BucketSource
from l4serve.config.keys.vllm import Lora, LoraAdapter
from l4serve.config.keys.workload import Engine, Workload
from l4serve.config.refusals.problems import Problem
from l4serve.engines.releases.profile import engine_profile

MODEL_FOLDER = "/model"
ADAPTER_FOLDER = "/adapters"
CACHE_FOLDER = "/compile-cache"
CACHE_VARIABLE = "VLLM_CACHE_ROOT"
_BUCKET_SCHEME = "gs://"


def streams(workload: Workload) -> bool:
    """Whether the engine reads the bucket by itself."""
    source = workload.model.source
    return isinstance(source, BucketSource) and source.reader == "streamer"


def by_streamer(workload: Workload) -> bool:
    """Whether the engine streams its weights through a buffer of host memory, wherever they lie."""
    row = _streamers().get(workload.engine.kind)
    return streams(workload) or (row is not None and getattr(workload.engine, row["field"]) in row["values"])


def model_argument(workload: Workload) -> str:
    """What the engine is told to load: the id, the mounted folder, or the bucket's address."""
    source = workload.model.source
    if source is None:
        return workload.model.id
    if isinstance(source, BucketSource) and source.reader == "streamer":
        return source.uri.rstrip("/")
    return MODEL_FOLDER


def is_address(argument: str | None) -> bool:
    """Whether what an engine is told to load is a bucket's address, which it streams by itself."""
    return argument is not None and argument.startswith(_BUCKET_SCHEME)


def bucket_adapters(engine: Engine) -> tuple[LoraAdapter, ...]:
    """The engine's adapters that lie in a bucket."""
    given = adapters(engine)
    return tuple(each for each in given if each.path.startswith(_BUCKET_SCHEME)) if given else ()


def adapter_folder(adapter: LoraAdapter) -> str:
    """Folder in the container of an adapter that lies in a bucket."""
    return f"{ADAPTER_FOLDER}/{adapter.name}"


def mounted_folders(workload: Workload) -> tuple[str, ...]:
    """Folders of the container that volumes give, which its arguments may name."""
    own = () if model_argument(workload) != MODEL_FOLDER else (MODEL_FOLDER,)
    return (*own, *(adapter_folder(adapter) for adapter in bucket_adapters(workload.engine)))


def located_engine(workload: Workload) -> Engine:
    """The engine's settings with what another place than the Hub changes: names, format, folders of adapters."""
    engine, changes = workload.engine, dict(_moved_adapters(workload.engine))
    if workload.model.source is not None:
        names = engine_profile(engine.kind).names.get("servedNames")
        if names is not None and getattr(engine, names) is None:
            changes[names] = (workload.model.id,)
        row = _streamers().get(engine.kind)
        if streams(workload) and row is not None and getattr(engine, row["field"]) is None:
            changes[row["field"]] = row["values"][0]
    return engine.model_copy(update=changes) if changes else engine


def location_env(workload: Workload, largest_tensor_bytes: int) -> dict[str, str]:
    """Variables that the place of the weights and of compiled code sets."""
    env: dict[str, str] = {}
    row = _streamers().get(workload.engine.kind)
    if by_streamer(workload) and row is not None:
        env[row["memoryVariable"]] = str(int(buffer_gib(workload.engine.kind, largest_tensor_bytes) * 2**30))
    if workload.compile_cache is not None:
        env[CACHE_VARIABLE] = CACHE_FOLDER
    return env


def location_owners(kind: str) -> dict[str, str | Mapping[str, Any]]:
    """Who sets each of those variables: the path of a field, or what relies on it as it is."""
    row = _streamers().get(kind)
    return {CACHE_VARIABLE: "compileCache", **({row["memoryVariable"]: row["bounded"]} if row else {})}


def buffer_gib(engine: str, largest_tensor_bytes: int) -> float:
    """GiB of host memory that a streaming engine buffers; never below its largest tensor, which would end it."""
    least = _streamers()[engine]["bufferGib"] if engine in _streamers() else 0
    return float(max(least, -(-largest_tensor_bytes // 2**30)))


def location_problems(workload: Workload, version: Version, env: tuple[str, ...]) -> Iterator[Problem]:
    """What a release cannot do of the asked place; `env` are the variables that it reads. Paths inside the workload."""
    engine, row = workload.engine, _streamers().get(workload.engine.kind)
    title = f"{engine_profile(engine.kind).title} {engine.version}"
    mount = "set model.source.reader: fuse"
    if streams(workload) and row is None:
        yield Problem("model.source.reader", f"{title} streams from no bucket", mount)
    elif streams(workload) and row is not None:
        if version < Version(row["since"]) and engine.image is None:
            since = f"the image of {title} streams from no gs:// bucket; those from {row['since']} on do"
            yield Problem("model.source.reader", since, mount)
        chosen = getattr(engine, row["field"])
        if chosen is not None and chosen not in row["values"]:
            message = f"loadFormat {chosen} reads files, and {row['scheme']} is none"
            yield Problem("engine.loadFormat", message, f"set engine.loadFormat: {row['values'][0]}, or {mount}")
    yield from _names_twice(workload)
    if workload.compile_cache is not None and CACHE_VARIABLE not in env:
        message = f"{title} does not read {CACHE_VARIABLE}, so it compiles where no volume is"
        yield Problem("compileCache", message, "remove it")


def _names_twice(workload: Workload) -> Iterator[Problem]:
    """Adapters under a name that another one has, or the model: requests and folders could not tell them apart."""
    engine, role = workload.engine, engine_profile(workload.engine.kind).names.get("servedNames")
    served = (getattr(engine, role) or (workload.model.id,)) if role is not None else ()
    taken = dict.fromkeys(served, "the model")
    field = "lora.adapters" if "lora" in vars(engine) else "loraAdapters"
    for index, adapter in enumerate(adapters(engine)):
        if adapter.name in taken:
            what = f"{taken[adapter.name]} is served as {adapter.name} already, so no request could ask for this one"
            yield Problem(f"engine.{field}[{index}].name", what, "give it a name of its own")
        taken.setdefault(adapter.name, "another adapter")


def _moved_adapters(engine: Engine) -> Mapping[str, Any]:
    if not bucket_adapters(engine):
        return {}
    moved = tuple(
        each.model_copy(update={"path": adapter_folder(each)}) if each in bucket_adapters(engine) else each
        for each in adapters(engine)
    )
    lora = getattr(engine, "lora", None)
    return {"lora": lora.model_copy(update={"adapters": moved})} if lora is not None else {"lora_adapters": moved}


def adapters(engine: Engine) -> tuple[LoraAdapter, ...]:
    """The adapters that an engine loads as it starts."""
    # As a mapping: a model of pydantic is slow to say that it has no such field.
    given = vars(engine)
    lora = given.get("lora")
    if isinstance(lora, Lora):
        return lora.adapters
    return given.get("lora_adapters") or ()


@cache
def _streamers() -> Mapping[str, Mapping[str, Any]]:
    table: Mapping[str, Mapping[str, Any]] = load_data(__file__, "streamers.yaml")
    return table
