"""The lines of an engine's log that say something of memory."""

from __future__ import annotations

import logging
import re
from pathlib import Path

LOG_PATTERN = re.compile(r"memory|KV cache|concurrency|took|GiB|backend|runner|estimated|kernel|Marlin", re.I)
LOG_NOISE = re.compile(
    r"FusedMoE.*Config =|Canonicalized|Skipping provider|Compile env|Traced files|world_size|Capturing a"
    r"|'VLLM_|compilation/(backends|decorators|monitor|caching)|ParallelConfig|Initializing a V1|plugins/"
    r"|platforms/__init__|ubatch_slices|Capturing CUDA graphs|Loading module|flashinfer.py|import_utils|parallel_state"
    r"|core_client|EngineCore (waiting|loop)|Completed loading|shutdown"
)


MOST_LINES, LONGEST = 60, 900


def tells(line: str) -> bool:
    """Whether a line speaks of memory and of choices."""
    return bool(LOG_PATTERN.search(line)) and not LOG_NOISE.search(line)


def lines_of(path: Path) -> list[str]:
    """The lines of a file that tell something, as an engine in another process left them."""
    return [line[:LONGEST] for line in path.read_text("utf-8", "replace").splitlines() if tells(line)][:MOST_LINES]


class KeepLines(logging.Handler):
    """Collects the log lines that speak of memory and of choices."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if tells(line) and len(self.lines) < MOST_LINES:
            self.lines.append(line[:LONGEST])
