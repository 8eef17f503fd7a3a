"""What is said when the user stops a command, also where a library would lose the stop."""

import signal
import sys
import threading
from typing import Any

INTERRUPTED = 130
"""Exit code of a command that the user stopped, as shells count it: 128 and the number of the signal."""
_MOMENT_S = 0.02
"""Longer than that code runs on."""


def say_interrupted() -> int:
    """Says on standard error that the command was stopped; returns the exit code."""
    import logging

    # A cancelled task of asyncio tells of its own interrupt when it is collected, with a trace.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    print("stopped by Ctrl-C", file=sys.stderr)
    return INTERRUPTED


def keep_lost_interrupts() -> None:
    """Raises an interrupt again that came where nothing can be raised, as in compiled code: a moment later."""
    before = sys.unraisablehook

    def raised_again(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            # A signal, since what only asks the interpreter would not end a wait.
            again = threading.Timer(_MOMENT_S, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
            again.daemon = True
            again.start()
        else:
            before(lost)

    sys.unraisablehook = raised_again


def is_interrupt(error: Exception) -> bool:
    """Whether an error is what pydantic's core makes of an interrupt that comes while it builds a validator."""
    return type(error).__name__ == "SchemaError" and KeyboardInterrupt.__name__ in str(error)
