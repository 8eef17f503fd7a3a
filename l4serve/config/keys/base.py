"""The base of every config model and the scalar types they share."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from l4serve.config.frozen import frozen
from l4serve.config.words.spelling import article
from l4serve.config.words.written_forms import BYTE_COUNT, QUANTITY, SERVED_NAME, SOURCE, VERSION, ZONE, mended_name


def exactly_one(what: str, given: Mapping[str, Any]) -> None:
    """Refuses several places of one thing, and none: `given` maps the keys that name a place to their values."""
    named = [key for key, value in given.items() if value is not None]
    if not named:
        raise ValueError(f"no {what} is named; add one of {', '.join(given)}")
    if len(named) > 1:
        raise ValueError(
            f"{' and '.join(named)} exclude each other, because each names a {what}; remove all but one of them"
        )


class ConfigModel(BaseModel):
    """Frozen, closed to unknown keys, camelCase in YAML; numbers and booleans may arrive as strings.

    A field whose default is such a model takes it from `model_construct()`: for an ordinary instance, importing its
    class would compile the validator.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        allow_inf_nan=False,
        coerce_numbers_to_str=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
    )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself: it is frozen, and pydantic copies a default for each object that lacks the key."""
        return self

    @classmethod
    def model_json_schema(cls, **options: Any) -> dict[str, Any]:  # type: ignore[override]  # same options, by name
        """The JSON Schema, with the texts below the fields."""
        from l4serve.config.keys.described_schema import DescribedSchema

        return super().model_json_schema(**{"schema_generator": DescribedSchema, **options})


def no_boolean(value: Any) -> Any:
    """Refuses true and false where a number is expected, which pydantic would take for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number is expected, not true or false")
    return value


_LARGEST = 2**53
"""Beyond it a float has no longer every whole number, and no setting means one."""


def _no_huge_number(value: int) -> int:
    if abs(value) > _LARGEST:
        raise ValueError(f"{value} is larger than any number that this key can mean")
    return value


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError(f"YAML reads {value} as a number and drops its zeros; put the version in quotes")
    return value


def _no_lost_zero(value: Any) -> Any:
    """Refuses 1.3, which is what YAML reads of 1.30; 1.33 lost nothing."""
    return _no_float(value) if isinstance(value, float) and len(f"{value}".partition(".")[2]) == 1 else value


@frozen()
class _BoundedName:
    """The form of a name, for validation and for JSON Schema."""

    kind: str
    pattern: str
    limit: int
    rule: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^{self.pattern}$", "maxLength": self.limit}

    def _fits(self, value: str) -> bool:
        return len(value) <= self.limit and bool(re.fullmatch(self.pattern, value))

    def _check(self, value: str) -> str:
        if not self._fits(value):
            found = mended_name(value, self._fits, self.limit)
            hint = f"; write it as {found}" if found else ""
            wrong = f"{value!r} is not {article(self.kind)} {self.kind}"
            raise ValueError(f"{wrong}: {self.rule}, at most {self.limit} characters{hint}")
        return value


_LABEL_RULE = "lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
_DNS_LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_DNS_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_HOST_PART = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_PATH_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = (
    rf"^({_HOST_PART}(\.{_HOST_PART})*(:[0-9]{{1,5}})?/)?{_PATH_PART}(/{_PATH_PART})*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
)
"""An image reference as registries read it: registry, repository, tag, digest."""
_BARE_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")
"""The form of a repository and its tag, which registries do not take for one."""
_LONGEST_REPOSITORY = 255
"""https://pkg.go.dev/github.com/distribution/reference (RepositoryNameTotalLengthMax)"""


def _named_image(value: str) -> str:
    """Refuses a digest without a name, and an image whose repository is longer than registries take."""
    if _BARE_DIGEST.fullmatch(value):
        digest = f"sha256:{value.removeprefix('sha256:')[:12]}..."
        raise ValueError(f"the text is a digest and names no image; write it as REGISTRY/NAME@{digest}")
    name = value.partition("@")[0]
    name = name[: name.rfind(":")] if name.rfind(":") > name.rfind("/") else name
    if len(name) > _LONGEST_REPOSITORY:
        raise ValueError(f"the image's name has {len(name)} characters; registries take {_LONGEST_REPOSITORY}")
    return value


Int = Annotated[int, BeforeValidator(no_boolean), AfterValidator(_no_huge_number)]
Count = Annotated[int, BeforeValidator(no_boolean), Field(ge=0, le=1000)]
PositiveInt = Annotated[int, BeforeValidator(no_boolean), Field(ge=1), AfterValidator(_no_huge_number)]
Seconds = Annotated[int, BeforeValidator(no_boolean), Field(ge=0), AfterValidator(_no_huge_number)]
Fraction = Annotated[float, BeforeValidator(no_boolean), Field(gt=0, le=1)]
Version = Annotated[
    str,
    Field(pattern=VERSION, max_length=40, examples=["0.26.0"]),
    BeforeValidator(_no_float),
]
ClusterVersion = Annotated[
    str,
    Field(pattern=r"^[0-9]+\.[0-9]+(\.[0-9]+(-gke\.[0-9]+)?)?$", max_length=40),
    BeforeValidator(_no_lost_zero),
]
Image = Annotated[
    str,
    Field(pattern=_IMAGE, max_length=500, examples=["docker.io/vllm/vllm-openai:v0.26.0"]),
    AfterValidator(_named_image),
]
Zone = Annotated[str, Field(pattern=ZONE, examples=["us-central1-a"])]
CloudName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", examples=["my-name"])]
"""A name of Compute Engine: of a range, a reservation, a policy."""
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", examples=["fp8_e4m3"])]
"""One of the words that an engine's option takes."""
ByteCount = Annotated[
    str,
    Field(
        pattern=BYTE_COUNT,
        max_length=20,
        examples=["4G"],
        json_schema_extra={"type": ["string", "number"]},
    ),
]
"""Bytes, with a binary (K, M, G) or decimal (k, m, g) multiple."""
Source = Annotated[str, Field(pattern=SOURCE, max_length=500, examples=["org/name"])]
"""A Hub id, a path in the container or an address of storage."""
ServedName = Annotated[str, Field(pattern=SERVED_NAME, max_length=200, examples=["my-model"])]
"""A name by which clients ask for a model."""
Label = Annotated[str, Field(pattern=r"^[!-~]([ -~]{0,198}[!-~])?$", examples=["my name"])]
"""A name for people and clients, in ASCII."""
WorkloadName = Annotated[str, _BoundedName("workload name", _DNS_LABEL, 40, _LABEL_RULE)]
PoolName = Annotated[str, _BoundedName("node pool name", _DNS_LABEL, 32, _LABEL_RULE)]
ClusterName = Annotated[str, _BoundedName("cluster name", _DNS_LABEL, 40, _LABEL_RULE)]
Namespace = Annotated[str, _BoundedName("namespace", r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", 63, _LABEL_RULE)]
ServiceName = Annotated[str, _BoundedName("Service name", _DNS_LABEL, 63, _LABEL_RULE)]
ObjectName = Annotated[
    str,
    _BoundedName(
        "Kubernetes object name",
        _DNS_NAME,
        253,
        "lower-case letters, digits, '-' and '.'",
    ),
]
EnvName = Annotated[
    str, _BoundedName("environment variable name", r"[A-Za-z_][A-Za-z0-9_]*", 256, "letters, digits and '_'")
]
LabelKey = Annotated[
    str,
    _BoundedName(
        "label key",
        rf"({_DNS_NAME}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?",
        253,
        "an optional DNS prefix and '/', then letters, digits, '-', '_' and '.'",
    ),
]
CloudLabelKey = Annotated[
    str,
    _BoundedName(
        "label key of Google Cloud",
        r"[a-z][a-z0-9_-]*",
        63,
        "lower-case letters, digits, '_' and '-', beginning with a letter",
    ),
]
CloudLabelValue = Annotated[
    str, _BoundedName("label value of Google Cloud", r"[a-z0-9_-]*", 63, "lower-case letters, digits, '_' and '-'")
]
LabelValue = Annotated[
    str,
    _BoundedName("label value", r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", 63, "letters, digits, '-', '_', '.'"),
]


def _no_host_bits(value: str) -> str:
    from ipaddress import ip_network

    if str(network := ip_network(value, strict=False)) != value:
        raise ValueError(f"{value} has bits set beyond its prefix, so it is not a network; write it as {network}")
    return value


Cidr = Annotated[
    str,
    Field(pattern=rf"^{_OCTET}(\.{_OCTET}){{3}}/(3[0-2]|[12]?[0-9])$", examples=["10.0.0.0/20"]),
    AfterValidator(_no_host_bits),
]
Quantity = Annotated[
    str,
    Field(pattern=QUANTITY, max_length=20, examples=["25Gi"], json_schema_extra={"type": ["string", "number"]}),
    BeforeValidator(no_boolean),
]
"""A Kubernetes quantity such as 500m, 2 or 25Gi."""


@cache
def fields_by_key(model: type[BaseModel]) -> Mapping[str, str]:
    """The field of each key of a model, by the key as YAML has it."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


@cache
def keys_of(model: type[BaseModel]) -> frozenset[str]:
    """Every key, as YAML writes it, of a config model and of the models inside it."""
    found: set[str] = set()
    waiting: list[Any] = [model]
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {field.alias or name for name, field in kind.model_fields.items()}
            waiting += [field.annotation for field in kind.model_fields.values()]
    return frozenset(found)


def field_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted path, as YAML writes it, of every key of a config model and of the models that a key holds."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        yield path
        for kind in (info.annotation, *get_args(info.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from field_paths(kind, f"{path}.")


def changed_field(model: ConfigModel, key: str, value: object) -> tuple[str, object]:
    """The field that a key of YAML names and its new value; a key after a dot is set in the field's object."""
    outer, dot, inner = key.partition(".")
    field = fields_by_key(type(model))[outer]
    held = getattr(model, field)
    if dot and isinstance(held, ConfigModel):
        return field, held.model_copy(update=dict([changed_field(held, inner, value)]))
    return field, {**(held or {}), inner: value} if dot else value
