"""Files that a command line names and that no pod has: neither the release's own image holds them, nor a volume."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from packaging.specifiers import SpecifierSet

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.json_text import json_value
from l4serve.config.keys.workload import Engine
from l4serve.config.refusals.problems import Problem
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.paths import lies_in
from l4serve.config.words.spelling import nearest
from l4serve.engines.images import image_facts, is_own, release_facts
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.profile import engine_profile

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


def image_release(engine: Engine, contract: Contract) -> str | None:
    """The release whose own image runs; None where its version or its tag leaves that open."""
    if engine.image is None:
        return contract.version if release_facts(engine.kind, engine.version)["release.exists"] else None
    return contract.version if image_facts(engine.kind, contract.version, engine.image)["image.agrees"] else None


def missing_file(
    path: str, engine: Engine, contract: Contract, flag: str, values: Iterable[str], mounted: Iterable[str] = ()
) -> Problem | None:
    """What is wrong with a flag whose values name a file that neither the release's own image nor a volume has."""
    kind = engine.kind
    own, brought = _files()[kind]["folders"], tuple(mounted)
    template = flag == _CHAT_TEMPLATE
    held = _held(image_release(engine, contract)) if template and kind in _templates()["engines"] else None
    words = values if engine_profile(kind).list_syntax == "words" else [w for value in values for w in value.split(",")]
    for named in (named for value in words for named in _paths(value, any_word=template)):
        if named.startswith(_BUCKET):
            message = f"{flag} names {named}, which no volume mounts and no role lets the pods read: the server stops"
            return Problem(
                path, message, "name a repository of the Hub, or put the files where model.source has the weights"
            )
        if lies_in(named, brought) or (held and held.has(named)):
            continue
        meant = held.meant(named) if held else None
        if meant or not lies_in(named, own) or (held and held.lacks(named)):
            message = (
                f"{flag} names {excerpt(named, 200)}, which the image lacks and nothing mounts: the server stops"
                if named
                else f"{flag} is blank: it names no file and holds no template"
            )
            return Problem(path, message, f"did you mean {meant}?" if meant else _remedy(flag))
    return None


@frozen()
class _Held:
    """The chat templates of an image, by the paths that the engine opens; of all releases where it is not known."""

    paths: tuple[str, ...]
    """Below the working directory."""
    built_in: tuple[str, ...]
    """Files of the package that the engine finds by their name."""
    packaged: tuple[str, ...]
    """Files of the package, below the folder that Python's packages lie in."""
    sure: bool
    """Whether the image is of a known release, and so has these alone."""

    def has(self, named: str) -> bool:
        return _own(named) in self.paths or named in self.built_in or named.endswith(self.packaged)

    def lacks(self, named: str) -> bool:
        table = _templates()
        return self.sure and _own(named).startswith(f"{table['folder']}/") and named.endswith(table["suffix"])

    def meant(self, named: str) -> str | None:
        """The template whose name is almost that of a path which the image lacks; None where it is like none."""
        by_name = {each.rpartition("/")[2]: each for each in reversed((*self.paths, *self.built_in))}
        near = nearest(_own(named).rpartition("/")[2], by_name, alike=_ALIKE)
        return by_name[near] if near else None


@cache
def _held(release: str | None) -> _Held:
    table = _templates()
    packaged = _names(table["packaged"], release)
    by_name = packaged if _covers(table["foundByName"], release) else ()
    return _Held(
        tuple(f"{table['folder']}/{name}{table['suffix']}" for name in _names(table["templates"], release)),
        tuple(f"{name}{table['suffix']}" for name in by_name),
        tuple(f"{table['packages']}/{name}{table['suffix']}" for name in packaged),
        release is not None,
    )


def _names(rows: Iterable[Mapping[str, Any]], release: str | None) -> tuple[str, ...]:
    """The names of a release; those of every release where it is not known."""
    return tuple(dict.fromkeys(name for row in rows if _covers(row["versions"], release) for name in row["names"]))


def _covers(versions: str, release: str | None) -> bool:
    return release is None or SpecifierSet(versions).contains(release, prereleases=True)


def _own(named: str) -> str:
    return named.removeprefix(_templates()["workdir"]).removeprefix("./")


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
        path = text if any_word else text.rpartition("=")[2]
        if any_word or path.startswith(("/", "./", "../", "~", _BUCKET)) or path.endswith((".jinja", ".j2", ".py")):
            yield path


def _paths_of_object(text: str) -> Iterator[str]:
    try:
        named = json_value(text)
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
