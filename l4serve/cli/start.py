"""Entry point of the console script: loads the commands behind a guard that stands before any import of theirs."""

import atexit
import gc
import logging

from l4serve.cli.entry_guard import run_guarded


def main() -> None:
    """Runs the command line; Ctrl-C prints one line, also while commands are still being imported."""
    # A command makes many objects that live as long as it does: looking at them again is in vain, and at its end too.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    # What libraries log would go to the terminal as it is, past the one way out that redacts.
    logging.getLogger().addHandler(logging.NullHandler())
    run_guarded(_run)


def _run() -> None:
    from l4serve.cli.app import app

    app()
