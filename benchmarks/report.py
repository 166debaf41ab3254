"""The time of a monthly report over a large store, by part.

python -m benchmarks.report --database URL [--customers 1000] [--days 730] [--times 1000] [--repeats 4]

An empty PostgreSQL database is filled first: a simulated shop with a team, `--times` over, each customer with
`--repeats` as many warnings (see `helped_store`); one that is filled is measured as it is. A SQLite database
is filled with the one shop. The report is of a month that ended two months ago, so that most has matured.
"""

from __future__ import annotations

import argparse
import time
from datetime import datetime, timedelta

from sqlalchemy import func, select

from benchmarks.helped_store import fill, multiply
from consumers.database.database import Database
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningStepRow
from consumers.reports.formats.page import page
from consumers.reports.period import Period, PeriodKind
from consumers.reports.report import make_report
from consumers.reports.views import View
from lapwing.reports import knowledge_of, reporter_of, terms_of
from lapwing.settings.settings import load_settings

PARTITIONS = 8
SETTINGS = {"labour_rate": 0.5, "currency": "EUR", "horizon": "60d", "expire_after": "60d"}


def main() -> int:
    """Fill where it is empty, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report")
    parser.add_argument("--database", required=True, help="an SQLAlchemy URL")
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--times", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=4)
    arguments = parser.parse_args()
    database = Database(arguments.database)
    database.prepare()
    settings = load_settings(None, SETTINGS, environ={})
    if not _stored(database)[0]:
        began = time.perf_counter()
        fill(database, settings, arguments.customers, arguments.days, on_day=_every_hundredth)
        if database.dialect == "postgresql" and arguments.times > 1:
            multiply(
                database, arguments.times, arguments.repeats, PARTITIONS, lambda line: print(line, flush=True)
            )
        print(f"filled in {time.perf_counter() - began:.0f} s")
    steps, customers, newest = _stored(database)
    print(f"{database.place}: {steps:,} steps, {customers:,} customers")
    assert newest is not None
    measure(database, Period.last_ended(PeriodKind.MONTH, newest - timedelta(days=61), "UTC"))
    database.close()
    return 0


def _every_hundredth(day: int) -> None:
    if day % 100 == 0:
        print(f"day {day}", flush=True)


def _stored(database: Database) -> tuple[int, int, datetime | None]:
    acquired = OutcomeRow.type == "churn.customer.acquired"
    with database.reading() as connection:
        return (
            connection.scalar(select(func.count()).select_from(WarningStepRow)) or 0,
            connection.scalar(select(func.count()).select_from(OutcomeRow).where(acquired)) or 0,
            connection.scalar(select(func.max(OutcomeRow.time))),
        )


class Clock:
    """Prints how long each part took."""

    def __init__(self) -> None:
        self.began = self._last = time.perf_counter()
        self._name: str | None = None

    def part(self, name: str | None, number: int = 0, count: int = 0) -> None:
        """Hear of a part that begins; of none where the last has ended."""
        now = time.perf_counter()
        if self._name is not None:
            print(f"  {self._name:12} {now - self._last:6.2f} s", flush=True)
        self._name, self._last = name, now


def measure(database: Database, period: Period) -> None:
    """Print how long each part takes, then all at the same time, and the page."""
    settings = load_settings(None, SETTINGS, environ={})
    reporter = reporter_of(settings, database)
    clock = Clock()
    one_by_one = make_report(
        database, period, knowledge_of(settings), terms_of(settings), on_part=clock.part, at_once=1
    )
    clock.part(None)
    took = time.perf_counter() - clock.began
    print(f"{period.key}, one by one: figures in {took:.1f} s; failed checks: {len(one_by_one.failed)}")
    for attempt in ("at the same time", "again"):
        began = time.perf_counter()
        report = reporter.report(period)
        print(f"{period.key}, {attempt}: figures in {time.perf_counter() - began:.1f} s")
        assert report.as_dict() == one_by_one.as_dict()
    began = time.perf_counter()
    written = page(reporter.written(report, View.ALL, "en"))
    print(f"page of {len(written) / 1024:.0f} kB in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    raise SystemExit(main())
