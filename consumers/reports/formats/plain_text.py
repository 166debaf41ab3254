"""A report as plain text: what a terminal shows, and what stands in a message."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from consumers.reports.document import Document, Table
from consumers.reports.formats.cells import Shown, instead_of, is_number, shown
from consumers.reports.words import Words


def heading(document: Document) -> str:
    """Return in one line what the report is about."""
    return f"{document.title} · {document.period}"


def message_lines(document: Document, address: str | None, *, attached: bool) -> list[str]:
    """Return the paragraphs of a message about a report; `address` leads to it at the desk."""
    _ = document.words.gettext
    lines = [" ".join(document.answer)]
    lines += [
        "\n".join(
            f"{each.what}: {each.figure}" + (f" ({each.note})" if each.note else "")
            for each in document.tiles
        )
    ]
    if attached:
        lines.append(_("The whole report is attached; a browser opens it."))
    if address is not None:
        lines.append(_("At the desk: {address}", address=address))
    return [each for each in lines if each]


def summary(document: Document) -> str:
    """Return the answer and the figures that are read first."""
    return "\n".join(_summary(document)) + "\n"


def _summary(document: Document) -> Iterator[str]:
    yield heading(document)
    yield ""
    yield from document.answer
    if document.tiles:
        yield ""
        wide = max(width(each.what) for each in document.tiles)
        figures = max(width(each.figure) for each in document.tiles)
        for each in document.tiles:
            figure = " " * (figures - width(each.figure)) + each.figure
            yield f"{padded(each.what, wide)}  {figure}  {each.note}".rstrip()


def text(document: Document) -> str:
    """Return the whole report: the summary, every table, and what has to be kept in mind."""
    _ = document.words.gettext
    lines = [*_summary(document)]
    for section in document.sections:
        lines += ["", section.title.upper() if document.language == "en" else f"【{section.title}】"]
        lines += [f"  {each}" for each in ([section.note] if section.note else [])]
        for table in section.tables:
            if sentence := instead_of(table, document.words):
                lines += ["", f"  {sentence}"]
            elif table.rows or table.total is not None:
                lines += ["", f"  {table.title}", *(f"  {line}" for line in _table(table, document.words))]
        if section.remarks:
            lines += ["", *(f"  - {each}" for each in section.remarks)]
    for title, several in ((_("Basis"), document.basis), (_("To keep in mind"), document.cautions)):
        if several:
            lines += ["", title, *(f"- {each}" for each in several)]
    return "\n".join(lines) + "\n"


def _table(table: Table, words: Words) -> Iterator[str]:
    rows = [*table.rows, *(() if table.total is None else (table.total,))]
    cells = [
        [_indented(shown(value, column, words)) for value, column in zip(row, table.columns, strict=True)]
        for row in rows
    ]
    heads = [column.title for column in table.columns]
    wide = [max(width(row[place]) for row in [heads, *cells]) for place in range(len(heads))]
    right = [is_number(column.kind) for column in table.columns]
    for row in [heads, *cells]:
        yield _line(row, wide, right)


def _indented(cell: Shown) -> str:
    return f"  {cell.line}" if cell.is_under else cell.line


def _line(row: Sequence[str], wide: Sequence[int], right: Sequence[bool]) -> str:
    parts = [
        " " * (size - width(each)) + each if at_right else padded(each, size)
        for each, size, at_right in zip(row, wide, right, strict=True)
    ]
    return "  ".join(parts).rstrip()


def width(content: str) -> int:
    """Return how many places of a terminal a text takes; a Chinese character takes two.

    >>> width("a留存")
    5
    """
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in content)


def padded(content: str, size: int) -> str:
    """Return a text with blanks after it."""
    return content + " " * (size - width(content))
