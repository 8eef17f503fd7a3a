"""A group whose commands are imported when they are called: `--help` and `plan` load no cloud client."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(NamedTuple):
    """Where a command is, and what the list of commands says of it."""

    target: str
    """`module:name` below l4serve.cli.commands, of a function or of a Typer app with commands of its own."""
    help: str


COMMANDS: dict[str, LazyCommand] = {
    "plan": LazyCommand("plan_command:plan", "Show what a stack comes to: workloads, engines, GPUs, memory, cost."),
    "fit": LazyCommand("fit_command:fit", "Say whether a model fits a GPU and its engine takes the settings."),
    "estimate": LazyCommand("estimate_command:estimate", "Say how fast a model is served, and what a token costs."),
    "init": LazyCommand("init_command:init", "Write a stack file that plans: project, location, model, goal."),
    "models": LazyCommand("models_command:models", "List the known models, and which of them fit a machine."),
    "recipes": LazyCommand("recipes_command:recipes_of_project", "List the recipes that a workload may start from."),
    "explain": LazyCommand("explain_command:explain", "Explain a key of a stack file."),
    "advise": LazyCommand("advise_command:advise", "Find the configuration for a goal, or what a stack could gain."),
    "shapes": LazyCommand("shapes_command:shapes", "Compare machines: what they hold, cost and strand."),
    "render": LazyCommand("render_command:render", "Write the manifests and cloud resources of a stack."),
    "rehearse": LazyCommand("rehearse_command:rehearse", "Try a stack on a real control plane with fake GPU nodes."),
    "diff": LazyCommand("diff_command:diff", "Say what changes between two versions of stacks, and what it costs."),
    "check": LazyCommand("check_command:check", "Say what breaks if the engines move to another version."),
    "verify": LazyCommand("verify_command:verify", "Check a running server against its plan and contract."),
    "bench": LazyCommand("bench_command:bench", "Load a workload with a Job, and compare it with the estimate."),
    "dashboard": LazyCommand("dashboard_command:dashboard", "Print the Cloud Monitoring dashboard of a stack."),
    "doctor": LazyCommand(
        "doctor_command:doctor", "Say what stands in a stack's way, and how to repair it after a killed update."
    ),
    "schema": LazyCommand("schema_command:schema", "Print the JSON Schema of a stack file."),
    "contract": LazyCommand("contract_command:contract_app", "Show what an engine release accepts, and what changed."),
    "sandbox": LazyCommand("sandbox_commands:sandbox_app", "Keep a Kubernetes control plane with fake GPU nodes."),
}


class LazyGroup(TyperGroup):
    """The commands of the table above."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is click's
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as above
        """The command; only its name and help while the list of commands is printed."""
        command = COMMANDS.get(cmd_name)
        if command is None:
            return None
        return (
            TyperCommand(cmd_name, help=command.help, short_help=command.help)
            if self._listing
            else load_command(cmd_name, command)
        )

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The group's help, without loading a command."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


def load_command(name: str, command: LazyCommand) -> Any:
    """The command behind a name, imported now; of the type that typer makes, which it does not export."""
    module, _, attribute = command.target.partition(":")
    found: Any = getattr(import_module(f"l4serve.cli.commands.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        alone.command(name)(found)
        found = alone
    loaded = typer.main.get_command(found)
    loaded.name = name
    for below in getattr(loaded, "commands", {}).values():
        # Unset, a list of commands cuts their sentences.
        below.short_help = below.help
    return loaded
