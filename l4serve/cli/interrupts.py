"""What is said when the user stops a command."""

import sys

INTERRUPTED = 130
"""Exit code of a command that the user stopped, as shells count it: 128 and the number of the signal."""


def say_interrupted() -> int:
    """Says on standard error that the command was stopped; returns the exit code."""
    import logging

    # A cancelled task of asyncio tells of its own interrupt when it is collected, with a trace.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    print("stopped by Ctrl-C", file=sys.stderr)
    return INTERRUPTED
