"""The console script l4serve."""

import gc
from typing import Annotated

import typer

from l4serve.cli.guarded_group import GuardedGroup
from l4serve.cli.lazy_group import LazyGroup


class CommandLine(GuardedGroup, LazyGroup):
    """The commands, each imported when it is called, behind the last guard."""


app = typer.Typer(
    name="l4serve",
    help="Plan, check, render and rehearse LLM serving on GKE with NVIDIA GPUs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=CommandLine,
)


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the trace of an unforeseen error.")] = False,
) -> None:
    """Plan, check, render and rehearse LLM serving on GKE with NVIDIA GPUs."""


def main() -> None:
    """Entry point of the console script."""
    gc.set_threshold(
        50_000
    )  # A command makes many objects that live as long as it does: looking at them again is in vain.
    app()
