"""The PDF, read again: its texts, pages and colours, and a font that is missing."""

from __future__ import annotations

import ctypes
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # ships no type hints
import pypdfium2.raw as raw  # type: ignore[import-untyped]  # ships no type hints
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
@pytest.mark.parametrize(("language", "code"), [("en", "en"), ("zh", "zh-Hans")])
def test_a_pdf_can_be_read_aloud(language: str, code: str) -> None:
    given = document(language)
    content = pdf(given)
    found = pypdfium2.PdfDocument(content)
    assert raw.FPDFCatalog_IsTagged(found)
    assert written(raw.FPDFCatalog_GetLanguage, found) == code
    assert found.get_metadata_value("Title") == f"{given.title} · {given.period}"
    assert any(b"pdfuaid:part" in each for each in streams(content))
    elements = [each for page in found for each in tags(page)]
    kinds = {kind for kind, _ in elements}
    assert kinds >= {"Document", "H1", "H2", "H3", "P", "L", "LI", "Table", "TR", "TH", "TD", "Link"}
    plots = sum(len(section.plots) for section in given.sections)
    figures = [text for kind, text in elements if kind == "Figure"]
    assert len(figures) == plots > 0
    assert all(figures)


def written(ask: Callable[..., int], about: Any) -> str:
    """Return a text that PDFium writes where it is asked to."""
    place = (ctypes.c_ushort * 1_000)()
    size = ask(about, place, 2_000)
    return bytes(place)[: max(0, size - 2)].decode("utf-16-le")


def streams(content: bytes) -> Iterator[bytes]:
    """Yield what stands compressed in a PDF."""
    for each in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompress(each)


def tags(page: Any) -> Iterator[tuple[str, str]]:
    """Yield the elements of a page: what each is, and what is read aloud in its place."""
    tree = raw.FPDF_StructTree_GetForPage(page)
    count = raw.FPDF_StructTree_CountChildren(tree)
    waiting = [raw.FPDF_StructTree_GetChildAtIndex(tree, each) for each in range(count)]
    while waiting:
        element = waiting.pop()
        if not element:
            continue
        yield (
            written(raw.FPDF_StructElement_GetType, element),
            written(raw.FPDF_StructElement_GetAltText, element),
        )
        children = raw.FPDF_StructElement_CountChildren(element)
        waiting += [raw.FPDF_StructElement_GetChildAtIndex(element, each) for each in range(children)]
    raw.FPDF_StructTree_Close(tree)


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
