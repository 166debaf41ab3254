"""What makes reports: a scheduled one is made once for all its views and languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from consumers.database.database import Database
from consumers.reports import reporter as module
from consumers.reports.complaints import Limits
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.report import Report, Terms, make_report
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
    assert english.sections[-1].key == chinese.sections[-1].key
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
