"""Text reaches the container as it was written: what Kubernetes would replace or shorten is doubled."""

import re

from l4serve.planning.values.container_text import literal
from tests.each_case import each


def expanded(text: str) -> str:
    """What the kubelet makes of a text with no variable set, by Kubernetes' package expansion."""
    return re.sub(r"\$(\$|\(\w+\))", lambda found: "$" if found[1] == "$" else "REPLACED", text)


@each(["$(A)", "$$(A)", "$$", "$5", "a$", "$$$(A)$", "plain", "{{ x }}", "$(", "$(A B)"], str)
def test_the_kubelet_gives_back_what_was_written(text: str) -> None:
    assert expanded(literal(text)) == text


def test_ordinary_text_is_left_alone() -> None:
    assert literal("costs $5") == "costs $5"
