"""Where the project is, and which stacks it has."""

import os
from collections.abc import Callable
from pathlib import Path

LONGEST_STACK_NAME = 100
STACK_NAME = rf"[A-Za-z0-9_.-]{{1,{LONGEST_STACK_NAME}}}"
"""What a stack may be called, as a pattern of ASCII."""
OWN_PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds this package, and in a clone the program and its stacks."""


def stack_names(root: Path) -> tuple[str, ...]:
    """The stacks of a project, by their files, sorted."""
    return tuple(sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in root.glob("Pulumi.*.yaml")))


def project_root() -> Path:
    """The folder of the project: the nearest one at or above the working directory with its Pulumi.yaml."""
    return _nearest(lambda folder: (folder / "Pulumi.yaml").is_file() and (folder / "stacks").is_dir()) or OWN_PROJECT


def is_elsewhere() -> bool:
    """Whether nobody stands in a project, so that this program's own one is read: nothing may be written there."""
    return project_root() == OWN_PROJECT and not Path.cwd().is_relative_to(OWN_PROJECT)


def stack_folder() -> Path:
    """The nearest folder at or above the working directory that holds stack files, else the project's."""
    return _nearest(lambda folder: any(folder.glob("Pulumi.*.yaml"))) or project_root()


def folder_of(file: Path | None) -> Path:
    """The folder of a stack file, links followed; of None, a stack by its name, that of the project."""
    # Path.resolve raises where links go round in a circle.
    return Path(os.path.realpath(file)).parent if file is not None else project_root()


def stack_path(stack: str | None, file: Path | None) -> Path:
    """The file of a stack, which is named by itself or by its name in the project."""
    return file if file is not None else project_root() / f"Pulumi.{stack}.yaml"


def is_own(path: Path) -> bool:
    """Whether a stack file, links followed, is one of this installation's own project.

    What a project or a repository inside it holds, such as a fork's worktree, is not.
    """
    folder = folder_of(path)
    home = next((each for each in (folder, *folder.parents) if _is_a_project(each)), None)
    return home == OWN_PROJECT


def _is_a_project(folder: Path) -> bool:
    return (folder / "Pulumi.yaml").is_file() or (folder / ".git").exists()


def _nearest(is_it: Callable[[Path], bool]) -> Path | None:
    here = Path.cwd()
    return next(filter(is_it, (here, *here.parents)), None)
