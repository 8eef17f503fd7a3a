"""The guide's checklist against a planned workload: each item applied, not applicable, not judged, or the edit that
gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Literal

from l4serve.advising.candidates import plain_cache, quality_of
from l4serve.advising.goal_figures import goal_figure
from l4serve.advising.smaller_models import smaller_model
from l4serve.advising.stack_advice import stack_homes
from l4serve.advising.trial import Bill, Trial
from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.node_pool import Provisioning
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.machines.shapes import all_shapes
from l4serve.planning.memory.remedies import written_edit
from l4serve.planning.workload.judgement.judging import judge
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.nodes.pod_price import pod_price
from l4serve.planning.workload.workload_plan import WorkloadPlan

Status = Literal["applied", "not applicable", "not judged", "gains"]
"""Not judged is what nobody measured: such an edit may gain."""
REPLICAS = 2
CARDS = 2


@frozen(kw_only=True)
class Item:
    """One line of the checklist for one workload.

    `edit` is what to write, below the workload or (`nodePools.`) the stack. `gain` is the share by which the goal's
    figure gets better: a whole answer in less time, more tokens a second, a cheaper token. `quality` is the class that
    is left, `text` says what is, or what the edit costs.
    """

    id: str
    goal: str
    item: str
    status: Status
    text: str
    edit: Mapping[str, object]
    gain: float | None = None
    quality: str | None = None
    price_date: str | None = None
    """Days of the prices that the text names; None where it names none."""
    bill: Bill | None = None
    """What the whole stack costs with the edit and without it, where that differs."""


@cache
def _table() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = load_data(__file__, "checklist.yaml")
    return loaded


def checklist(
    workload: WorkloadPlan, provisioning: Provisioning = "on-demand", trial: Trial | None = None
) -> tuple[Item, ...]:
    """Every item of the guide's checklist for a planned workload on nodes that are paid for this way.

    With a `trial` of its stack no edit is offered that the stack's plan refuses.
    """
    checker = _Checker(workload, provisioning, trial)
    return tuple(checker.check(row) for row in _table()["items"])


class _Checker:
    """The tries of the checklist on one workload."""

    def __init__(self, workload: WorkloadPlan, provisioning: Provisioning, trial: Trial | None) -> None:
        self.provisioning, self.trial = provisioning, trial
        self.workload, self.subject = workload, workload.prospect.subject
        self.options = self.subject.options
        self.profile = engine_profile(self.subject.workload.engine.kind)
        self.usd = workload.prospect.one_user.usd_per_hour
        self.before = cache(self._own_figure)

    def _own_figure(self, goal: str) -> float | str:
        """The goal's figure as the workload is configured, against which every try is held."""
        judgement = judge(self.subject, remedied=False)
        return goal_figure(self.workload.prospect, goal, self.subject, judgement)

    def check(self, row: Mapping[str, str]) -> Item:
        """One item."""
        tries: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
            "gpu": self._gpu,
            "quantization": self._quantization,
            "replicas": self._replicas,
            "tensor": self._tensor,
            "batching": self._batching,
            "model": self._model,
            "context": self._context,
            "attention": self._attention,
        }
        found = {"edit": {}, **self._planned(tries[row["try"]](row["goal"]))}
        return Item(id=row["id"], goal=row["goal"], item=row["item"], **found)

    def _planned(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """What was found, where the stack plans with its edit, with more nodes for it if need be."""
        name, edit = self.workload.name, found.get("edit")
        if self.trial is None or not edit:
            return found
        edited = self.trial.edited(name, edit)
        if isinstance(edited, str):
            larger = self.trial.with_room(name, edit, self.workload.placing.packed_on)
            if larger is None:
                return _none(f"the stack refuses {written_edit(edit)}: {edited}")
            edited = larger
        bill = self.trial.bill(edited)
        told = {} if bill is None else {"text": f"{found['text']}; {bill.told}", "price_date": bill.dates, "bill": bill}
        return {**found, "edit": edited.edit, **told}

    def _gpu(self, goal: str) -> Mapping[str, Any]:
        better = find_gpu(_table()["betterGpu"].get(self.subject.card.name, ""))
        if better is None:
            return _none(f"{self.subject.card.name} is the best card of the table")
        price, share = pod_price(better.name, self.subject.layout.gpus, provisioning=self.provisioning)
        usd = None if price is None else price.usd_per_hour * share
        pool, machine = self.workload.placing.packed_on, self._smallest(better.name, self.subject.layout.gpus)
        if machine is None:
            return _none(f"no machine with {better.name} is sold {self.provisioning}")
        cost = "at a price that is not known"
        if price is not None:
            cost = f"of which each pod's part costs {usd:.2f} USD an hour ({price.dated})"
        edit = {f"nodePools.{pool}.machineType": machine} if pool else {}
        tried = self._tried(goal, edit, replace(self.subject, card=better), f"on {machine}, {cost}", self._dearer(usd))
        return {**tried, "price_date": price.date if price else None}

    def _quantization(self, goal: str) -> Mapping[str, Any]:
        if self._is_quantized():
            return _applied(f"weights are in {self._format()}")
        edit, beside = self._eight_bits()
        text = "8-bit weights, made while they load: little is lost on most models, and it wants to be measured"
        return self._tried(goal, edit, self.subject.edited(edit, self.subject.shape), text + beside)

    def _eight_bits(self) -> tuple[dict[str, object], str]:
        """The edit that makes 8-bit weights, with a plain cache where they refuse the one that there is, and what to
        say of that."""
        edit: dict[str, object] = {self.profile.path("quantization"): self.profile.smaller["eightBit"]}
        plain = plain_cache(self.subject)
        if plain is None or not judge(self.subject.edited(edit, self.subject.shape), remedied=False).refusals:
            return edit, ""
        cache_type = self.options.kv_cache_dtype
        beside = f"; no {cache_type} cache is taken beside 8-bit weights, and a plain one holds fewer tokens"
        return {**edit, self.profile.path("kvCache"): plain}, beside

    def _replicas(self, goal: str) -> Mapping[str, Any]:
        scale = self.workload.scale
        if scale.most_replicas > 1:
            makes = "an autoscaler makes up to " if scale.autoscaling else ""
            return _applied(f"{makes}{scale.most_replicas} replicas")
        if isinstance(before := self.before(goal), str):
            return _not_judged(before)
        text = f"{REPLICAS} replicas serve twice as much at twice the price"
        quality = quality_of(self.subject.shape, self.subject)
        edit: dict[str, object] = {"autoscaling.maxReplicas" if scale.autoscaling else "replicas": REPLICAS}
        return {"status": "gains", "text": text, "edit": edit, "gain": float(REPLICAS - 1), "quality": quality}

    def _tensor(self, goal: str) -> Mapping[str, Any]:
        layout = self.subject.layout
        if layout.tensor_parallel_size > 1:
            return _applied(f"{layout.tensor_parallel_size} cards share each layer")
        prospect, pool = self.workload.prospect, self.workload.placing.packed_on
        if prospect.machine is None:
            return _none("nobody plans the machines that it runs on")
        edit: dict[str, object] = {"gpus": CARDS, self.profile.path("shards"): CARDS}
        subject = self.subject.edited(edit, self.subject.shape)
        usd = None if self.usd is None else CARDS * self.usd
        if prospect.made is not None:
            usd = next((home.usd_per_hour for home in stack_homes(self.workload) if home.takes(subject)), None)
        elif prospect.machine.gpus < CARDS:
            machine = self._smallest(self.subject.card.name, CARDS)
            if machine is None or pool is None:
                return _none(f"the machine has one card, and none with {CARDS} of them can take its place")
            price, share = pod_price(self.subject.card.name, CARDS, provisioning=self.provisioning)
            usd = None if price is None else price.usd_per_hour * share
            edit[f"nodePools.{pool}.machineType"] = machine
        text = "two cards for one pod: nobody measured their exchange"
        return self._tried(goal, edit, subject, text, self._dearer(usd))

    def _batching(self, goal: str) -> Mapping[str, Any]:
        if "batchTokens" not in self.profile.fields:
            return _none(f"{self.profile.title} sizes its batches itself")
        if self.options.max_num_batched_tokens and self._is_quantized():
            return _applied(f"steps of {self.options.max_num_batched_tokens} tokens with {self._format()} weights")
        edit, beside = ({}, "") if self._is_quantized() else self._eight_bits()
        steps = () if self.options.max_num_batched_tokens else _table()["batchedTokens"]
        shape = self.subject.shape
        larger = [{**edit, self.profile.path("batchTokens"): tokens} for tokens in steps]
        text = f"more tokens in a step; running answers wait longer while prompts are computed{beside}"
        found = [self._tried(goal, each, self.subject.edited(each, shape), text) for each in larger]
        best = max((each for each in found if each["status"] == "gains"), key=lambda each: each["gain"], default=None)
        if not edit:
            return best or (found[-1] if found else _none("nothing is left to write"))
        text = f"only quantisation: steps of more tokens gain nothing beside it{beside}"
        plain = self._tried(goal, edit, self.subject.edited(edit, shape), text)
        if best is None or (plain["status"] == "gains" and _more(best["gain"], plain["gain"]) < _table()["least"]):
            return plain
        return best

    def _model(self, goal: str) -> Mapping[str, Any]:
        smaller = smaller_model(self.subject.shape)
        if smaller is None:
            return _none("the catalogue has no smaller model of the same name")
        edit = {"model.id": smaller.id}
        text = "a smaller model answers less well: only the use can tell whether well enough"
        return self._tried(goal, edit, self.subject.edited(edit, smaller), text)

    def _context(self, goal: str) -> Mapping[str, Any]:
        fit, shape = self.workload.judgement.fit, self.subject.shape
        if fit is None or shape is None:
            return _not_judged("memory is not judged")
        if fit.max_model_len < shape.max_position_embeddings:
            return _applied(f"{fit.max_model_len} of {shape.max_position_embeddings} tokens")
        load = self.workload.prospect.load
        edit = {self.profile.path("length"): min(fit.max_model_len, 2 * (load.input_tokens + load.output_tokens))}
        text = "longer requests are refused; the cache is paged, so a long limit takes no memory by itself"
        return self._tried(goal, edit, self.subject.edited(edit, shape), text)

    def _attention(self, goal: str) -> Mapping[str, Any]:  # noqa: ARG002 - every try has the same form
        backend = self.options.attention_backend
        if backend is None:
            return _not_judged("nothing is known of the backend")
        return _applied(f"paged by the engine, {backend} on this card")

    def _smallest(self, accelerator: str, cards: int) -> str | None:
        """The smallest machine type that has so many of a card and is sold as the pool's nodes are."""
        fitting = [
            shape
            for shape in all_shapes(accelerator)
            if shape.gpus >= cards and not shape.attached and shape.sold(self.provisioning)
        ]
        return min(fitting, key=lambda shape: (shape.gpus, shape.vcpus)).machine_type if fitting else None

    def _is_quantized(self) -> bool:
        shape = self.subject.shape
        return bool(self.options.quantization or (shape and shape.quantization))

    def _format(self) -> str:
        shape = self.subject.shape
        return self.options.quantization or (shape.quantization.method if shape and shape.quantization else "16 bits")

    def _tried(
        self, goal: str, edit: Mapping[str, object], subject: Subject, text: str, dearer: float | None = 1.0
    ) -> Mapping[str, Any]:
        """What an edit gains for the goal, once the judgement takes it; the pod then costs `dearer` times its price,
        which is 1 on the cards and the machine that it has, whether or not that price is known."""
        judgement = judge(subject, remedied=False)
        refusal = next(iter(judgement.refusals), None)
        if refusal is not None:
            return _none(f"refused: {refusal.path}: {refusal.message}")
        if judgement.fit is not None and not judgement.fit.fits:
            return _none(f"with {written_edit(edit)} it does not fit: {'; '.join(judgement.fit.reasons)}")
        if isinstance(before := self.before(goal), str):
            return _not_judged(before)
        if isinstance(after := goal_figure(self.workload.prospect, goal, subject, judgement), str):
            return _not_judged(after)
        paid = dearer if goal == "cost" else 1.0
        if paid is None:
            return _not_judged("no price is known")
        gain = before / after / paid - 1
        if gain < _table()["least"]:
            return _none(f"it gains nothing here ({100 * gain:+.0f} %)")
        return {
            "status": "gains",
            "text": text,
            "edit": edit,
            "gain": gain,
            "quality": quality_of(subject.shape, subject),
        }

    def _dearer(self, usd: float | None) -> float | None:
        """How many times its price the pod costs at this one; None where either is not known."""
        return usd / self.usd if usd is not None and self.usd else None


def _more(one: float, other: float) -> float:
    """What one gain adds to another."""
    return (1 + one) / (1 + other) - 1


def _applied(text: str) -> Mapping[str, Any]:
    return {"status": "applied", "text": text}


def _not_judged(text: str) -> Mapping[str, Any]:
    return {"status": "not judged", "text": text}


def _none(text: str) -> Mapping[str, Any]:
    return {"status": "not applicable", "text": text}
