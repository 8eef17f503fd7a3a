"""Entry point of l4serve-hook: loads its commands behind the guard that stands before any import of theirs."""

from l4serve.cli.shell.entry_guard import run_guarded


def main() -> None:
    """Runs the hook's command line."""
    run_guarded(_run)


def _run() -> None:
    from l4serve.cli.commands.hook_commands import app

    app(prog_name="l4serve-hook")
