"""A section in a language, looked at as a reader of each format sees it."""

from __future__ import annotations

from consumers.reports.document import Document, Section, Table, Value
from consumers.reports.formats.csv_files import csv_files
from consumers.reports.formats.page import page
from consumers.reports.formats.plain_text import text
from consumers.reports.words import Words

WIDTHS = (1120, 540, 350)


def table(found: Section, key: str) -> Table:
    """Return a table of a section."""
    return next(each for each in found.tables if each.key == key)


def rows(found: Section, key: str) -> list[list[Value]]:
    """Return the rows of a table."""
    return [list(row) for row in table(found, key).rows]


def is_shown(found: Section, language: str) -> str:
    """Draw and write a section in every format; return its page."""
    words = Words(language, "UTC", "EUR")
    document = Document("Report", "March", words, ["answer"], ["basis"], [], [found])
    for plot in found.plots:
        for width in WIDTHS:
            assert plot.draw(width).startswith("<svg")
    assert len(csv_files(document)) >= len(found.tables)
    assert found.title.casefold() in text(document).casefold()
    made = page(document)
    assert found.title in made
    return made
