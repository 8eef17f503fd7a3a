"""l4serve advise: from a goal to a configuration, or the guide's checklist against the one that there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from l4serve.advising.advice_json import answer_json
from l4serve.advising.candidates import Home, PodChoice, pod_choices
from l4serve.advising.ranking import Goal, Wish
from l4serve.advising.search import Answer, search
from l4serve.advising.sizing import size
from l4serve.advising.traffic import Traffic
from l4serve.cli.advice_text import advice_page, print_answer, print_sizing
from l4serve.cli.advise_stack import StackQuestion, advise_stack, review
from l4serve.cli.completion import (
    complete_accelerator,
    complete_engine,
    complete_model,
    complete_region,
    complete_release,
    complete_stack,
)
from l4serve.cli.hub import model_shape
from l4serve.cli.json_form import json_form
from l4serve.cli.messages import readable_refusals, refuse_input
from l4serve.cli.output import print_json
from l4serve.cli.question_options import DEFAULT_GPU, MOST_CLIENTS, MOST_TOKENS, GpuMemoryOption
from l4serve.cli.stack_options import FileOption, StackOption, WorkloadOption, valid_region
from l4serve.config.expected_load import ExpectedLoad
from l4serve.config.node_pool import Provisioning
from l4serve.engines.profile import engine_kinds
from l4serve.planning.machines.prices import MARKETS, gpu_machine_price
from l4serve.planning.machines.shapes import all_shapes
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.fit_question import Question, subject_of
from l4serve.planning.workload.speed_question import DEFAULT_REGION

MANY_CLIENTS = 64
"""Clients of a load that only says that throughput or cost counts."""
Quality = Literal["any", "8bit", "full"]
QUALITIES = {"any": "4bit", "8bit": "8bit", "full": "full"}


def advise(
    model: Annotated[
        str | None, typer.Option(help="Hub id, or path of a config.json.", autocompletion=complete_model)
    ] = None,
    goal: Annotated[Goal | None, typer.Option(help="latency, throughput or cost.")] = None,
    stack: StackOption = None,
    file: FileOption = None,
    write: Annotated[
        str | None,
        typer.Option(metavar="STACK", help="Stack whose file gets the winner's edit.", autocompletion=complete_stack),
    ] = None,
    workload: WorkloadOption = None,
    input_tokens: Annotated[int | None, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of a prompt.")] = None,
    output_tokens: Annotated[int | None, typer.Option(min=1, max=MOST_TOKENS, help="Tokens of an answer.")] = None,
    rps: Annotated[float | None, typer.Option(min=1e-6, max=1e6, help="Requests a second, of all replicas.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=MOST_CLIENTS, help="Clients of all replicas.")] = None,
    arrival_cv2: Annotated[
        float, typer.Option(min=0, max=100, help="How arrivals vary: squared variation of the gaps; 1 has no memory.")
    ] = 1.0,
    percentile: Annotated[float, typer.Option(min=50, max=99.99, help="Share of clients that a size is for.")] = 95.0,
    growth_per_minute: Annotated[float, typer.Option(min=0, max=10, help="Growth of the rate, as a share.")] = 0.1,
    ttft_ms: Annotated[float | None, typer.Option(min=0.1, help="The longest wait for a first token.")] = None,
    itl_ms: Annotated[float | None, typer.Option(min=0.1, help="The longest wait for each one after it.")] = None,
    budget_usd_hour: Annotated[float | None, typer.Option(min=0.01, help="The most that an hour may cost.")] = None,
    quality: Annotated[Quality, typer.Option(help="any, 8bit or full: the coarsest weights and cache.")] = "any",
    gpu: Annotated[
        list[str] | None,
        typer.Option(help="Accelerator by GKE's name; repeatable.", autocompletion=complete_accelerator),
    ] = None,
    gpu_memory_gib: GpuMemoryOption = None,
    engine: Annotated[
        list[str] | None, typer.Option(help="Kind of the engine; repeatable.", autocompletion=complete_engine)
    ] = None,
    engine_version: Annotated[
        str | None, typer.Option(help="Release, such as 0.26.0.", autocompletion=complete_release)
    ] = None,
    provisioning: Annotated[Provisioning, typer.Option(help="How machines are paid for.")] = "on-demand",
    region: Annotated[
        str, typer.Option(help="Region whose prices count.", autocompletion=complete_region)
    ] = DEFAULT_REGION,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the answer as a page.")] = None,
) -> None:
    """Find the configuration for a goal, or what a stack could gain. Exit status: 0 found, 1 none, 2 bad input."""
    if rps is not None and concurrency is not None:
        raise refuse_input("a load is a number of clients or a rate: give either --concurrency or --rps")
    asked = StackQuestion(stack, file, write, workload, model)
    if goal is None:
        if stack is None and file is None:
            raise refuse_input("name a goal with --goal, or a stack with -s for the guide's checklist")
        review(asked, as_json=as_json)
        return
    traffic = None
    if rps is not None:
        traffic = Traffic(rate=rps, arrival_cv2=arrival_cv2, percentile=percentile, growth_per_minute=growth_per_minute)
    wish = Wish(
        goal=goal,
        load=_load(goal, input_tokens, output_tokens, concurrency, rps),
        ttft_ms=ttft_ms,
        itl_ms=itl_ms,
        budget_usd_hour=budget_usd_hour,
        quality=QUALITIES[quality],
        traffic=traffic,
    )
    if asked.named:
        if gpu or engine or engine_version or gpu_memory_gib is not None or region != DEFAULT_REGION:
            message = "a stack has its own machine, engine and region: leave out --gpu, --engine, --engine-version"
            raise refuse_input(f"{message}, --gpu-memory-gib and --region, or leave out the stack")
        answer = advise_stack(asked, wish)
    elif model is not None:
        cards, kinds = tuple(gpu or [DEFAULT_GPU]), tuple(engine or ())
        valid_region(region)
        space = Space(model, cards, gpu_memory_gib, kinds, engine_version, provisioning, region)
        answer = search(*space.candidates(), wish)
    else:
        raise refuse_input("name a model with --model, or a stack with -s or --write")
    deliver(answer, wish, as_json=as_json, html=html)


def _load(
    goal: Goal, input_tokens: int | None, output_tokens: int | None, clients: int | None, rps: float | None
) -> Load:
    """The load of a wish. Unsaid lengths are those of a workload; unsaid clients are one for latency, else many."""
    usual = ExpectedLoad()
    return Load(
        input_tokens=input_tokens or usual.input_tokens,
        output_tokens=output_tokens or usual.output_tokens,
        clients=None if rps is not None else clients or (1 if goal == "latency" else MANY_CLIENTS),
        rate=rps,
        input_spread=0.0,
        output_spread=0.0,
    )


@dataclass(frozen=True)
class Space:
    """What is searched for a model: its cards, engines and machines."""

    model: str
    gpus: tuple[str, ...]
    gpu_memory_gib: float | None
    engines: tuple[str, ...]
    """Empty for all."""
    engine_version: str | None
    provisioning: Provisioning
    region: str

    def candidates(self) -> tuple[list[PodChoice], list[Home]]:
        """Every way to write the workload, and every machine; exits 2 for a model, card or engine that nobody knows."""
        pods: list[PodChoice] = []
        homes: list[Home] = []
        with readable_refusals():
            try:
                shape = model_shape(self.model)
            except ModelConfigError as error:
                raise refuse_input(str(error)) from None
            for accelerator in self.gpus:
                counts = tuple(sorted({machine.gpus for machine in all_shapes(accelerator)}))
                for kind in self.engines or engine_kinds():
                    question = Question(
                        model=shape,
                        engine=kind,
                        engine_version=self.engine_version if self.engines else None,
                        accelerator=accelerator,
                        gpus=1,
                        gpu_memory_gib=self.gpu_memory_gib,
                    )
                    pods += pod_choices(subject_of(question), counts)
                homes += homes_of(accelerator, self.provisioning, self.region)
        return pods, homes


def homes_of(accelerator: str, provisioning: Provisioning, region: str | None) -> list[Home]:
    """The machines of an accelerator that are sold that way, with their prices where they are known."""
    market = MARKETS[provisioning]
    return [
        Home(
            shape=shape,
            usd_per_hour=price.usd_per_hour if price else None,
            price_date=price.date if price else None,
            most_replicas=None,
        )
        for shape in all_shapes(accelerator)
        for price in (gpu_machine_price(shape, region=region, market=market),)
        if shape.card_memory_gb is None and (not shape.sold_as or provisioning in shape.sold_as)
    ]


def deliver(answer: Answer, wish: Wish, *, as_json: bool, html: Path | None) -> None:
    """Prints the answer as asked, with the size for a rate; exits 1 where nothing keeps the wish."""
    sizing = size(answer.winner, wish) if wish.traffic is not None and answer.winner is not None else None
    if html is not None:
        html.write_text(advice_page(answer, wish), "utf-8")
    if as_json:
        document = answer_json(answer, wish)
        if wish.traffic is not None:
            document["sizing"] = None if sizing is None else json_form(sizing)
        print_json(document)
    else:
        print_answer(answer, wish)
        if sizing is not None and wish.traffic is not None:
            print_sizing(sizing, wish.traffic)
    raise typer.Exit(0 if answer.winner else 1)
