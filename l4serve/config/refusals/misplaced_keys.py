"""What a key that an object does not have was meant to be: another of its keys, or a key of another object."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from l4serve.config.data_file import load_data
from l4serve.config.words.spelling import nearest, shortened

NOTHING_MEANT = "remove it, or see docs/config-reference.md"
_ALMOST = 0.85
"""Share of equal letters from which a key of another object is proposed."""
_FEW, _FEWEST = 8, 4
_OF_SECRETS = (
    (re.compile(r"(?i)(hf|hub|hugging_?face)[_-]?token$"), "huggingFace"),
    (re.compile(r"(?:[a-z]|[_-]|^[A-Z])(?:Key|key|KEY|Password|password)s?$"), "apiKey"),
)
"""Names that people give to secrets, each with the key that holds such a one."""
_UNIONS = ("cluster", "engine", "source")


def meant_key(key: str, loc: tuple[int | str, ...], known_keys: Collection[str]) -> str:
    """What to write for an unknown key: the nearest key of its object, else where the key belongs."""
    name, colon, value = key.partition(":")
    if colon and name in known_keys:
        return f"write a blank behind the `:`, as {name}: {value.strip()}"
    wanted, own = to_camel(key), _own_keys(loc)
    if key in known_keys and key not in own and (moved := _move(key, loc, own)):
        return moved
    if near := nearest(wanted, own or known_keys) or shortened(wanted, own):
        return f"did you mean {near}?"
    if own and wanted not in known_keys and (elsewhere := nearest(wanted, known_keys, alike=_ALMOST)):
        paths = [f"{place}.{elsewhere}".lstrip(".") for place in _homes(elsewhere, loc)]
        return f"did you mean {' or '.join(paths)}?"
    if own and (unplanned := load_data(__file__, "unplanned_keys.yaml").get(key)):
        return str(unplanned)
    if own and (kept := _known_otherwise(key)):
        if kept in own:
            return f"did you mean {kept}?"
        places = [_named(place, loc) for place in _homes(kept, loc)]
        return f"did you mean {' or '.join(f'{place}.{kept}'.lstrip('.') for place in places)}?"
    return f"give one of {', '.join(own)}" if 0 < len(own) <= _FEW else NOTHING_MEANT


def _known_otherwise(key: str) -> str | None:
    """The key that does what a name from elsewhere says: of Kubernetes, of a chart, or of a secret."""
    foreign: Mapping[str, str] = load_data(__file__, "foreign_keys.yaml")
    return foreign.get(key) or next((real for form, real in _OF_SECRETS if form.search(key)), None)


def _move(key: str, loc: tuple[int | str, ...], own: Collection[str]) -> str:
    """What to do with a key that is known elsewhere: in another member of the object, else in another object.

    Empty where the object has a few keys of its own and others of that name are in other parts of the stack alone.
    """
    if chosen := _chosen_by(key, loc):
        return f"remove it: it is a key of {' and '.join(chosen)}"
    part = _above(loc).partition(".")[0]
    homes = [place for place in _homes(key, loc) if f"{place}.{key}" != _above(loc)]
    apart = part and not any(place.partition(".")[0] in (part, "") for place in homes)
    if not homes or (apart and 0 < len(own) <= _FEWEST):
        return ""
    places = [_named(place, loc) for place in homes]
    return "move it beside cluster and workloads" if places == [""] else f"move it to {' or '.join(places)}"


def _named(place: str, loc: tuple[int | str, ...]) -> str:
    """An object as the path of the misplaced key names it, as far as that leads to it."""
    from l4serve.config.schema.key_reference import key_of

    parts = _without_members(loc)
    for end in range(len(parts), 0, -1):
        path = ".".join(parts[:end])
        if f"{place}.".startswith(f"{key_of(path)}."):
            return path + place.removeprefix(key_of(path))
    return place


def swapped(details: list[ErrorDetails]) -> dict[tuple[int | str, ...], str]:
    """The remedy of each key that stands where its object misses another: `name` where `id` is required.

    Only where the object has one key too many, whose value is a text, and one too few. A text without any key, as in
    `{10.0.0.0/8}`, is a key without a value to YAML.
    """
    remedies: dict[tuple[int | str, ...], str] = {}
    parents = {detail["loc"][:-1] for detail in details if detail["type"] == "missing"}
    for parent in parents:
        inside = [detail for detail in details if detail["loc"][:-1] == parent]
        missing = [detail for detail in inside if detail["type"] == "missing"]
        extra = [detail for detail in inside if detail["type"] == "extra_forbidden"]
        if len(missing) == len(extra) == 1 and extra[0]["input"] is None:
            wanted, given = missing[0]["loc"][-1], extra[0]["loc"][-1]
            remedies[extra[0]["loc"]] = remedies[missing[0]["loc"]] = f"write it as {wanted}: {given}"
        if len(missing) == len(extra) == 1 and isinstance(extra[0]["input"], str):
            wanted, given = missing[0]["loc"][-1], extra[0]["loc"][-1]
            remedies[extra[0]["loc"]] = f"did you mean {wanted}?"
            remedies[missing[0]["loc"]] = f"write {wanted} for {given}"
    return remedies


def _entries() -> Any:
    from l4serve.config.schema.key_reference import all_keys

    return all_keys()


def _above(loc: tuple[int | str, ...]) -> str:
    from l4serve.config.schema.key_reference import key_of

    return key_of(".".join(_without_members(loc)))


def _without_members(loc: tuple[int | str, ...]) -> list[str]:
    """The path above a key: behind the key of a union pydantic names its member, which is no key."""
    members = {entry.chosen_by.rpartition(": ")[2] for entry in _entries() if entry.chosen_by}
    return [str(part) for i, part in enumerate(loc[:-1]) if not (part in members and loc[i - 1] in _UNIONS)]


def _own_keys(loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the object that a path leads into; none where the path is not of a whole stack."""
    above, tags = _above(loc), {f": {part}" for part in loc}
    if not above and len(loc) > 1:
        return []
    own = [entry for entry in _entries() if entry.path.rpartition(".")[0] == above]
    chosen = [e for e in own if not e.chosen_by or any(e.chosen_by.endswith(tag) for tag in tags)]
    return list(dict.fromkeys(entry.path.rpartition(".")[2] for entry in chosen))


def _chosen_by(key: str, loc: tuple[int | str, ...]) -> list[str]:
    """What picks the members of a union that have the key, where another member was picked."""
    above = _above(loc)
    return [entry.chosen_by for entry in _entries() if entry.chosen_by and entry.path == f"{above}.{key}"]


def _homes(key: str, loc: tuple[int | str, ...]) -> list[str]:
    """The objects that have a key, those below the place first; the empty path is the whole stack's."""
    places = [entry.path.rpartition(".")[0] for entry in _entries() if entry.path.rpartition(".")[2] == key]
    unique, above = list(dict.fromkeys(places)), _above(loc)
    near = [place for place in unique if above and place.startswith(above)]
    # What stands once for the stack and once for a workload bears one name: `expose`.
    same = [place for place in unique if above and place.rpartition(".")[2] == above.rpartition(".")[2] != place]
    return (near or [place for place in same if place != above] or unique)[:3]
