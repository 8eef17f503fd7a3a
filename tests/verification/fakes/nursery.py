"""Starts the fakes as forks of itself, so that each is there within milliseconds; an interpreter takes many more.

A line of standard input is JSON: a list of a fake's name and its arguments starts a process and is answered with the
process and its port; a number ends that process. All end when standard input closes, so also when the tests die.
"""

import json
import os
import signal
import sys
from collections.abc import Callable

import fake_kube
import fake_tgi
import fake_vllm

FAKES: dict[str, Callable[..., int]] = {"vllm": fake_vllm.start, "tgi": fake_tgi.start, "kube": fake_kube.start}


def born(name: str, args: list[str], alive: tuple[int, int]) -> tuple[int, int]:
    """The process and the port of a new fake; it ends when the nursery lets go of its end of `alive`."""
    told, tell = os.pipe()
    process = os.fork()
    if process:
        os.close(tell)
        with os.fdopen(told) as answer:
            return process, int(answer.readline())
    os.close(alive[1])
    port = FAKES[name](*args)
    os.write(tell, f"{port}\n".encode())
    os.read(alive[0], 1)
    os._exit(0)


def main() -> None:
    alive = os.pipe()
    living: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, int):
            os.kill(asked, signal.SIGKILL)
            os.waitpid(asked, 0)
            living.remove(asked)
            print(flush=True)
            continue
        process, port = born(asked[0], asked[1:], alive)
        living.add(process)
        print(process, port, flush=True)
    for process in living:
        os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
