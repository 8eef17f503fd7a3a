"""Steps in a row that nothing but the growing cache changes: how long so many take, and which of them runs when."""

from __future__ import annotations

from math import ceil, sqrt


def stretch(least: float, first: float, growing: float, count: int) -> float:
    """Seconds of so many steps in a row, of which the card's work takes so long in the first and each time so much
    more, and the host's no less in any."""
    short = least - first
    by_host = 0 if short <= 0 else min(count, ceil(short / growing)) if growing else count
    rest = count - by_host
    return by_host * least + rest * (first + growing * by_host) + growing * rest * (rest - 1) / 2


def steps_until(least: float, first: float, growing: float, seconds: float) -> int:
    """Steps of such a row after which so many seconds have passed; the last of them runs at that moment."""
    short = least - first
    by_host = ceil(short / growing) if short > 0 and growing else 0
    if short > 0 and (not by_host or seconds < by_host * least):
        return int(seconds / least) + 1
    rest, each = seconds - by_host * least, first + growing * by_host
    if not growing:
        return int(rest / each) + 1
    half = each - growing / 2
    return by_host + int((sqrt(half * half + 2 * growing * rest) - half) / growing) + 1
