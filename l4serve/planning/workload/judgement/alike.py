"""One judgement for all workloads that are alike: what many teams deploy under many names is judged once."""

from functools import cached_property, lru_cache

from l4serve.config.frozen import frozen
from l4serve.planning.values.identity import Same
from l4serve.planning.values.written import written
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.subject import Subject


@frozen()
class _Alike:
    """Equal to another where all that a judgement looks at is equal; a judgement never sees a workload's name."""

    subject: Subject

    @cached_property
    def _key(self) -> tuple[object, ...]:
        of = self.subject
        same = (Same(of.shape), Same(of.resolved), Same(of.card))
        return (*same, of.layout, of.gpu_counts, of.host_gib, of.weights_gib, of.cured, written(of.workload))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)


def judge_alike(subject: Subject) -> Judgement:
    """As `judge`, worked out once for all subjects that differ in nothing."""
    return _judged(_Alike(subject))


@lru_cache(maxsize=4096)
def _judged(alike: _Alike) -> Judgement:
    """Remembered for a few stacks of the largest size: a difference has two, and advice tries its edits one by one."""
    return judge(alike.subject)
