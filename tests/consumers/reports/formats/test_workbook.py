"""The workbook, read again by another library."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # ships no type hints
import pytest

from consumers.reports.document import Table
from consumers.reports.formats.workbook import LONGEST_NAME, sheet_names, workbook
from consumers.reports.words import Words
from tests.consumers.reports.formats.documents import HOSTILE, document


def opened(language: str = "en") -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(document(language))))


def test_every_table_has_a_sheet_and_the_contents_lead_to_it() -> None:
    book = opened()
    assert book.sheetnames == [
        "Contents", "By segment", "How customers fared", "The forecast", "Past forecasts and what happene",
    ]  # fmt: skip
    contents = book["Contents"]
    links = [
        cell.hyperlink.location for row in contents.iter_rows() for cell in row if cell.hyperlink is not None
    ]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_values_are_numbers_with_their_formats_and_the_head_stays(language: str) -> None:
    book = opened(language)
    sheet = book.worksheets[1]
    assert sheet.freeze_panes == "B5"
    row = [cell.value for cell in sheet[5]]
    assert row[1:7] == [0.038, 38, 1000, 1.2, -0.4, 3]
    assert row[-1] == datetime(2026, 3, 9)  # noqa: DTZ001  # Excel knows no time zones
    assert [cell.number_format for cell in sheet[5]][1:4] == ["0.0%", "#,##0", "#,##0"]
    trend = book.worksheets[2]
    assert [cell.value for cell in trend[10]][1:4] == [None, None, None]
    assert trend["A5"].value.date() == date(2025, 1, 1)


def test_no_text_is_a_formula_or_a_link() -> None:
    sheet = opened().worksheets[1]
    cell = sheet["A7"]
    assert cell.value == HOSTILE
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    assert sheet["A8"].value == "+49 30"
    assert sheet["A8"].data_type == "s"


def test_sheets_have_names_that_excel_takes() -> None:
    titles = ["a" * 40, "a" * 40, "A" * 31, "history", "[x]: *?/\\", "'quoted'", "", "Contents"]
    names = sheet_names([Table(f"t{n}", title, [], []) for n, title in enumerate(titles)], Words())
    lowered = [name.lower() for name in names]
    assert len(set(lowered)) == len(titles)
    assert {"history", "contents"}.isdisjoint(lowered)
    for name in names:
        assert 0 < len(name) <= LONGEST_NAME
        assert not set(name) & set("[]:*?/\\")
        assert name == name.strip("'")
