"""All reports of a desk, each computed in the background."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from consumers.database.database import Database
from consumers.desk.clock import DeskClock
from consumers.desk.config import DeskConfig
from consumers.desk.installation import Installation, InstallationState
from consumers.desk.reports.background import Background, Result
from consumers.desk.reports.calibration import Calibration, calibration
from consumers.desk.reports.lapsed_list import LapsedList
from consumers.desk.reports.live_counts import LiveCounter, LiveCounts
from consumers.desk.rulebook import Rulebook
from consumers.effects.report import EffectsReport, report
from consumers.effects.store import stored_input
from consumers.lapsed.store import stored_facts as lapsed_facts
from consumers.lapsed.win_back import departed
from consumers.muting.counts import muted_by_silence
from consumers.reports.complaints import Limits
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period, PeriodKind
from consumers.reports.report import Report, Terms
from consumers.reports.reporter import Reporter
from consumers.scorecard.scorecard import Scorecard, scorecard
from consumers.scorecard.store import stored_facts
from streams.contract.instants import to_us

T = TypeVar("T")

SOON: Final = timedelta(seconds=5)
MINUTE: Final = timedelta(minutes=1)
LATER: Final = timedelta(minutes=5)
PERIODS: Final = (None, 365, 182, 91)
"""Days back to which scorecards can be asked for; `None` is the beginning."""
MOST_PERIODS: Final = 24
"""Periods whose reports are kept."""
PeriodKey = tuple[str, datetime | None, datetime | None]
"""A period, as of when, and since when changes are corrections."""


class Reports:
    """What the pages beside the queue show."""

    def __init__(
        self,
        database: Database,
        config: DeskConfig,
        clock: DeskClock,
        rulebook: Rulebook,
        installation: Installation,
    ) -> None:
        self._database = database
        self._config = config
        self._clock = clock
        self._rulebook = rulebook
        self.wait_s = 0.5
        """How long a page waits for what is being computed."""
        self._lock = threading.Lock()
        self._cards: dict[int | None, Background[Scorecard]] = {}
        counter = LiveCounter(database)
        self._live = self._background(lambda: counter.count(clock.now()), SOON)
        self._effects = self._background(self._measure, LATER)
        self._lapsed = self._background(lambda: LapsedList(departed(lapsed_facts(database))), LATER)
        self._calibration = self._background(lambda: calibration(database), LATER)
        self._muted = self._background(lambda: muted_by_silence(database), SOON)
        self._installation = self._background(installation.examine, MINUTE)
        self.reporter = Reporter(database, _knowledge(config), self._terms)
        self._periods: OrderedDict[PeriodKey, Background[Report]] = OrderedDict()

    def live(self) -> Result[LiveCounts]:
        """Return what is open and what opened of late."""
        return self._live.look(self.wait_s)

    def effects(self) -> Result[EffectsReport]:
        """Return what plays do."""
        return self._effects.look(self.wait_s)

    def lapsed(self) -> Result[LapsedList]:
        """Return who is gone."""
        return self._lapsed.look(self.wait_s)

    def calibration(self) -> Result[Calibration]:
        """Return whether the model's probabilities came true."""
        return self._calibration.look(self.wait_s)

    def muted(self) -> Result[dict[str, int]]:
        """Return how many steps each silence has muted."""
        return self._muted.look(self.wait_s)

    def installation(self) -> Result[InstallationState]:
        """Return what runs around the desk."""
        return self._installation.look(self.wait_s)

    def scorecard(self, days: int | None) -> Result[Scorecard]:
        """Return the scorecard of the last days, one of `PERIODS`."""
        with self._lock:
            if days not in self._cards:
                self._cards[days] = self._background(lambda: self._score(days), LATER)
            found = self._cards[days]
        return found.look(self.wait_s)

    def period(
        self, period: Period, as_of: datetime | None = None, since: datetime | None = None
    ) -> Result[Report]:
        """Return the report of a period, which all views and languages show, with what was corrected in it.

        `as_of` and `since` are those of `Reporter.with_corrections`.
        """
        key = (period.key, as_of, since)
        with self._lock:
            found = self._periods.pop(key, None)
            self._periods[key] = found or self._background(
                lambda: self.reporter.with_corrections(period, self._clock.wall(), as_of, since), LATER
            )
            while len(self._periods) > MOST_PERIODS:
                self._periods.popitem(last=False)
            found = self._periods[key]
        return found.look(self.wait_s)

    def last_period(self, kind: PeriodKind) -> Period:
        """Return the newest period that is over, by the clock and for the store."""
        newest, now = self.reporter.newest(), self._clock.now()
        return Period.last_ended(kind, now if newest is None else min(now, newest), self.reporter.zone)

    def _terms(self) -> Terms:
        view = self._rulebook.current()
        groups = {each.group: each.group for each in view.reasons}
        titles = {each.group: each.group_title for each in view.reasons}
        return Terms(
            group_of=groups | {each.id: each.group for each in view.reasons},
            reason_titles=titles | {each.id: each.title for each in view.reasons},
            play_titles={each.id: each.title for each in view.plays},
            min_holdout=self._config.min_holdout,
            complaint_limits=Limits(_limit(self._config.answer_within), _limit(self._config.solve_within)),
        )

    def _background(self, compute: Callable[[], T], fresh_for: timedelta) -> Background[T]:
        return Background(compute, fresh_for, self._clock.wall)

    def _score(self, days: int | None) -> Scorecard:
        facts = stored_facts(self._database, timedelta(microseconds=self._config.horizon))
        since = None if days is None else to_us(_midnight(self._clock.now(), days))
        return scorecard(facts, self._config.horizon, since=since)

    def _measure(self) -> EffectsReport:
        group_of = {each.id: each.group for each in self._rulebook.current().reasons}
        given = stored_input(self._database)
        return report(given, min_holdout=self._config.min_holdout, group_of=group_of)


def _knowledge(config: DeskConfig) -> Knowledge:
    return Knowledge(
        zone=config.time_zone,
        horizon=timedelta(microseconds=config.horizon),
        active_within=timedelta(microseconds=config.active_within or config.horizon),
        currency=config.currency,
    )


def _limit(us: int) -> timedelta | None:
    return timedelta(microseconds=us) if us else None


def _midnight(now: datetime, days: int) -> datetime:
    return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
