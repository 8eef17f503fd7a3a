"""What both benchmarks of kills share: the random moments, the loop over pairs of kills, and the summary."""

import argparse
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Pair(NamedTuple):
    """What came of one kill of a beginning and one of an end, each run again."""

    moments: tuple[float, float]
    """Seconds after which the commands were killed."""
    cut: tuple[bool, bool]
    """Whether each still ran then."""
    differing: tuple[str, ...]
    """Objects that are not those of a clean run after the second beginning."""
    left: tuple[str, ...]
    """What is there after the second end: objects, resources of the state, processes, ports, files."""

    def text(self) -> str:
        """One line of the report."""
        moments = ", ".join(
            f"{moment:.1f} s{'' if cut else ' (over by then)'}"
            for moment, cut in zip(self.moments, self.cut, strict=True)
        )
        up = "the same objects" if not self.differing else f"differing: {', '.join(self.differing)}"
        return f"killed at {moments}: {up}, left after the end: {', '.join(self.left) or 'nothing'}"


class Subject(Protocol):
    """What is begun and ended."""

    def clean(self) -> tuple[float, float]:
        """Begins and ends it undisturbed, and keeps what is there in between; seconds of both."""
        ...

    def pair(self, moments: tuple[float, float]) -> Pair:
        """Begins and ends it, with a kill in each after so many seconds."""
        ...


def timed(step: Callable[[], object]) -> float:
    """Seconds of a step."""
    began = time.monotonic()
    step()
    return time.monotonic() - began


def kill_after(process: "subprocess.Popen[Any]", seconds: float, before: Callable[[], None] = lambda: None) -> bool:
    """Kill a process after so many seconds; whether it still ran then. `before` is called of one that does."""
    time.sleep(seconds)
    running = process.poll() is None
    if running:
        before()
    process.kill()
    process.wait()
    return running


def differing(found: Mapping[str, Any], clean: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what is in one of both alone, or is not the same."""
    return tuple(sorted(name for name in found.keys() | clean.keys() if found.get(name) != clean.get(name)))


def measure(subject: Subject, *, kills: int, skip: int, seed: int) -> list[Pair]:
    """Every pair's outcome, after a clean run that warms up and another that says how long the commands take."""
    subject.clean()
    up_s, down_s = subject.clean()
    print(f"clean: {up_s:.1f} s and {down_s:.1f} s", flush=True)
    chance = random.Random(seed)
    drawn = [(chance.random(), chance.random()) for _ in range(skip + kills)]
    pairs = []
    for number, (first, second) in enumerate(drawn[skip:], start=skip):
        pairs.append(subject.pair((0.1 + first * up_s, 0.1 + second * down_s)))
        print(number, pairs[-1].text(), flush=True)
    return pairs


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder, with the sandbox's state and all temporary files below it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        os.environ |= {"L4SERVE_STATE_DIR": str(folder / "state"), "TMPDIR": str(folder / "tmp")}
        yield folder


def main(text: str, run: Callable[[Callable[[Subject], None]], None]) -> None:
    """Read the arguments, measure the subject that `run` makes, and print the summary."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="pairs of kills")
    parser.add_argument("--skip", type=int, default=0, help="pairs of this seed that an earlier run has done")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()

    def measured(subject: Subject) -> None:
        pairs = measure(subject, kills=asked.kills, skip=asked.skip, seed=asked.seed)
        same, empty = sum(not pair.differing for pair in pairs), sum(not pair.left for pair in pairs)
        cut = [sum(pair.cut[command] for pair in pairs) for command in (0, 1)]
        print({"of": len(pairs), "killed while running": cut, "the same objects": same, "nothing left": empty})

    run(measured)
