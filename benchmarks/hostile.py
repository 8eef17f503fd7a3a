"""Attacks the command line with generated inputs and planted secrets, and says what came of each kind.

Each case runs in a process forked from one that has loaded the commands, so that time and memory are its own.
`python -m benchmarks.hostile` prints the table of docs/security.md; it exits 1 where a bound is broken.
"""

import argparse
import importlib
import os
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hostility.every_place import every_place
from benchmarks.hostility.inputs import Case, cases
from benchmarks.hostility.many import many
from benchmarks.hostility.odd_places import other_kinds, sandbox_files
from benchmarks.hostility.ordinary import ordinary
from benchmarks.hostility.other_commands import other_commands
from benchmarks.hostility.planted import planted
from l4serve.cli.app import app

MOST_SECONDS = 2.0
MOST_BYTES = 300 * 2**20
MANY = 60
"""Cases of very many parts: each of their kind under four commands, and each command on several kinds."""
_HANGS_AFTER = 20
_COLUMNS = ("tracebacks", "over a limit", "raw characters", "secrets", "refused wrongly", "slowest, s", "largest, MiB")
_RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_COMMAND = re.compile(r"^\s*::|##\[", re.M)


@dataclass(frozen=True)
class Outcome:
    """What a command did with one case."""

    case: Case
    faults: tuple[str, ...]
    seconds: float
    peak_bytes: int
    output: str


for _command in ("verify_command", "sandbox_commands", "render_command"):
    importlib.import_module(f"l4serve.cli.commands.{_command}")


def run(case: Case) -> Outcome:
    """Runs a case in a process of its own and judges what it printed, wrote, took."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name) / "input"
        folder.mkdir()
        case.prepare(folder)
        out, err = Path(name) / "out", Path(name) / "err"
        given = set(Path(name).rglob("*"))
        pid = os.fork()
        if pid == 0:
            _child(case, folder, out, err)
        status, usage, arguments = _wait(pid)
        printed = out.read_bytes().decode("utf-8", "replace") + err.read_bytes().decode("utf-8", "replace")
        left = [*_holding(case.secret, {*Path(name).rglob("*")} - given - {out, err})]
    # A forked process begins with its parent's pages: they count, as they would for a command of its own.
    seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
    faults = [*_faults(case, status, seconds, peak, printed), *left]
    if case.secret and any(case.secret in argument for argument in arguments):
        faults.append("secret in the arguments of a process")
    return Outcome(case, tuple(faults), seconds, peak, printed)


def _holding(secret: str | None, files: Iterable[Path]) -> Iterable[str]:
    """A fault for each file, of those that a command made, that holds the secret in its name or content."""
    for path in files:
        if secret and (secret in path.name or (path.is_file() and secret.encode() in path.read_bytes())):
            yield f"secret in the file {path.suffix or path.name}"


def _child(case: Case, folder: Path, out: Path, err: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_HANGS_AFTER, _HANGS_AFTER))
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
    for path, number in ((out, 1), (err, 2)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(handle, number)
    home = folder.parent / "home"
    home.mkdir()
    os.environ |= dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME"), str(home))
    os.environ |= {"HF_ENDPOINT": "http://127.0.0.1:9", "COLUMNS": "100"}
    os.environ |= {name: value.replace("{}", str(folder)) for name, value in case.environment.items()}
    os.chdir(home)
    sys.argv = ["l4serve", *(argument.replace("{}", str(folder)) for argument in case.argv)]
    code = 70
    try:
        app(args=sys.argv[1:])
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int) -> tuple[int, resource.struct_rusage, set[str]]:
    """The status and usage of a child, and the arguments of all processes that it started while it ran."""
    deadline = time.monotonic() + 10 * _HANGS_AFTER
    arguments: set[str] = set()
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), usage, arguments
        arguments.update(_arguments_below(pid))
        if time.monotonic() > deadline:
            os.kill(pid, 9)
        time.sleep(0.002)


def _arguments_below(pid: int) -> Iterable[str]:
    """The command lines, as anybody on the machine sees them, of the processes that one started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        try:
            yield Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        yield from _arguments_below(int(child))


def _faults(case: Case, status: int, seconds: float, peak: int, printed: str) -> Iterable[str]:
    if status not in (0, 1, 2):
        yield f"ended with {status}"
    if "Traceback (most recent call last)" in printed:
        yield "traceback"
    if "this is a bug in l4serve" in printed:
        yield "unforeseen"
    if seconds > MOST_SECONDS:
        yield f"took {seconds:.1f} s"
    if peak > MOST_BYTES:
        yield f"took {peak / 2**20:.0f} MiB"
    if found := _RAW.search(printed):
        yield f"raw U+{ord(found[0]):04X}"
    if _COMMAND.search(printed):
        yield "workflow command"
    if case.secret and case.secret in printed:
        yield "secret printed"
    if case.passes and (status or "[hidden]" in printed):
        yield "refused or hidden"


def all_cases(rng: random.Random, per_kind: int, most: int = MANY) -> Iterable[Case]:
    """The cases of every kind; of those that are generated `per_kind` each, of very many parts `most`."""
    yield from cases(rng, per_kind)
    yield from other_kinds(rng, per_kind)
    yield from sandbox_files()
    yield from other_commands(rng, per_kind)
    yield from planted(rng)
    yield from ordinary(rng)
    yield from many(rng, most)
    yield from every_place(rng, per_kind)


def main() -> None:
    """Runs all cases and prints a row per kind; with --show every fault with its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-kind", type=int, default=110)
    parser.add_argument("--kinds", default="", help="run those alone whose kind this pattern matches")
    parser.add_argument("--show", action="store_true", help="print what was printed for each fault")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    outcomes = [run(case) for case in all_cases(rng, options.per_kind) if re.search(options.kinds, case.kind)]
    kinds = Counter(outcome.case.kind for outcome in outcomes)
    print(f"| kind | inputs | {' | '.join(_COLUMNS)} |\n|{'---|' * (2 + len(_COLUMNS))}")
    for kind, count in kinds.items():
        own = [outcome for outcome in outcomes if outcome.case.kind == kind]
        print(f"| {kind} | {count} | {_row(own)} |")
    print(f"| all | {len(outcomes)} | {_row(outcomes)} |")
    broken = [outcome for outcome in outcomes if outcome.faults]
    for outcome in broken if options.show else ():
        print(outcome.faults, outcome.case, repr(outcome.output[:1500]), sep="\n  ", file=sys.stderr)
    raise SystemExit(1 if broken else 0)


def _row(outcomes: list[Outcome]) -> str:
    def count(*words: str) -> int:
        return sum(any(fault.startswith(words) for fault in outcome.faults) for outcome in outcomes)

    bounds = (("traceback", "unforeseen", "ended"), ("took",), ("raw", "workflow"), ("secret",), ("refused",))
    figures = tuple(count(*words) for words in bounds)
    slowest, largest = max(o.seconds for o in outcomes), max(o.peak_bytes for o in outcomes)
    return " | ".join((*map(str, figures), f"{slowest:.2f}", f"{largest / 2**20:.0f}"))


if __name__ == "__main__":
    main()
