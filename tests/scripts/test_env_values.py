"""What a variable may hold is read from the expression that reads it, and nothing of the release runs."""

from pathlib import Path
from typing import Any

import pytest

from scripts.contractgen.env_values import read_values
from scripts.contractgen.source_tree import SourceTree

LOGGER = """
import vllm.envs as envs
VLLM_LEVEL = envs.VLLM_LEVEL
CONFIG = {"handlers": {"vllm": {"level": VLLM_LEVEL, "stream": envs.VLLM_STREAM}}}
"""
KINDS = """
class Kind(Enum):
    ONE = "x"
    TWO = "y"
"""
CORE = "class EngineCore:\n    def __init__(self):\n        enable_envs_cache()\n"


def values(tmp_path: Path, *getters: str, core: str = CORE) -> dict[str, Any]:
    rows = "".join(f"    {getter},\n" for getter in getters)
    functions = "def port():\n    text = os.getenv('VLLM_A', '0')\n    return int(text)\n"
    functions += "def path():\n    on = int(os.getenv('VLLM_B', '0'))\n    return os.getenv('VLLM_A') if on else None\n"
    files = {
        "envs.py": f"{functions}environment_variables = {{\n{rows}}}\nraise SystemExit('nothing is run')\n",
        "logger.py": LOGGER,
        "kinds.py": KINDS,
        "v1/engine/core.py": core,
    }
    for name, text in files.items():
        place = tmp_path / "vllm" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return read_values(SourceTree(tmp_path))


@pytest.mark.parametrize(
    ("getter", "taken"),
    [
        ("lambda: os.getenv('VLLM_A')", None),
        ("lambda: os.getenv('VLLM_A', '0').lower() in ('1', 'true')", None),
        ("lambda: int(os.getenv('VLLM_B', '1')) if os.getenv('VLLM_A') else 0", None),
        ("lambda: int(os.getenv('VLLM_A', '60'))", {"type": "int"}),
        ("lambda: int(os.environ['VLLM_A']) if 'VLLM_A' in os.environ else None", {"type": "int"}),
        ("lambda: int(int(os.environ.get('VLLM_A', 256)))", {"type": "int"}),
        ("lambda: maybe_convert_int(os.environ.get('VLLM_A'))", {"type": "int"}),
        ("lambda: bool(int(os.getenv('VLLM_A', '0')))", {"type": "switch"}),
        ("lambda: maybe_convert_bool(os.getenv('VLLM_A'))", {"type": "switch"}),
        ("old('VLLM_A', 'gone', lambda: bool(int(os.getenv('VLLM_A', '0'))))", {"type": "switch"}),
        ("lambda: val if (val := float(os.getenv('VLLM_A', '1.'))) > 0 else 1.", {"type": "float"}),
        ("lambda: json.loads(os.getenv('VLLM_A', '{}'))", {"type": "json"}),
        ("port", {"type": "int"}),
        ("path", None),
        ("env_with_choices('VLLM_A', None, ['b', 'a'])", {"type": "str", "choices": ["a", "b"]}),
        ("env_with_choices('VLLM_A', 'x', ['A'], case_sensitive=False)", {"type": "any_case", "choices": ["a"]}),
        ("env_set_with_choices('VLLM_A', default=[], choices=['a'])", {"type": "words", "choices": ["a"]}),
        (
            "env_with_choices('VLLM_A', None,"
            " lambda: list(__import__('vllm.kinds', fromlist=['Kind']).Kind.__members__.keys()))",
            {"type": "str", "choices": ["ONE", "TWO"]},
        ),
    ],
)
def test_a_getter_says_what_it_takes(tmp_path: Path, getter: str, taken: dict[str, Any] | None) -> None:
    assert values(tmp_path, f"'VLLM_A': {getter}").get("VLLM_A") == taken


def test_a_level_of_logging_is_one_of_its_names(tmp_path: Path) -> None:
    found = values(tmp_path, "'VLLM_LEVEL': lambda: os.getenv('VLLM_LEVEL', 'INFO').upper()")["VLLM_LEVEL"]
    assert found["type"] == "upper"
    assert {"DEBUG", "WARN", "NOTSET"} < set(found["choices"])
    found = values(tmp_path, "'VLLM_LEVEL': lambda: os.getenv('VLLM_LEVEL', 'INFO')")["VLLM_LEVEL"]
    assert found["type"] == "str"


def test_without_a_walk_over_all_a_start_reads_for_sure_what_its_logging_names(tmp_path: Path) -> None:
    getters = (f"'{name}': lambda: int(os.getenv('{name}', '1'))" for name in ("VLLM_A", "VLLM_STREAM"))
    found = values(tmp_path, *getters, core="")
    assert found == {"VLLM_A": {"type": "int", "lazy": True}, "VLLM_STREAM": {"type": "int"}}
