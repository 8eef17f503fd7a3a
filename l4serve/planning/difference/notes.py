"""Notes that an update brings and takes, and those that it alone gives: a stack that is up has had its first update."""

from collections.abc import Iterator

from l4serve.planning.stack.awaited_objects import objects_taken
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.note import Note

_FIRST_UPDATE = "awaited-objects"
"""The note of what the first update waits for."""


def notes_of_update(
    old: StackPlan | None, new: StackPlan | None, *, stays: bool
) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    """Notes that come and notes that go; `stays` says that the cluster on both sides is one."""
    before, after = (plan.notes if plan else () for plan in (old, new))
    if old and new and stays and old.namespace == new.namespace:
        before, after = (tuple(note for note in notes if note.id != _FIRST_UPDATE) for notes in (before, after))
        after = (*_needed_anew(old, new), *after)
    added = tuple(note for note in after if note not in before)
    return added, tuple(note for note in before if note not in after) if new else ()


def _needed_anew(old: StackPlan, new: StackPlan) -> Iterator[Note]:
    """What nobody took from the namespace before the update."""
    known = objects_taken(old.workloads, old.gateway)
    if anew := [each for each in objects_taken(new.workloads, new.gateway) if each not in known]:
        told = f"namespace {new.namespace} must hold {', '.join(anew)} before the update"
        yield Note("namespace", f"{told}: what takes it waits until it is there")
