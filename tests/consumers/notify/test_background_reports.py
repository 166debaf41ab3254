"""A report made in the background: not ready until it is, then handed out once, with what went wrong."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from consumers.notify.background_reports import MOST_KEPT, BackgroundReports
from consumers.notify.scheduled_reports import ReportNotReady
from consumers.reports.document import Document
from consumers.reports.period import Period
from streams.errors import StoreError
from tests.consumers.reports.formats.documents import document

MARCH = Period.parse("2026-03", "UTC")
NOW = datetime(2026, 4, 1, 7, tzinfo=UTC)


class Writer:
    """Makes a report when it is let."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.made = threading.Semaphore(0)
        self.asked: list[tuple[str, str, str, datetime]] = []
        self.error: Exception | None = None

    def __call__(self, period: Period, view: str, language: str, as_of: datetime) -> Document:
        self.asked.append((period.key, view, language, as_of))
        self.may.wait(10)
        try:
            if self.error is not None:
                raise self.error
            return document(language)
        finally:
            self.made.release()


def taken(reports: BackgroundReports) -> Document:
    """Return a report that has been made: its thread may need a moment to hand it over."""
    pause = threading.Event()
    for _ in range(1000):
        try:
            return reports(MARCH, "all", "en", NOW)
        except ReportNotReady:
            pause.wait(0.01)
    raise AssertionError


def test_a_report_is_begun_once_and_handed_out_when_it_is_made() -> None:
    writer = Writer()
    reports = BackgroundReports(writer)
    for _ in range(3):
        with pytest.raises(ReportNotReady):
            reports(MARCH, "all", "en", NOW)
    writer.may.set()
    assert writer.made.acquire(timeout=10)
    assert taken(reports).language == "en"
    assert writer.asked == [("2026-03", "all", "en", NOW)]


def test_what_making_it_raised_is_raised_where_it_is_asked_for_and_it_is_begun_again() -> None:
    writer = Writer()
    writer.may.set()
    writer.error = StoreError("away")
    reports = BackgroundReports(writer)
    with pytest.raises(StoreError, match="away"):
        taken(reports)
    writer.error = None
    assert taken(reports).language == "en"
    assert len(writer.asked) == 2


def test_reports_that_nobody_takes_are_not_kept_for_ever() -> None:
    writer = Writer()
    reports = BackgroundReports(writer)
    for number in (*range(MOST_KEPT + 1), 0):  # at last the first is gone, and begun again
        writer.may.clear()
        with pytest.raises(ReportNotReady):
            reports(MARCH, "all", "en", NOW + timedelta(days=number))
        writer.may.set()
        assert writer.made.acquire(timeout=10)
    assert len(writer.asked) == MOST_KEPT + 2
