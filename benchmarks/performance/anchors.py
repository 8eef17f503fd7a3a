"""What other estimators say of the measured points, asked once and kept: `anchors.json` has their answers.

Each is asked as its users would: aiconfigurator 0.12.0 for the L4 by its speed of light (`SOL`, all that it has for
this card) and for the L40S by its measurements (`SILICON`), scaled by the bandwidths of the two cards; genz-llm 0.0.16
with the L4's datasheet. A fourth needs no package: all bytes of a step over 262 GB/s.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.performance.points import FOLDER, Metric, Point
from l4serve.planning.models import catalogue
from l4serve.planning.performance.model_work import ModelWork, model_work
from l4serve.planning.workload.judgement.fit_question import subject_of

FILE = FOLDER / "anchors.json"
SCRIPTS = FOLDER / "askers"
READ = 262e9
L40S_OVER_L4 = 864 / 300
TOOLS = {
    "aiconfigurator-l4-sol": "aiconfigurator 0.12.0, L4 `SOL`",
    "aiconfigurator-l40s-silicon": "aiconfigurator 0.12.0, L40S `SILICON` x 864/300",
    "genz": "genz-llm 0.0.16, L4 datasheet",
}
BYTES_LINE = "bytes over 262 GB/s"


def question_row(point: Point) -> dict[str, Any]:
    """A point as the askers read it."""
    model = point.question.model
    return {
        "id": point.id,
        "model": str(point.row["model"]),
        "config": _config(str(point.row["model"])),
        "weights": str(point.row["weights"]),
        "kv": str(point.row["kv_cache"]),
        "input": point.load.input_tokens,
        "output": point.load.output_tokens,
        "clients": point.load.clients,
        "shape": {
            "layers": model.num_hidden_layers,
            "hidden": model.hidden_size,
            "heads": model.num_attention_heads,
            "kvHeads": model.num_key_value_heads,
            "headDim": model.head_dim,
            "width": model.intermediate_size,
            "vocabulary": model.vocab_size,
        },
    }


def _config(model: str) -> Mapping[str, Any]:
    """The model's config.json, for tools that would download it."""
    models = json.loads((Path(catalogue.__file__).parent / "data" / "catalogue.json").read_text("utf-8"))["models"]
    entry = next(e for e in models if model in (e["id"], *e.get("aliases", ()), *e.get("mirrors", ())))
    config: Mapping[str, Any] = entry["config"]
    return config


def ask(points: Sequence[Point], aiconfigurator: Path, genz: Path) -> None:
    """Asks the tools in the environments that have them, and writes what they say with when and by what."""
    rows = json.dumps([question_row(point) for point in points])
    answers: dict[str, Any] = {}
    for python, script in ((aiconfigurator, "ask_aiconfigurator.py"), (genz, "ask_genz.py")):
        done = subprocess.run([python, SCRIPTS / script], input=rows, capture_output=True, text=True, check=True)
        answers |= json.loads(done.stdout.splitlines()[-1])
    asked = datetime.now(UTC).date().isoformat()
    text = json.dumps({"asked": asked, "tools": TOOLS, "answers": answers}, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", "utf-8")


def kept() -> Mapping[str, Mapping[str, Mapping[Metric, float | None]]]:
    """The kept answers by tool and point."""
    answers: Mapping[str, Mapping[str, Mapping[Metric, float | None]]] = json.loads(FILE.read_text("utf-8"))["answers"]
    return answers


def bytes_line(point: Point) -> dict[Metric, float | None]:
    """What a step reads over what an L4 reads in a second: a token's time with all clients decoding."""
    subject = subject_of(point.question)
    assert subject.shape is not None
    work = model_work(subject.shape, subject.options)
    clients = min(point.load.clients or 1, subject.options.default_max_num_seqs or 256)
    context = point.load.mean_input + point.load.mean_output / 2
    step = _read(work, clients * context) / READ
    return {"itl": 1000 * step, "ttft": None, "tokens": clients / step}


def _read(work: ModelWork, cached: float) -> float:
    weights = work.stored_bytes + work.plain_bytes + work.head_bytes + work.expert_bytes
    return weights + (work.kv_bytes + work.kv_windowed) * cached
