"""A question about one model on one card, as a workload: `fit` asks what the plan of a stack would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from pydantic import ValidationError

from l4serve.config.frozen import frozen
from l4serve.config.keys.base import keys_of
from l4serve.config.keys.workload import Model, Workload
from l4serve.config.refusals.problems import ConfigError, Problem, problems_from, refuse
from l4serve.config.words.spelling import nearest, one_of, shortened
from l4serve.engines.gpu_layout import gpu_layout
from l4serve.engines.releases.profile import EngineProfile, Role, engine_kinds, engine_profile
from l4serve.engines.releases.resolution import ContractError, resolve_contract
from l4serve.planning.machines.card_machines import cards_called
from l4serve.planning.machines.gpus import Gpu, all_gpus, find_gpu
from l4serve.planning.machines.shapes import accelerators
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.workload.judgement.subject import Subject

MAKER = "nvidia-"


@frozen(kw_only=True)
class Question:
    """One model on one card, with the settings that are not the engine's defaults."""

    model: ModelShape
    engine: str
    engine_version: str | None
    """None takes the release that a workload without a version gets."""
    accelerator: str
    gpus: int
    settings: Mapping[Role, Any] = field(default_factory=dict)
    """Values by the role of their field; None is unset."""
    eager: bool = False
    gpu_memory_gib: float | None = None
    """What CUDA reports of the card, in place of the table's figure."""
    weights_gib: float | None = None
    """Weights of one rank, in place of the computed ones."""
    contract: str | None = None
    """Known release whose contract stands in for one outside the known ones."""
    attention_backend: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the engine that play no role, in camel case."""


def subject_of(question: Question) -> Subject:
    """The subject of a judgement; raises ConfigError for a value that no workload could have."""
    workload = _workload(question)
    engine = workload.engine
    try:
        resolved = resolve_contract(engine.kind, engine.version, engine.contract)
    except ContractError as error:
        refuse("engine.version", str(error))
    return Subject(
        workload=workload,
        shape=question.model,
        resolved=resolved,
        layout=gpu_layout("", workload),
        card=_card(question),
        weights_gib=question.weights_gib,
    )


def _workload(question: Question) -> Workload:
    if question.engine not in engine_kinds():
        refuse("engine.kind", f"{question.engine!r} is unknown", one_of(question.engine, engine_kinds()))
    profile = engine_profile(question.engine)
    engine: dict[str, Any] = {"kind": question.engine, **_fields(profile, question.settings), **question.more}
    if question.eager:
        engine |= profile.eager
    if question.engine_version is not None:
        engine["version"] = question.engine_version
    if question.contract is not None:
        engine["contract"] = question.contract
    if question.attention_backend is not None:
        engine["attentionBackend"] = question.attention_backend
    try:
        workload = Workload.model_validate({"engine": engine, "model": {"id": "model"}, "gpus": question.gpus})
    except ValidationError as error:
        raise ConfigError(problems_from(error, keys_of(Workload), _example_at)) from None
    # The path of a config.json names a model here, and is no Hub id.
    return workload.model_copy(update={"model": Model.model_construct(id=question.model.id)})


def _example_at(path: str, member: str) -> Any:
    from l4serve.config.schema.key_reference import example_at

    return example_at(f"workloads.any.{path}", member)


def _fields(profile: EngineProfile, settings: Mapping[Role, Any]) -> Mapping[str, Any]:
    given = {role: value for role, value in settings.items() if value is not None}
    lacking = [role for role in given if role not in profile.fields]
    if lacking:
        raise ConfigError(
            Problem(f"engine ({r})", f"{profile.title} has no such setting", "leave it out") for r in lacking
        )
    return {profile.fields[role]: value for role, value in given.items()}


def _card(question: Question) -> Gpu:
    card = find_gpu(question.accelerator)
    if card is None:
        refuse("gpu", f"{question.accelerator!r} is unknown", _card_like(question.accelerator))
    return card if question.gpu_memory_gib is None else card.with_total(question.gpu_memory_gib)


def _card_like(name: str) -> str:
    """The remedy for an unknown card: those that GKE sells, told apart by what comes after the maker's name."""
    if called := cards_called(name):
        return f"did you mean {' or '.join(called)}?"
    models = {sold.removeprefix(MAKER): sold for sold in accelerators() if sold in all_gpus()}
    model = name.removeprefix(MAKER)
    near = nearest(model, models) or shortened(model, models)
    return f"did you mean {models[near]}?" if near else f"give one of {', '.join(models.values())}"
