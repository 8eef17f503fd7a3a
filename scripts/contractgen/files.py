"""Contract files on disk, always written the same way."""

import json
import sys
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parents[2] / "l4serve" / "engines" / "contracts"


def contract_path(engine: str, version: str) -> Path:
    """Where the contract of one release lies."""
    return CONTRACTS / f"{engine}-{version}.json"


def render(contract: dict[str, Any]) -> str:
    """The file's text: one flag, metric or path a line, so that two versions compare by `diff`."""
    parts = [f"{json.dumps(key)}: {_value(value)}" for key, value in contract.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _value(value: Any) -> str:
    if isinstance(value, dict) and value:
        lines = (f"  {json.dumps(key)}: {json.dumps(inner, sort_keys=True)}" for key, inner in value.items())
        return "{\n" + ",\n".join(lines) + "\n}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {json.dumps(item, sort_keys=True)}" for item in value) + "\n]"
    return json.dumps(value)


def check_or_write(path: Path, contract: dict[str, Any], check: bool) -> int:
    """Writes the file, or with `check` only says whether it would change; the exit status."""
    text = render(contract)
    if not check:
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(contract['flags'])} flags, {len(contract['metrics'])} metrics")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        print(f"{path.name}: unchanged")
        return 0
    print(f"{path.name}: differs from what its source gives", file=sys.stderr)
    return 1
