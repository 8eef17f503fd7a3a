"""What the program registers of a stack, and what each of it is called where it exists."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from l4serve.cli.commands import render_command as render
from l4serve.cli.commands.render_command import Rendered
from l4serve.cli.recording import Registration, record_program
from l4serve.config.stack_file import Stack

Identity = tuple[str, ...]


def rendered(stack: Stack) -> tuple[Rendered, tuple[Registration, ...]]:
    """A rendering, and the registrations on its way."""
    kept: list[Registration] = []

    def recording(*arguments: Any, **options: Any) -> Any:
        monitor = record_program(*arguments, **options)
        kept.extend(monitor.registrations)
        return monitor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "record_program", recording)
        return render.render_stack(stack), tuple(kept)


def names(resource: Registration, parents: Mapping[str, Registration]) -> set[str]:
    """The URN of a resource without stack and project, and those of its aliases, which the engine works out alike.

    A child whose name begins with its parent's has a name for each that the parent had.
    """
    own = resource.urn.split("::", 2)[2]
    kinds = own.rpartition("::")[0]
    elsewhere = {each["urn"].split("::", 2)[2] for each in resource.options.get("aliases", ()) if each.get("urn")}
    called = {resource.name, *_aliases(resource)}
    parent = parents.get(resource.parent)
    if parent is not None:
        heads = [(parent.name, older) for older in _aliases(parent)]
        called |= {older + name[len(head) :] for name in called for head, older in heads if name.startswith(head)}
    return {f"{kinds}::{name}" for name in called} | elsewhere


def _aliases(resource: Registration) -> list[str]:
    return [each["spec"]["name"] for each in resource.options.get("aliases", ()) if each.get("spec", {}).get("name")]


def identity(resource: Registration) -> Identity | None:
    """What tells the thing from others where it exists; None where the provider sees to it.

    Google's provider deletes first what has a name of the program's own, unless it is told otherwise.
    """
    inputs = resource.inputs
    if not resource.custom:
        return None
    if resource.type.startswith("kubernetes:"):
        metadata = inputs["metadata"]
        return (resource.type, metadata.get("namespace", ""), metadata["name"])
    if resource.type.lower().endswith("iammember"):
        return (resource.type, *(str(inputs[key]) for key in sorted(inputs)))
    return (resource.type, inputs["name"]) if resource.type.endswith(":NodePool") else None


def named_anew(before: tuple[Registration, ...], after: tuple[Registration, ...]) -> Iterator[str]:
    """Where an edit would replace what an update back cannot keep, or have two resources hold one thing."""
    old, new = ({each.urn: found for each in side if (found := identity(each))} for side in (before, after))
    yield from (f"{urn} is another: {old[urn]}, {new[urn]}" for urn in old.keys() & new.keys() if old[urn] != new[urn])
    owners = {found: urn for urn, found in old.items()}
    parents = {each.urn: each for each in after}
    known = {each.urn: names(each, parents) for each in after}
    for urn, found in new.items():
        if owners.get(found, urn).split("::", 2)[2] not in known[urn]:
            yield f"{owners[found]} and {urn} are both {found}"
