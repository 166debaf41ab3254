"""A report as a PDF for printing and filing, made of the same page."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any, Final

from consumers import charts
from consumers.reports.document import Document, Plot
from consumers.reports.formats.page import HTML_LANGUAGES, STYLE, body
from streams.errors import ReportError

WIDTH: Final = 700
"""Of a plot across the paper."""
EXTRA: Final = (
    "the PDF needs WeasyPrint and Pango: pip install 'lapwing[report]', and on Debian "
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
)
FONT: Final = (
    "no installed font has the characters {missing}: install one for the report's language, "
    "on Debian fonts-noto-cjk for Chinese"
)
PAPER: Final = files("consumers.reports.formats").joinpath("paper.css").read_text(encoding="utf-8")


def pdf(document: Document) -> bytes:
    """Return a report as a PDF; raises `ReportError` where a library or a font is missing."""
    weasyprint = _library()
    printed = _printed(document)
    made = weasyprint.HTML(string=printed, base_url=None, url_fetcher=_nothing).render()
    content: bytes = made.write_pdf(
        pdf_variant="pdf/ua-1", pdf_tags=True, pdf_identifier=document.title.encode(), custom_metadata=False
    )
    missing = _missing(made.fonts.values())
    if missing:
        msg = FONT.format(missing=" ".join(missing[:10]))
        raise ReportError(msg)
    return content


def _library() -> Any:
    try:
        import weasyprint  # type: ignore[import-untyped]  # ships no type hints
    except (ImportError, OSError) as error:
        msg = f"{EXTRA} ({error})"
        raise ReportError(msg) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    return weasyprint


def _nothing(url: str) -> Any:
    msg = f"a report has nothing from elsewhere: {url}"
    raise ReportError(msg)


def _missing(fonts: Iterable[Any]) -> list[str]:
    """Return the characters that no font has and that would be seen."""
    found = {chr(codepoint) for font in fonts for codepoint in font.missing}
    return sorted(each for each in found if not unicodedata.category(each).startswith(("Cc", "Cf", "Z")))


def _printed(document: Document) -> str:
    look = _marks_style()

    def draw(plot: Plot) -> str:
        drawn = plot.draw(WIDTH if plot.wide else charts.WIDTH)
        # WeasyPrint knows the style of an SVG that stands in it, and no style of the page around it. What
        # is read aloud for a figure is its title.
        named = re.search(r'aria-label="([^"]*)"', drawn)
        title = f"<title>{named[1]}</title>" if named else ""
        return drawn.replace(">", f">{title}<style>{look}</style>", 1)

    foot = escape(f"{document.title} · {document.period}")
    return (
        f'<!doctype html><html lang="{HTML_LANGUAGES[document.language]}"><head><meta charset="utf-8">'
        f"<title>{escape(document.title)} · {escape(document.period)}</title>"
        f'<meta name="author" content="Lapwing"><style>{STYLE}{PAPER}</style></head>'
        f'<body><div class="running">{foot}</div>'
        f"{body(document, draw)}</body></html>"
    )


def _marks_style() -> str:
    """Return the style of plots with the colours of paper, which SVG in a PDF does not look up."""
    paper = STYLE[STYLE.index("@media print") :]
    colours = dict(re.findall(r"(--[\w-]+):(#\w+)", paper))
    resolved = re.sub(r"var\((--[\w-]+)\)", lambda found: colours[found[1]], charts.STYLE)
    # A halo around texts hides the texts themselves: it is drawn over them.
    without = re.sub(r"paint-order:stroke; stroke:#\w+; stroke-width:4px;", "", resolved)
    families = "font-family:sans-serif;"
    return re.sub(r"font-family:[^;]+;", families, without)
