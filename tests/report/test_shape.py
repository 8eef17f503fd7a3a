"""The document's shape: every difference keeps it, and a document from elsewhere is held to it."""

import copy
import json
from collections.abc import Callable
from typing import Any, get_args

import jsonschema
import pytest

from l4serve.cli.shell.output import json_text
from l4serve.planning.stack.edits import Effect
from l4serve.report.from_elsewhere import MOST_BYTES, read_document
from l4serve.report.shape import Lands, ShapeError, difference_schema
from tests.each_case import each
from tests.planning.difference.scenarios import SCENARIOS
from tests.report.pages import document_of

GOOD = document_of("other engine")


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_difference_has_the_published_shape(name: str) -> None:
    document = json.loads(json_text(document_of(name)))
    jsonschema.validate(document, difference_schema())
    assert read_document(json.dumps(document).encode()) == document


def test_the_words_of_a_landing_are_those_of_the_edit_table() -> None:
    assert get_args(Lands) == tuple(effect.text for effect in Effect)


def changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = copy.deepcopy(GOOD)
    change(document)
    return json.dumps(document).encode()


@each(
    [
        b"",
        b"[]",
        b'"<script>"',
        b"{" * 100_000,
        b'{"schemaVersion": NaN}',
        b" " * (MOST_BYTES + 1),
        changed(lambda d: d.pop("base")),
        changed(lambda d: d.update(extra="x")),
        changed(lambda d: d.update(schemaVersion=2)),
        changed(lambda d: d["stacks"][0].update(verdict="fine")),
        changed(lambda d: d["stacks"][0]["workloads"][0].update(lands="everywhere")),
        changed(lambda d: d["stacks"][0].update(danger=[{"kind": "x", "path": "y", "text": "z"}] * 6000)),
        changed(lambda d: d["stacks"][0]["cost"]["after"]["min"].update(usdPerHour="free")),
    ],
    str,
)
def test_a_document_of_another_shape_is_refused_without_repeating_it(content: bytes) -> None:
    with pytest.raises(ShapeError) as refused:
        read_document(content)
    assert "<script>" not in str(refused.value)
