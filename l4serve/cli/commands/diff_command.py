"""l4serve diff: what changes between two versions of stacks, for the people served and for the bill."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from l4serve.cli.project import stack_folder
from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import print_json, redacted, tell
from l4serve.cli.shell.page_file import write_page
from l4serve.cli.subjects.base_data import base_sides, tables_of
from l4serve.cli.subjects.base_tree import Commit, GitError, compared_folder, find_commit, program_changes, write_base
from l4serve.cli.subjects.completion import complete_level, complete_ref, complete_stack
from l4serve.cli.subjects.difference_levels import DANGER, LEVELS
from l4serve.cli.subjects.sides import NOT_THERE, Side, difference, inputs_of, recipes_of, side_of, stacks_of
from l4serve.cli.subjects.stack_options import JsonOption, not_a_folder, valid_stack_name
from l4serve.config.reading.files import exists_as_file, exists_as_folder
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.stack_file import stack_name
from l4serve.config.words.spelling import one_of
from l4serve.planning.difference.difference_json import difference_json
from l4serve.planning.difference.stack_diff import StackDiff
from l4serve.planning.stack.edits import Effect
from l4serve.planning.values.figures import counted
from l4serve.report.comment import comment
from l4serve.report.page import difference_page
from l4serve.report.terminal import terminal_text

_SOME = 5


def diff(
    base: Annotated[
        str | None,
        typer.Argument(
            help="Git ref to compare with; the merge base with the default branch if left out.",
            autocompletion=complete_ref,
        ),
    ] = None,
    stack: Annotated[
        list[str] | None,
        typer.Option("--stack", "-s", help="Stack to compare; all if left out.", autocompletion=complete_stack),
    ] = None,
    old: Annotated[Path | None, typer.Option("--from", help="Stack file to compare from, instead of a ref.")] = None,
    new: Annotated[Path | None, typer.Option("--to", help="Stack file to compare to.")] = None,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the comment for a pull request.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as one page to this file.")] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on", help=f"Exit 1 from this level on: {', '.join(LEVELS)}.", autocompletion=complete_level
        ),
    ] = None,
) -> None:
    """Say what changes against a git ref: context, memory, rollout, machines and money."""
    level = _level(fail_on)
    if (old is None) != (new is None):
        raise refuse_input("--from and --to go together; give one file each")
    if as_json and markdown:
        raise refuse_input("--json and --markdown are two forms; choose one of them")
    if old is not None and new is not None:
        if base is not None or stack:
            raise refuse_input("--from and --to compare two files; leave out the ref and the stack")
        document, diffs = _of_files(old, new)
    else:
        document, diffs = _of_ref(base, stack or [])
    if html is not None:
        write_page(html, difference_page(redacted(document)))
    if as_json:
        print_json(document)
    elif markdown:
        print(comment(redacted(document)), end="")
    else:
        tell(terminal_text(redacted(document)))
    raise typer.Exit(_exit_code(diffs, level))


def _level(text: str | None) -> str | None:
    said = text.replace("-", " ") if text else None
    if said is not None and said not in LEVELS:
        raise refuse_input(f"--fail-on {excerpt(said, 100)} is not a level; {one_of(said, LEVELS)}")
    return said


def _exit_code(diffs: Sequence[StackDiff], level: str | None) -> int:
    """1 where a new side is refused, or a part lands at the level or harder, or goes; else 0."""
    if any(each.verdict == "refused" for each in diffs):
        return 1
    if level is None:
        return 0
    if level == DANGER:
        return int(any(each.dangers for each in diffs))
    least = Effect[level.upper().replace(" ", "_")]
    return int(any(part.weight >= least for each in diffs for part in each.parts))


def _of_files(old: Path, new: Path) -> tuple[dict[str, Any], list[StackDiff]]:
    for path in (old, new):
        if exists_as_folder(path):
            raise not_a_folder(path)
        if not exists_as_file(path):
            raise refuse_input(f"{path} does not exist; name a stack file that is there")
    name = stack_name(new)
    before, after = (side_of(path, recipes_of(path.parent), name) for path in (old, new))
    if before.unreadable:
        first = before.refused[0]
        raise refuse_input(
            f"{old.parent / first.place}: {first.message}\n    fix: {first.remedy or 'name a stack file'}"
        )
    diffs = [difference(name, before, after)]
    return difference_json(str(old), diffs), diffs


def _of_ref(ref: str | None, wanted: Sequence[str]) -> tuple[dict[str, Any], list[StackDiff]]:
    try:
        root = compared_folder(Path.cwd()) or stack_folder()
        commit = find_commit(root, ref)
        with tempfile.TemporaryDirectory(prefix="l4serve-base-") as scratch:
            base = Path(scratch) / "base"
            base.mkdir()
            write_base(commit, base)
            names = _names(base, root, wanted)
            changed = program_changes(commit)
            tables = tables_of(changed)
            others = _under_tables(commit, tables, names, base, Path(scratch) / "program") if tables else None
            diffs = [_one(name, base, root, others) for name in names]
            remarks = _remarks([name for name in changed if name not in tables or others is None])
            return difference_json(f"{commit.ref} ({commit.id[:12]})", diffs, remarks), diffs
    except GitError as error:
        raise refuse_input(str(error)) from None


def _names(base: Path, root: Path, wanted: Sequence[str]) -> Sequence[str]:
    known = sorted({*stacks_of(base), *stacks_of(root)})
    names = [valid_stack_name(name) for name in dict.fromkeys(wanted)] or known
    if unknown := [name for name in names if name not in known]:
        hint = one_of(unknown[0], known) if known else "l4serve init writes one"
        raise refuse_input(f"there is no stack {unknown[0]} on either side; {hint}")
    return names


def _under_tables(
    commit: Commit, tables: Sequence[str], names: Sequence[str], base: Path, scratch: Path
) -> Mapping[str, Side] | None:
    scratch.mkdir()
    files = {name: base / f"Pulumi.{name}.yaml" for name in names}
    there = {name: path for name, path in files.items() if exists_as_file(path)}
    return base_sides(commit, tables, there, recipes_of(base), scratch)


def _one(name: str, base: Path, root: Path, others: Mapping[str, Side] | None) -> StackDiff:
    """The difference of one stack; `others` are the base's sides where tables of the program differ."""
    old, new = (folder / f"Pulumi.{name}.yaml" for folder in (base, root))
    after = side_of(new, recipes_of(root))
    if not exists_as_file(old):
        return difference(name, NOT_THERE, after)
    if others is not None:
        return difference(name, others[name], after)
    inputs = inputs_of(new, recipes_of(root)) if exists_as_file(new) else None
    if inputs is not None and inputs == inputs_of(old, recipes_of(base)):
        return difference(name, after, after)
    return difference(name, side_of(old, recipes_of(base)), after)


def _remarks(changed: Sequence[str]) -> list[str]:
    """What a reader must know where the program itself is another one."""
    if not changed:
        return []
    some = ", ".join(changed[:_SOME]) + (f" and {len(changed) - _SOME} more" if len(changed) > _SOME else "")
    return [
        f"{counted(len(changed), 'file')} of the program differ from the base ({some}); both sides are "
        "planned by the program of this tree, so effects of changed code are not shown"
    ]
