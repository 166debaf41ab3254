"""The slow twin of the CSV reader: the whole text, a character at a time."""

from __future__ import annotations

from streams.files.tables.csv_file import LONGEST_RECORD, CsvFormat


def read_csv(text: str, form: CsvFormat, width: int) -> tuple[list[tuple[int, list[str | None]]], list[int]]:
    """Return the rows with the lines on which they begin, and the lines that are no rows.

    A quote counts at the beginning of a cell only. One that is not closed costs its line. A row with fewer
    than `width` cells lacks the last, one with more is refused.
    """
    if text and not text.endswith("\n"):
        text += "\n"
    rows: list[tuple[int, list[str | None]]] = []
    bad: list[int] = []
    at, line = 0, 1
    while at < len(text):
        record = _record(text, at, form)
        if record is None or len(text[at : record[1]].encode()) > LONGEST_RECORD:
            bad.append(line)
            at = text.index("\n", at) + 1
            line += 1
            continue
        cells, end = record
        if text[at:end] not in ("\n", "\r\n"):
            if len(cells) > width or "\N{REPLACEMENT CHARACTER}" in text[at:end]:
                bad.append(line)
            else:
                rows.append((line, [cell or None for cell in cells] + [None] * (width - len(cells))))
        line += text.count("\n", at, end)
        at = end
    return rows, bad


def _record(text: str, at: int, form: CsvFormat) -> tuple[list[str], int] | None:
    """Return the cells of the record that begins at a place and where it ends, `None` where it does not."""
    cells: list[str] = []
    while True:
        cell = ""
        if text[at] == form.quote:
            at += 1
            while True:
                if at == len(text):
                    return None
                if text[at] == form.quote:
                    if text[at + 1] != form.quote:
                        break
                    at += 1
                cell += text[at]
                at += 1
            at += 1
        rest = ""
        while text[at] not in (form.delimiter, "\n"):
            rest += text[at]
            at += 1
        if text[at] == "\n":  # a return within the quotes is the cell's own
            return [*cells, cell + rest.removesuffix("\r")], at + 1
        cells.append(cell + rest)
        at += 1
