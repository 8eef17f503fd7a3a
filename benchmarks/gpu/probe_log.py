"""The lines of an engine's log that say something of memory."""

from __future__ import annotations

import logging
import re

LOG_PATTERN = re.compile(r"memory|KV cache|concurrency|took|GiB|backend|runner|estimated|kernel|Marlin", re.I)
LOG_NOISE = re.compile(
    r"FusedMoE.*Config =|Canonicalized|Skipping provider|Compile env|Traced files|world_size|Capturing a"
)


class KeepLines(logging.Handler):
    """Collects the log lines that speak of memory and of choices."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if LOG_PATTERN.search(line) and not LOG_NOISE.search(line) and len(self.lines) < 60:
            self.lines.append(line[:900])
