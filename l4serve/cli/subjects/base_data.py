"""Plans stacks with the tables of another commit: its data under the code of this program, in a process of its own."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import l4serve
from l4serve.cli.subjects.base_tree import Commit, read_files
from l4serve.cli.subjects.sides import Side, side_of

PACKAGE = Path(l4serve.__file__).resolve().parent
_SUFFIXES = (".yaml", ".json")
_PLAN_S = 300


def tables_of(changed: Sequence[str]) -> tuple[str, ...]:
    """The program's tables among its changed files, as paths from the project's folder.

    Nothing of a folder of compiled files is one: those folders are linked, and a file written there would land in ours.
    """
    tables = (name for name in changed if name.startswith("l4serve/") and name.endswith(_SUFFIXES))
    return tuple(name for name in tables if "__pycache__" not in name.split("/"))


def base_sides(
    commit: Commit, tables: Sequence[str], stacks: Mapping[str, Path], recipes: Path, scratch: Path
) -> Mapping[str, Side] | None:
    """The sides of stack files under the commit's tables, by stack.

    None where the tables are not of this installation, or its code cannot read them.
    """
    if commit.root.resolve() != PACKAGE.parent:
        return None
    asked, answer = scratch / "asked.json", scratch / "sides.pickle"
    asked.write_text(json.dumps({name: str(path) for name, path in stacks.items()}), encoding="utf-8")
    command = "import sys; from l4serve.cli.subjects.base_data import answer; answer(*sys.argv[1:])"
    argv = [sys.executable, "-P", "-c", command, str(asked), str(recipes), str(answer)]
    there = {**os.environ, "PYTHONPATH": str(scratch)}
    contents = read_files(commit, tables)
    try:
        # The commit may have a folder where a file of this program is.
        _overlay(scratch, contents, tables)
        subprocess.run(argv, cwd=scratch, env=there, capture_output=True, timeout=_PLAN_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    sides: Mapping[str, Side] = pickle.loads(answer.read_bytes())  # noqa: S301 - written by our own code a moment ago
    return sides


def answer(asked: str, recipes: str, target: str) -> None:
    """What the other process does: plans each stack file and leaves the sides."""
    stacks = json.loads(Path(asked).read_text("utf-8"))
    sides = {name: side_of(Path(path), Path(recipes)) for name, path in stacks.items()}
    Path(target).write_bytes(pickle.dumps(sides))


def _overlay(scratch: Path, contents: Mapping[str, bytes], tables: Sequence[str]) -> None:
    """A package that is this one by links, its compiled files too, with other tables in place of some."""
    for folder, folders, files in os.walk(PACKAGE):
        here = scratch / "l4serve" / Path(folder).relative_to(PACKAGE)
        here.mkdir(parents=True)
        linked = [*files, *(name for name in folders if name == "__pycache__")]
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in linked:
            (here / name).symlink_to(Path(folder) / name)
    (scratch / "stacks").symlink_to(PACKAGE.parent / "stacks")
    for name in tables:
        (scratch / name).unlink(missing_ok=True)
    for name, content in contents.items():
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes(content)
