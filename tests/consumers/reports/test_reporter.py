"""What makes reports: a scheduled one is made once for all its views and languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest

from consumers.database.database import Database
from consumers.language import translated
from consumers.reports import reporter as module
from consumers.reports.complaints import Limits
from consumers.reports.document import Document, Under
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.report import MAKERS, Report, Terms, make_report
from consumers.reports.reporter import MOST_KEPT, Reporter
from consumers.reports.views import View
from streams.rulebook.routes_file import REPORT_VIEWS
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import empty_database, store_records

MONTH = timedelta(days=30)
TERMS = Terms({}, {}, {}, 20, Limits(None, None))


@pytest.fixture
def database() -> Iterator[Database]:
    made = empty_database()
    for topic, kind in KINDS.items():
        store_records(made, [each for each in shop_records() if each.topic == topic], NOW, kind)
    yield made
    made.close()


def test_the_figures_of_a_period_are_made_once_for_all_who_get_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(*given: object, **more: object) -> Report:
        period = given[1]
        assert isinstance(period, Period)
        made.append(period.key)
        return make_report(*given, **more)  # type: ignore[arg-type]  # handed on as it is

    monkeypatch.setattr(module, "make_report", counted)
    reporter = Reporter(database, Knowledge("UTC", MONTH, MONTH), lambda: TERMS)
    april = Period.parse("2024-04", "UTC")
    english = reporter(april, "all", "en", NOW)
    chinese = reporter(april, "finance", "zh", NOW)
    assert made == ["2024-04"]
    assert english.tiles[0].figure == chinese.tiles[0].figure != "–"
    assert (english.language, chinese.language) == ("en", "zh")
    for number in range(MOST_KEPT):
        reporter(april, "all", "en", NOW + timedelta(hours=1 + number))
    reporter(april, "all", "en", NOW)
    assert len(made) == 2 + MOST_KEPT


def test_a_schedule_has_the_views_that_there_are() -> None:
    assert tuple(view.value for view in View) == REPORT_VIEWS


def test_what_is_known_at_an_instant_is_not_what_is_known_now(database: Database) -> None:
    reporter = Reporter(database, Knowledge("UTC", MONTH, MONTH), lambda: TERMS)
    assert reporter.newest(NOW - timedelta(days=1)) is None
    newest = reporter.newest()
    assert newest is not None
    with database.reading() as connection:
        assert reporter.known_to(connection) == newest


def texts(found: Document) -> Iterator[str]:
    """Yield every text of a document, those of its plots too."""
    yield from (found.title, found.period, *found.answer, *found.basis, *found.cautions)
    for tile in (*found.tiles, *(tile for section in found.sections for tile in section.tiles)):
        yield from (tile.figure, tile.what, tile.note)
    for section in found.sections:
        yield from (section.title, section.note, *section.remarks)
        for each in section.definitions:
            yield from (
                each.name,
                each.part,
                each.whole,
                each.period,
                *(what for what, _n in each.exclusions),
            )
        for table in section.tables:
            yield from (table.title, table.note, *(column.title for column in table.columns))
            for row in (*table.rows, *(() if table.total is None else (table.total,))):
                yield from (cell.text if isinstance(cell, Under) else str(cell) for cell in row)
        for plot in section.plots:
            yield from map(unescape, re.findall(r">([^<>]+)<", plot.draw(900)))
            yield from map(unescape, re.findall(r'aria-label="([^"]*)"', plot.draw(900)))


@pytest.mark.parametrize("period", ["2024-04", "2024-W15", "2024-Q1"])
def test_no_text_that_has_a_translation_is_left_in_english(database: Database, period: str) -> None:
    reporter = Reporter(database, Knowledge("UTC", MONTH, MONTH), lambda: TERMS)
    chinese = reporter.written(reporter.report(Period.parse(period, "UTC")), View.ALL, "zh")
    assert len(chinese.sections) >= len(MAKERS)
    left = {
        text
        for text in texts(chinese)
        if text != translated("zh", text) and not re.fullmatch(r"[\W\d]*", text) and text not in NAMES
    }
    assert left == set()


NAMES = {"letter", "call", "other", "search"}
"""What the shop calls its plays and segments, which nobody translates."""
