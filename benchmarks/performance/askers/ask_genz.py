"""Asks genz-llm for the points on standard input, with the L4's datasheet; runs in an environment that has it."""

import json
import sys
import warnings

from GenZ import System, decode_moddeling, prefill_moddeling
from GenZ.Models import ModelConfig

warnings.filterwarnings("ignore")
BITS = {"bf16": "bf16", "fp8": "int8", "w8a8-fp8": "int8", "w8a8-int8": "int8"}


def answer(row: dict) -> dict:
    """Milliseconds and tokens a second of a batch of the clients."""
    shape = row["shape"]
    model = ModelConfig(
        model=row["model"], hidden_size=shape["hidden"], num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kvHeads"], head_dim=shape["headDim"], num_ffi=2, num_decoder_layers=shape["layers"],
        intermediate_size=shape["width"], vocab_size=shape["vocabulary"],
    )  # fmt: skip
    bits = BITS.get(row["weights"], "int4")
    system = System(flops=121, off_chip_mem_size=24 * 1024, offchip_mem_bw=300, bits=bits)
    asked = {"model": model, "input_tokens": row["input"], "system_name": system, "bits": bits}
    try:
        first = prefill_moddeling(batch_size=1, **asked)
        later = decode_moddeling(batch_size=row["clients"], output_tokens=row["output"], **asked)
    except Exception as error:
        return {"cannot": f"{type(error).__name__}: {str(error)[:80]}"}
    return {
        "ttft": round(first["Latency"], 3),
        "itl": round(later["Latency"], 4),
        "tokens": round(later["Throughput"], 2),
    }


def main() -> None:
    """Prints one line of JSON: answers by tool and point."""
    rows = json.load(sys.stdin)
    print(json.dumps({"genz": {row["id"]: answer(row) for row in rows}}))


if __name__ == "__main__":
    main()
