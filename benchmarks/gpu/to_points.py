"""Turns records of `probe.py --server` into rows of benchmarks/performance/server_points.jsonl.

python -m benchmarks.gpu.to_points RECORDS.jsonl
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.gpu.probe import DEFAULTS, OWN_KEYS
from benchmarks.gpu.to_observations import first, kv_tokens

KEPT = ("adapters", "utilization")
BACKENDS = (
    r"Using ([A-Z_0-9]+) attention backend",
    r"Using AttentionBackendEnum\.([A-Z_0-9]+)",
    r"Using (\w+ \w+ MoE backend)",
)


def row(record: dict[str, Any]) -> dict[str, Any]:
    """One start: what was asked, what it said of itself, and its loads."""
    point = record["point"]
    asked = {key: value for key, value in (DEFAULTS | point).items() if key not in (*OWN_KEYS, "load_format")}
    loads = [
        {"in" if key == "inp" else key: value for key, value in load.items() if key != "seed"}
        for load in record["loads"]
    ]
    told = [found[1] for pattern in BACKENDS if (found := first(pattern, record["log"]))]
    return {
        "id": point["id"],
        "model": point["model"],
        "kwargs": asked,
        **{key: point[key] for key in KEPT if key in point},
        **({"env": {k: v for k, v in point["env"].items() if k != "VLLM_CACHE_ROOT"}} if point.get("env") else {}),
        "loads": loads,
        "kv_tokens": kv_tokens(record, {})[0],
        "backends": told,
        "card": record["gpu_name"],
        "total_gib": record["gpu_total_gib"],
    }


def main(paths: list[str]) -> int:
    for path in paths:
        for line in Path(path).read_text().splitlines():
            record = json.loads(line)
            if "error" in record:
                print(f"left out: {record['point']['id']}: {record['error'][:120]}", file=sys.stderr)
                continue
            print(json.dumps({key: value for key, value in row(record).items() if value not in ({}, [])}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
