"""The keys of a release's configurations are read where it refuses others, and fold into spans of releases."""

from pathlib import Path

import pytest

from scripts.contractgen.config_keys import Taken, read_config_keys, read_connectors, read_plain_values
from scripts.contractgen.source_tree import SourceTree
from scripts.generate_config_keys import Read, table

UTILS = {True: "def config(cls):\n    return ConfigDict(extra='forbid')\n", False: "def config(cls):\n    return cls\n"}
CONFIGS = """
from dataclasses import field
from typing import ClassVar, Optional
from vllm.config.utils import config

@config
@dataclass(config=ConfigDict(extra='forbid'))
class CompilationConfig:
    known: ClassVar[int] = 3
    mode: int = 3
    enabled: int = field(default=0, init=False)

@config
class PoolerConfig:
    pooling_type: str = "MEAN"

@config
class ModelConfig:
    pooler_config: Optional["PoolerConfig"] = None

@config
class VllmConfig:
    compilation_config: CompilationConfig = None
    seed: int = 0
"""


@pytest.mark.parametrize("by_default", [True, False])
def test_keys_are_those_of_classes_that_refuse_others(tmp_path: Path, by_default: bool) -> None:
    files = {"__init__.py": "", "config/__init__.py": CONFIGS, "config/utils.py": UTILS[by_default]}
    for name, text in files.items():
        path = tmp_path / "vllm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert read_config_keys(SourceTree(tmp_path)) == {
        "--compilation-config": Taken(True, {"mode": "int"}),
        "--pooler-config": Taken(by_default, {"pooling_type": "str"}),
    }


def test_connectors_are_those_that_a_release_registers(tmp_path: Path) -> None:
    folder = tmp_path / "vllm" / "distributed" / "kv_transfer" / "kv_connector"
    folder.mkdir(parents=True)
    calls = "\n".join(f'KVConnectorFactory.register_connector("{name}", "a.b", "{name}")' for name in ("One", "Two"))
    (folder / "factory.py").write_text(f"class KVConnectorFactory: ...\n{calls}\n", encoding="utf-8")
    assert read_connectors(SourceTree(tmp_path)) == ["One", "Two"]
    assert read_connectors(SourceTree(tmp_path / "none")) == []


VALUES = """
from dataclasses import field
from enum import Enum
from typing import Annotated, Any, Callable, Literal
from pydantic import Field, SkipValidation, field_validator
from pydantic.dataclasses import dataclass

class Mode(Enum):
    NONE = 0
    FULL = 2
    BOTH = (2, 0)

@dataclass
class Inner:
    on: bool = True

@dataclass
class DeepConfig:
    mode: Mode = Mode.NONE
    coded: Mode = Mode.NONE
    kind: Literal["a", "b-c"] = "a"
    exact: Literal["a", 1] = "a"
    count: int = Field(default=1, ge=-1)
    share: float | None = Field(default=None, gt=0, le=1)
    names: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    inner: Inner = field(default_factory=Inner)
    odd: dict[str, Any] | str = ""
    free: SkipValidation[int] = 0
    made: int = field(default=0, init=False)

    @field_validator("mode", mode="before")
    def _by_name(cls, value):
        return Mode[value.upper()]

    @field_validator("kind", mode="before")
    def _lower(cls, value):
        return value.lower().replace("-", "_")

    @field_validator("split", mode="before")
    def _split(cls, value):
        return value.split(",")

@dataclass
class VllmConfig:
    deep_config: DeepConfig = None

@dataclass
class CacheConfig:
    block_size: int = Field(default=16, gt=0)
    named: dict[str, int] = field(default_factory=dict)
    other: int = 0
"""


def test_values_are_told_from_annotations_bounds_and_validators(tmp_path: Path) -> None:
    path = tmp_path / "vllm" / "config" / "__init__.py"
    path.parent.mkdir(parents=True)
    path.write_text(VALUES, encoding="utf-8")
    (tmp_path / "vllm" / "__init__.py").touch()
    taken = read_config_keys(SourceTree(tmp_path))
    assert taken["--deep-config"].values == {
        "mode": "name(NONE,FULL,BOTH) | in(0,2)",
        "coded": "in(0,2)",
        "kind": "word(a,b-c)",
        "exact": 'in("a",1)',
        "count": "int>=-1",
        "share": "float>0<=1 | none",
        "names": "list[str]",
        "split": "list[str] | str",
        "inner": "config",
        "odd": "dict | str",
        "free": "any",
    }
    assert taken["--deep-config.inner"].values == {"on": "bool"}
    assert read_plain_values(SourceTree(tmp_path)) == {"--block-size": "int>0", "--named": "dict"}


def test_keys_have_the_span_of_the_releases_that_take_them() -> None:
    old, new = Taken(True, {"old": "int"}), Taken(True, {"new": "bool"})
    made = table(
        {"1.0": Read({}, {}), "1.1": Read({"--a-config": old}, {"-b": "int>0"}), "1.2": Read({"--a-config": new}, {})}
    )
    assert made["configs"] == {
        "--a-config": {"closed": "1.1:", "keys": {"new": {"1.2:": "bool"}, "old": {"1.1:1.1": "int"}}}
    }
    assert made["plain"] == {"-b": {"1.1:1.1": "int>0"}}
