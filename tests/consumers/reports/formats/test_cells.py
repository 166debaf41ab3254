"""Values in words: absent ones say why, and a share is never without its numbers."""

from datetime import date

import pytest

from consumers.reports.document import (
    HIDDEN,
    MISSING,
    NOT_ENOUGH,
    Between,
    Column,
    Document,
    Estimate,
    Kind,
    Plot,
    Section,
    Table,
    Under,
    Value,
)
from consumers.reports.formats.cells import Shown, instead_of, shown
from consumers.reports.formats.page import page
from consumers.reports.formats.plain_text import text
from consumers.reports.words import Words
from streams.share import Share, ShareDifference

EN, ZH = Words(), Words("zh", currency="CNY")


@pytest.mark.parametrize(
    ("value", "kind", "words", "expected"),
    [
        (1234, Kind.COUNT, EN, Shown("1,234")),
        (Share(1602, 4128), Kind.SHARE, EN, Shown("38.8%", ("1,602 of 4,128",))),
        (Share(0, 0), Kind.SHARE, EN, Shown("–", ("0 of 0",))),
        (Share(0, 7), Kind.SHARE, ZH, Shown("0 / 7", why_absent="不足以得出结论")),
        (Share(0, 20), Kind.SHARE, ZH, Shown("0.0%", ("0 / 20",))),
        (ShareDifference(0.05, 0.01, 0.09), Kind.POINTS, EN, Shown("+5.0 points", ("+1.0 to +9.0",))),
        (ShareDifference(0.05, None, None), Kind.POINTS, EN, Shown("+5.0 points")),
        (ShareDifference(None, None, None), Kind.POINTS, EN, Shown("–", why_absent="not known")),
        (0.05, Kind.POINTS, EN, Shown("+5.0 points")),
        (0.125, Kind.PERCENT, EN, Shown("12.5%")),
        (Estimate(0.2, 0.1, 0.3), Kind.PERCENT, EN, Shown("20.0%", ("10.0% to 30.0%",))),
        (Estimate(5, 4, 6), Kind.MONEY, ZH, Shown("¥5.00", ("¥4.00 至 ¥6.00",))),
        (Between(0.01, 0.05), Kind.INTERVAL, EN, Shown("1.0% to 5.0%")),
        (Under("price"), Kind.TEXT, EN, Shown("price", is_under=True)),
        (date(2026, 3, 1), Kind.MONTH, EN, Shown("Mar 2026")),
        (date(2026, 3, 1), Kind.DATE, ZH, Shown("2026年3月1日")),
        (2.5, Kind.DAYS, EN, Shown("2.5 days")),
        (3.0, Kind.DAYS, ZH, Shown("3 天")),
        (3.25, Kind.NUMBER, EN, Shown("3.25")),
        (MISSING, Kind.SHARE, EN, Shown("–", why_absent="not known")),
        (NOT_ENOUGH, Kind.SHARE, ZH, Shown("样本太少", why_absent="不足以得出结论")),
    ],
)
def test_a_value_is_written_as_its_column_and_language_want(
    value: Value, kind: Kind, words: Words, expected: Shown
) -> None:
    assert shown(value, Column("x", "X", kind), words) == expected


def test_an_interval_of_a_share_is_shown_where_the_column_wants_it() -> None:
    found = shown(Share(50, 100), Column("x", "X", Kind.SHARE, interval=True), EN)
    assert found.line == "50.0% (50 of 100; 40.4% to 59.6%)"


def test_a_hidden_cell_says_so() -> None:
    assert shown(HIDDEN, Column("x", "X", Kind.SHARE), EN).main == "hidden"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["a", 0, Share(0, 0)], ["b", 0, 0.0]], "Lost by week: every figure is 0."),
        ([["a", MISSING, MISSING]], "Lost by week: nothing is known."),
        ([["a", 0, MISSING]], "Lost by week: every figure is 0 or not known."),
        ([["a", 0, Share(0, 60)]], ""),
        ([["a", 0, HIDDEN]], ""),
        ([["a", 0, NOT_ENOUGH]], ""),
        ([["a", 0, Share(0, 0)], ["b", 0, Share(1, 2)]], ""),
        ([["a", 0, "by the census"]], ""),
        ([["a", 0, Estimate(0.0, -1.0, 1.0)]], ""),
        ([], ""),
    ],
)
def test_a_table_of_nothing_is_one_sentence(rows: list[list[Value]], says: str) -> None:
    columns = [Column("group", "Group"), Column("lost", "Lost", Kind.COUNT), Column("of", "Of", Kind.SHARE)]
    assert instead_of(Table("weeks", "Lost by week", columns, rows), EN) == says
    assert bool(instead_of(Table("weeks", "按周", columns, rows), ZH)) == bool(says)
    if rows:
        total: list[Value] = ["all", 7, Share(0, 0)]
        assert instead_of(Table("weeks", "Lost by week", columns, rows, total), EN) == ""


def test_a_table_of_nothing_has_no_plot_and_no_grid() -> None:
    columns = [Column("group", "Group"), Column("lost", "Lost", Kind.COUNT)]
    empty = Table("weeks", "Lost by <week>", columns, [["a", 0], ["b", 0]])
    plot = Plot("bars", "weeks", lambda width: f"<svg>drawn {width}</svg>")
    given = Document("R", "P", EN, [], [], [], [Section("s", "S", plots=[plot], tables=[empty])])
    shown_page = page(given)
    assert '<p class="about">Lost by &lt;week&gt;: every figure is 0.</p>' in shown_page
    assert "<table" not in shown_page
    assert "drawn" not in shown_page
    assert "  Lost by <week>: every figure is 0.\n" in text(given)
