"""What holds for every console script, also while its commands are still being imported: no traceback."""

import errno
import os
import sys
from collections.abc import Callable

from l4serve.cli.shell.interrupts import is_interrupt, keep_lost_interrupts, say_interrupted

BAD_INPUT = 2
OUTPUT_LOST = 1
_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def run_guarded(run: Callable[[], None]) -> None:
    """Runs a command line. Ctrl-C, an output that takes nothing and a working directory that is gone are one line."""
    try:
        os.getcwd()  # noqa: PTH109 - pathlib need not be loaded for it
    except OSError:
        print("error: the working directory does not exist any more\n    fix: go to one that does", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from None
    if sys.stdout is None:
        print("error: standard output is closed\n    fix: leave it open, or write >/dev/null", file=sys.stderr)
        raise SystemExit(OUTPUT_LOST)
    keep_lost_interrupts()
    try:
        try:
            run()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise SystemExit(say_interrupted()) from None
    except OSError as error:
        if not lost_output(error):
            raise
        raise SystemExit(say_output_lost(error)) from None
    except Exception as error:
        if not is_interrupt(error):
            raise
        raise SystemExit(say_interrupted()) from None


def lost_output(error: BaseException) -> bool:
    """Whether an error says that standard output takes nothing: a full disk, and no file of ours that is named."""
    return isinstance(error, OSError) and error.errno in _LOST and error.filename is None


def say_output_lost(error: OSError) -> int:
    """Says on standard error why the output is not whole; returns the exit code."""
    # What is still buffered would be tried again when Python ends, with a traceback.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
    print("    fix: free some space, or write it elsewhere", file=sys.stderr)
    return OUTPUT_LOST
