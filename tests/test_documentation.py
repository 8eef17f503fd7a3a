"""Every page of the documentation has its place, every link and anchor leads somewhere, decisions are numbered."""

import re
from pathlib import Path

import pytest
import yaml

from l4serve.config.stack_file import PROJECT
from scripts.release_notes import NoReleaseError, notes
from tests.each_case import each
from tests.stack_cases import ROOT

DOCS = ROOT / "docs"
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / ".github").rglob("*.md")), *sorted(DOCS.rglob("*.md")))
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
"""Of a page or of a picture."""
DECISION = re.compile(r"Decision (\d+), (\d{4}-\d{2}-\d{2}), (accepted|superseded by \d+)\.")


def prose(page: Path) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S), re.M)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", h.replace("`", "")).strip().lower()) for h in headings}


@each(PAGES, lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8"))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.parent.name != "decisions"}
    assert pages - set(listed) == set()
    assert yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["strict"] is True


def test_the_template_keeps_the_name_that_the_keys_begin_with() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))
    assert project["name"] == PROJECT
    assert list(project["template"]["config"]) == ["gcp:project"]
    assert PROJECT in project["template"]["description"]


def test_every_example_has_its_place_in_the_how_to() -> None:
    how_to = (DOCS / "how-to.md").read_text("utf-8")
    examples = [f"examples/{file.name}" for file in (ROOT / "examples").glob("Pulumi.*.yaml")]
    assert [example for example in examples if example not in how_to] == []
    assert set(re.findall(r"examples/Pulumi\.[a-z0-9-]+\.yaml", how_to)) == set(examples)


def test_decisions_have_number_date_status_and_stand_in_the_index() -> None:
    index, numbers = (DOCS / "decisions" / "index.md").read_text("utf-8"), []
    for page in sorted((DOCS / "decisions").glob("*.md")):
        if page.name == "index.md":
            continue
        found = DECISION.search(page.read_text("utf-8"))
        assert found, page.name
        numbers.append(int(found[1]))
        assert re.search(rf"^\| {found[1]} \| \[[^\]]+\]\({re.escape(page.name)}\) \| {found[2]} \|", index, re.M), (
            page.name
        )
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


CHANGELOG = "# Changelog\n\n## 0.2.0 - 2026-12-01\n\n- new\n\n## 0.1.0 - 2026-11-01\n\n- old\n"


def test_a_release_has_the_notes_of_its_version() -> None:
    assert notes("v0.2.0", 'VERSION = "0.2.0"\n', CHANGELOG) == "- new\n"
    assert notes("v0.1.0", 'VERSION = "0.1.0"\n', CHANGELOG) == "- old\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "text"),
    [
        ("v0.3.0", CHANGELOG, "or raise the version"),
        ("v0.2.0", CHANGELOG.replace("2026-12-01", "unreleased"), "write the day of the release"),
        ("v0.2.0", "# Changelog\n", "has no section of 0.2.0"),
    ],
)
def test_a_tag_that_is_no_release_publishes_nothing(tag: str, changelog: str, text: str) -> None:
    with pytest.raises(NoReleaseError, match=text):
        notes(tag, 'VERSION = "0.2.0"\n', changelog)
