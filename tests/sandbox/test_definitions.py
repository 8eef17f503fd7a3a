"""The kinds that the sandbox serves: copied from the modules that are pinned, or GKE's own by what is used of them."""

import re

import pytest
import yaml

from l4serve.sandbox.paths import CRDS
from scripts.copy_definitions import COPIED, PINS, without_prose
from tests.each_case import each

MADE_HERE = {
    "autoscalingmetrics", "computeclasses", "gcpbackendpolicies", "healthcheckpolicies", "secretproviderclasses",
    "secretsyncs",
}  # fmt: skip


def test_each_definition_is_copied_or_said_to_be_made_here() -> None:
    copied = {plural for _, plurals in COPIED.values() for plural in plurals}
    assert {path.stem for path in CRDS.glob("*.yaml")} == copied | MADE_HERE


@pytest.mark.parametrize("module", COPIED)
def test_a_copy_is_of_the_pinned_version(module: str) -> None:
    (pinned,) = re.findall(rf"^\s+{re.escape(module)} (v\S+)$", (PINS / "go.mod").read_text("utf-8"), re.MULTILINE)
    assert f"{module} {pinned} h1:" in (PINS / "go.sum").read_text("utf-8")
    pattern, plurals = COPIED[module]
    for plural in plurals:
        first = (CRDS / f"{plural}.yaml").read_text("utf-8").splitlines()[0]
        assert first.startswith(f"# {module} {pinned}, {pattern.format(plural)}:")


@pytest.mark.slow
@each(sorted(path.stem for path in CRDS.glob("*.yaml")), str)
def test_a_definition_names_its_kind_and_holds_no_prose(name: str) -> None:
    document = yaml.safe_load((CRDS / f"{name}.yaml").read_text("utf-8"))
    assert document["metadata"]["name"] == f"{name}.{document['spec']['group']}"
    assert without_prose(document) == document
