"""Starts a real vLLM server with a planned argv under an L4's memory budget and runs `l4serve verify`'s checks on it.

    python -m benchmarks.gpu.verify_server CONFIG.json OUT.json [--model-id ID] [--max-model-len N]

CONFIG.json is a model's config; weights are dummies, and the tokenizer is made here: bytes, then made-up words. The
budget is an L4's 22.03 GiB at utilisation 0.9, whatever the card. OUT.json gets the argv and the report; the server's
log lies beside it. Exits 1 when a check fails. Needs vllm, openai, httpx2, prometheus-client, pydantic, pyyaml, rich.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.workload_plan import WorkloadPlan
from l4serve.verification.promises import planned_target
from l4serve.verification.server import verify_server

L4_GIB = 22.03
UTILIZATION = 0.9
START_SECONDS = 480
# What a server takes by default on a card under 70 GiB.
L4_BATCH = {"maxNumBatchedTokens": 2048, "maxNumSeqs": 256}
SPARE_IDS = 8
"""Ids without a token, since a model's own tokenizer class may add some."""
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


def planned(model_id: str, config: Path, max_model_len: int, card_gib: float, port: int) -> WorkloadPlan:
    """The plan of one workload that loads dummy weights and takes an L4's share of the card."""
    engine = {
        "kind": "vllm",
        "version": version("vllm").split("+")[0],
        "maxModelLen": max_model_len,
        "gpuMemoryUtilization": round(L4_GIB * UTILIZATION / card_gib, 4),
        "loadFormat": "dummy",
        "servedModelName": [model_id],
        **L4_BATCH,
    }
    model = {"id": model_id, "config": str(config.resolve())}
    workload = {"model": model, "engine": engine, "service": {"port": port}, "fit": "warn"}
    serving = {"cluster": {"mode": "existing"}, "workloads": {"probe": workload}}
    stack = parse_stack("probe", {SERVING_KEY: serving}, base=Path.cwd())
    return plan_stack(stack).workloads[0]


def make_model(config: Path, folder: Path) -> None:
    """A model folder with that config and a tokenizer of as many tokens as the model has ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    shutil.copy(config, folder / "config.json")
    raw = json.loads(config.read_text())
    size = raw.get("text_config", raw)["vocab_size"]
    # Bytes first: a model's own tokenizer class may rebuild this one as byte-level BPE.
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(f"w{i}" for i in range(256, size - SPARE_IDS))]
    words = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token=tokens[-1], pad_token=tokens[-1])
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)


def card_gib() -> float:
    """Memory of the first card, in GiB."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]) / 1024


@contextmanager
def running_server(workload: WorkloadPlan, model: Path, log: Path) -> Iterator[str]:
    """The base URL of a server with the planned argv, the model's id replaced by a folder; gone at the end."""
    argv = [argument.replace(workload.model.id, str(model), 1) for argument in workload.engine.argv[:1]]
    argv += [*workload.engine.argv[1:], "--host=127.0.0.1"]
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", *argv]
    env = {**os.environ, **workload.engine.env, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    with log.open("w") as file:
        process = subprocess.Popen(command, env=env, stdout=file, stderr=file, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{workload.service.port}"
            wait_until_healthy(process, url + workload.lifecycle.probes.path)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_healthy(process: subprocess.Popen[Any], url: str) -> None:
    """Returns on the first 200; raises RuntimeError when the server ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode} before it was healthy")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(1)
    raise RuntimeError(f"the server was not healthy within {START_SECONDS} s")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main(argv: list[str]) -> int:
    """Runs the whole; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model-id", default="Qwen/Qwen2.5-1.5B-Instruct")
    parser.add_argument("--max-model-len", type=int, default=4096)
    args = parser.parse_args(argv)
    gib = card_gib()
    workload = planned(args.model_id, args.config, args.max_model_len, gib, free_port())
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        make_model(args.config, Path(folder))
        with running_server(workload, Path(folder), args.out.with_suffix(".log")) as url:
            started = time.monotonic() - began
            target = replace(planned_target(workload, timeout=120, api_key=None), base_url=url)
            report = verify_server(target, f"vllm {workload.engine.version}")
    found = {
        "argv": workload.engine.argv,
        "cardGib": round(gib, 2),
        "startSeconds": round(started, 1),
        **report.to_json(),
    }
    args.out.write_text(json.dumps(found, indent=2) + "\n")
    for check in report.checks:
        print(f"{check.status}  {check.name}: {check.detail}")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
