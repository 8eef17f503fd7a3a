"""Notices the death of a sandbox's process at once, also while the main thread waits for the network."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.progress import Progress, silent

_POLL_S = 0.5
_SIGNAL = signal.SIGUSR1


@contextmanager
def interrupted_by_death(require_alive: Callable[[], None], progress: Progress = silent) -> Iterator[None]:
    """Raises in the block, within a second, the SandboxError that `require_alive` raises once a process has ended.

    `progress` hears of the death before: what the block holds may take a while to end on a busy machine.
    Outside the main thread, where no signal can interrupt, the block runs to its own end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, found = threading.Event(), list[SandboxError]()

    def watch() -> None:
        while not over.wait(_POLL_S):
            try:
                require_alive()
            except SandboxError as error:
                if not found:
                    progress(f"{error.message.rstrip('.')}; ending the rest", 0, None)
                found.append(error)
                # Again each time until the block ends: an exception in a destructor would be lost.
                signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)

    def stop(_number: int, _frame: object) -> None:
        if not over.is_set():
            raise found[-1]

    before = signal.signal(_SIGNAL, stop)
    watcher = threading.Thread(target=watch, name="sandbox-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.signal(_SIGNAL, before)
