"""Machine types by the name of their card, which people give in place of a machine."""

import re

from l4serve.planning.machines.shapes import accelerators, all_shapes

_MAKERS = frozenset({"nvidia", "tesla"})
_SHOWN = 4
"""Machines that are named of a card: the smallest, which the table has first."""


def machines_of_card(word: str) -> str:
    """The remedy for L4, H100 or nvidia-l4 where a machine is asked for; empty where the word names no card."""
    parts = set(re.split(r"[-_ ]+", word.lower()))
    cards = [card for card in accelerators() if parts <= set(card.split("-")) | _MAKERS] if parts - _MAKERS else []
    return "; ".join(f"{card} is in {_machines(card)}" for card in cards)


def _machines(card: str) -> str:
    names = [shape.name for shape in all_shapes(card)]
    return ", ".join(names[:_SHOWN]) + (" and larger ones" if len(names) > _SHOWN else "")
