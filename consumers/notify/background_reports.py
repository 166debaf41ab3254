"""Reports that are made beside the notifier's own work: no message waits for one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from datetime import datetime
from typing import Final

from consumers.notify.scheduled_reports import ReportNotReady, ReportWriter
from consumers.reports.document import Document
from consumers.reports.period import Period

MOST_KEPT: Final = 16
"""Reports that nobody has taken yet: of one whose message is not sent any more nobody will."""

_Key = tuple[str, str, str, str, datetime]


class BackgroundReports:
    """Makes each report in a thread that the end of the process does not wait for."""

    def __init__(self, write: ReportWriter) -> None:
        self._write = write
        self._begun: OrderedDict[_Key, Future[Document]] = OrderedDict()

    def __call__(self, period: Period, view: str, language: str, as_of: datetime) -> Document:
        """Return a report once it is made; raises `ReportNotReady` before, or what making it raised."""
        key = (period.key, period.zone, view, language, as_of)
        future = self._begun.get(key)
        if future is None:
            future = self._begun[key] = Future()
            while len(self._begun) > MOST_KEPT:
                self._begun.popitem(last=False)
            given = (future, period, view, language, as_of)
            threading.Thread(target=self._make, args=given, name="report", daemon=True).start()
        if not future.done():
            raise ReportNotReady
        del self._begun[key]
        return future.result()

    def _make(
        self, future: Future[Document], period: Period, view: str, language: str, as_of: datetime
    ) -> None:
        try:
            future.set_result(self._write(period, view, language, as_of))
        except Exception as error:  # it is raised where the report is asked for
            future.set_exception(error)
