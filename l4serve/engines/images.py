"""What a container image's name says of the release in it, and whether a release exists, as facts for rules."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.engines.contract import contract_versions, load_contract
from l4serve.engines.profile import engine_kinds

_RELEASE = re.compile(r"v?(\d+\.\d+(?:\.\d+)*)(?:[-_.+].*)?")


@cache
def image_facts(kind: str, requested: str, image: str | None) -> Mapping[str, Any]:
    """Facts of an image in place of the release's own; None is unknown.

    Only repositories of the engines themselves, or mirrors that keep their path, are judged: a tag elsewhere numbers
    what its publisher likes.
    """
    repository, tag, pinned = _parts(image) if image else ("", None, False)
    engine = next((e for e in engine_kinds() if f"/{repository}".endswith(f"/{_repository(e)}")), None)
    own = engine == kind
    named = _RELEASE.fullmatch(tag) if own and tag else None
    release = named.group(1) if named else None
    wanted = requested.removeprefix("v")
    return {
        "requested": wanted,
        "image.engine": engine,
        "image.release": release,
        "image.agrees": f"{release}.".startswith(f"{wanted}.") if release else None,
        "image.moves": True if own and release is None and not pinned else None,
    }


@cache
def release_facts(kind: str, requested: str) -> Mapping[str, Any]:
    """Whether a release or series exists, and the newest one before it where it does not; None when too new to know."""
    known, text = sorted(map(Version, _releases()[kind]["releases"])), requested.removeprefix("v")
    wanted = Version(text)
    judged = known[0] <= wanted <= known[-1] and not (wanted.is_prerelease or wanted.is_postrelease)
    exists = any(f"{release}.".startswith(f"{text}.") for release in known) if judged else None
    nearest = max((release for release in known if release < wanted), default=None)
    return {"release.exists": exists, "release.nearest": str(nearest) if exists is False else None}


@cache
def _releases() -> Mapping[str, Mapping[str, Any]]:
    table: Mapping[str, Mapping[str, Any]] = load_data(__file__, "releases.yaml")
    return table


@cache
def _repository(kind: str) -> str:
    """Path of the engine's own images in their registry."""
    image = load_contract(kind, contract_versions(kind)[-1]).image
    return image.rpartition(":")[0].partition("/")[2]


def _parts(image: str) -> tuple[str, str | None, bool]:
    """Repository, tag and whether a digest pins the image; a port in the registry's name is no tag."""
    name, _, digest = image.partition("@")
    head, colon, last = name.rpartition(":")
    repository, tag = (head, last) if colon and "/" not in last else (name, None)
    return repository, tag, bool(digest)
