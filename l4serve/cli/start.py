"""Entry point of the console script: loads the commands behind a guard that stands before any import of theirs."""

import logging

from l4serve.cli.shell.entry_guard import run_guarded
from l4serve.planning.values.lasting import keep_most


def main() -> None:
    """Runs the command line; Ctrl-C prints one line, also while commands are still being imported."""
    keep_most(50_000)
    # What libraries log would go to the terminal as it is, past the one way out that redacts.
    logging.getLogger().addHandler(logging.NullHandler())
    run_guarded(_run)


def _run() -> None:
    from l4serve.cli.app import app

    app()
