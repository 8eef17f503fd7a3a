"""Options of `advise`, and the wish that they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from l4serve.advising.ranking import Goal, Wish, usual_clients
from l4serve.advising.traffic import Traffic
from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.subjects.completion import (
    complete_accelerator,
    complete_engine,
    complete_model,
    complete_region,
    complete_release,
    complete_stack,
)
from l4serve.cli.subjects.question_options import MOST_CLIENTS, MOST_TOKENS
from l4serve.config.keys.expected_load import ExpectedLoad
from l4serve.config.keys.node_pool import Provisioning
from l4serve.planning.performance.load import Load, sharing, spread_as_asked

QUALITIES = {"any": "4bit", "8bit": "8bit", "full": "full"}

AnyModelOption = Annotated[
    str | None, typer.Option(help="Hub id, or path of a config.json.", autocompletion=complete_model)
]
GoalOption = Annotated[Goal | None, typer.Option(help="What counts: latency, throughput or cost.")]
WriteOption = Annotated[
    str | None,
    typer.Option(metavar="STACK", help="Stack whose file gets the winner's edit.", autocompletion=complete_stack),
]
InputTokensOption = Annotated[int | None, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of a prompt.")]
OutputTokensOption = Annotated[int | None, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of an answer.")]
RpsOption = Annotated[float | None, typer.Option(min=1e-6, max=1e6, help="Requests a second, over all replicas.")]
ConcurrencyOption = Annotated[
    int | None, typer.Option(min=1, max=MOST_CLIENTS, help="Clients that wait at once and ask anew, over all replicas.")
]
PercentileOption = Annotated[
    float | None,
    typer.Option(min=50, max=99.9, help="Requests, in percent, that --ttft-ms is promised to; unsaid: their mean."),
]
GrowthOption = Annotated[float | None, typer.Option(min=0, max=10, help="Growth of the rate, as a share; unsaid: 0.1.")]
TtftOption = Annotated[float | None, typer.Option(min=0.1, max=1e9, help="The longest wait for a first token.")]
ItlOption = Annotated[float | None, typer.Option(min=0.1, max=1e9, help="The longest wait for each one after it.")]
BudgetOption = Annotated[float | None, typer.Option(min=0.01, max=1e9, help="The most that an hour may cost.")]
QualityOption = Annotated[
    Literal["any", "8bit", "full"] | None,
    typer.Option(help="Coarsest weights and cache that may be proposed: any, 8bit or full."),
]
GpusOption = Annotated[
    list[str] | None, typer.Option(help="Accelerator by GKE's name; repeatable.", autocompletion=complete_accelerator)
]
EnginesOption = Annotated[
    list[str] | None, typer.Option(help="Kind of the engine; repeatable.", autocompletion=complete_engine)
]
ReleaseOption = Annotated[
    str | None, typer.Option(help="Release of the engine, such as 0.26.0.", autocompletion=complete_release)
]
ProvisioningOption = Annotated[Provisioning | None, typer.Option(help="How machines are paid for; unsaid: on-demand.")]
RegionOption = Annotated[
    str | None, typer.Option(help="Region whose prices count; unsaid: us-central1.", autocompletion=complete_region)
]
HtmlOption = Annotated[Path | None, typer.Option(help="Write the answer as one page to this file.")]

OF_A_PLACE = ("gpu", "gpu_memory_gib", "engine", "engine_version", "provisioning", "region")
"""Options that say where a model could run; a stack says so itself."""
OF_A_RATE = ("arrival_cv2", "percentile", "growth_per_minute")
OF_A_WISH = (
    "input_tokens", "output_tokens", "shared_prefix_tokens", "rps", "concurrency", "length_spread", *OF_A_RATE,
    "ttft_ms", "itl_ms", "budget_usd_hour", "quality", "html",
)  # fmt: skip


def refuse_unheard(asked: Mapping[str, Any]) -> None:
    """Exits 2 for options that contradict each other, or that the question would not hear."""
    stack, file, write = asked["stack"], asked["file"], asked["write"]
    named = bool(stack or file or write)
    if asked["rps"] is not None and asked["concurrency"] is not None:
        raise refuse_input("a load is a number of clients or a rate; give either --concurrency or --rps")
    if (file and (stack or write)) or (stack and write and stack != write):
        raise refuse_input("a question is about one stack; give one of -s, -f and --write")
    if asked["goal"] is None:
        if not (stack or file):
            raise refuse_input("no goal is named; give one with --goal, or a stack with -s for its checklist")
        if heard := _given(asked, ("write", "model", *OF_A_WISH, *OF_A_PLACE)):
            raise refuse_input(f"the guide's checklist takes no {heard}; name a goal with --goal, or leave it out")
        return
    if named and (heard := _given(asked, OF_A_PLACE)):
        raise refuse_input(f"a stack has its own machine, engine and region; leave out {heard}, or the stack")
    if not named and asked["model"] is None:
        raise refuse_input("no model is named; name one with --model, or a stack with -s or --write")
    if not named and asked["workload"] is not None:
        raise refuse_input("--workload is of a stack; name one with -s or --write, or leave it out")
    if asked["engine_version"] is not None and len(asked["engine"] or ()) != 1:
        raise refuse_input("--engine-version is a release of one engine; name it with --engine")
    if asked["rps"] is None and (heard := _given(asked, OF_A_RATE)):
        raise refuse_input(f"{heard} is of a rate; give one with --rps")


def _given(asked: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names if asked[name] not in (None, [], ()))


def wish_of(asked: Mapping[str, Any]) -> Wish:
    """The wish that the options make. Unsaid lengths are those of a workload; unsaid clients are one for latency, else
    many."""
    usual, goal, rate = ExpectedLoad(), asked["goal"], asked["rps"]
    said = {name: asked[name] for name in ("percentile", "growth_per_minute") if asked[name] is not None}
    load = Load(
        input_tokens=asked["input_tokens"] or usual.input_tokens,
        output_tokens=asked["output_tokens"] or usual.output_tokens,
        clients=None if rate is not None else asked["concurrency"] or usual_clients(goal),
        rate=rate,
        arrival_cv2=1.0 if asked["arrival_cv2"] is None else asked["arrival_cv2"],
    )
    return Wish(
        goal=goal,
        load=spread_as_asked(sharing(load, asked["shared_prefix_tokens"] or 0), asked["length_spread"]),
        ttft_ms=asked["ttft_ms"],
        itl_ms=asked["itl_ms"],
        budget_usd_hour=asked["budget_usd_hour"],
        quality=QUALITIES[asked["quality"] or "any"],
        traffic=Traffic(**said),
    )
