"""The console script l4serve."""

import typer

from cli.check import check
from cli.contract import contract_app
from cli.dashboard import dashboard
from cli.fit import fit
from cli.plan import plan
from cli.rehearse import rehearse
from cli.render import render
from cli.sandbox_commands import sandbox_app
from cli.schema import schema
from cli.shapes import shapes
from cli.verify import verify

app = typer.Typer(
    name="l4serve",
    help="Plan, check, render and rehearse LLM serving on GKE with NVIDIA L4 GPUs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (plan, fit, shapes, render, rehearse, check, verify, dashboard, schema):
    app.command()(command)
app.add_typer(contract_app, name="contract")
app.add_typer(sandbox_app, name="sandbox")


def main() -> None:
    """Entry point of the console script."""
    app()
