"""The console script l4serve."""

import typer

from l4serve.cli.lazy_group import LazyGroup

app = typer.Typer(
    name="l4serve",
    help="Plan, check, render and rehearse LLM serving on GKE with NVIDIA GPUs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    cls=LazyGroup,
)


@app.callback()
def options() -> None:
    """Plan, check, render and rehearse LLM serving on GKE with NVIDIA GPUs."""


def main() -> None:
    """Entry point of the console script."""
    app()
