"""Puts what `scripts/observe_parser.py` saw of releases into one table, a row for each span of releases.

    $ python -m scripts.fold_observed FOLDER      # FOLDER/vllm-0.26.0.json and so on, for every release

The tests hold the contracts against tests/engines/observed/vllm-parsers.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

from packaging.version import Version

from scripts.contractgen.contract_files import Spans, render

OBSERVED = Path(__file__).parents[1] / "tests" / "engines" / "observed" / "vllm-parsers.json"


def main(argv: list[str]) -> int:
    seen: dict[str, dict[str, Any]] = {}
    for path in Path(argv[0]).glob("vllm-*.json"):
        seen[path.stem.removeprefix("vllm-")] = json.loads(path.read_text(encoding="utf-8"))
    releases = sorted(seen, key=Version)
    table = {"releases": releases, "options": Spans(releases).rows(seen)}
    OBSERVED.write_text(render(table), encoding="utf-8")
    print(f"{OBSERVED.name}: {len(releases)} releases")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
