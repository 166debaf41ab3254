"""Workbooks as their programs write them."""

import sys
from datetime import datetime
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # ships no types
import pytest

from streams.errors import EventFileError
from streams.files.tables.workbook import workbook_rows


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Year 2009-2010"
    sheet.append(["Invoice", "InvoiceDate", "Price", "Customer ID", "Gift"])
    sheet.append([489434, datetime.fromisoformat("2009-12-01T07:45"), 6.95, 13085.0, True])
    sheet.append([None, None, None, None, None])
    sheet.append(["C489449", datetime.fromisoformat("2009-12-01T10:33:05"), 0.1 + 0.2, None, "x"])
    second = book.create_sheet("Year 2010-2011")
    second.append(["Invoice", "InvoiceDate", "Price", "Customer ID", "Gift"])
    second.append(["0536365", "2010-12-01", 2, "17850", None])
    book.create_sheet("Empty")
    path = tmp_path / "retail.xlsx"
    book.save(path)
    return path


def test_every_sheet_is_read_as_text_with_the_rows_numbers(workbook: Path) -> None:
    first, second = workbook_rows(workbook, 100)
    assert first.sheet == "Year 2009-2010"
    assert first.frame.rows() == [
        ("489434", "2009-12-01 07:45:00", "6.95", "13085", "true"),
        ("C489449", "2009-12-01 10:33:05", "0.3", None, "x"),
    ]
    assert first.lines.tolist() == [2, 4]
    assert second.frame.to_dicts() == [
        {
            "Invoice": "0536365",
            "InvoiceDate": "2010-12-01",
            "Price": "2",
            "Customer ID": "17850",
            "Gift": None,
        }
    ]
    assert (second.sheet, second.lines.tolist(), second.done) == ("Year 2010-2011", [2], 66)


def test_sheets_can_be_named(workbook: Path) -> None:
    (only,) = workbook_rows(workbook, 100, sheets=["Year 2010-2011"])
    assert only.sheet == "Year 2010-2011"
    with pytest.raises(EventFileError, match=r"no sheet 'Orders'; there are 'Year 2009-2010', "):
        list(workbook_rows(workbook, 100, sheets=["Orders"]))


def test_sheets_with_other_columns_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["a", "b"])
    book.create_sheet("Notes").append(["written by"])
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(EventFileError, match=r"sheet 'Notes' has other columns than 'Sheet' \(written by\)"):
        list(workbook_rows(tmp_path / "two.xlsx", 1))


def test_the_header_may_stand_further_down(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["Report of May"], [], ["id", "amount"], ["7", 12.5]):
        book.active.append(row)
    book.save(tmp_path / "report.xlsx")
    (block,) = workbook_rows(tmp_path / "report.xlsx", 1, header_row=3)
    assert block.frame.to_dicts() == [{"id": "7", "amount": "12.5"}]
    assert block.lines.tolist() == [4]


def test_what_is_no_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(EventFileError, match=r"broken\.xlsx: not a readable workbook: "):
        list(workbook_rows(path, 1))


def test_a_missing_package_is_named(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(EventFileError, match=r"lapwing\[xlsx\]"):
        list(workbook_rows(workbook, 1))
