"""What makes reports for everybody who shows them: the command, the desk and scheduled messages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from consumers.database.database import Database
from consumers.reports.corrections import since_when
from consumers.reports.document import Document
from consumers.reports.knowledge import Knowledge, known_to
from consumers.reports.pages.whole import document
from consumers.reports.period import Period
from consumers.reports.report import MAKERS, Report, Terms, corrected, make_report
from consumers.reports.views import View
from consumers.reports.words import Words

MOST_KEPT: Final = 4
"""Reports that are kept: those of one schedule differ in view and language, not in their figures."""

OnPart = Callable[[str, int, int], None]


def no_progress(name: str, number: int, count: int) -> None:
    """Hear of a part and do nothing."""


class Reporter:
    """Makes reports of one database."""

    def __init__(self, database: Database, knowledge: Knowledge, terms: Callable[[], Terms]) -> None:
        """`terms` returns what the rule files say now."""
        self._database = database
        self._knowledge = knowledge
        self._terms = terms
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, datetime], Report] = OrderedDict()

    @property
    def zone(self) -> str:
        """The time zone of the business."""
        return self._knowledge.zone

    def known_to(self, connection: Connection) -> datetime | None:
        """Return the event time up to which the store knows what became of customers."""
        return known_to(connection, self._knowledge)

    def newest(self, as_of: datetime | None = None) -> datetime | None:
        """Return the same, as it was known at an instant."""
        with self._database.reading() as connection:
            return known_to(connection, replace(self._knowledge, as_of=as_of))

    def report(
        self,
        period: Period,
        as_of: datetime | None = None,
        wanted: Sequence[str] = tuple(MAKERS),
        on_part: OnPart = no_progress,
    ) -> Report:
        """Return a report from what was stored by then; raises `LapwingError` where that cannot be."""
        knowledge = replace(self._knowledge, as_of=as_of)
        return make_report(self._database, period, knowledge, self._terms(), wanted=wanted, on_part=on_part)

    def corrected(self, report: Report, since: datetime, on_part: OnPart = no_progress) -> Report:
        """Return a report with what has changed in it since an instant of the database's clock."""
        return corrected(self._database, report, self._terms(), since, on_part)

    def with_corrections(
        self,
        period: Period,
        now: datetime,
        as_of: datetime | None = None,
        since: datetime | None = None,
        wanted: Sequence[str] = tuple(MAKERS),
        on_part: OnPart = no_progress,
    ) -> Report:
        """Return a report that lists what has changed in it since an instant of the database's clock.

        Without one it is compared with itself as of one day after its period; with `as_of` not at all, and
        not where the database did not know the whole period by then.
        """
        report = self.report(period, as_of, wanted, on_part)
        then = correction_instant(report, now) if since is None else since
        if then is None:
            return report
        found = self.corrected(report, then, on_part)
        was_known = found.corrections is not None and found.corrections.was_known
        return found if was_known or since is not None else report

    def written(self, report: Report, view: View, language: str) -> Document:
        """Return what a view shows of a report, in a language."""
        words = Words(language, self._knowledge.zone, self._knowledge.currency)
        return document(report, view, words, self._terms().reason_titles)

    def __call__(self, period: Period, view: str, language: str, as_of: datetime) -> Document:
        """Return a scheduled report; its figures are made once for all views and languages."""
        key = (period.key, period.zone, as_of)
        with self._lock:
            report = self._kept.get(key)
            if report is None:
                report = self._kept[key] = self.report(period, as_of)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return self.written(report, View(view), language)


def correction_instant(report: Report, now: datetime) -> datetime | None:
    """Return since when changes of a report are corrections, `None` where it is not compared by itself."""
    then = since_when(report.period)
    if report.knowledge.as_of is not None or not report.is_over or then >= now:
        return None
    return then
