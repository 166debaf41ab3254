"""The open warnings and what the team did about them, read from the database and brought up to date."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from consumers.actions import Action
from consumers.database.database import Database
from consumers.desk.config import DeskConfig
from consumers.desk.queue import store
from consumers.desk.queue.open_warnings import OpenWarnings
from consumers.desk.queue.team_work import AttendedSince, CustomerWork, Spending
from streams.errors import DeskError

_LONGEST_MONTH: Final = timedelta(days=33)
"""So far back actions are read: to the begin of the month, in any time zone."""


@dataclass(frozen=True, slots=True)
class Loading:
    """How far the open warnings are read."""

    read: int
    all: int


class StillLoading(DeskError):
    """The open warnings are being read."""

    def __init__(self, loading: Loading) -> None:
        super().__init__(f"{loading.read} of {loading.all} open warnings are read")
        self.loading = loading


@dataclass(slots=True)
class Changes:
    """What a refresh brought."""

    warnings: set[str] = field(default_factory=set)
    gone: dict[str, bool] = field(default_factory=dict)
    """Those that are not open any more, and whether they were held out."""

    def __bool__(self) -> bool:
        return bool(self.warnings or self.gone)


class QueueReader:
    """All open warnings as columns, read from the database; thread-safe.

    With `as_of` they are those of a past instant, which never change.
    """

    def __init__(
        self,
        database: Database,
        config: DeskConfig,
        now: Callable[[], datetime],
        as_of: datetime | None = None,
    ) -> None:
        self._database = database
        self._config = config
        self._now = now
        self._as_of = as_of
        self.on_changes: list[Callable[[Changes], None]] = []
        """Are called after a refresh that brought something."""
        self._reading = threading.Lock()
        """Taken by whoever reads the database: one at a time."""
        self.lock = threading.RLock()
        """Taken while the columns are read or changed."""
        self._start()

    def _start(self) -> None:
        self._position: store.Position | None = None
        self._loading = Loading(0, 0)
        self.warnings = OpenWarnings()
        self.stored: dict[str, tuple[Action, ...]] = {}
        """The stored actions of the customers that matter: with an open warning, or acted on of late."""
        self.waiting: dict[str, dict[str, Action]] = {}
        """The actions of the desk that the store does not show yet, by customer and id."""
        self.attended = AttendedSince()
        """Who attended first to each of a customer's warnings."""
        self.spendings: dict[str, tuple[Spending, ...]] = {}
        """Of the customers for whom something was spent."""
        self.version = 1
        """Grows with each change."""

    @property
    def loading(self) -> Loading | None:
        """How far the open warnings are read; `None` when they all are."""
        return None if self._position is not None else self._loading

    @property
    def is_reading(self) -> bool:
        """Whether a thread reads the database at the moment."""
        return self._reading.locked()

    def refresh(self) -> bool:
        """Read what is new in the database; return whether anything is. Raises `StoreError`."""
        with self._reading:
            if self._position is None:
                self._load()
                return True
            changes = Changes() if self._as_of is not None else self._catch_up()
        if changes:
            for call in self.on_changes:
                call(changes)
        return bool(changes)

    def _load(self) -> None:
        with self.lock:
            self._start()
        with self._database.reading() as connection:
            # Before all else: what comes meanwhile is then read twice and not never.
            position = store.newest_position(connection)
            self._loading = Loading(0, store.count_open(connection))
            steps = (
                store.open_steps(connection)
                if self._as_of is None
                else store.open_at(connection, self._as_of)
            )
            for number, step in enumerate(steps, 1):
                self.warnings.take_step(step.head, step.at, step.kind, self.version)
                if number % 1_000 == 0:
                    self._loading = Loading(number, max(number, self._loading.all))
            for days in store.newest_days(connection, list(self.warnings.places), self._as_of):
                self.warnings.take_days(days.warning_id, days.id, days.head, days.at, self.version)
            since = self._now() - _LONGEST_MONTH
            recent = store.customers_acted_on_since(connection, since)
            customers = recent | set(self.warnings.of_customer)
            found: dict[str, list[Action]] = defaultdict(list)
            # One statement where most customers are asked for, else each by its index.
            if self._as_of is None:
                for action in store.actions_of_open_warnings(connection):
                    found[action.customer_id].append(action)
                customers = recent - set(self.warnings.of_customer)
            for action in store.actions_of(connection, customers, self._as_of):
                found[action.customer_id].append(action)
            waiting = [] if self._as_of is not None else store.desk_actions(connection)
        with self.lock:
            self.stored = {customer: tuple(actions) for customer, actions in found.items()}
            self._set_waiting(waiting)
            for customer in {*self.stored, *self.waiting}:
                self._work(customer)
            self._position = position

    def _catch_up(self) -> Changes:
        changes = Changes()
        while self._catch_up_some(changes):
            pass
        return changes

    def _catch_up_some(self, changes: Changes) -> bool:
        """Read some of what is new; return whether there may be more."""
        assert self._position is not None
        before = self._position
        with self._database.reading() as connection:
            # In this order: an action that has left the desk is stored, and its step comes after it.
            waiting = store.desk_actions(connection)
            last_action, acted_on = store.customers_acted_on_after(connection, before.actions)
            steps = store.steps_after(connection, before.steps)
            days = store.days_after(connection, before.days)
            erasures = store.count_erasures(connection)
            # Of a warning that is not open here an older step may come after its end.
            new = {step.head.warning_id for step in steps} - self.warnings.places.keys()
            still_open = store.are_open(connection, sorted(new))
            customers = {step.head.customer_id for step in steps if step.head.warning_id in still_open}
            acted_on |= {c for c in customers if c not in self.stored}
            stored: dict[str, list[Action]] = {customer: [] for customer in acted_on}
            for action in store.actions_of(connection, acted_on):
                stored[action.customer_id].append(action)
            kept = None
            if erasures != before.erasures:
                kept = store.are_open(connection, sorted(self.warnings.places))
        with self.lock:
            version = self.version + 1
            touched = acted_on | self._set_waiting(waiting)
            for step in steps:
                head = step.head
                if head.warning_id in new and head.warning_id not in still_open:
                    continue
                if self.warnings.take_step(head, step.at, step.kind, version):
                    if head.warning_id in self.warnings.places:
                        changes.warnings.add(head.warning_id)
                    else:
                        changes.gone[head.warning_id] = head.holdout
                    touched.add(head.customer_id)
            for each in days:
                if self.warnings.take_days(each.warning_id, each.id, each.head, each.at, version):
                    changes.warnings.add(each.warning_id)
            for warning_id in () if kept is None else set(self.warnings.places) - kept:
                place = self.warnings.places[warning_id]
                changes.gone[warning_id] = bool(self.warnings.holdout[place])
                self.warnings.remove(warning_id)
            self.stored |= {customer: tuple(actions) for customer, actions in stored.items()}
            for customer in touched:
                about = self._work(customer, version)
                changes.warnings |= {about} if about is not None else set()
            if changes or touched:
                self.version = version
            self._position = store.Position(
                steps[-1].seq if steps else before.steps,
                days[-1].seq if days else before.days,
                last_action,
                erasures,
            )
            return bool(steps or days or last_action != before.actions)

    def _set_waiting(self, actions: Sequence[Action]) -> set[str]:
        """Take in the actions on their way; return the customers for whom that is a change."""
        waiting: dict[str, dict[str, Action]] = defaultdict(dict)
        for each in actions:
            waiting[each.customer_id][each.event_id] = each
        customers = waiting.keys() | self.waiting.keys()
        changed = {c for c in customers if waiting.get(c) != self.waiting.get(c)}
        self.waiting = dict(waiting)
        return changed

    def _work(self, customer: str, version: int | None = None) -> str | None:
        """Take in what the team did about a customer; return the open warning."""
        actions = (*self.stored.get(customer, ()), *self.waiting.get(customer, {}).values())
        work = CustomerWork.of(actions)
        firsts = work.first_by_warning()
        warning_id = self.warnings.of_customer.get(customer)
        if warning_id is not None:
            opened_at = int(self.warnings.opened_at[self.warnings.places[warning_id]])
            own = work.on_warning(warning_id, opened_at)
            self.warnings.take_work(warning_id, own, self._lasts, version or self.version)
            if own.first is not None:
                firsts[warning_id] = own.first
        self.attended.note(customer, tuple(firsts.values()))
        self.spendings.pop(customer, None)
        if spendings := work.spendings():
            self.spendings[customer] = spendings
        return warning_id

    def _lasts(self, kind: str, tier: str) -> int:
        if kind == "snooze":
            return self._config.snooze_for
        return self._config.acknowledge_for.get(tier, self._config.snooze_for)
