"""The page as a file: it loads nothing, links nowhere but into itself, and takes no text for markup."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from l4serve.report.charts import MEMORY
from l4serve.report.page import difference_page, plan_page
from tests.planning.difference.scenarios import SCENARIOS
from tests.report.pages import HOSTILE, document_of, hostile_page

LOADS = {"script", "link", "img", "iframe", "object", "embed", "audio", "video", "source", "base", "form", "input"}
VOID = {"meta", "br"}


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


OWN = ("hostile", "one side", "nothing", "scaled up", "other engine")


@cache
def page_of(name: str) -> str:
    """The page of a scenario, or one of the two that are none."""
    if name == "hostile":
        return hostile_page()
    return plan_page(document_of("scaled up")) if name == "one side" else difference_page(document_of(name))


@pytest.mark.parametrize(
    "name", [*OWN, *(pytest.param(name, marks=pytest.mark.slow) for name in SCENARIOS if name not in OWN)]
)
def test_a_page_loads_nothing_and_links_into_itself(name: str) -> None:
    page = page_of(name)
    read = Reader(page)
    assert read.open == []
    assert {tag for tag, _ in read.tags} & LOADS == set()
    ids = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
    for tag, attributes in read.tags:
        assert not any(key.startswith("on") or key in ("src", "srcset", "action") for key in attributes), (
            tag,
            attributes,
        )
        if "href" in attributes:
            assert str(attributes["href"]).removeprefix("#") in ids
    assert "http://" not in page and "https://" not in page
    assert "url(" not in page and "@import" not in page


def test_texts_stay_texts() -> None:
    read = Reader(page_of("hostile"))
    assert read.text.count(HOSTILE) > 40
    assert [tag for tag, _ in read.tags if tag in ("style", "title")].count("style") == 1


def test_a_page_says_of_itself_that_nothing_may_run() -> None:
    policy = next(a for tag, a in Reader(page_of("nothing")).tags if tag == "meta" and "http-equiv" in a)
    assert policy["content"] is not None and policy["content"].startswith("default-src 'none'")


def test_every_drawing_says_what_it_shows() -> None:
    tags = Reader(page_of("scaled up")).tags
    drawings = [attributes for tag, attributes in tags if tag == "svg" and attributes["viewbox"] != "0 0 10 10"]
    assert len(drawings) >= 4
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


def test_the_page_draws_memory_concurrency_cost_packing_and_rollout() -> None:
    text = Reader(page_of("scaled up")).text
    for caption in ("Memory of one GPU", "Sequences that the KV cache holds", "Cost in USD", "nodes in use", "rollout"):
        assert caption in text, caption
    for _, name in MEMORY:
        assert name in text


def test_what_unfolds_is_reached_by_keyboard_without_script() -> None:
    tags = [tag for tag, _ in Reader(page_of("other engine")).tags]
    assert tags.count("details") == tags.count("summary") >= 2
    wide = [
        attributes for tag, attributes in Reader(page_of("other engine")).tags if attributes.get("class") == "scroll"
    ]
    assert wide and all(attributes["tabindex"] == "0" for attributes in wide)


def test_the_style_knows_light_dark_and_a_phone() -> None:
    style = (Path(__file__).parents[2] / "l4serve/report/style.css").read_text("utf-8")
    assert "prefers-color-scheme: dark" in style and "max-width" in style
    assert "width=device-width" in page_of("nothing")
