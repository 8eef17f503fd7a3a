"""Ends cleanly on the signals that ask a command to end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_ALL = (signal.SIGINT, *_ENDING)
_Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def ending_signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit, as SIGINT raises KeyboardInterrupt, so that cleaning up runs."""
    with _handlers(_ENDING, _exit):
        yield


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Nothing interrupts what is inside: a second Ctrl-C must not leave half of the processes running."""
    with _handlers(_ALL, signal.SIG_IGN):
        yield


@contextmanager
def _handlers(signals: tuple[signal.Signals, ...], handler: _Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
