"""The keys of a release's configurations are read where it refuses others, and fold into spans of releases."""

from pathlib import Path

import pytest

from scripts.contractgen.config_keys import read_config_keys
from scripts.contractgen.source_tree import SourceTree
from scripts.generate_config_keys import table

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
    pooling = {"--pooler-config": ["pooling_type"]} if by_default else {}
    assert read_config_keys(SourceTree(tmp_path)) == {"--compilation-config": ["mode"], **pooling}


def test_keys_have_the_span_of_the_releases_that_take_them() -> None:
    made = table({"1.0": {}, "1.1": {"--a-config": ["old"]}, "1.2": {"--a-config": ["new"]}})
    assert made["configs"] == {"--a-config": {"closed": "1.1:", "keys": {"new": "1.2:", "old": "1.1:1.1"}}}
