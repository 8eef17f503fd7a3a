"""l4serve recipes: the presets that a workload may start from."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from l4serve.cli.commands.models_command import weights_text
from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import SafeConsole, one_line, print_json
from l4serve.cli.subjects.completion import complete_recipe
from l4serve.cli.subjects.stack_options import JsonOption
from l4serve.config.frozen import frozen
from l4serve.config.recipes import Recipe, recipes
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.spelling import did_you_mean
from l4serve.planning.workload.judgement.model_survey import survey_workload

SCHEMA_VERSION = 1


def recipes_of_project(
    name: Annotated[
        str | None, typer.Argument(help="Recipe to show as a whole.", metavar="[NAME]", autocompletion=complete_recipe)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recipes: presets of a workload, with size, gating, source and where they leave it."""
    known = recipes()
    if name is not None and name not in known:
        hint = did_you_mean(name, known) or "l4serve recipes lists them"
        raise refuse_input(f"there is no recipe {excerpt(name, 100)!r}\n    fix: {hint}")
    chosen = [known[name]] if name is not None else list(known.values())
    if as_json:
        print_json({"schemaVersion": SCHEMA_VERSION, "recipes": [_json(recipe) for recipe in chosen]})
        return
    console = SafeConsole()
    if name is not None:
        _print_whole(chosen[0], console)
        return
    table = Table(
        "recipe", "engine", "model", "weights GiB per GPU", "GPUs", "token", "what", "source", show_lines=True
    )
    for recipe in chosen:
        engine = recipe.workload["engine"]
        release = f"{engine['kind']} {engine.get('version', '')}"
        model, size = one_line(recipe.workload["model"]["id"]), _size(recipe)
        told = (size.weights, str(size.gpus), size.token, one_line(recipe.about), one_line(recipe.source))
        table.add_row(recipe.name, release, model, *told)
    console.print(table)
    console.print("Use one as `recipe: NAME` in a workload; l4serve recipes NAME shows it whole.")


@frozen(kw_only=True)
class _Size:
    """What a recipe's model takes; None for what is not known of a model outside the catalogue."""

    parameters: int | None
    weights_gib: float | None
    gpus: int
    gated: bool | None

    @property
    def weights(self) -> str:
        """GiB on each GPU."""
        return weights_text(self.weights_gib)

    @property
    def token(self) -> str:
        """Whether the Hub wants one."""
        return "not known" if self.gated is None else "needed" if self.gated else ""


def _size(recipe: Recipe) -> _Size:
    found = survey_workload(recipe.workload)
    return _Size(
        parameters=found.parameters if found else None,
        weights_gib=found.weights_gib if found else None,
        gpus=recipe.workload.get("gpus", 1),
        gated=found.model.gated if found else None,
    )


def _print_whole(recipe: Recipe, console: SafeConsole) -> None:
    import yaml

    console.print(Text(recipe.name, style="bold"))
    console.print(one_line(recipe.about))
    console.print(f"source: {one_line(recipe.source)}")
    size = _size(recipe)
    on = "on its GPU" if size.gpus == 1 else f"on each of its {size.gpus} GPUs"
    console.print(f"size: {size.weights} GiB of weights {on}")
    console.print(f"token: {size.token or 'not needed'}")
    for deviation in recipe.deviations:
        console.print(f"- {one_line(deviation.what)}: {one_line(deviation.why)}")
    console.print(yaml.safe_dump({"workload": dict(recipe.workload)}, sort_keys=False).rstrip(), soft_wrap=True)


def _json(recipe: Recipe) -> dict[str, object]:
    size = _size(recipe)
    return {
        "name": recipe.name,
        "about": recipe.about,
        "source": recipe.source,
        "parameters": size.parameters,
        "weightsGibPerGpu": size.weights_gib,
        "gpus": size.gpus,
        "gated": size.gated,
        "deviations": [{"what": d.what, "why": d.why} for d in recipe.deviations],
        "workload": recipe.workload,
    }
