"""The page in headless Chromium: nothing of it runs, it is dark where a reader wants it so, and fits a phone."""

import html
from pathlib import Path

import pytest
from matplotlib.image import imread

from l4serve.report.page import difference_page
from tests.report.browser import dom, picture
from tests.report.pages import HOSTILE, document_of, hostile_page

PHONE = 360


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


def written(folder: Path, page: str, name: str = "page.html") -> Path:
    path = folder / name
    path.write_text(page, encoding="utf-8")
    return path


def test_a_planted_script_does_not_run(tmp_path: Path, profile: Path) -> None:
    shown = dom(written(tmp_path, hostile_page()), profile)
    assert "it ran" not in shown.partition("</title>")[0].replace(html.escape(HOSTILE, quote=False), "")
    assert "<script" not in shown
    assert "<img" not in shown


def test_the_same_script_runs_where_nothing_holds_it(tmp_path: Path, profile: Path) -> None:
    """Without this, the test above could not fail."""
    page = f"<!doctype html><title>nothing ran</title><body>{HOSTILE}"
    assert "<title>it ran</title>" in dom(written(tmp_path, page), profile)


def test_the_policy_holds_a_script_that_escaping_missed(tmp_path: Path, profile: Path) -> None:
    page = difference_page(document_of("nothing")).replace("</body>", f"{HOSTILE}</body>")
    assert "<title>it ran</title>" not in dom(written(tmp_path, page), profile)


def test_a_page_is_dark_where_its_reader_wants_it_so(tmp_path: Path, profile: Path) -> None:
    page = written(tmp_path, difference_page(document_of("scaled up")))
    light, dark = (
        imread(picture(page, tmp_path / f"{scheme}.png", profile, dark=scheme == "dark"))[:, :, :3].mean()
        for scheme in ("light", "dark")
    )
    assert light > 0.8
    assert dark < 0.3


def test_a_phone_needs_no_sideways_scrolling(tmp_path: Path, profile: Path) -> None:
    inner = html.escape(difference_page(document_of("other engine")))
    measure = "document.title = document.querySelector('iframe').contentDocument.documentElement.scrollWidth"
    frame = f'<iframe width="{PHONE}" height="800" style="border:0" srcdoc="{inner}" onload="{measure}"></iframe>'
    shown = dom(written(tmp_path, f"<!doctype html><title>-</title>{frame}"), profile)
    width = int(shown.partition("<title>")[2].partition("</title>")[0])
    assert 0 < width <= PHONE
