"""The stack files of a git commit, with the recipes and model configs that they name, in a folder of their own.

Nothing of the commit runs and no hook, filter or text conversion of the repository takes part: blobs are read by their
ids and written under names that are checked first. Links are left out.
"""

import hashlib
import os
import posixpath
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from l4serve.cli.project import STACK_NAME
from l4serve.config.frozen import frozen
from l4serve.config.reading.files import MOST_JSON_BYTES, FileRefusedError, read_bytes
from l4serve.config.reading.yaml_reader import MOST_BYTES, YamlError, read_yaml
from l4serve.config.secrecy.secret_shapes import excerpt

STACK_FILE = re.compile(rf"Pulumi\.({STACK_NAME})\.yaml", re.ASCII)
RECIPES = "stacks/recipes"
_RECIPE_FILE = re.compile(rf"{RECIPES}/[A-Za-z0-9_.-]{{1,100}}\.yaml", re.ASCII)
_DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_PROGRAM = ("__main__.py", "components", "l4serve", "stacks")
_REGULAR = (b"100644", b"100755")
_GIT_S = 60
_MOST_TOGETHER = 32 * 2**20
"""Bytes of all files that are read of a commit at once."""


class GitError(ValueError):
    """A base that cannot be had; the message says why and what to do."""


@frozen()
class Commit:
    """A commit of the repository that a folder is in."""

    root: Path
    """The folder with the stack files, in the working tree."""
    ref: str
    """As it was asked for."""
    id: str


def compared_folder(here: Path) -> Path | None:
    """The nearest folder at or above one, inside its repository, that has stack files, or had them in HEAD."""
    done = _git(here, "rev-parse", "--show-toplevel")
    if done.returncode:
        return None
    top = Path(os.fsdecode(done.stdout.rstrip(b"\n")))
    inside = (folder for folder in (here, *here.parents) if folder.is_relative_to(top))
    return next((folder for folder in inside if any(folder.glob("Pulumi.*.yaml")) or _had_stacks(folder)), None)


def _had_stacks(folder: Path) -> bool:
    done = _git(folder, "ls-tree", "--name-only", "-z", "HEAD", ".")
    return any(STACK_FILE.fullmatch(name.decode("utf-8", "replace")) for name in done.stdout.split(b"\0"))


def names_of_commits(folder: Path) -> list[str]:
    """Branches and tags of the repository that a folder is in. Raises GitError where there is no git."""
    done = _git(folder, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
    return done.stdout.decode().splitlines()


def find_commit(root: Path, ref: str | None) -> Commit:
    """The commit that a ref names; without one, where HEAD left the default branch. Raises GitError."""
    if _git(root, "rev-parse", "--git-dir").returncode:
        raise GitError(f"{root} is in no git repository\n    fix: compare two files: l4serve diff --from A --to B")
    if ref is None:
        return _merge_base(root)
    found = _commit_id(root, ref)
    if found is None:
        raise GitError(
            f"{excerpt(ref, 200)!r} names no commit of this repository\n    fix: name a branch, a tag or a commit"
        )
    return Commit(root, ref, found)


def _merge_base(root: Path) -> Commit:
    known = next((name for name in _DEFAULT_BRANCHES if _commit_id(root, name)), None)
    if known is None:
        tried = ", ".join(_DEFAULT_BRANCHES)
        raise GitError(f"there is no default branch here (tried {tried})\n    fix: name the base: l4serve diff BASE")
    done = _git(root, "merge-base", "--end-of-options", known, "HEAD")
    if done.returncode:
        raise GitError(f"HEAD and {known} have no commit in common\n    fix: fetch more history, or name the base")
    return Commit(root, f"merge base with {known}", done.stdout.decode().strip())


def _commit_id(root: Path, ref: str) -> str | None:
    if not ref or "\0" in ref or len(ref) > 1000:
        return None
    done = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return done.stdout.decode().strip() if done.returncode == 0 else None


def write_base(commit: Commit, folder: Path) -> None:
    """Writes the commit's stack files, recipes and the model configs that they name into a folder. Raises GitError."""
    blobs = _blobs(commit)
    wanted = [path for path in blobs if STACK_FILE.fullmatch(path) or _RECIPE_FILE.fullmatch(path)]
    texts = dict(_read(commit, blobs, wanted))
    configs = {path for text in texts.values() for path in named_configs(text)} & blobs.keys()
    texts |= dict(_read(commit, blobs, sorted(configs)))
    for path, content in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def read_files(commit: Commit, paths: Iterable[str]) -> dict[str, bytes]:
    """The regular files of a commit at these paths, whole; those that it does not have are left out."""
    blobs = _blobs(commit)
    return dict(_read(commit, blobs, [path for path in paths if path in blobs], most=_MOST_TOGETHER))


def named_configs(text: bytes) -> Iterator[str]:
    """Paths below the stack file's folder that `model.config` names, in a stack file or a recipe."""
    try:
        document = read_yaml(text)
    except YamlError:
        return
    for value in _configs(document):
        path = posixpath.normpath(value)
        if not path.startswith(("/", "..")) and "\0" not in path:
            yield path


def _configs(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        model = value.get("model")
        if isinstance(model, Mapping) and isinstance(model.get("config"), str):
            yield model["config"]
        for inner in value.values():
            yield from _configs(inner)


def program_changes(commit: Commit) -> tuple[str, ...]:
    """Files of the program itself, its data included, that differ between the commit and the working tree.

    Git itself would run the filters that the repository's own config names: files are read and hashed here.
    """
    then = {path: blob for path, blob in _blobs(commit).items() if path.partition("/")[0] in _PROGRAM}
    listed = _git(commit.root, "ls-files", "-z", "--", *_PROGRAM).stdout.split(b"\0")
    tracked = {name.decode("utf-8", "surrogateescape") for name in listed if name}
    changed = (
        path for path in sorted({*then, *tracked}) if then.get(path) not in _ids(commit.root / path, len(commit.id))
    )
    return tuple(path for path in changed if f"{RECIPES}/" not in path)


def _ids(file: Path, digits: int) -> Iterator[str | None]:
    """The ids that git gives a regular file: as it lies there, and with the line ends that it is stored with."""
    try:
        content = read_bytes(file, _MOST_TOGETHER)
    except FileRefusedError:
        return
    for stored in (content, content.replace(b"\r\n", b"\n")):
        yield hashlib.new("sha1" if digits == 40 else "sha256", b"blob %d\0" % len(stored) + stored).hexdigest()


def _blobs(commit: Commit) -> Mapping[str, str]:
    """Ids of the regular files below the root, by their path from there."""
    done = _git(commit.root, "ls-tree", "-r", "-z", "--end-of-options", commit.id, ".")
    if done.returncode:
        raise GitError(f"the files of {commit.id[:12]} cannot be listed\n    fix: fetch the commit whole")
    found = {}
    for entry in done.stdout.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        mode, kind, blob = (*head.split(), b"", b"", b"")[:3]
        if mode in _REGULAR and kind == b"blob":
            found[path.decode("utf-8", "surrogateescape")] = blob.decode()
    return found


def _read(
    commit: Commit, blobs: Mapping[str, str], paths: Iterable[str], most: int = max(MOST_BYTES, MOST_JSON_BYTES) + 1
) -> Iterator[tuple[str, bytes]]:
    """The content of files; of one larger than any reader takes as many blanks, so that its reader refuses it."""
    sizes = _sizes(commit, blobs, paths)
    taken = [path for path, size in sizes.items() if size < most]
    if sum(sizes[path] for path in taken) > _MOST_TOGETHER:
        what = f"the files of {commit.id[:12]} are larger than {_MOST_TOGETHER // 2**20} MiB together"
        raise GitError(f"{what}\n    fix: name a base with smaller ones")
    if large := sizes.keys() - {*taken}:
        yield from dict.fromkeys(large, b"\n" * most).items()
    done = _git(commit.root, "cat-file", "--batch", stdin=_asked(blobs, taken)) if taken else None
    content = done.stdout if done and not done.returncode else b""
    start = 0
    for path in taken:
        start = content.find(b"\n", start) + 1
        end = start + sizes[path]
        if not start or len(content) <= end:
            raise _unread(commit, path)
        yield path, content[start:end]
        start = end + 1


def _sizes(commit: Commit, blobs: Mapping[str, str], paths: Iterable[str]) -> dict[str, int]:
    """The sizes of files in bytes, asked for before any is read."""
    paths = list(paths)
    done = _git(commit.root, "cat-file", "--batch-check", stdin=_asked(blobs, paths)) if paths else None
    lines = done.stdout.splitlines() if done and not done.returncode else []
    sizes = {}
    for number, path in enumerate(paths):
        fields = lines[number].split() if number < len(lines) else []
        if len(fields) != 3:
            raise _unread(commit, path)
        sizes[path] = int(fields[2])
    return sizes


def _asked(blobs: Mapping[str, str], paths: Iterable[str]) -> bytes:
    return "".join(f"{blobs[path]}\n" for path in paths).encode()


def _unread(commit: Commit, path: str) -> GitError:
    shown = repr(excerpt(path, 200))
    return GitError(f"{shown} of {commit.id[:12]} cannot be read\n    fix: fetch the commit whole")


def _git(root: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A plumbing command that reads and asks nobody. Raises GitError where there is no git."""
    options = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", *options, *arguments], cwd=root, input=stdin, capture_output=True, timeout=_GIT_S,
            env={**os.environ, **quiet}, check=False,
        )  # fmt: skip
    except OSError:  # Also what PATH names may be no folder, or too long.
        raise GitError(
            "git is not on PATH, or cannot be run\n    fix: install it, or compare two files: --from A --to B"
        ) from None
    except subprocess.TimeoutExpired:
        raise GitError(
            f"git {arguments[0]} took longer than {_GIT_S} s\n    fix: try again, or compare two files: --from A --to B"
        ) from None
