"""What differs between engines and is no behaviour: display name, names of fields, syntax. Data: data/profiles.yaml."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any, Literal

from pydantic.alias_generators import to_snake

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.workload import Engine
from l4serve.config.words.paths import lies_in

Role = Literal[
    "shards",
    "stages",
    "length",
    "quantization",
    "servedNames",
    "speculation",
    "dtype",
    "kvCache",
    "sequences",
    "batchTokens",
    "memoryShare",
    "offload",
]


@frozen(kw_only=True)
class EngineProfile:
    """The traits of an engine, whatever its release."""

    kind: str
    title: str
    """Name for people, such as vLLM."""
    fields: Mapping[Role, str]
    """Typed field, in camel case, that plays a role; a role that the engine lacks is left out."""
    eager: Mapping[str, Any]
    """Fields that turn CUDA graphs off."""
    smaller: Mapping[Literal["cache", "eightBit", "fourBit"], str]
    """Values that make the KV cache, or weights while they load, smaller."""
    list_syntax: Literal["words", "commas"]
    """How a flag takes several values: as words of their own, or joined by commas."""
    reads_token_file: bool
    """Whether the engine reads the Hugging Face token from a file that HF_TOKEN_PATH names."""
    length_is_fixed: bool
    """Whether the server holds the planned length also where no flag states it."""
    dotted_flags: bool
    """Whether the parser takes underscores for dashes, and keys of a JSON value after a dot."""
    env_prefix: str | None
    """Prefix of variables that the engine keeps for itself; an unknown one is refused."""
    api_key_env: str
    """Variable from which the engine reads the key that clients must send."""
    open_despite_key: str
    """What the engine serves without that key, health checks left out."""
    guarded_paths: tuple[str, ...]
    """Paths, with all below them, that ask for that key."""
    harmless_paths: tuple[str, ...]
    """Paths, with all below them, that answer without the model."""
    covered_paths: tuple[str, ...]
    """Paths that are neither, but below which all are one or the other in every release."""
    picked_by_metrics: bool
    """Whether the endpoint picker of the Gateway API reads the engine's metrics."""
    architecture_names: Literal["classes", "modelTypes"]
    """How a contract names the models that a release serves."""

    def path(self, role: Role) -> str:
        """Config path, inside a workload, of the field that plays a role. Raises KeyError for a role it lacks."""
        return f"engine.{self.fields[role]}"

    def setting(self, engine: Engine, role: Role) -> Any:
        """What the config sets for a role; None where it is unset or the engine has no such field."""
        name = self.names.get(role)
        return None if name is None else getattr(engine, name)

    def unguarded(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Those of the paths below which something answers without the key; of a covered one, what does."""
        found = (path for path in paths if not lies_in(path, self.guarded_paths))
        return tuple(each for path in found for each in self._open_below(path))

    def _open_below(self, path: str) -> tuple[str, ...]:
        if path not in self.covered_paths:
            return (path,)
        return tuple(each for each in self.harmless_paths if lies_in(each, (path,)))

    def past_key(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Those of the paths below which the model may be used without the key."""
        return tuple(path for path in self.unguarded(paths) if not lies_in(path, self.harmless_paths))

    @cached_property
    def names(self) -> Mapping[Role, str]:
        """Typed field that plays a role, as the engine's model has it."""
        return {role: to_snake(field) for role, field in self.fields.items()}


@cache
def engine_profile(kind: str) -> EngineProfile:
    """The traits of an engine by its kind."""
    traits = load_data(__file__, "profiles.yaml")[kind][0]["traits"]
    values: dict[str, Any] = {to_snake(key): value for key, value in traits.items()}
    lists = {name: tuple(values[name]) for name in ("guarded_paths", "harmless_paths", "covered_paths")}
    return EngineProfile(kind=kind, **{**values, **lists})


@cache
def engine_kinds() -> tuple[str, ...]:
    """Every engine, in the order of the data file."""
    return tuple(load_data(__file__, "profiles.yaml"))
