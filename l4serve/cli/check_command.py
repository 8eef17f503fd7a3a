"""l4serve check: what breaks if a stack's engines move to another version?"""

import json
from typing import Annotated

import typer
from rich.console import Console

from l4serve.cli.check_text import Checked, Watched, check_json, print_check
from l4serve.cli.messages import refuse_input
from l4serve.cli.stack_options import FileOption, JsonOption, StackOption, load
from l4serve.config.problems import ConfigError
from l4serve.config.stack_file import Stack
from l4serve.config.workload import Workload
from l4serve.engines.contract import ENGINES, Contract, ContractError, ResolvedContract, resolve_contract
from l4serve.engines.migration import Situation, move
from l4serve.engines.traits import GpuTraits
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.models.model_shape import ModelFacts
from l4serve.planning.stack.dashboard_definition import chart_metrics
from l4serve.planning.stack.stack_planner import model_facts
from l4serve.planning.workload.gpu_layout import GpuLayout, gpu_layout
from l4serve.planning.workload.judging import model_traits, serving_options, speculative_config

ACCELERATOR = "nvidia-l4"


def check(
    stack: StackOption = None,
    file: FileOption = None,
    engine_version: Annotated[
        str | None, typer.Option(help="Release to move to, such as 0.33.0, vllm-0.33.0 or tgi-3.3.7.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what breaks if the engines move to another version: flags, metrics, rules and memory, side by side.

    Without a version each workload is checked against its own. Exit status: 0 nothing breaks, 1 something does,
    2 bad input.
    """
    loaded = load(stack, file)
    target = _target(engine_version) if engine_version else None
    kinds = {workload.engine.kind for workload in loaded.config.workloads.values()}
    if target and target[0] not in kinds:
        raise refuse_input(
            f"no workload of {loaded.name} runs on {target[0]}, so nothing would move to {engine_version}"
        )
    checked = tuple(_check(loaded, name, workload, target) for name, workload in loaded.config.workloads.items())
    if as_json:
        typer.echo(json.dumps(check_json(loaded.name, engine_version, checked), indent=2, default=str))
    else:
        print_check(loaded.name, checked, Console(highlight=False))
    raise typer.Exit(1 if any(one.breaks for one in checked) else 0)


def _target(text: str) -> tuple[str, ResolvedContract]:
    kind, _, version = text.partition("-")
    wanted = [(kind, version)] if kind in ENGINES else [(engine, text) for engine in ENGINES]
    reasons = []
    for engine, release in wanted:
        try:
            return engine, resolve_contract(engine, release)
        except ContractError as error:
            reasons.append(str(error))
    raise refuse_input("; ".join(reasons))


def _check(stack: Stack, name: str, workload: Workload, target: tuple[str, ResolvedContract] | None) -> Checked:
    engine = workload.engine
    try:
        now = resolve_contract(engine.kind, engine.version, engine.contract)
        layout = gpu_layout(f"workloads.{name}", workload)
        facts = model_facts(f"workloads.{name}", workload, stack.model_configs.get(name))
    except (ContractError, ConfigError) as error:
        raise refuse_input(str(error)) from None
    then = target[1] if target and target[0] == engine.kind else now
    version = then.requested_version if then is not now else engine.version
    notes = [note for note in dict.fromkeys((now.note, then.note)) if note]
    if engine.image and version != engine.version:
        notes.append(f"engine.image {engine.image} is left behind: the move takes the release's own image")
    result = move(
        _situation(workload, layout, facts),
        (engine.version, now.contract),
        (version, then.contract),
    )
    return Checked(
        name=name,
        engine=engine.kind,
        move=result,
        fit_now=_fit(workload, layout, facts, engine.version, notes),
        fit_then=_fit(workload, layout, facts, version, notes),
        must_fit=workload.fit == "refuse",
        watched=_watched(stack, workload, now.contract, then.contract),
        notes=tuple(dict.fromkeys(notes)),
    )


def _watched(stack: Stack, workload: Workload, now: Contract, then: Contract) -> tuple[Watched, ...]:
    """The metrics that the autoscaler and the dashboard read, under both contracts."""
    watched = []
    if workload.autoscaling is not None:
        role = workload.autoscaling.metric
        before, after = now.autoscaling_metrics.get(role), then.autoscaling_metrics.get(role)
        watched.append(Watched("autoscaling", role, before, after))
    if stack.config.monitoring.dashboard:
        charts = chart_metrics(then)
        watched += [Watched("dashboard", title, name, charts.get(title)) for title, name in chart_metrics(now).items()]
    return tuple(watched)


def _situation(workload: Workload, layout: GpuLayout, facts: ModelFacts | None) -> Situation:
    gpu = find_gpu(ACCELERATOR)
    assert gpu is not None
    return Situation(
        engine=workload.engine,
        model_id=workload.model.id,
        revision=workload.model.revision,
        model=model_traits(facts, workload.model.id),
        gpu=GpuTraits(gpu.name, gpu.compute_capability),
        gpus=layout.gpus,
        tensor_parallel_size=layout.tensor_parallel_size,
        pipeline_parallel_size=layout.pipeline_parallel_size,
        port=workload.service.port,
        extra_args=workload.extra_args,
        extra_env=workload.extra_env,
        allow=frozenset(allowed.rule for allowed in workload.allow),
    )


def _fit(workload: Workload, layout: GpuLayout, facts: ModelFacts | None, version: str, notes: list[str]) -> Fit | None:
    gpu = find_gpu(ACCELERATOR)
    if facts is None or gpu is None:
        notes.append(f"{workload.model.id} is not in the catalogue: its memory is not judged")
        return None
    engine = workload.engine.model_copy(update={"version": version})
    try:
        options, uncounted = with_draft(serving_options(engine, layout), speculative_config(engine), facts)
        notes.extend(note for note in uncounted if note not in notes)
        return estimate(facts, gpu, options)
    except MemoryModelError as error:
        notes.append(f"memory under {version}: {error}")
        return None
