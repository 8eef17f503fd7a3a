"""Pods of a search, each judged, estimated and sized once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from l4serve.advising.candidates import PodChoice
from l4serve.advising.load_share import share_of
from l4serve.advising.ranking import Wish
from l4serve.advising.sizing import Needed, fewest, fewest_for_clients
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.speed_question import subject_speed

LENGTH_STEP = 128
HALF_FULL = 0.5
"""Utilisation below which requests wait for the prompts that they meet, and not for room: another cache or chunk then
needs as many replicas, whatever it could serve."""


@dataclass
class Pods:
    """Judgements and speeds, each found once: the same pod on another machine is as fast."""

    wish: Wish
    remember: bool
    judged: dict[int, tuple[PodChoice, Judgement, str | None]] = field(default_factory=dict)
    speeds: dict[tuple[int, Load], Speed] = field(default_factory=dict)
    sizes: dict[int, Needed] = field(default_factory=dict)
    utilisations: dict[int | None, float] = field(default_factory=dict)
    """Of the pod that was sized last, by its sequences: the next one of as many is often alike."""
    counts: dict[tuple[object, ...], int] = field(default_factory=dict)
    """Replicas of the pod that was sized last, by its weights, cards and sequences."""

    def settle(self, pod: PodChoice) -> tuple[PodChoice, Judgement | None, str | None]:
        """The pod with a context that fits, its judgement, and why it cannot run."""
        known = self.judged.get(id(pod))
        if known is None or not self.remember:
            known = _settled(pod, self.wish.load)
            self.judged[id(pod)] = known
        return known

    def needed(self, pod: PodChoice) -> Needed:
        """The fewest replicas of a pod that keep the wish under its load."""
        settled, judgement, reason = self.settle(pod)
        if reason or judgement is None:
            return Needed(replicas=None, reason=reason)
        found = self.sizes.get(id(pod))
        if found is None or not self.remember:
            found = self.sizes[id(pod)] = self._sized(pod, settled, judgement)
        return found

    def _sized(self, pod: PodChoice, settled: PodChoice, judgement: Judgement) -> Needed:
        wish, alone = self.wish, self.alone(pod, settled, judgement)

        def speed_of(replicas: int) -> Speed:
            return self.speed(settled, judgement, id(pod), share_of(wish.load, replicas))

        if wish.load.rate is None:
            return fewest_for_clients(speed_of, alone, wish)
        options, fit = settled.subject.options, judgement.fit
        sequences = options.max_num_seqs
        alike = round(fit.weights_gib) if fit else None, options.tensor_parallel_size, sequences
        utilisation = self.utilisations.get(sequences)
        count = self.counts.get(alike) if utilisation and utilisation < HALF_FULL else None
        found = fewest(speed_of, alone, wish, utilisation, count)
        if found.replicas is not None and self.remember:
            part = wish.load.rate / found.replicas
            self.utilisations[sequences] = part / (speed_of(found.replicas).most_requests or part)
            self.counts[alike] = found.replicas
        return found

    def alone(self, pod: PodChoice, settled: PodChoice, judgement: Judgement) -> Speed:
        """The pod's speed for one client, which no load betters."""
        return self.speed(settled, judgement, id(pod), replace(self.wish.load, rate=None, clients=1))

    def speed(self, pod: PodChoice, judgement: Judgement, key: int, load: Load) -> Speed:
        """The pod's speed under its part of the load."""
        found = self.speeds.get((key, load))
        if found is None or not self.remember:
            found = subject_speed(pod.subject, judgement, load)
            self.speeds[key, load] = found
        return found


def _settled(pod: PodChoice, load: Load) -> tuple[PodChoice, Judgement, str | None]:
    judgement = judge(pod.subject, remedied=False)
    fit, needed = judgement.fit, load.input_tokens + load.output_tokens
    # Longer requests than the context that was asked for reach no candidate; shorter ones must reach all.
    reach = needed if fit is None else max(needed, min(load.longest_request, fit.max_model_len))
    if fit is not None and needed <= fit.largest_max_model_len and (not fit.is_sure or fit.max_model_len < needed):
        largest = fit.largest_max_model_len
        # A context that ends chunked prefill may not fit although a longer one would, and a shorter one does.
        for wanted in (needed,) if fit.is_sure else (max(needed, fit.surest_max_model_len), needed):
            pod = _with_length(pod, _rounded(wanted, reach if reach <= wanted else needed, largest))
            judgement = judge(pod.subject, remedied=False)
            fit = judgement.fit
            if fit is not None and fit.is_sure:
                break
    refused = next(iter(judgement.refusals), None)
    if refused is not None:
        return pod, judgement, f"{refused.path}: {refused.message}"
    if fit is None:
        return pod, judgement, "; ".join(judgement.notes)
    if not fit.fits:
        return pod, judgement, "; ".join(fit.reasons)
    if fit.margin_is_uncertain:
        return pod, judgement, f"fits only within the uncertainty of {fit.uncertainty_gib:.2f} GiB"
    if needed > fit.max_model_len:
        return pod, judgement, f"a context of {fit.max_model_len} tokens is shorter than a request of {needed}"
    if reach > fit.max_model_len:
        long = f"the longest request of {reach}, whose lengths vary: --length-spread 0 fixes them"
        return pod, judgement, f"a context of {fit.max_model_len} tokens is shorter than {long}"
    return pod, judgement, None


def _rounded(wanted: int, needed: int, largest: int) -> int:
    """A context in round steps that holds a request and fits."""
    down, up = wanted // LENGTH_STEP * LENGTH_STEP, -(-wanted // LENGTH_STEP) * LENGTH_STEP
    return next((length for length in (down, up) if needed <= length <= largest), wanted)


def _with_length(pod: PodChoice, length: int) -> PodChoice:
    key = engine_profile(pod.subject.workload.engine.kind).path("length")
    edit = {key: length}
    return replace(pod, edit={**pod.edit, **edit}, subject=pod.subject.edited(edit, pod.subject.shape))
