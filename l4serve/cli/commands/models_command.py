"""l4serve models: which models are known, how large they are, and which fit a machine."""

from typing import Annotated

import typer
from rich.table import Table

from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import SafeConsole, one_line, print_json
from l4serve.cli.subjects.completion import complete_machine
from l4serve.cli.subjects.stack_options import JsonOption
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.spelling import did_you_mean
from l4serve.engines.releases.profile import engine_kinds
from l4serve.planning.machines.card_machines import machines_of_card
from l4serve.planning.machines.shapes import MachineShape, all_shapes, default_accelerator, find_shape
from l4serve.planning.workload.judgement.model_survey import Surveyed, survey

SCHEMA_VERSION = 1


def models(
    fits: Annotated[
        str | None,
        typer.Option(help="Only those that fit this machine, such as g2-standard-8.", autocompletion=complete_machine),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the known models: size, context, whether the Hub gates them, and what fits a machine.

    Sizes are those on each GPU under the default vLLM release; a model fits where 2,048 tokens of context do.
    """
    machine = _smallest() if fits is None else _machine(fits)
    found = [one for one in survey(machine, engine_kinds()[0]) if fits is None or one.fits]
    if as_json:
        rows = [_json(one) for one in found]
        on = {"machine": machine.name, "gpus": machine.gpus}
        print_json({"schemaVersion": SCHEMA_VERSION, **on, "models": rows})
        return
    console = SafeConsole()
    size = "weights GiB" if machine.gpus == 1 else "weights GiB per GPU"
    table = Table("model", size, "own context", f"fits on {machine.name}", "token")
    for one in found:
        table.add_row(*_row(one))
    console.print(table)
    console.print(f"{len(found)} models; where each shape comes from: l4serve models --json")


def _smallest() -> MachineShape:
    return min(all_shapes(default_accelerator()), key=lambda shape: (shape.gpus, shape.vcpus))


def _machine(name: str) -> MachineShape:
    known = {shape.name: shape for shape in all_shapes(None)}
    found = known.get(" ".join(name.split())) or find_shape(name)
    if found is None and (hosted := [each for each, shape in known.items() if shape.machine_type == name]):
        said = f"{name} has no GPUs of its own, and a pool attaches some"
        raise refuse_input(f"{said}\n    fix: name them too, such as --fits '{hosted[0]}'; known: {', '.join(hosted)}")
    if found is None:
        of_card = machines_of_card(name)
        hint = (of_card and f"name a machine: {of_card}") or did_you_mean(name, known)
        hint = hint or f"give one of {', '.join(known)}"
        raise refuse_input(f"{excerpt(name, 100)!r} is not a GPU machine type that is known\n    fix: {hint}")
    return found


def weights_text(gib: float | None) -> str:
    """GiB of weights on each GPU, where they are judged."""
    return "not judged" if gib is None else f"{gib:.2f}"


def _row(one: Surveyed) -> tuple[str, ...]:
    longest = "not judged" if one.longest_context is None else f"{one.longest_context:,} tokens" if one.fits else "no"
    gated = "needed" if one.model.gated else ""
    return (
        one_line(one.model.id),
        weights_text(one.weights_gib),
        f"{one.model.max_position_embeddings:,}",
        longest,
        gated,
    )


def _json(one: Surveyed) -> dict[str, object]:
    return {
        "id": one.model.id,
        "architecture": one.model.architecture,
        "parameters": one.parameters,
        "weightsGib": one.weights_gib,
        "weightsGibPerGpu": one.weights_gib,
        "context": one.model.max_position_embeddings,
        "quantization": one.model.quantization.method if one.model.quantization else None,
        "gated": one.model.gated,
        "fits": one.fits,
        "longestContext": one.longest_context,
        "source": one.model.source,
    }
