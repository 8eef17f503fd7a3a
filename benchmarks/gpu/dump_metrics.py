"""Lists the Prometheus metrics that vLLM's own stat logger registers for an engine configuration.

    dump_metrics.py CONFIG_NAME OUT.json

The configuration is that of a server with default flags for a config of l4serve/planning/memory/data/configs.
Metrics that a feature brings, and the web server's own, are not among them. Needs vLLM; no GPU.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import simulated_l4
from reproduce_rules import model_folder


def main(name: str, out: str) -> int:
    simulated_l4.install_without_driver()
    import vllm
    from prometheus_client import REGISTRY
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.usage.usage_lib import UsageContext
    from vllm.v1.metrics.loggers import PrometheusStatLogger

    with tempfile.TemporaryDirectory() as parent:
        model = model_folder({"model": name}, Path(parent))
        arguments = AsyncEngineArgs(model=str(model), skip_tokenizer_init=True, load_format="dummy")
        PrometheusStatLogger(arguments.create_engine_config(UsageContext.OPENAI_API_SERVER))
    metrics = {family.name: family.type for family in REGISTRY.collect() if family.name.startswith("vllm:")}
    found = {
        "engine": "vllm",
        "engineVersion": vllm.__version__,
        "model": name,
        "metrics": dict(sorted(metrics.items())),
    }
    Path(out).write_text(json.dumps(found, indent=1) + "\n")
    print(f"{len(metrics)} metrics")
    return 0


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    sys.exit(main(sys.argv[1], sys.argv[2]))
