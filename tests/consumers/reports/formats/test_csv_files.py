"""CSV: one file for each table, the same bytes for the same report, nothing that runs."""

import csv
import io
import zipfile

from consumers.reports.formats.csv_files import csv_files, csv_zip
from tests.consumers.reports.formats.documents import HOSTILE, document


def test_files_have_the_keys_of_tables_as_names_in_every_language() -> None:
    assert list(csv_files(document("zh"))) == list(csv_files(document("en")))
    assert list(csv_files(document())) == [
        "groups.csv", "trend.csv", "forecast.csv", "past_forecasts.csv",
    ]  # fmt: skip


def test_numbers_are_whole_and_texts_run_nothing() -> None:
    rows = list(csv.reader(io.StringIO(csv_files(document())["groups.csv"].removeprefix("\ufeff"))))
    assert rows[1][:4] == ["North", "0.038", "38", "1000"]
    assert rows[3][0] == f"'{HOSTILE}"
    assert rows[4][0] == "'+49 30"
    assert rows[1][-1] == "2026-03-09"


def test_a_zip_holds_the_same_and_is_the_same_bytes_when_it_is_made_again() -> None:
    packed = csv_zip(document())
    assert packed == csv_zip(document())
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert {name: opened.read(name).decode() for name in opened.namelist()} == csv_files(document())
