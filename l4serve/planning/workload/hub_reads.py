"""What an engine reads from the Hugging Face Hub beside its own model: drafts, tokenizers, configurations, adapters."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from l4serve.config.data_file import load_data
from l4serve.config.json_text import json_value
from l4serve.config.keys.model_source import BucketSource
from l4serve.config.keys.workload import Workload
from l4serve.engines.argv import Launch
from l4serve.engines.model_location import adapters, bucket_adapters
from l4serve.engines.releases.field_flags import flag_names
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.workload.pods.storage import model_of_hub
from l4serve.planning.workload.served_model import is_gated

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(:[\w.-]+)?")
_LEGACY = re.compile(r"[A-Za-z0-9][\w.-]*")
"""A repository of the Hub's first years, which has no owner."""


def reads_hub(workload: Workload, launch: Launch | None) -> bool:
    """Whether anything of the workload comes from the Hub: its model, for pods or Job, or what stands beside it."""
    return model_of_hub(workload) or bool(hub_repositories(launch))


def reads_outside(workload: Workload, launch: Launch | None) -> bool:
    """Whether the pods read anything from outside the cluster as they start."""
    source = workload.model.source
    from_bucket = isinstance(source, BucketSource) or bool(bucket_adapters(workload.engine))
    return source is None or from_bucket or bool(hub_repositories(launch))


def hub_repositories(launch: Launch | None) -> tuple[str, ...]:
    """Repositories of the Hub that a command line names beside the model."""
    return _repositories(launch.argv) if launch is not None else ()


def stated_repositories(workload: Workload) -> tuple[str, ...]:
    """The same of what a config states, before any release has judged it."""
    engine, given = workload.engine, vars(workload.engine)
    stated = ((flag, given[field]) for field, flag in _fields(type(engine), engine.kind))
    words = [f"{flag}={_said(value)}" for flag, value in stated if isinstance(value, str | Mapping)]
    words += [f"{_table()['adapters']}={adapter.path}" for adapter in adapters(engine)]
    return _repositories((*words, *workload.extra_args)) if words or workload.extra_args else ()


def wants_token(workload: Workload, shape: ModelShape | None) -> bool:
    """Whether the pods need a token: for their model, or for what the catalogue or the config calls gated beside it."""
    if is_gated(workload, shape):
        return True
    beside = stated_repositories(workload)
    if beside and workload.model.gated and not model_of_hub(workload):
        return True
    known = (find_model(name.partition(":")[0]) for name in beside)
    return any(one is not None and one.gated for one in known)


@cache
def _fields(model: type[BaseModel], kind: str) -> tuple[tuple[str, str], ...]:
    """Typed fields that may name a repository, each with the flag that carries it."""
    flags = _table()["flags"]
    return tuple((f, flag) for f in model.model_fields for flag in flag_names(kind, f) if flag in flags)


def _said(value: str | Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else str(value.get("model", ""))


def _repositories(argv: tuple[str, ...]) -> tuple[str, ...]:
    told = _table()
    if not any(word.startswith(_prefixes()) for word in argv):
        return ()
    found: list[str] = []
    for flag, value in _values(argv):
        flag, _, key = flag.replace("_", "-").partition(".")
        if flag not in told["flags"] or key not in ("", "model"):
            continue
        legacy = flag in told["ownerless"]
        found += [word for word in _named(value) if _is_repository(word, legacy=legacy)]
    return tuple(dict.fromkeys(found))


def _values(argv: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each value with its option; an option's value may be a word of its own, and it may have several."""
    flag = ""
    for word in argv:
        if word.startswith("--"):
            flag, given, value = word.partition("=")
            if given:
                yield flag, value
        elif flag:
            yield flag, word


def _named(value: str) -> Iterator[str]:
    """What a value names: itself, what stands behind NAME=, or the path and model of an object."""
    if value.lstrip().startswith("{"):
        try:
            said = json_value(value)
        except ValueError:
            return
        yield from (said[key] for key in ("model", "path") if isinstance(said.get(key), str))
    else:
        yield from (word.rpartition("=")[2].strip() for word in value.split(","))


def _is_repository(word: str, *, legacy: bool) -> bool:
    if word in _table()["words"]:
        return False
    return bool(_REPOSITORY.fullmatch(word) or (legacy and _LEGACY.fullmatch(word)))


@cache
def _prefixes() -> tuple[str, ...]:
    """Beginnings of the options, with dashes and with underscores."""
    flags = _table()["flags"]
    return (*flags, *(f"--{flag[2:].replace('-', '_')}" for flag in flags))


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "hub_reads.yaml")
    return table
