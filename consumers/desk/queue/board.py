"""The board: the open warnings in their order for whoever asks, as pages show them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from consumers.database.database import Database
from consumers.desk.clock import DeskClock
from consumers.desk.config import DeskConfig
from consumers.desk.people.person import Person, Role, Team
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.matching import TeamOf, WordCounts, found, no_team, taken_by
from consumers.desk.queue.order import Arrangement, Limits, Section, arrange, by_decision
from consumers.desk.queue.reader import Loading, QueueReader, StillLoading
from consumers.desk.queue.row import QueuePage, QueueRow, Totals
from consumers.desk.queue.row_maker import RowMaker
from consumers.desk.rulebook import Rulebook
from streams.contract.instants import to_us


@dataclass(slots=True)
class _Made:
    """An arrangement for a team, and what it was made from."""

    version: int
    day: object
    arrangement: Arrangement
    limits: Limits
    attended_today: int
    spent: Mapping[str, tuple[float, float]]


class Board:
    """The open warnings in their order; thread-safe.

    With `as_of` it is the board of a past instant, which never changes.
    """

    def __init__(
        self,
        database: Database,
        clock: DeskClock,
        config: DeskConfig,
        rulebook: Rulebook,
        team_of: TeamOf = no_team,
        as_of: datetime | None = None,
    ) -> None:
        self._clock = clock
        self._config = config
        self._rulebook = rulebook
        self._team_of = team_of
        self._as_of = as_of
        self.is_followed = False
        """Whether a thread keeps it up to date; else it reads what is new when it is asked."""
        self.reader = QueueReader(database, config, self.now, as_of)
        self._rows = RowMaker(database, self.reader)
        self._words = WordCounts()
        self._decided: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._decided_version = -1
        self._made: dict[tuple[str | None, bool], _Made] = {}

    @property
    def version(self) -> int:
        """Grows with each change."""
        return self.reader.version

    def __len__(self) -> int:
        return len(self.reader.warnings)

    @property
    def loading(self) -> Loading | None:
        """How far the open warnings are read; `None` when they all are."""
        return self.reader.loading

    def refresh(self) -> bool:
        """Read what is new in the database; return whether anything is. Raises `StoreError`."""
        return self.reader.refresh()

    def now(self) -> datetime:
        """Return the time by which the board is arranged."""
        return self._clock.now() if self._as_of is None else self._as_of

    # Arranging.

    def _arranged(self, person: Person, now: datetime, *, everything: bool) -> _Made:
        """Return the arrangement for somebody's team, as it is at an instant."""
        team = person.team
        zone = ZoneInfo((team.time_zone if team is not None else None) or self._config.time_zone)
        day = now.astimezone(zone).date()
        key = (team.name if team is not None else None, everything)
        made = self._made.get(key)
        fresh = (
            made is not None
            and made.version == self.reader.version
            and made.day == (day, team)
            and to_us(now) < made.arrangement.valid_until
        )
        if made is None or not fresh:
            if self._decided_version != self.reader.warnings.decisions_version:
                self._decided = by_decision(self.reader.warnings)
                self._decided_version = self.reader.warnings.decisions_version
            begin = datetime.combine(day, datetime.min.time(), zone)
            attended_today = self._attended_since(to_us(begin), team)
            capacity = self._config.capacity if team is None else team.capacity
            left = None if capacity is None else max(0, capacity - attended_today)
            spent = self._spent_this_month(now)
            limits = Limits(left, {play: budget - amount for play, (amount, budget) in spent.items()})
            scope = (
                np.ones(self.reader.warnings.room, dtype=np.bool_)
                if everything
                else taken_by(self.reader.warnings, team)
            )
            arrangement = arrange(self.reader.warnings, self._decided, scope, to_us(now), limits)
            made = _Made(self.reader.version, (day, team), arrangement, limits, attended_today, spent)
            self._made[key] = made
        return made

    def _attended_since(self, begin: int, team: Team | None) -> int:
        """Return how many customers people of a team attended to first since an instant."""
        name = team.name if team is not None else None
        by_actor = self.reader.attended.since(begin)
        own = (customers for actor, customers in by_actor.items() if self._team_of(actor) == name)
        return len(set[str]().union(*own))

    def _spent_this_month(self, now: datetime) -> dict[str, tuple[float, float]]:
        """Return of each play with a budget what was spent on it this month, and the budget."""
        budgets = {
            each.id: each.budget_month
            for each in self._rulebook.current().plays
            if each.budget_month is not None
        }
        if not budgets:
            return {}
        local = now.astimezone(ZoneInfo(self._config.time_zone))
        begin = to_us(local.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        spent: dict[str, list[float]] = {play: [] for play in budgets}
        for spendings in self.reader.spendings.values():
            for each in spendings:
                if each.play in spent and each.at >= begin:
                    spent[each.play].append(each.amount)
        return {play: (math.fsum(spent[play]), budget) for play, budget in budgets.items()}

    def _chosen(self, wanted: QueueFilter, person: Person, now: datetime) -> tuple[NDArray[np.intp], _Made]:
        """Return the places of the rows that a filter finds, in their order."""
        made = self._arranged(person, now, everything=wanted.all)
        order, section = made.arrangement.order, made.arrangement.section
        matches = found(self.reader.warnings, wanted, person, to_us(now), self._team_of)[order]
        matches &= np.isin(section[order], wanted.sections)
        return order[matches], made

    def _ready(self) -> datetime:
        """Return the time, once all is read; raises `StillLoading`."""
        loading = self.loading
        if loading is not None and (self.is_followed or self.reader.is_reading):
            raise StillLoading(loading)
        if not self.is_followed:
            self.refresh()
        return self.now()

    # What pages ask.

    def page(self, wanted: QueueFilter, person: Person, *, offset: int = 0, limit: int = 50) -> QueuePage:
        """Return a page of the rows that a filter finds, in their order."""
        now = self._ready()
        with self.reader.lock:
            places, made = self._chosen(wanted, person, now)
            offset = max(0, min(offset, max(0, len(places) - 1)))
            some = places[offset : offset + limit].tolist()
            rows = [self._rows.bare(place, made.arrangement, to_us(now)) for place in some]
            page = QueuePage(
                rows=(),
                matched=len(places),
                offset=offset,
                limit=limit,
                sections=self._totals(places, made.arrangement),
                version=self.reader.version,
                capacity=made.limits.capacity,
                attended_today=made.attended_today,
                spent=made.spent,
                words=self._words.of(self.reader.warnings, person),
            )
        return replace(page, rows=self._rows.filled(rows))

    def ids(self, wanted: QueueFilter, person: Person) -> list[str]:
        """Return the ids of all warnings that a filter finds, in their order."""
        now = self._ready()
        with self.reader.lock:
            places, _made = self._chosen(wanted, person, now)
            return [self.reader.warnings.ids[place] for place in places.tolist()]

    def customers(self, warning_ids: Collection[str], person: Person) -> dict[str, str]:
        """Return the customers of those warnings that are open and that somebody may see."""
        self._ready()
        with self.reader.lock:
            seen = [each for each in warning_ids if self._sees(person, each)]
            return {each: self.reader.warnings.customers[self.reader.warnings.places[each]] for each in seen}

    def _sees(self, person: Person, warning_id: str) -> bool:
        place = self.reader.warnings.places.get(warning_id)
        return place is not None and (person.may(Role.OPERATOR) or not self.reader.warnings.holdout[place])

    def neighbours(
        self, wanted: QueueFilter, person: Person, warning_id: str
    ) -> tuple[str | None, str | None]:
        """Return the warnings before and after one in a filter's order.

        Of one that is not among them any more it is as if it still stood where its decision puts it.
        """
        now = self._ready()
        with self.reader.lock:
            places, _made = self._chosen(wanted, person, now)
            place = self.reader.warnings.places.get(warning_id)
            if place is None:
                return None, (self.reader.warnings.ids[places[0]] if len(places) else None)
            at = np.flatnonzero(places == place)
            if at.size:
                index, after = int(at[0]), int(at[0]) + 1
            else:
                rank = np.full(self.reader.warnings.room, len(self._decided))
                rank[self._decided] = np.arange(len(self._decided))
                index = after = int(np.searchsorted(rank[places], rank[place]))
            ids = self.reader.warnings.ids
            return (
                ids[places[index - 1]] if index > 0 else None,
                ids[places[after]] if after < len(places) else None,
            )

    def row(self, warning_id: str, person: Person) -> QueueRow | None:
        """Return the row of an open warning that somebody may see."""
        return next(iter(self.rows([warning_id], person)), None)

    def rows(self, warning_ids: Sequence[str], person: Person) -> list[QueueRow]:
        """Return the rows of those of the warnings that are open and that somebody may see."""
        now = self._ready()
        with self.reader.lock:
            taken = taken_by(self.reader.warnings, person.team)
            bare = []
            for each in warning_ids:
                if self._sees(person, each):
                    place = self.reader.warnings.places[each]
                    made = self._arranged(person, now, everything=not taken[place])
                    bare.append(self._rows.bare(place, made.arrangement, to_us(now)))
        return self._rows.filled(bare)

    def every_row(self, wanted: QueueFilter, person: Person) -> list[QueueRow]:
        """Return all rows that a filter finds, in their order."""
        now = self._ready()
        with self.reader.lock:
            places, made = self._chosen(wanted, person, now)
            bare = [self._rows.bare(place, made.arrangement, to_us(now)) for place in places.tolist()]
        return self._rows.filled(bare)

    def came_since(self, version: int, wanted: QueueFilter, person: Person) -> int:
        """Return how many warnings that a filter finds came after a version of the board."""
        now = self._ready()
        with self.reader.lock:
            places, _made = self._chosen(wanted, person, now)
            return int(np.count_nonzero(self.reader.warnings.entered[places] > version))

    def may_see(self, person: Person, customer_id: str) -> bool:
        """Return whether somebody may see that a customer is looked at: not one with a held-out warning."""
        with self.reader.lock:
            warning_id = self.reader.warnings.of_customer.get(customer_id)
            return warning_id is None or self._sees(person, warning_id)

    def seen_by(self, person: Person, warning_ids: Collection[str]) -> list[str]:
        """Return which of the warnings are open and may be seen by somebody."""
        with self.reader.lock:
            return [each for each in warning_ids if self._sees(person, each)]

    def _totals(self, places: NDArray[np.intp], arrangement: Arrangement) -> dict[Section, Totals]:
        section = arrangement.section[places]
        net = np.nan_to_num(self.reader.warnings.net[places], nan=0.0)
        return {
            each: Totals(int(np.count_nonzero(section == each)), float(net[section == each].sum()))
            for each in Section
        }
