"""Claims that reach the pods of one node alone: how their workloads are updated, and who may share them."""

from collections.abc import Iterator, Mapping

from l4serve.config.keys.model_source import ClaimSource
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem

_ONE_NODE = "ReadWriteOnce"
_READ_ONLY = "ReadOnlyMany"


def on_one_node(workload: Workload) -> bool:
    """Whether the workload's weights reach the pods of one node alone: a new pod elsewhere waits for the old one.

    Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
    """
    source = workload.model.source
    return isinstance(source, ClaimSource) and source.access == _ONE_NODE


def shared_claims(workloads: Mapping[str, Workload]) -> Iterator[Problem]:
    """Workloads that mount a claim which one of them says to reach one node alone: the later ones stay Pending."""
    bound = {source.claim for each in workloads.values() if (source := _bound(each)) is not None}
    holders: dict[str, str] = {}
    for name, workload in workloads.items():
        for claim, field in _claims(workload):
            first = holders.setdefault(claim, name)
            if claim in bound and first != name:
                message = f"{first} mounts {claim} too, a {_ONE_NODE} claim, which reaches only the pods of one node"
                yield Problem(
                    f"workloads.{name}.{field}", message, "give each its own, or take a claim that many nodes can read"
                )


def read_only_caches(workloads: Mapping[str, Workload]) -> Iterator[Problem]:
    """Compile caches on a claim that a workload says nobody writes to: the engine could not start there."""
    sources = (workload.model.source for workload in workloads.values())
    read = {source.claim for source in sources if isinstance(source, ClaimSource) and source.access == _READ_ONLY}
    for name, workload in workloads.items():
        if workload.compile_cache is not None and workload.compile_cache.claim in read:
            what = f"the engine writes to it, and a model.source of that claim says access: {_READ_ONLY}"
            fix = "give the cache a claim of its own, or set access: ReadWriteMany where many nodes may write"
            yield Problem(f"workloads.{name}.compileCache.claim", what, fix)


def _bound(workload: Workload) -> ClaimSource | None:
    source = workload.model.source
    return source if isinstance(source, ClaimSource) and on_one_node(workload) and workload.most_replicas else None


def _claims(workload: Workload) -> Iterator[tuple[str, str]]:
    """Claims that the pods mount, each with the field that names it."""
    if not workload.most_replicas:
        return
    if isinstance(workload.model.source, ClaimSource):
        yield workload.model.source.claim, "model.source.claim"
    if workload.compile_cache is not None:
        yield workload.compile_cache.claim, "compileCache.claim"
