"""Asks aiconfigurator for the points on standard input; runs in an environment that has it, not in the project's.

One client is asked as a static batch of one. Several are asked as its engine with so many requests at once.
"""

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from aiconfigurator.cli.api import cli_estimate

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
GEMM = {"bf16": "bfloat16", "fp8": "fp8", "w8a8-fp8": "fp8", "w8a8-int8": "int8_wo"}
SYSTEMS = {
    "aiconfigurator-l4-sol": ("l4", "SOL", 1.0),
    "aiconfigurator-l40s-silicon": ("l40s", "SILICON", 864 / 300),
}


def _folder(row: dict) -> str:
    """A folder with the model's config.json, which the tool reads in place of the Hub."""
    folder = Path(tempfile.gettempdir()) / "aiconfigurator-models" / row["model"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(row["config"]))
    return str(folder)


def answer(row: dict, system: str, mode: str, slower: float) -> dict:
    """Milliseconds and tokens a second; an empty answer where the tool gives none."""
    try:
        found = cli_estimate(
            _folder(row), system, mode="static" if row["clients"] == 1 else "agg", backend_name="vllm",
            database_mode=mode, isl=row["input"], osl=row["output"], batch_size=row["clients"],
            gemm_quant_mode=GEMM.get(row["weights"], "int4_wo"),
            kvcache_quant_mode="fp8" if row["kv"] == "fp8" else "bfloat16",
        )  # fmt: skip
    except Exception as error:
        return {"cannot": f"{type(error).__name__}: {str(error)[:80]}"}
    return {
        "ttft": round(found.ttft * slower, 3), "itl": round(found.tpot * slower, 4),
        "tokens": round(found.tokens_per_second / slower, 2),
    }  # fmt: skip


def main() -> None:
    """Prints one line of JSON: answers by tool and point."""
    rows = json.load(sys.stdin)
    print(json.dumps({name: {row["id"]: answer(row, *how) for row in rows} for name, how in SYSTEMS.items()}))


if __name__ == "__main__":
    main()
