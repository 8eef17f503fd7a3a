"""l4serve advise: from a goal to a configuration, or the guide's checklist against the one that there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from l4serve.advising.advice_json import answer_json
from l4serve.advising.answer import Answer
from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.advising.sizing import Sizing, size
from l4serve.cli.answers.advice_text import advice_page, print_answer, print_sizing
from l4serve.cli.commands.advise_options import (
    AnyModelOption,
    BudgetOption,
    ConcurrencyOption,
    EnginesOption,
    GoalOption,
    GpusOption,
    GrowthOption,
    HtmlOption,
    InputTokensOption,
    ItlOption,
    OutputTokensOption,
    PercentileOption,
    ProvisioningOption,
    QualityOption,
    RegionOption,
    ReleaseOption,
    RpsOption,
    TtftOption,
    WriteOption,
    refuse_unheard,
    wish_of,
)
from l4serve.cli.commands.advise_space import Space
from l4serve.cli.commands.advise_stack import StackQuestion, advise_stack, review
from l4serve.cli.shell.json_form import json_form
from l4serve.cli.shell.messages import readable_refusals
from l4serve.cli.shell.output import print_json
from l4serve.cli.shell.page_file import write_page
from l4serve.cli.subjects.question_options import (
    DEFAULT_GPU,
    ArrivalOption,
    GpuMemoryOption,
    LengthSpreadOption,
    SharedPrefixOption,
)
from l4serve.cli.subjects.stack_options import FileOption, StackOption, WorkloadOption, valid_region
from l4serve.planning.stack.speed_json import rounded
from l4serve.planning.workload.nodes.pod_price import DEFAULT_REGION


def advise(
    model: AnyModelOption = None,
    goal: GoalOption = None,
    stack: StackOption = None,
    file: FileOption = None,
    write: WriteOption = None,
    workload: WorkloadOption = None,
    input_tokens: InputTokensOption = None,
    output_tokens: OutputTokensOption = None,
    shared_prefix_tokens: SharedPrefixOption = None,
    rps: RpsOption = None,
    concurrency: ConcurrencyOption = None,
    length_spread: LengthSpreadOption = None,
    arrival_cv2: ArrivalOption = None,
    percentile: PercentileOption = None,
    growth_per_minute: GrowthOption = None,
    ttft_ms: TtftOption = None,
    itl_ms: ItlOption = None,
    budget_usd_hour: BudgetOption = None,
    quality: QualityOption = None,
    gpu: GpusOption = None,
    gpu_memory_gib: GpuMemoryOption = None,
    engine: EnginesOption = None,
    engine_version: ReleaseOption = None,
    provisioning: ProvisioningOption = None,
    region: RegionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    html: HtmlOption = None,
) -> None:
    """Find the configuration for a goal, or what a stack could gain. Exit status: 0 found, 1 none, 2 bad input."""
    asked = dict(locals())
    refuse_unheard(asked)
    question = StackQuestion(stack, file, write, workload, model)
    if goal is None:
        review(question, as_json=as_json)
        return
    with readable_refusals():
        wish = wish_of(asked)
    answer = advise_stack(question, wish) if question.named else _searched(_space(asked), wish)
    deliver(answer, wish, as_json=as_json, html=html)


def _searched(space: Space, wish: Wish) -> Answer:
    return replace(search(*space.candidates(), wish), unhoused=space.unhoused())


def _space(asked: Mapping[str, Any]) -> Space:
    valid_region(asked["region"])
    return Space(
        model=asked["model"],
        gpus=tuple(asked["gpu"] or [DEFAULT_GPU]),
        gpu_memory_gib=asked["gpu_memory_gib"],
        engines=tuple(asked["engine"] or ()),
        engine_version=asked["engine_version"],
        provisioning=asked["provisioning"] or "on-demand",
        region=asked["region"] or DEFAULT_REGION,
    )


def deliver(answer: Answer, wish: Wish, *, as_json: bool, html: Path | None) -> None:
    """Prints the answer as asked, with the size for a rate; exits 1 where nothing keeps the wish."""
    sizing = size(answer.winner, wish) if wish.load.rate is not None and answer.winner is not None else None
    if html is not None:
        write_page(html, advice_page(answer, wish, sizing))
    if as_json:
        document = answer_json(answer, wish)
        if wish.load.rate is not None:
            document["sizing"] = None if sizing is None else _sizing_json(sizing)
        print_json(document)
    else:
        print_answer(answer, wish)
        if sizing is not None:
            print_sizing(sizing, wish)
    raise typer.Exit(0 if answer.winner else 1)


def _sizing_json(sizing: Sizing) -> dict[str, Any]:
    found: dict[str, Any] = json_form(sizing)
    return {key: rounded(value) if isinstance(value, float) else value for key, value in found.items()}
