"""The last guard: whatever goes wrong unforeseen ends in a readable message and exit code 2, never in a traceback."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from l4serve.cli.shell.entry_guard import lost_output
from l4serve.cli.shell.help_pages import HelpContext, whole_help
from l4serve.cli.shell.interrupts import is_interrupt, say_interrupted
from l4serve.version import VERSION

_LONGEST_REASON = 300


class GuardedGroup(TyperGroup):
    """A group of commands that says of an unforeseen error where it happened; with --verbose it raises it."""

    context_class = HelpContext

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, with help that keeps names whole."""
        found = super().get_command(ctx, cmd_name)
        return found and whole_help(found)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Reads the arguments; a stop there is told as anywhere."""
        try:
            return super().make_context(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(say_interrupted()) from None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the group's own options."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            _refuse_usage(error, ctx)
            raise

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(say_interrupted()) from None
        except typer.Abort:
            if not sys.stdin.isatty():
                raise
            # At a prompt, where the terminal shows ^C on a line that has begun.
            print(file=sys.stderr)
            raise typer.Exit(say_interrupted()) from None
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            if lost_output(error):
                raise
            if is_interrupt(error):
                raise typer.Exit(say_interrupted()) from None
            _refuse_usage(error, ctx)
            if hasattr(error, "exit_code") or ctx.params.get("verbose"):
                # Typer's own exceptions carry the code that they end with.
                raise
            raise typer.Exit(print_bug(error, ctx.find_root().command.name or "l4serve")) from None


def _refuse_usage(error: Exception, ctx: Any) -> None:
    """Exits 2 with a remedy where the arguments could not be parsed; what it takes for that is imported here."""
    if hasattr(error, "format_message"):
        from l4serve.cli.shell.usage_errors import is_usage_error, refuse_usage

        if is_usage_error(error):
            raise refuse_usage(error, ctx) from None


def print_bug(error: Exception, program: str = "l4serve") -> int:
    """Says on standard error what to report, its reason redacted; returns the exit code.

    What prints is imported here: the help of all commands loads none of it.
    """
    import platform

    from rich.text import Text

    from l4serve.cli.shell.messages import BAD_INPUT, stderr
    from l4serve.config.secrecy.secret_shapes import excerpt

    reason = excerpt(str(error).split("\n", 1)[0], _LONGEST_REASON)
    said = f"{type(error).__name__}{f': {reason}' if reason else ''}"
    stderr.print(Text(f"this is a bug in {program}: ", style="bold red") + Text(said))
    stderr.print(Text(f"    at {_place(error)}, l4serve {VERSION}, Python {platform.python_version()}"))
    trace = "; `l4serve -v COMMAND ...` shows the whole trace" if program == "l4serve" else ""
    stderr.print(Text(f"    fix: report these lines and the command{trace}"))
    return BAD_INPUT


def _place(error: Exception) -> str:
    """The innermost line of our own code that the error passed."""
    import traceback
    from pathlib import Path

    package = Path(__file__).resolve().parents[2]
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parents]
    if not own:
        return "an unknown place"
    return f"{Path(own[-1].filename).relative_to(package.parent)}:{own[-1].lineno}"
