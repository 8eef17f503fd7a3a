"""The console script l4serve."""

import typer

from l4serve.cli.check_command import check
from l4serve.cli.contract_command import contract_app
from l4serve.cli.dashboard_command import dashboard
from l4serve.cli.fit_command import fit
from l4serve.cli.plan_command import plan
from l4serve.cli.rehearse_command import rehearse
from l4serve.cli.render_command import render
from l4serve.cli.sandbox_commands import sandbox_app
from l4serve.cli.schema_command import schema
from l4serve.cli.shapes_command import shapes
from l4serve.cli.verify_command import verify

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
