"""CSV that runs nothing, whatever customers are called."""

from __future__ import annotations

import csv
import io

import pytest

from consumers.spreadsheet import cell, csv_parts

HOSTILE = ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", '=cmd|" /C calc"!A0', " =1", "'=1"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["ann", "a=b", 'a "b", c\nd', "北方", 1, -2.5])
def test_others_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


@pytest.mark.parametrize("number", [0, 1, 499, 500, 501, 1_200])
def test_all_rows_come_whatever_their_number(number: int) -> None:
    rows = [[f"c{each}", each, None, ("a", "b")] for each in range(number)]
    text = "".join(csv_parts(("who", "n", "none", "both"), rows))
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert read == [["who", "n", "none", "both"], *([f"c{n}", str(n), "", "a; b"] for n in range(number))]
    assert text.startswith("\ufeff")
