"""Machine types by the name of their card, which people give in place of a machine."""

import re

from l4serve.planning.machines.shapes import accelerators, all_shapes

_MAKERS = frozenset({"nvidia", "tesla"})
_SHOWN = 4
"""Machines that are named of a card: the smallest, which the table has first."""


def machines_of_card(word: str) -> str:
    """The remedy for L4, H100 or nvidia-l4 where a machine is asked for; empty where the word names no card."""
    return "; ".join(f"{card} is in {_machines(card)}" for card in cards_called(word))


def cards_called(word: str) -> tuple[str, ...]:
    """The cards that a name in part means: H100 or NVIDIA_L4 without its maker, its memory or its dashes."""
    parts = set(re.split(r"[-_ ]+", word.lower())) - _MAKERS
    return tuple(card for card in accelerators() if parts and parts <= set(card.split("-")))


def _machines(card: str) -> str:
    names = [shape.name for shape in all_shapes(card)]
    return ", ".join(names[:_SHOWN]) + (" and larger ones" if len(names) > _SHOWN else "")
