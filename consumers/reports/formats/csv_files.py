"""A report as CSV files: one for each table, named by its key, which is the same in every language."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from consumers.reports.document import Document
from consumers.reports.formats.values import plain_table
from consumers.spreadsheet import csv_parts

_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip, so that the same report is the same bytes."""


def csv_files(document: Document) -> dict[str, str]:
    """Return the name and the content of each file; shares are parts of 1, months their first day."""
    found: dict[str, str] = {}
    for section in document.sections:
        for table in section.tables:
            plain = plain_table(table, document.words)
            heads = [column.title for column in plain.columns]
            found[f"{table.key}.csv"] = "".join(csv_parts(heads, plain.rows))
    return found


def csv_zip(document: Document) -> bytes:
    """Return the files in one zip file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in csv_files(document).items():
            packed.writestr(zipfile.ZipInfo(name, _OLDEST), text.encode(), zipfile.ZIP_DEFLATED)
    return whole.getvalue()
