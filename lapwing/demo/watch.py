"""Watching the run: the children's health, the worker's progress, the warnings as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import func, select

from consumers.broker.client import Subscription
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.events import ComplaintRow
from consumers.database.outcomes import CensusRow, CustomerDaysRow, OutcomeRow
from consumers.database.warnings import WarningRow
from consumers.loop import Retryable, Waiter
from lapwing.demo.children import Child
from lapwing.demo.feed import Feed
from lapwing.demo.ledger import Ledger
from lapwing.demo.screen import Screen, ScreenFigures
from lapwing.demo.stats import WorkerStats
from streams.contract.warnings import parse_warning

TURN_S: Final = 0.12
STORED_EVERY_S: Final = 1.0
"""How often the database is asked how much it holds."""
QUIET_S: Final = 2.0
"""So long the sink stores nothing more once it has everything; it polls every second."""
IDLE_S: Final = 20.0
"""How long after the stream's end worker and sink may take until something more is stored."""
DRAIN_S: Final = 90.0
"""How long they may take to store everything."""
STORED: Final[tuple[type[Base], ...]] = (WarningRow, OutcomeRow, CensusRow, CustomerDaysRow, ComplaintRow)
"""Tables that the sink fills."""


class Watch:
    """Takes turns at looking everywhere and showing what there is."""

    def __init__(
        self,
        children: Sequence[Child],
        stats: WorkerStats,
        subscription: Subscription,
        database: Database,
        feed: Feed,
        screen: Screen,
        title: str,
    ) -> None:
        self.children = children
        self.stats = stats
        self.ledger = Ledger()
        self.screen = screen
        self._subscription = subscription
        self._database = database
        self._feed = feed
        self._title = title
        self._stored: int | None = None
        self._stored_at = float("-inf")
        self._stored_marks: dict[str, int] | None = None
        self._quiet_since: float | None = None
        self._changed_at = float("-inf")
        self._ended_at = 0

    def until(self, reached: Callable[[], bool], within_s: float, stop: Waiter, note: str) -> bool:
        """Take turns until `reached`, or the time is up, or a stop is asked for; return whether it was."""
        deadline = time.monotonic() + within_s
        while not reached():
            if stop.asked or time.monotonic() > deadline:
                return False
            self._turn(note)
        return True

    def until_settled(self, stop: Waiter, note: str) -> bool:
        """Take turns until worker and sink have done all there is to do; return whether they have.

        A slow machine gets more time, as long as something is stored.
        """
        begun = self._changed_at = time.monotonic()
        while not self.settled():
            now = time.monotonic()
            if stop.asked or now - self._changed_at > IDLE_S or now - begun > DRAIN_S:
                return False
            self._turn(note)
        return True

    def worker_ready(self) -> bool:
        """Return whether the worker has its partitions and knows where each begins."""
        return bool(self.stats.lag)

    def mark_end(self) -> None:
        """Note that the stream has ended: from now on the rest is waited for."""
        self._ended_at = self.stats.readings

    def settled(self) -> bool:
        """Return whether worker and sink have done all there is to do.

        The sink stores what a poll gives of all topics at once: where it has all warnings and a while brings
        no outcome more, it has those too.
        """
        return (
            self.stats.settled(self._ended_at)
            and self._stored == len(self.ledger)
            and self._quiet_since is not None
            and time.monotonic() - self._quiet_since >= QUIET_S
        )

    def check(self) -> None:
        """Raise where a child has ended."""
        for child in self.children:
            child.check()

    def stored(self) -> int | None:
        """Return how many warnings the database holds; `None` while another process has it locked."""
        return (self.rows() or {}).get("warnings")

    def rows(self) -> dict[str, int] | None:
        """Return how many rows each table of the sink has; `None` while another process has it locked."""
        try:
            with self._database.reading() as connection:
                return {
                    table.__tablename__: connection.scalar(select(func.count()).select_from(table)) or 0
                    for table in STORED
                }
        except Retryable:
            return None

    def _look_at_stored(self, now: float) -> None:
        """Look how far each table is, and note since when nothing has changed."""
        marks = self._marks()
        if marks is None or marks != self._stored_marks:
            self._quiet_since, self._changed_at = None, now
        elif self._quiet_since is None:
            self._quiet_since = self._stored_at
        self._stored = None if marks is None else marks["warnings"]
        self._stored_marks, self._stored_at = marks, now

    def _marks(self) -> dict[str, int] | None:
        """Return how many warnings there are, and of other tables the number of the newest row."""
        marks = {
            table.__tablename__: select(
                func.max(table.__table__.c.seq) if "seq" in table.__table__.c else func.count()
            ).select_from(table)
            for table in STORED
        }
        try:
            with self._database.reading() as connection:
                return {name: connection.scalar(mark) or 0 for name, mark in marks.items()}
        except Retryable:
            return None

    def _turn(self, note: str) -> None:
        """Look at everything once."""
        began = time.monotonic()
        self.check()
        self.stats.read()
        if began - self._stored_at >= STORED_EVERY_S:
            self._look_at_stored(began)
        for record in self._subscription.poll(TURN_S):
            event = parse_warning(record.value or b"")
            self.ledger.add(event)
            self.screen.add(event)
        self.screen.show(self._figures(note))
        time.sleep(max(0.0, TURN_S - (time.monotonic() - began)))

    def _figures(self, note: str) -> ScreenFigures:
        feed, stats = self._feed, self.stats
        return ScreenFigures(
            title=self._title,
            at=feed.at,
            part=feed.part,
            sent=feed.sent,
            processed=stats.events,
            rate=stats.rate,
            lag=stats.behind,
            warnings=len(self.ledger),
            open_by_tier=dict(self.ledger.open_by_tier()),
            stored=self._stored,
            note=note,
        )
