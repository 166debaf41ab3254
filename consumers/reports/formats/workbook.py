"""A report as an Excel workbook: a sheet of contents, and one for each table."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from consumers.reports.document import Document, Kind, Section, Table
from consumers.reports.formats.values import Plain, PlainColumn, plain_table
from consumers.reports.words import Words
from streams.errors import ReportError

FORMATS: Final = {
    Kind.COUNT: "#,##0",
    Kind.SHARE: "0.0%",
    Kind.PERCENT: "0.0%",
    Kind.INTERVAL: "0.0%",
    Kind.POINTS: "+0.0;-0.0;0.0",
    Kind.MONEY: "#,##0.00",
    Kind.NUMBER: "#,##0.00",
    Kind.DAYS: "#,##0.0",
    Kind.DATE: "yyyy-mm-dd",
    Kind.MONTH: "yyyy-mm",
}
"""How Excel writes each kind of column."""
LONGEST_NAME: Final = 31
"""Of a sheet, by Excel."""
WIDEST: Final = 60


def workbook(document: Document) -> bytes:
    """Return a report as an XLSX file; raises `ReportError` where the library is missing."""
    try:
        import xlsxwriter  # type: ignore[import-untyped]  # ships no type hints
    except ImportError as error:
        msg = "the workbook needs XlsxWriter: pip install 'lapwing[report]'"
        raise ReportError(msg) from error
    whole = io.BytesIO()
    # No text becomes a formula or a link, whatever it begins with.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(whole, options) as book:
        book.set_properties({"title": document.title, "subject": document.period, "author": "Lapwing"})
        tables = [(section, table) for section in document.sections for table in section.tables]
        names = sheet_names([table for _, table in tables], document.words)
        _contents(book, document, tables, names)
        for (section, table), name in zip(tables, names, strict=True):
            _sheet(book, book.add_worksheet(name), section, table, document.words)
    return whole.getvalue()


def sheet_names(tables: Sequence[Table], words: Words) -> list[str]:
    """Return a name for the sheet of each table that Excel takes: short, of its own, without its signs.

    >>> from consumers.reports.document import Table
    >>> sheet_names([Table("a", "Lost/kept: [all]", [], []), Table("b", "lost kept all", [], [])], Words())
    ['Lost kept all', 'lost kept all 2']
    """
    names: list[str] = []
    taken = {words.gettext("Contents").lower(), "history"}
    for table in tables:
        plain = re.sub(r"\s+", " ", re.sub(r"[\[\]:*?/\\]", " ", table.title)).strip(" '")
        plain = plain or table.key
        name, number = plain[:LONGEST_NAME].strip(), 1
        while name.lower() in taken:
            number += 1
            end = f" {number}"
            name = plain[: LONGEST_NAME - len(end)].strip() + end
        taken.add(name.lower())
        names.append(name)
    return names


def _contents(
    book: Any, document: Document, tables: Sequence[tuple[Section, Table]], names: Sequence[str]
) -> None:
    _ = document.words.gettext
    sheet = book.add_worksheet(_("Contents"))
    bold, big = book.add_format({"bold": True}), book.add_format({"bold": True, "font_size": 16})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 22)
    sheet.set_column(2, 2, 70)
    sheet.write_string(0, 0, document.title, big)
    sheet.write_string(1, 0, document.period, bold)
    row = 3
    for line in (*document.answer, *document.basis):
        sheet.merge_range(row, 0, row, 2, "", wrapped)
        sheet.write_string(row, 0, line, wrapped)
        sheet.set_row(row, 15 * (1 + len(line) // 110))
        row += 1
    row += 1
    for tile in document.tiles:
        for place, text in enumerate((tile.what, tile.figure, tile.note)):
            sheet.write_string(row, place, text)
        row += 1
    row += 1
    for place, text in enumerate((_("Table"), _("Rows"), _("Part of the report"))):
        sheet.write_string(row, place, text, bold)
    link = book.get_default_url_format()
    for (section, table), name in zip(tables, names, strict=True):
        row += 1
        quoted = name.replace("'", "''")
        sheet.write_url(row, 0, f"internal:'{quoted}'!A1", link, string=table.title)
        sheet.write_number(row, 1, len(table.rows))
        sheet.write_string(row, 2, section.title)
    row += 2
    definitions = [each for section in document.sections for each in section.definitions]
    if definitions:
        sheet.write_string(row, 0, _("How this is counted"), bold)
    for each in definitions:
        row += 1
        text = _("{part}, of {whole}; {period}.", part=each.part, whole=each.whole, period=each.period)
        sheet.write_string(row, 0, each.name, wrapped)
        sheet.write_string(row, 2, text, wrapped)
    row += 2
    if document.cautions:
        sheet.write_string(row, 0, _("To keep in mind"), bold)
    for caution in document.cautions:
        row += 1
        sheet.merge_range(row, 0, row, 2, "", wrapped)
        sheet.write_string(row, 0, caution, wrapped)
        sheet.set_row(row, 15 * (1 + len(caution) // 110))


def _sheet(book: Any, sheet: Any, section: Section, table: Table, words: Words) -> None:
    """Write a table: its title, its note, its head, and its rows below, the head staying in sight."""
    plain = plain_table(table, words)
    title = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    sheet.write_string(0, 0, table.title)
    sheet.write_string(0, 0, f"{section.title}: {table.title}", title)
    sheet.write_string(1, 0, table.note or section.note)
    top = 3
    total = None if table.total is None else len(plain.rows) - 1
    for place, column in enumerate(plain.columns):
        sheet.write_string(top, place, column.title, head)
        shapes = {"num_format": FORMATS[column.kind]} if column.kind in FORMATS else {}
        usual, strong = book.add_format(shapes), book.add_format(shapes | {"bold": True, "top": 1})
        for number, row in enumerate(plain.rows):
            look = strong if number == total else usual
            _write(sheet, top + 1 + number, place, row[place], column, look)
        longest = max([len(column.title) / 2, *(len(str(row[place] or "")) for row in plain.rows)], default=8)
        sheet.set_column(place, place, min(max(10, longest + 2), WIDEST))
    sheet.freeze_panes(top + 1, 1)
    if plain.rows and plain.columns:
        last = top + len(plain.rows) - (0 if total is None else 1)
        sheet.autofilter(top, 0, max(last, top + 1), len(plain.columns) - 1)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    sheet.set_landscape()


def _write(sheet: Any, row: int, place: int, value: Plain, column: PlainColumn, look: Any) -> None:
    match value:
        case None:
            sheet.write_blank(row, place, None, look)
        case date():
            sheet.write_datetime(row, place, value, look)
        case str():
            sheet.write_string(row, place, value, look)
        case _:
            sheet.write_number(row, place, value, look)
