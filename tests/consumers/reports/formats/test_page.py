"""The page: whole in itself, each plot with its figures, nothing from outside obeyed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from consumers.reports.formats.page import page
from tests.consumers.reports.formats.documents import HOSTILE, document

LANGUAGES = ["en", "zh"]
VOID = {"meta", "link", "br", "img", "input"}


class Tags(HTMLParser):
    """Every tag with its attributes; tags that do not close each other are a defect."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_needs_nothing_from_elsewhere_and_its_links_lead_somewhere(language: str) -> None:
    text = page(document(language))
    tags = Tags(text)
    assert tags.named("html") == [{"lang": {"en": "en", "zh": "zh-Hans"}[language]}]
    assert not tags.named("link") + tags.named("img")
    assert not [each for each in tags.named("script") if "src" in each]
    assert not re.search(r"url\(|@import", text)
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [each["href"] for each in tags.named("a")]
    sections = [f"#{section.key}" for section in document(language).sections]
    assert links == ["#groups", *sections, *["#contents"] * len(sections)]
    assert {link[1:] for link in links} <= set(ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_comes_from_outside_is_text(language: str) -> None:
    text = page(document(language))
    assert "<b>&quot;" not in text
    assert HOSTILE not in text
    assert "=HYPERLINK(&quot;http://x&quot;,&quot;&lt;b&gt;&quot;) &amp; &#x27;q&#x27;" in text


def test_every_plot_is_drawn_for_both_widths_and_its_figures_stand_below_it() -> None:
    text = page(document())
    assert len(re.findall(r"<figure", text)) == 4
    assert text.count('<div class="broad">') == text.count('<div class="narrow">') == 4
    assert "<summary>The figures: How customers fared</summary>" in text
    trend = text[text.index("<summary>The figures: How customers fared") :]
    assert "Jun 2025" in trend
    # A table without a plot is not folded.
    assert text.index("<h3>The forecast</h3>") > text.index('id="forecast"')


def test_a_rate_is_defined_with_all_that_was_left_out() -> None:
    text = page(document())
    assert (
        "<dt>Kept</dt><dd>Kept, of those active at the beginning; March 2026. "
        "Left out: of which online 12.</dd>" in text
    )
    assert "nothing 0" not in text


def test_absent_values_say_why_and_cells_know_their_heads() -> None:
    tags = Tags(page(document()))
    titles = {attributes.get("title") for attributes in tags.named("div")}
    assert {"not known", "not enough to say anything"} <= titles
    assert any(title and "could be recognised" in title for title in titles)
    assert {"Churn", "Change", "Away"} <= {each.get("data-head") for each in tags.named("td")}
    assert all(each["scope"] in ("col", "row") for each in tags.named("th"))
