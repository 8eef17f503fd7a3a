"""The drawing of a rollout has an old pod where there was one."""

from xml.etree import ElementTree

import pytest

from l4serve.report.pictures import rollout


def _drawn(*, lands: str, before: int, after: int) -> str:
    facts = {"rollout": {"maxSurge": 1}, "startupSeconds": 600}
    sides = {"before": {**facts, "replicas": before}, "after": {**facts, "replicas": after}}
    drawing = rollout({"name": "chat", "lands": lands, **sides})
    assert drawing is not None
    return ElementTree.tostring(drawing, encoding="unicode")


@pytest.mark.parametrize(
    ("lands", "before", "after", "old"),
    [
        ("pod restart", 1, 3, 1),
        ("pod restart", 3, 3, 3),
        ("pod restart", 3, 2, 2),
        ("scale", 1, 3, 3),  # no pod changes; a later rollout passes through all of them
    ],
)
def test_a_pod_that_is_added_replaces_none(lands: str, before: int, after: int, old: int) -> None:
    drawing = _drawn(lands=lands, before=before, after=after)
    assert drawing.count("the old pod serves") == old
    assert drawing.count("the new pod loads") == after
