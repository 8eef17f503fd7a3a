"""Runs configurations that a rule speaks of through vLLM's own configuration code, and keeps what it says.

    reproduce_rules.py CASES.json OUT.json

A case names the rule, a config of l4serve/planning/memory/data/configs (with changes to it, if any), the flags, and
optionally the number of cards and their compute capability. Three stages are passed in order: the server's parser, the
engine's configuration, and the choice of an attention backend; a refusal ends the case and names its stage. Nothing
here reaches a GPU: what dies while a model is loaded or run is reproduced by probe.py. Needs vLLM 0.26 or later.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import simulated_l4

CONFIGS = Path(__file__).parents[2] / "l4serve/planning/memory/data/configs"
WARNING = re.compile(r"deprecat|not officially|ignored|forcing|fall(ing)? back|not support|may crash|reverting", re.I)


class Warnings(logging.Handler):
    """Keeps vLLM's warnings and the lines that announce a change of mind."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if (record.levelno >= logging.WARNING or WARNING.search(line)) and line not in self.lines:
            self.lines.append(line[:400])


def model_folder(case: dict[str, Any], parent: Path) -> Path:
    """A folder that holds the case's config.json alone."""
    config = json.loads((CONFIGS / f"{case['model']}.json").read_text()) | case.get("config", {})
    folder: Path = parent / case["model"]
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def backend_of(config: Any) -> str:
    """The attention backend that vLLM picks for the model's layers; raises its refusal."""
    from vllm.config import set_current_vllm_config
    from vllm.v1.attention.selector import get_attn_backend

    model = config.model_config
    with set_current_vllm_config(config):
        backend = get_attn_backend(
            head_size=model.get_head_size(),
            dtype=model.dtype,
            kv_cache_dtype=config.cache_config.cache_dtype,
            use_mla=model.use_mla,
            has_sink=model.hf_config.model_type == "gpt_oss",
            num_heads=model.get_num_attention_heads(config.parallel_config),
            has_sliding_window=model.get_sliding_window() is not None,
        )
    return str(backend.get_name())


def run_case(case: dict[str, Any], parent: Path) -> dict[str, Any]:
    """What became of one case: the stage that refused it and its words, or the backend it would run on."""
    from check_argv import refusal, server_parser, with_template
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.usage.usage_lib import UsageContext

    found: dict[str, Any] = {key: case[key] for key in ("rule", "model", "argv")}
    found |= {"gpus": case.get("gpus", 1), "capability": case.get("capability", list(simulated_l4.L4_CAPABILITY))}
    warnings = Warnings()
    logging.getLogger("vllm").addHandler(warnings)
    argv = [f"--model={model_folder(case, parent)}", "--skip-tokenizer-init", *case["argv"]]
    if not any(flag.startswith("--load-format") for flag in argv):
        argv.append("--load-format=dummy")
    parser, stage = server_parser(), "parser"
    said = refusal(parser, argv)
    try:
        if said is None:
            stage = "configuration"
            arguments = AsyncEngineArgs.from_cli_args(parser.parse_args(with_template(argv)))
            config = arguments.create_engine_config(UsageContext.OPENAI_API_SERVER)
            stage = "attention backend"
            found["backend"] = backend_of(config)
    except BaseException as error:  # a refusal is the result
        said = f"{type(error).__name__}: {error}"
    found |= {"refused": said is not None}
    if said is not None:
        found |= {"stage": stage, "said": said.replace(str(parent), "MODELS")[:900]}
    return found | {"warnings": [line.replace(str(parent), "MODELS") for line in warnings.lines][:8]}


def forked(case: dict[str, Any]) -> dict[str, Any]:
    """Runs a case in a fork, so that nothing of it stays; raises RuntimeError when the fork leaves no result."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        pid = os.fork()
        if not pid:
            simulated_l4.CARDS.count = case.get("gpus", 1)
            simulated_l4.CARDS.capability = tuple(case.get("capability", simulated_l4.L4_CAPABILITY))
            result.write_text(json.dumps(run_case(case, Path(folder))))
            os._exit(0)
        os.waitpid(pid, 0)
        if not result.exists():
            raise RuntimeError(f"no result for {case['rule']}")
        return dict(json.loads(result.read_text()))


def main(cases: str, out: str) -> int:
    simulated_l4.install_without_driver()
    import vllm
    import vllm.entrypoints.openai.cli_args
    import vllm.v1.attention.backends.flashinfer

    found = [forked(case) for case in json.loads(Path(cases).read_text())]
    head = {"engine": "vllm", "engineVersion": vllm.__version__, "card": "NVIDIA L4 (simulated, no GPU)"}
    Path(out).write_text(json.dumps(head | {"cases": found}, indent=1) + "\n")
    for case in found:
        print(
            f"{case['rule']}: {case.get('stage', 'accepted, ' + case.get('backend', ''))}: {case.get('said', '')[:110]}"
        )
    return 0


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    sys.exit(main(sys.argv[1], sys.argv[2]))
