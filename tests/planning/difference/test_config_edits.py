"""The edits between two stack files, as their paths and values tell them."""

from typing import Any

import pytest

from l4serve.planning.difference.config_edits import edits_between
from l4serve.report.shown_values import shown_edit


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"monitoring": {"alerts": {}}}, {"monitoring": {"alerts": {"via": "rules"}}}, ["monitoring.alerts.via"]),
        ({"monitoring": {"alerts": {"via": "rules"}}}, {"monitoring": {"alerts": {}}}, ["monitoring.alerts.via"]),
        ({"monitoring": {}}, {"monitoring": {"alerts": {}}}, ["monitoring.alerts"]),
        ({"cluster": {"authorizedNetworks": []}}, {"cluster": {"authorizedNetworks": [{"cidr": "a"}]}}, ["[0].cidr"]),
    ],
)
def test_an_empty_part_is_no_edit_where_its_keys_tell_it(
    before: dict[str, Any], after: dict[str, Any], told: list[str]
) -> None:
    paths = [edit.path for edit in edits_between(before, after, existing=False)]
    assert len(paths) == len(told) and all(path.endswith(end) for path, end in zip(paths, told, strict=True)), paths


def test_an_empty_mapping_is_shown_as_it_is_written() -> None:
    assert (shown_edit({}), shown_edit(None), shown_edit({"via": "rules"})) == ("{}", "unset", "via rules")
