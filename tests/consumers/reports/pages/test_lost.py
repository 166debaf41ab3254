"""The sections about what was lost show the figures that they are made of, in both languages."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from consumers.reports.base import base_figures, read_base
from consumers.reports.cohorts import cohort_figures, read_cohorts
from consumers.reports.document import HIDDEN, MISSING, NOT_ENOUGH, Document, Section, Table
from consumers.reports.formats.csv_files import csv_files
from consumers.reports.group_table import GroupCounts, group_table
from consumers.reports.groups import BY, Groups, group_figures, read_groups
from consumers.reports.lapses import lapse_figures, read_lapses
from consumers.reports.pages import base, cohorts, groups, lapses, retention, trend
from consumers.reports.period import Period
from consumers.reports.rate import TOO_FEW
from consumers.reports.retention import Basis, read_retention, retention_figures
from consumers.reports.trend import read_trend, trend_figures
from consumers.reports.words import Words
from streams.share import Share
from tests.consumers.reports.lost_shop import lost_shop, stored_shop

PAGES: dict[str, Any] = {
    "retention": retention,
    "trend": trend,
    "base": base,
    "groups": groups,
    "cohorts": cohorts,
    "lapses": lapses,
}


@cache
def parts(seed: int, text: str, outage: bool = False) -> dict[str, Any]:
    changes: dict[str, Any] = {"outage": True} if outage else {}
    shop, known = lost_shop(seed, **changes), lost_shop(seed, **changes).knowledge
    period = shop.period(text)
    with stored_shop(seed, **changes).reading() as c:
        return {
            "retention": retention_figures(read_retention(c, period, known)),
            "trend": trend_figures(read_trend(c, period, known), period),
            "base": base_figures(read_base(c, period, known), period),
            "groups": group_figures(read_groups(c, period, known), period),
            "cohorts": cohort_figures(read_cohorts(c, period, known), period),
            "lapses": lapse_figures(read_lapses(c, period, known), period, known.active_within),
        }


def sections(seed: int, text: str, language: str = "en", *, outage: bool = False) -> dict[str, Section]:
    words = Words(language, "Europe/Berlin", "EUR")
    made = parts(seed, text, outage)
    return {name: page.section(made[name], words) for name, page in PAGES.items()}


def table(section: Section, key: str) -> Table:
    return next(table for table in section.tables if table.key == key)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("text", ["2023-12", "2024-04", "2024-W18", "2024-Q2", "2025-01"])
@pytest.mark.parametrize("outage", [False, True])
def test_every_section_can_be_drawn_and_written(language: str, text: str, outage: bool) -> None:
    found = sections(0, text, language, outage=outage)
    keys = [table.key for section in found.values() for table in section.tables]
    assert len(set(keys)) == len(keys)
    for name, section in found.items():
        assert section.key == name
        for plot in section.plots:
            for width in (700.0, 340.0):
                drawn = plot.draw(width)
                assert drawn.startswith("<svg")
                assert "nan" not in drawn.lower()
    words = Words(language, "Europe/Berlin", "EUR")
    document = Document("t", text, words, [], [], [], list(found.values()))
    assert len(csv_files(document)) >= len(keys)


def test_retention_shows_the_rates_with_their_numbers() -> None:
    part = parts(0, "2024-04")["retention"]
    found = sections(0, "2024-04")["retention"]
    own = table(found, "retention").rows[0]
    assert list(own[:4]) == ["April 2024", part.own.original, part.own.kept, part.own.lost]
    assert list(own[4:6]) == [part.own.retention.share, part.own.churn.share]
    assert own[8] == "the monthly census"
    assert table(found, "churn_change").rows[0][3] == part.since_before
    assert table(found, "churn_change").rows[1][3] is MISSING
    assert [each.name for each in found.definitions] == ["Retention", "Churn", "Value lost of all value"]
    tiers = table(found, "tier")
    assert tiers.total is not None
    assert tiers.total[1] == part.own.original


def test_a_missing_month_is_missing_in_the_table_and_a_gap_in_the_line() -> None:
    found = sections(0, "2025-01")["trend"]
    rows = table(found, "trend").rows
    assert [row[4] is MISSING for row in rows[:2]] == [False, False]
    assert [row[4] for row in rows[-3:]] == [MISSING] * 3
    assert any("no census was taken at its end" in remark for remark in found.remarks)


def test_a_quiet_month_says_so() -> None:
    found = sections(0, "2024-03", outage=True)["retention"]
    assert any("a source was quiet at its end" in remark for remark in found.remarks)


def test_two_columns_have_two_names() -> None:
    part = parts(0, "2024-04")["groups"]
    found = sections(0, "2024-04")["groups"]
    by_class = table(found, "customer_class")
    assert [each.title for each in by_class.columns][3:] == ["Share of all the lost", "Rate within the group"]
    shown = [group for group in part.tables[0].groups if group.counts.original]
    for row, group in zip(by_class.rows, shown, strict=True):
        if group.hidden:
            assert row[1:] == [HIDDEN] * 4
            continue
        assert row[1:3] == [group.counts.original, group.counts.lost]
        enough = group.counts.original >= TOO_FEW
        assert row[4] == (Share(group.counts.lost, group.counts.original) if enough else NOT_ENOUGH)
    assert sections(0, "2024-04", "zh")["groups"].tables[0].columns[3].title == "流失占比"


def test_the_backlog_is_named_in_the_first_cohort() -> None:
    found = sections(0, "2024-04")["cohorts"]
    assert table(found, "cohorts").rows[0][0] == "Dec 2023 and before"
    assert any("backlog" in remark for remark in found.remarks)


def test_losses_by_tenure_add_up() -> None:
    part = parts(0, "2024-Q2")["lapses"]
    found = sections(0, "2024-Q2")["lapses"]
    rows = table(found, "lost_by_tenure")
    assert rows.total == ["All", part.lapsed + part.closed]
    assert {table.key for table in found.tables} == {"lost_by_tenure", "lost_by_weekday", "lost_by_month"}


@pytest.mark.parametrize(
    ("language", "says"), [("en", "Channel of the last order: known of no"), ("zh", "没有任何")]
)
def test_an_attribute_that_nobody_has_is_a_sentence_and_no_table(language: str, says: str) -> None:
    total = GroupCounts(539, 501, 38, active=501)
    period = Period.parse("2024-03", "UTC")
    tables = tuple(
        group_table(by, {(None if by == "channel" else "a", False): total}, total, period) for by in BY
    )
    found = groups.section(Groups(period, Basis.CENSUS, None, (), tables), Words(language))
    assert [each.key for each in found.tables] == [by for by in BY if by != "channel"]
    assert len([each for each in found.remarks if says in each]) == 1
