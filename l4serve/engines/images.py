"""What an image's name says of the release in it, what GKE needs that the image lacks, and whether a release exists."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.config.refusals.problems import Problem
from l4serve.engines.case import Case
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.releases.profile import engine_kinds

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
    known, text = [*map(Version, contract_versions(kind))], requested.removeprefix("v")
    wanted = Version(text)
    judged = known[0] <= wanted <= known[-1] and not (wanted.is_prerelease or wanted.is_postrelease)
    exists = any(f"{release}.".startswith(f"{text}.") for release in known) if judged else None
    nearest = max((release for release in known if release <= wanted), default=None)
    return {"release.exists": exists, "release.nearest": str(nearest) if exists is False else None}


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


def image_env(kind: str, image: str | None, contract: Contract) -> Mapping[str, str]:
    """Variables that the release's own image needs on GKE; empty for an image of another repository, which may differ.

    GKE mounts the driver in a folder that some releases' images do not search: without it no GPU is found.
    """
    if contract.image_facts.finds_driver or not is_own(kind, image):
        return {}
    driver = _needs()["driver"]
    return {driver["variable"]: driver["folder"]}


def driver_problem(case: Case) -> Problem | None:
    """What is wrong with a search path of the user's own that leaves out the folder of GKE's driver, or may.

    It takes the place of the image's own path, by which the release's image finds the driver where it does.
    """
    driver, contract = _needs()["driver"], case.contract
    name, folder = driver["variable"], driver["folder"]
    if not is_own(case.engine.kind, case.engine.image):
        return None
    if name in case.env:
        what = (
            f"the image of {contract.name} finds GKE's driver by {folder} in this variable, and nobody knows its value"
        )
        return Problem(f"env.{name}", what, f"write its value in extraEnv.{name}, with {folder} in it")
    given = case.extra_env.get(name)
    if given is None or folder in given.split(":"):
        return None
    return Problem(
        f"extraEnv.{name}",
        f"the image of {contract.name} finds GKE's driver by {folder} in this variable, and this value leaves it out: "
        "the server finds no GPU",
        f"set extraEnv.{name}: {':'.join(filter(None, (given, folder)))}",
    )


def needed_driver(kind: str, image: str | None, contract: Contract) -> int | None:
    """The oldest driver that the release's own image runs with; None is unknown, as for one of another repository."""
    cuda = contract.image_facts.cuda
    if cuda is None or not is_own(kind, image):
        return None
    driver: int | None = _needs()["cuda"]["minimumDriver"].get(int(cuda.partition(".")[0]))
    return driver


def lacked_packages(kind: str, image: str | None, contract: Contract) -> tuple[Mapping[str, Any], ...]:
    """Rows of the options, some with one value alone, whose package the release's own image lacks."""
    return _lacked(kind, contract.image_facts.packages) if is_own(kind, image) else ()


def package_problem(path: str, need: Mapping[str, Any], contract: Contract) -> Problem:
    """What is wrong with an option that needs a package which the image lacks."""
    what = f"{need['flag']}={need['value']}" if "value" in need else need["flag"]
    return Problem(
        path,
        f"{what} needs {need['package']}, which the image of {contract.name} lacks: the server stops",
        f"remove it, or use an image of your own that has the package ({need['source']})",
    )


@cache
def _lacked(kind: str, packages: frozenset[str]) -> tuple[Mapping[str, Any], ...]:
    """Options that need a package which is not among these."""
    return tuple(need for need in _needs()["packages"].get(kind, ()) if need["package"] not in packages)


@cache
def is_own(kind: str, image: str | None) -> bool:
    """Whether the image is the engine's own, by default or by its name."""
    return image is None or f"/{_parts(image)[0]}".endswith(f"/{_repository(kind)}")


@cache
def _needs() -> Mapping[str, Any]:
    needs: Mapping[str, Any] = load_data(__file__, "image_needs.yaml")
    return needs
