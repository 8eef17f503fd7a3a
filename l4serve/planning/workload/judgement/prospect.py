"""How fast a planned workload will be for one user and with every place taken, and what its tokens then cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from l4serve.config.frozen import frozen
from l4serve.config.keys.expected_load import ExpectedLoad
from l4serve.planning.machines.prices import Price
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.subject import Subject

if TYPE_CHECKING:  # the performance model is loaded by the first who asks: a preview tells of memory and cost alone
    from l4serve.planning.performance.load import Load
    from l4serve.planning.workload.judgement.speed_question import Priced

MOST_TOLD = 50
"""Workloads of one stack whose speed its plan works out: each takes some hundredths of a second."""
UNTOLD = f"speed: a plan tells that of at most {MOST_TOLD} workloads; ask l4serve estimate"
PROMPT_SHARE = 2 / 3
"""Part of a request that its prompt is where nobody says: that of the usual load."""


def fitting_load(load: ExpectedLoad, context: int | None) -> ExpectedLoad:
    """The lengths that a config states; where it states none and the usual ones pass the context, shorter ones."""
    if load.model_fields_set or context is None or load.input_tokens + load.output_tokens <= context:
        return load
    prompt = max(1, int(context * PROMPT_SHARE))
    return load.model_copy(update={"input_tokens": prompt, "output_tokens": max(1, context - prompt)})


@frozen(kw_only=True)
class Prospect:
    """One pod of a workload under the load that is expected of it; worked out when somebody asks."""

    subject: Subject
    judgement: Judgement
    load: ExpectedLoad
    price: Price | None
    """Price of the pod's machine for one hour."""
    share: float
    """The part of the machine that the pod's GPUs are."""
    machine: MachineShape | None = None
    """The machine that the pod gets, or the smallest that it may get of a compute class; None where nobody plans it."""
    region: str | None = None
    """Region of the cluster, where it is known."""
    made: Callable[[Subject], MachineShape | None] | None = field(default=None, compare=False, repr=False)
    """Where nodes are made for pods: the machine that is made for another pod of the workload, None where that is
    refused."""
    told: bool = True
    """Whether the stack has so few workloads that a plan works out the speed of each."""

    @cached_property
    def one_user(self) -> Priced:
        """One request after the other."""
        return self._under(1)

    @cached_property
    def full_batch(self) -> Priced:
        """As many clients as run at once."""
        return self._under(self.places)

    @property
    def places(self) -> int:
        """Requests of the expected lengths that run at once: what the cache and the engine's limit hold."""
        from l4serve.planning.workload.judgement.speed_question import places_of

        fit = self.judgement.fit
        return (
            1 if fit is None else places_of(self.subject.options, fit, self.load.input_tokens + self.load.output_tokens)
        )

    def load_of(self, clients: int) -> Load:
        """The expected lengths from so many clients, as `l4serve estimate` asks about them."""
        from l4serve.planning.performance.load import Load, spread_as_asked

        load = Load(input_tokens=self.load.input_tokens, output_tokens=self.load.output_tokens, clients=clients)
        return spread_as_asked(load, None)

    def _under(self, clients: int) -> Priced:
        from l4serve.planning.workload.judgement.speed_question import Priced, no_speed, subject_speed

        if not self.told:
            return Priced(speed=no_speed(UNTOLD), price=self.price, share=self.share)
        speed = subject_speed(self.subject, self.judgement, self.load_of(clients))
        return Priced(speed=speed, price=self.price, share=self.share)
