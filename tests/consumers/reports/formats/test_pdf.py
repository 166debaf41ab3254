"""The PDF, read again: its texts, pages and colours, and a font that is missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # ships no type hints
import pytest

from consumers.reports.document import Document
from consumers.reports.formats import pdf as pdfs
from consumers.reports.formats.pdf import pdf
from streams.errors import ReportError
from tests.consumers.reports.formats.documents import document


def opened(given: Document) -> Any:
    return pypdfium2.PdfDocument(pdf(given))


@pytest.mark.usefixtures("printing")
@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("Customers and churn", "How this is counted", "38 of 1,000", "To keep in mind", "Jun 2025")),
        ("zh", ("客户与流失", "如何计算", "38 / 1,000", "请注意", "2025年6月")),
    ],
)
def test_a_pdf_has_all_texts_and_numbered_pages(language: str, texts: tuple[str, ...]) -> None:
    found = opened(document(language))
    pages = [page.get_textpage().get_text_range() for page in found]
    assert len(pages) >= 3
    assert all(f"{number} / {len(pages)}" in text for number, text in enumerate(pages, 1))
    whole = "\n".join(pages)
    assert [text for text in texts if text not in whole] == []


@pytest.mark.usefixtures("printing")
def test_plots_have_their_colours_on_paper_and_not_those_of_a_screen() -> None:
    found = opened(document())
    colours: set[tuple[int, int, int]] = set()
    for page in found:
        image = page.render(scale=1).to_pil().convert("RGB")
        colours |= {colour for _, colour in image.getcolors(maxcolors=1 << 20)}
    assert (0x1F, 0x4E, 0x9E) in colours  # lines and bars
    style = pdfs._marks_style()
    assert "var(" not in style
    assert "paint-order" not in style


@pytest.mark.usefixtures("printing")
def test_a_missing_font_is_an_error_that_says_what_to_install() -> None:
    assert pdfs._missing([SimpleNamespace(missing={ord("留"): 1, 0x200B: 2, 0x20: 3})]) == ["留"]
    given = document()
    private = "\U000f1234"  # no font of the system has what is for private use
    with pytest.raises(ReportError, match=f"no installed font has the characters {private}: install one"):
        pdf(Document(f"Report {private}", given.period, given.words, [], [], [], []))
