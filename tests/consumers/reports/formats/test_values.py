"""Tables as plain values: every number that people see, and those behind it."""

from datetime import date

from consumers.reports.formats.values import plain_table
from consumers.reports.words import Words
from tests.consumers.reports.formats.documents import HOSTILE, document


def test_a_share_is_a_quotient_with_both_its_numbers() -> None:
    found = plain_table(document().table("groups"), Words())
    assert [column.title for column in found.columns] == [
        "Segment", "Churn", "Churn: numerator", "Churn: denominator", "Change", "Change: from", "Change: to",
        "Value lost", "Value lost: from", "Value lost: to", "Away", "Since",
    ]  # fmt: skip
    assert found.rows[0] == [
        "North", 0.038, 38, 1000, 1.2, -0.4, 3.0, 12345.678, None, None, 41.5, date(2026, 3, 9),
    ]  # fmt: skip
    assert found.rows[1][:5] == ["  of which online", 0.04, 8, 200, "too few"]
    assert found.rows[2][:5] == [HOSTILE, "hidden", None, None, None]
    assert found.rows[3][1:4] == [None, 0, 0]
    assert found.rows[-1][2:4] == [46, 1203]


def test_an_interval_is_two_columns() -> None:
    found = plain_table(document("zh").table("trend"), Words("zh"))
    assert [column.title for column in found.columns][4:6] == ["Interval：下限", "Interval：上限"]
    assert found.rows[0][4:6] == [0.01, 0.05]
    assert found.rows[5][1:4] == [None, None, None]
