"""Judges a workload before it runs: does the engine take what it is told, and does the model fit its GPUs?

Whatever answers "can this work" is a view of this judgement: the plan, `fit`, a move to another version, a remedy.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import Problem
from l4serve.engines.argv import EngineRefusal, Launch, build_launch
from l4serve.engines.case import Case
from l4serve.engines.rule_inputs import backend_of
from l4serve.engines.rules import is_refused
from l4serve.engines.rules import judge as judge_by_rules
from l4serve.engines.traits import Verdict
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.extra_flags import weights_are_known
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.host import host_needs
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedies import Remedy, remedies
from l4serve.planning.memory.weights import weight_bytes
from l4serve.planning.models.catalogue import unless_meant
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.named_sizes import named_size
from l4serve.planning.values.edited import edited
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.judgement.allowed_rules import unknown_rules
from l4serve.planning.workload.judgement.completed_remedies import completed
from l4serve.planning.workload.judgement.fit_words import fit_remedy, fit_text, told_cures
from l4serve.planning.workload.judgement.model_traits import model_traits
from l4serve.planning.workload.judgement.odd_model_ids import misspelt_model, unseen_model
from l4serve.planning.workload.judgement.overridden_shape import overridden_shape
from l4serve.planning.workload.judgement.remedied_args import in_place_of_args, memory_path
from l4serve.planning.workload.judgement.subject import Subject, speculation
from l4serve.planning.workload.judgement.taken_values import with_taken

_ALIKE = 0.93
"""Share of equal letters from which an unknown id may be a known one misspelt, and not that of a relative."""


@frozen(kw_only=True)
class Judgement:
    """What planning thinks of a workload: its command line, the engine's rules, its memory, what was not judged."""

    launch: Launch | None
    """None where the release does not take the settings."""
    fit: Fit | None
    """None where memory is not judged."""
    remedies: tuple[Remedy, ...]
    verdicts: tuple[Verdict, ...]
    flags_refused: tuple[Problem, ...]
    """Settings that the release has no way to take, with paths inside the workload."""
    notes: tuple[str, ...]
    beside_memory: tuple[Problem, ...]
    """What stops the workload, its memory left out, with paths inside it."""
    memory_refusal: Problem | None = None
    """Why its memory stops the workload; None where it does not, or where that is left to the caller."""

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """All that stops the workload."""
        return (*self.beside_memory, *((self.memory_refusal,) if self.memory_refusal else ()))


def judge(subject: Subject, *, remedied: bool = True) -> Judgement:
    """The judgement of a workload, with remedies where its memory does not do by more than the uncertainty.

    Without `remedied` a model that does not fit is left to the caller, for whom its `fit` says so.
    What is short by less than the uncertainty may start: it is warned of, and not refused.
    """
    judgement = _judge(subject)
    if remedied and judgement.beside_memory:
        taken = (subject.workload, subject.resolved.contract, partial(_problem_paths, subject))
        held = (with_taken(problem, *taken) for problem in judgement.beside_memory)
        whole = (completed(problem, subject.workload, subject.layout, _further(subject)) for problem in held)
        judgement = replace(judgement, beside_memory=tuple(whole))
    fit = judgement.fit
    if fit is None or not remedied:
        return judgement
    if fit.is_sure:
        return _at_the_lowest(subject, judgement)
    refused = not fit.fits and not fit.margin_is_uncertain and subject.workload.fit == "refuse"
    cures = _cures(subject) if subject.cured or not refused else ()
    if refused:
        field = memory_path(subject.workload, subject.options, fit)
        changes = frozenset(key for cure in told_cures(cures) for key in cure.edit)
        problem = Problem(field, fit_text(fit), fit_remedy(cures), changes)
        return replace(judgement, remedies=cures, memory_refusal=problem)
    told = f"{fit_text(fit)}; what makes it sure: {fit_remedy(cures)}" if cures else fit_text(fit)
    return replace(judgement, remedies=cures, notes=(told, *judgement.notes))


def _problem_paths(subject: Subject, edit: Mapping[str, object]) -> set[str]:
    """Where the edited workload is refused, its memory left out."""
    return {problem.path for problem in _judge(subject.edited(edit, subject.shape)).beside_memory}


def _further(subject: Subject) -> Callable[[Mapping[str, object]], Mapping[str, object]]:
    """What a workload needs for its memory once an edit is made; nothing where it fits or nobody can tell."""

    def needs(edit: Mapping[str, object]) -> Mapping[str, object]:
        after = subject.edited(edit, subject.shape)
        fit = _memory(after)[0]
        if fit is None or fit.fits or fit.margin_is_uncertain or subject.workload.fit != "refuse":
            return {}
        cures = _cures(after)
        return cures[0].edit if cures else {}

    return needs


def _at_the_lowest(subject: Subject, judgement: Judgement) -> Judgement:
    """The judgement, with a warning where the model does not fit the least total that was seen of the card."""
    card = subject.card
    if judgement.fit is not None and judgement.fit.spare_gib > card.total_gib - card.lowest_total_gib:
        return judgement  # neither side of the engine's share loses more than the card does
    least = subject.at_lowest
    fit, _ = _memory(least)
    if fit is None or fit.fits:
        return judgement
    seen = f"{card.name} is seen with {card.lowest_total_gib:g} to {card.total_gib:g} GiB"
    note = f"{seen}, and the model does not fit the least: {'; '.join(fit.reasons)}"
    return replace(judgement, remedies=_cures(least), notes=(note, *judgement.notes))


def _judge(subject: Subject) -> Judgement:
    """The judgement without remedies; a model that does not fit is left to the caller."""
    verdicts = judge_by_rules(subject.case)
    misspelt = misspelt_model(subject.workload.model, subject.shape)
    errors = (
        Problem(v.field, f"{v.reason} [{v.rule_id}]", v.remedy, v.changes) for v in verdicts if v.severity == "error"
    )
    launch, refused = _launched(subject.case)
    fit, notes = _memory(subject)
    return Judgement(
        launch=launch,
        fit=fit,
        remedies=(),
        verdicts=verdicts,
        flags_refused=refused,
        notes=notes,
        beside_memory=(
            *misspelt,
            *refused,
            *overridden_shape(subject.case),
            *errors,
            *unknown_rules(subject.workload),
            *_too_heavy(subject, fit),
        ),
    )


def _launched(case: Case) -> tuple[Launch | None, tuple[Problem, ...]]:
    """The command line of a case, or what the release refuses of it."""
    try:
        return build_launch(case), ()
    except EngineRefusal as refusal:
        return None, refusal.problems


def _memory(subject: Subject) -> tuple[Fit | None, tuple[str, ...]]:
    if subject.shape is None:
        name = subject.workload.model.id
        hint = unless_meant(name, alike=_ALIKE)
        if not hint and "/" not in name:
            hint = "most ids of the Hub are owner/name, as meta-llama/Llama-3.1-8B; "
        return None, (
            f"{name} is in no catalogue, so its memory is not judged; {_too_large(subject)}{hint}"
            "set model.config to its config.json",
        )
    try:
        options, uncounted = with_draft(subject.options, speculation(subject.workload), subject.shape)
        fit = estimate(subject.shape, subject.card, options)
        return fit, (*unseen_model(subject.shape), *uncounted, *fit.notes)
    except MemoryModelError as error:
        return None, (f"memory is not judged: {error}",)


def _too_large(subject: Subject) -> str:
    """That a model's weights exceed its GPUs by what its id tells; empty where they need not."""
    given = vars(subject.workload.engine)
    beside = given.get("cpu_offload_gb") or not weights_are_known(subject.options)
    named = named_size(subject.workload.model.id, stored_as_named=not given.get("quantization"))
    room = subject.card.total_gib * subject.layout.gpus
    if named is None or beside or named.gib <= room:
        return ""
    least = f"{named.billions:g} billion parameters weigh {named.gib:.0f} GiB at {named.bits} bits"
    return f"by its name it does not fit: {least}, and its GPUs have {room:.0f}; "


def _too_heavy(subject: Subject, fit: Fit | None) -> tuple[Problem, ...]:
    """That the weights alone exceed a GPU where nothing else of the memory is judged."""
    if subject.shape is None or fit is not None or subject.workload.fit != "refuse":
        return ()
    if not weights_are_known(subject.options):
        return ()
    try:
        weights = weight_bytes(subject.shape, subject.options) / GIB - subject.options.cpu_offload_gib
    except MemoryModelError:
        return ()
    if weights <= subject.card.total_gib:
        return ()
    message = f"the weights alone need {weights:.2f} GiB of each GPU, and {subject.card.name} has "
    return (Problem("model.id", f"{message}{subject.card.total_gib:g} GiB", "take more or larger GPUs"),)


def _cures(subject: Subject) -> tuple[Remedy, ...]:
    assert subject.shape is not None, "only a described model has a fit to mend"
    options, _ = with_draft(subject.options, speculation(subject.workload), subject.shape)
    whole = _WholeJudgement(subject)
    found = remedies(subject.shape, subject.card, options, gpus_available=subject.gpu_counts, whole=whole)
    return tuple(in_place_of_args(cure, subject.workload.extra_args, subject.resolved.contract) for cure in found)


@frozen()
class _WholeJudgement:
    """Holds the memory model's remedies against everything else that is judged."""

    subject: Subject

    def settled(self, model: ModelShape, options: ServingOptions) -> ServingOptions:
        """The options with the backend that the release takes for their KV cache and model."""
        case = self.subject.case
        if model is self.subject.shape and options.kv_cache_dtype == case.engine.kv_cache_dtype:
            return options
        engine = case.engine.model_copy(update={"kv_cache_dtype": options.kv_cache_dtype})
        changed = replace(case, engine=engine, model=model_traits(model, model.id))
        return edited(options, attention_backend=backend_of(changed).name)

    def accepts(self, model: ModelShape, edit: Mapping[str, object]) -> bool:
        """Whether the edited workload is refused by nothing."""
        changed = self.subject.edited(edit, model)
        return not is_refused(changed.case) and not _launched(changed.case)[1] and self._has_room(changed, model)

    def _has_room(self, changed: Subject, model: ModelShape) -> bool:
        """Whether the host holds what an edit moves there."""
        room, moved = self.subject.host_gib, changed.options.cpu_offload_gib > self.subject.options.cpu_offload_gib
        return room is None or not moved or host_needs(model, changed.options).minimum_memory_gib <= room


def judged_lengths(fit: Fit) -> dict[str, int]:
    """The context that was judged and the longest that fits, in tokens, under the names that every JSON shares."""
    return {"judgedMaxModelLen": fit.max_model_len, "largestMaxModelLen": fit.largest_max_model_len}
