"""Files that a command line names and that no pod has: neither the release's own image holds them, nor a volume."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.problems import Problem
from l4serve.config.spelling import nearest
from l4serve.engines.images import is_own
from l4serve.engines.profile import engine_profile

_CHAT_TEMPLATE = "--chat-template"
_BUCKET = "gs://"
_ALIKE = 0.9
"""Share of equal letters from which the name of a template is taken for a misspelt one."""


def file_flags(kind: str, image: str | None) -> tuple[str, ...]:
    """Flags that may name a file; none for an image of another repository, which may hold anything."""
    return tuple(_files().get(kind, {}).get("flags", ())) if is_own(kind, image) else ()


def file_variables(kind: str, image: str | None) -> tuple[str, ...]:
    """Variables that may name a file; none for an image of another repository."""
    return tuple(_files().get(kind, {}).get("env", ())) if is_own(kind, image) else ()


def missing_file(path: str, kind: str, flag: str, values: Iterable[str], mounted: Iterable[str] = ()) -> Problem | None:
    """What is wrong with a flag whose values name a file that neither the release's own image nor a volume has."""
    own, brought = _files()[kind]["folders"], tuple(mounted)
    template = flag == _CHAT_TEMPLATE
    words = values if engine_profile(kind).list_syntax == "words" else [w for value in values for w in value.split(",")]
    for named in (named for value in words for named in _paths(value, any_word=template)):
        if named.startswith(_BUCKET):
            message = f"{flag} names {named}, which no volume mounts and no role lets the pods read: the server stops"
            return Problem(
                path, message, "name a repository of the Hub, or put the files where model.source has the weights"
            )
        if _lies_in(named, brought) or (template and _is_built_in(named)):
            continue
        meant = _meant(named) if template and kind in _templates()["engines"] else None
        if meant or not _lies_in(named, own):
            message = f"{flag} names {named}, which the image lacks and nothing mounts: the server stops"
            return Problem(path, message, f"did you mean {meant}?" if meant else _remedy(flag))
    return None


def _lies_in(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _is_built_in(named: str) -> bool:
    table = _templates()
    return named.removesuffix(table["suffix"]) in table["builtin"]


def _meant(named: str) -> str | None:
    """The template of the image whose name is almost that of a path; None where it is one, or like none."""
    table = _templates()
    known = [f"{table['folder']}/{name}{table['suffix']}" for name in table["templates"]]
    own = named.removeprefix(table["workdir"]).removeprefix("./")
    if own in known:
        return None
    by_name = {each.rpartition("/")[2]: each for each in reversed(known)}
    near = nearest(own.rpartition("/")[2], by_name, alike=_ALIKE)
    return by_name[near] if near else None


def _remedy(name: str) -> str:
    if name == _CHAT_TEMPLATE:
        return "write the template itself in engine.chatTemplate, or use an image of your own that holds the file"
    return "name a repository of the Hub, or use an image of your own that holds the file"


def _paths(value: str, *, any_word: bool = False) -> Iterator[str]:
    """The paths in a value: the value itself, what stands behind name=, or the path and model of a JSON object.

    With `any_word` a text without braces is one: so vLLM reads a template, chat_utils.load_chat_template.
    """
    text = value.strip()
    if text.startswith("{") and not text.startswith(("{%", "{{", "{#")):
        yield from _paths_of_object(text)
    elif "{" not in text and "\n" not in text:
        path = text.rpartition("=")[2]
        if any_word or path.startswith(("/", "./", "../", "~", _BUCKET)) or path.endswith((".jinja", ".j2")):
            yield path


def _paths_of_object(text: str) -> Iterator[str]:
    try:
        named = json.loads(text)
    except ValueError:
        return
    for key in ("path", "model"):
        if isinstance(named.get(key), str):
            yield from _paths(named[key])


def _templates() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "chat_templates.yaml")
    return table


@cache
def _files() -> Mapping[str, Mapping[str, Any]]:
    files: Mapping[str, Mapping[str, Any]] = load_data(__file__, "image_needs.yaml")["files"]
    return files
