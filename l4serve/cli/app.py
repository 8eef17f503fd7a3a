"""The command line l4serve: its commands, and the options that hold for all of them."""

from typing import Annotated, Any

import typer

from l4serve.cli.shell.guarded_group import GuardedGroup
from l4serve.cli.shell.lazy_group import LazyGroup
from l4serve.cli.shell.verbosity import set_quiet
from l4serve.version import VERSION

_FOR_ALL = frozenset({"--verbose", "--quiet"})


def _is_for_all(arg: str) -> bool:
    return arg in _FOR_ALL or (len(arg) > 1 and arg[0] == "-" and set(arg[1:]) <= {"q", "v"})


class CommandLine(GuardedGroup, LazyGroup):
    """The commands, each imported when it is called, behind the last guard."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes `-q` and `-v` behind the command too, where people write them."""
        end = args.index("--") if "--" in args else len(args)
        ours = [arg for arg in args[:end] if _is_for_all(arg)]
        rest = [arg for arg in args[:end] if not _is_for_all(arg)]
        return super().parse_args(ctx, [*ours, *rest, *args[end:]])


app = typer.Typer(
    name="l4serve",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    cls=CommandLine,
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"l4serve {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[  # noqa: ARG001 - the guard reads it
        bool, typer.Option("--verbose", "-v", help="Show the trace of an unforeseen error.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no notes and no progress.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback reads it
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Plan, check, render and rehearse LLM serving on GKE with NVIDIA GPUs."""
    set_quiet(quiet)
