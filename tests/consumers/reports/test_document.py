"""A document refuses what would mislead its readers."""

import pytest

from consumers.reports.document import MISSING, Column, Document, Kind, Plot, Section, Table
from consumers.reports.words import Words
from streams.share import Share

COLUMNS = (Column("month", "Month"), Column("churn", "Churn", Kind.SHARE))


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="trend: a row has 1 cells for 2 columns"):
        Table("trend", "Trend", COLUMNS, [("January",)])
    with pytest.raises(ValueError, match="a row has 3 cells"):
        Table("trend", "Trend", COLUMNS, [], total=("all", Share(1, 2), MISSING))


def test_a_plot_belongs_to_a_table_of_its_section() -> None:
    table = Table("trend", "Trend", COLUMNS, [("January", Share(1, 2))])
    section = Section("trend", "Trend", tables=[table], plots=[Plot("lines", "trend", lambda width: "")])
    with pytest.raises(ValueError, match="a plot has no table 'other'"):
        Section("trend", "Trend", tables=[table], plots=[Plot("lines", "other", lambda width: "")])
    document = Document("t", "January", Words(), [], [], [], [section])
    assert document.table("trend") is table
    assert document.language == "en"
