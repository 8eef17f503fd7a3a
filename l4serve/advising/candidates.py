"""What the advisor may write: edits of a workload, and the machines and replicas that could run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import ceil
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.models.catalogue import quantized_variants
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.workload.judgement.subject import Subject

Makes = Callable[[Subject], MachineShape | None]
"""The machine that is made for a pod; None where it is refused."""
EIGHT_BITS = 8
FOUR_BITS = 4


@frozen(kw_only=True)
class PodChoice:
    """One way to write a workload: the edit of its config, the subject that it makes, and the quality left."""

    edit: Mapping[str, object]
    subject: Subject
    quality: str


@frozen(kw_only=True)
class Home:
    """Where pods could run: a machine, what it costs in an hour, and how many replicas at most (None: no limit)."""

    shape: MachineShape
    usd_per_hour: float | None
    most_replicas: int | None
    price_date: str | None = None
    """The day of that price."""
    configured: int | None = None
    """Replicas that the workload has, which are always among those tried; None where there is no workload yet."""
    autoscaled: tuple[int, int] | None = None
    """The fewest and the most pods that the workload's autoscaler makes; None where it has none."""
    shared: bool = False
    """Whether other workloads take what the pods leave of a machine, as on the pools of a stack."""
    made: Makes | None = None
    """Where a machine is made for each pod, which it has to itself: the one that is made for it."""

    def takes(self, subject: Subject) -> bool:
        """Whether a pod runs on the machine, and leaves no card of it over."""
        if self.shape.accelerator != subject.card.name or self.shape.gpus % subject.layout.gpus:
            return False
        return self.made is None or self.made(subject) == self.shape


@frozen(kw_only=True)
class Candidate:
    """A pod's config on machines of one type, so many times."""

    pod: PodChoice
    home: Home
    replicas: int

    @property
    def edit(self) -> Mapping[str, object]:
        """What the workload gets: the pod's edit, and the replicas where it has a fixed number of others."""
        had = None if self.home.autoscaled else self.home.configured
        return self.pod.edit if had in (None, self.replicas) else {**self.pod.edit, "replicas": self.replicas}

    @property
    def gpus(self) -> int:
        """Cards of all replicas."""
        return self.replicas * self.pod.subject.layout.gpus

    @property
    def pods_each(self) -> int:
        """Pods that one machine holds."""
        return 1 if self.home.made else self.home.shape.gpus // self.pod.subject.layout.gpus

    @property
    def nodes(self) -> int:
        """Machines that hold the replicas."""
        return ceil(self.replicas / self.pods_each)

    @property
    def bill(self) -> float | None:
        """USD an hour that are paid: of whole machines, or of the pods' part where others take the rest."""
        if self.home.usd_per_hour is None or self.home.shared:
            return self.usd_per_hour
        return self.home.usd_per_hour * self.nodes

    @property
    def usd_per_hour(self) -> float | None:
        """USD an hour of the machines' parts that the pods take."""
        if self.home.usd_per_hour is None:
            return None
        return self.home.usd_per_hour * self.replicas / self.pods_each


@cache
def table() -> Mapping[str, Any]:
    """The advisor's data."""
    loaded: Mapping[str, Any] = load_data(__file__, "search.yaml")
    return loaded


def worst(*classes: str) -> str:
    """The worst of some classes of quality."""
    order = table()["quality"]
    return str(max(classes, key=order.index))


def quality_of(shape: ModelShape | None, subject: Subject) -> str:
    """The class of a subject's weights and cache."""
    options = subject.options
    weights = "full"
    if shape is not None and shape.quantization is not None:
        weights = "8bit" if shape.quantization.bits >= EIGHT_BITS else "4bit"
    elif options.quantization:
        weights = table()["weights"]["online"].get(options.quantization, "4bit")
    return worst(weights, "8bit" if (options.kv_cache_dtype or "auto").startswith("fp8") else "full")


def pod_choices(base: Subject, cards: tuple[int, ...]) -> Iterator[PodChoice]:
    """Every way to write the workload on so many cards of its kind; the base itself comes first."""
    profile = engine_profile(base.workload.engine.kind)
    for tensor in table()["tensorParallel"]:
        if tensor not in cards:
            continue
        for weights, shape in _weights(base):
            for cache_dtype in _caches(base):
                for sequences, tokens in _limits(profile.fields):
                    edit: dict[str, object] = dict(weights)
                    if tensor != base.layout.tensor_parallel_size:
                        edit |= {"gpus": tensor, profile.path("shards"): tensor}
                    if cache_dtype is not None:
                        edit[profile.path("kvCache")] = cache_dtype
                    if sequences is not None:
                        edit[profile.path("sequences")] = sequences
                    if tokens is not None:
                        edit[profile.path("batchTokens")] = tokens
                    yield _choice(base, edit, shape)


def _choice(base: Subject, edit: Mapping[str, object], shape: ModelShape | None) -> PodChoice:
    subject = base.edited(edit, shape) if edit else base
    return PodChoice(edit=edit, subject=subject, quality=quality_of(shape, subject))


def _weights(base: Subject) -> Iterator[tuple[Mapping[str, object], ModelShape | None]]:
    """Formats of the weights: as they are, made while loading, or in a checkpoint of the catalogue."""
    shape, profile = base.shape, engine_profile(base.workload.engine.kind)
    yield {}, shape
    if (faster := table()["fasterKernel"].get(base.options.quantization)) is not None:
        yield {profile.path("quantization"): faster}, shape
    if shape is None or shape.quantization is not None:
        return
    asked = base.options.quantization
    plain: Mapping[str, object] = {profile.path("quantization"): None} if asked else {}
    if asked:
        yield plain, shape
    for method in dict.fromkeys((profile.smaller["eightBit"], profile.smaller["fourBit"])):
        if method != asked:
            yield {profile.path("quantization"): method}, shape
    for variant in quantized_variants(shape):
        yield {"model.id": variant.id, **plain}, variant


def _caches(base: Subject) -> Iterator[str | None]:
    """Types of the cache: as it is, smaller, or the activations' own where it is another one."""
    kind = base.workload.engine.kind
    yield None
    yield engine_profile(kind).smaller["cache"]
    if (plain := plain_cache(base)) is not None:
        yield plain


def plain_cache(base: Subject) -> str | None:
    """What writes a cache in the activations' own type; None where it has that, or its engine no word for it."""
    plain: str | None = table()["plainCache"].get(base.workload.engine.kind)
    return plain if plain != (base.options.kv_cache_dtype or plain) else None


def _limits(fields: Mapping[Any, str]) -> Iterator[tuple[int | None, int | None]]:
    sequences = table()["maxNumSeqs"] if "sequences" in fields else [None]
    tokens = table()["maxNumBatchedTokens"] if "batchTokens" in fields else [None]
    for limit in sequences:
        for batch in tokens:
            yield limit, batch
