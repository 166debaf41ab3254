"""What each kind of event changes in a customer's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import (
    RAISED,
    Batch,
    ComplaintStatus,
    LabelsRecord,
    OrderStatus,
    ProfileRecord,
)
from streams.core.events.calendar import NEVER, Calendar
from streams.core.events.topics import Topic
from streams.core.features.complaint_followups import follow
from streams.core.features.customers import CHANNEL, KEPT_DAYS, PROFILE_WORDS, Customers
from streams.core.features.rhythm import count_days, follow_gaps, new_days
from streams.core.features.view import Newest, Pass
from streams.core.features.vocabulary import UNKNOWN

NO_TOPIC = -1
"""The topic of a row that looks at a customer just before a late event."""

HANDLING: Final = {
    ComplaintStatus.ANSWERED: ("first_answers", "answer_time"),
    ComplaintStatus.RESOLVED: ("solutions", "solution_time"),
}
"""How often a complaint was handled so, and how long that took in all, microseconds."""

NewestSeen = Callable[[Topic], NDArray[np.int64]]
"""Topic -> (n + 1,) its newest event time in the partition before the first of n events and after each."""


@dataclass(frozen=True, slots=True)
class OrderedEvents:
    """Events in the order they are taken, none of them a repeat."""

    events: Batch
    instant: NDArray[np.int64]
    """(n,) when each is judged."""
    rows: NDArray[np.int32]
    """(n,) index of each event's customer."""

    @property
    def reached(self) -> NDArray[np.int64]:
        """Return the time that each event shows to be reached, (n,): its own, or if earlier its instant."""
        return np.minimum(self.events.at, self.instant)

    def between(self, begin: int, end: int) -> OrderedEvents:
        """Return the events at the positions from `begin` to before `end`."""
        if begin == 0 and end == len(self.rows):
            return self
        part = slice(begin, end)
        return OrderedEvents(self.events.take(part), self.instant[part], self.rows[part])


@dataclass(frozen=True, slots=True)
class AppliedEvents:
    """A pass ready to be evaluated."""

    view: Pass
    rank: NDArray[np.int64]
    """(n,) the place of each row in the order in which the events are taken."""
    occurred: NDArray[np.int64] | None
    """(n,) event times, given where there are late ones."""
    before: NDArray[np.bool_] | None
    """(n,) rows that stand for the instant just before the late event that follows."""
    topic: NDArray[np.int8]
    """(n,) the topic of each row, `NO_TOPIC` where it stands for the instant before."""
    placed: NDArray[np.bool_]
    """(n,) orders placed on a day that the state holds."""
    visited: NDArray[np.bool_]
    """(n,) logins on a day that the state holds."""


def apply_events(
    taken: OrderedEvents,
    customers: Customers,
    calendar: Calendar,
    quiet: Mapping[Topic, NDArray[np.bool_]],
    newest: NewestSeen | None = None,
) -> AppliedEvents:
    """Lay out the events of one local day by customer, with what each of them changes."""
    late = taken.events.at < taken.instant
    any_late = bool(late.any())
    rank = np.argsort(taken.rows, kind="stable")
    before: NDArray[np.bool_] | None = None
    if any_late:
        # A late event may disprove a warning only if the rule was not false just before it: look twice.
        copies = 1 + late[rank]
        before = np.zeros(int(copies.sum()), dtype=np.bool_)
        before[(np.cumsum(copies) - copies)[copies == 2]] = True
        rank = np.repeat(rank, copies)
    instant, rows, at = taken.instant[rank], taken.rows[rank], taken.events.at[rank]
    topic = taken.events.topic[rank]
    if before is not None:
        topic[before] = NO_TOPIC
    day = calendar.days(at) if any_late else None
    customers.appear(rows)
    quiet = {t: mask[rank] for t, mask in quiet.items()}
    view = Pass(customers, rows, instant, at, day, quiet, _newest_at(rank, before, newest))
    application = _Application(view, taken.events, rank, topic, customers)
    application.run()
    occurred = at if any_late else None
    return AppliedEvents(view, rank, occurred, before, topic, application.placed, application.visited)


def _newest_at(
    rank: NDArray[np.int64], before: NDArray[np.bool_] | None, newest: NewestSeen | None
) -> Newest | None:
    """Return the newest event times of a topic at the rows of a pass instead of at the events as taken."""
    if newest is None:
        return None

    def at_rows(topic: Topic) -> NDArray[np.int64]:
        seen = newest(topic)
        after = seen[1:][rank]
        return after if before is None else np.where(before, seen[:-1][rank], after)

    return at_rows


class _Application:
    """One pass's events, topic by topic."""

    def __init__(
        self,
        view: Pass,
        events: Batch,
        rank: NDArray[np.int64],
        topic: NDArray[np.int8],
        customers: Customers,
    ) -> None:
        self.view = view
        self.events = events
        """As they were taken: a column is put in the order of `rank` only where it is read."""
        self.rank = rank
        self.topic = topic
        self.at = view.occurred
        self.customers = customers
        self.kept = np.ones(len(topic), dtype=np.bool_) if view.age is None else view.age < KEPT_DAYS
        """(n,) events of days that the state still keeps; the others count in the lifetime totals only."""
        self.placed = self.visited = self.raised = np.zeros(len(topic), dtype=np.bool_)
        """(n,) kept orders placed, logins, and complaints opened or reopened."""

    def run(self) -> None:
        present = set(np.unique(self.topic).tolist())
        # An action may be dated after the instant at which it is judged.
        self.view.lower_to("first_at", self.topic != NO_TOPIC, np.minimum(self.at, self.view.at))
        if Topic.ORDERS in present:
            self._orders()
        if Topic.LOGINS in present:
            self._logins()
        self._activity()
        if Topic.COMPLAINTS in present:
            self._complaints()
        if Topic.FEEDBACK in present:
            self._feedback()
        if Topic.PROFILES in present:
            self._profiles()
        if Topic.CLOSURES in present:
            closed = self.topic == Topic.CLOSURES
            self.view.raise_to("closed_at", closed, self.at)
        follow(self.view, self.raised, {"last_order": self.placed, "last_login": self.visited})

    def _orders(self) -> None:
        view, amount = self.view, self.events.amount[self.rank]
        order = self.topic == Topic.ORDERS
        placed = order & (self.events.status[self.rank] == OrderStatus.PLACED)
        undone = order & ~placed
        view.add("orders", placed.astype(np.int64))
        view.add("spend", np.where(placed, amount, np.where(undone, -amount, 0)))
        view.add("returns", undone.astype(np.int64))
        kept = self.placed = placed & self.kept
        view.raise_to("last_order", kept, self.at)
        self._channels(kept)
        day = self._day()
        new = new_days(view, kept, day, "last_order_day", [self.customers.logs["orders"]])
        follow_gaps(view, new, day)
        count_days(view, new, day, "order")

    def _activity(self) -> None:
        """Count the days of activity, where it is anything else than orders alone."""
        topics, logs = self.customers.activity, self.customers.logs
        if topics == (Topic.ORDERS,):
            return
        active = np.logical_or.reduce([self.placed if t == Topic.ORDERS else self.visited for t in topics])
        if active.any():
            day = self._day()
            new = new_days(self.view, active, day, "last_activity_day", [logs[t.label] for t in topics])
            count_days(self.view, new, day, "activity")

    def _day(self) -> NDArray[np.int64]:
        """Return the local day of each row, (n,)."""
        today = np.full(len(self.topic), self.customers.day)
        return today if self.view.age is None else today - self.view.age

    def _channels(self, placed: NDArray[np.bool_]) -> None:
        """Let the newest order give its channel, or none, to its customer."""
        rows = np.flatnonzero(placed)
        records = self.events.record[self.rank[rows]].tolist()
        if not self.customers.names_channels and not any(records):
            return
        newest = np.flatnonzero(self.at[rows] == self.view.column("last_order")[rows])
        codes = np.zeros(len(placed), dtype=np.int32)
        # Orders of one batch that say the same share a record.
        distinct = {id(record): record for record in records}
        if len(distinct) > self.customers.vocabulary.room(CHANNEL):
            # Which words find room depends on the order in which events are taken.
            firsts = (records[place] for place in np.argsort(self.rank[rows], kind="stable").tolist())
            distinct = {id(record): record for record in firsts}
        of_record = {
            key: self.customers.channel_code(record.channel if isinstance(record, LabelsRecord) else None)
            for key, record in distinct.items()
        }
        codes[rows] = [of_record[id(record)] for record in records]
        if not self.customers.vocabulary.room(CHANNEL):
            beyond = sum(
                isinstance(record, LabelsRecord) and record.channel is not None and not of_record[id(record)]
                for record in records
            )
            self.customers.vocabulary.note_over(CHANNEL, beyond)
        chosen = np.zeros(len(placed), dtype=np.bool_)
        chosen[rows[newest]] = True
        self.view.replace("channel", chosen, codes)

    def _logins(self) -> None:
        login = self.topic == Topic.LOGINS
        self.view.add("logins", login.astype(np.int64))
        self.visited = login & self.kept
        self.view.raise_to("last_login", self.visited, self.at)

    def _complaints(self) -> None:
        view, events, rank = self.view, self.events, self.rank
        satisfaction = events.satisfaction[rank]
        complaint = self.topic == Topic.COMPLAINTS
        resolved = complaint & (events.status[rank] == ComplaintStatus.RESOLVED)
        raised = complaint & np.isin(events.status[rank], RAISED)
        rated = resolved & (satisfaction > 0)
        view.add("complaints", raised.astype(np.int64))
        view.add("ratings", rated.astype(np.int64))
        view.add("rating_sum", np.where(rated, satisfaction, 0).astype(np.int64))
        self.raised = raised & self.kept
        view.raise_to("last_complaint", self.raised, self.at)
        count = np.zeros(len(complaint), dtype=np.int32)
        oldest = np.zeros(len(complaint), dtype=np.int64)
        names = [name for pair in HANDLING.values() for name in pair]
        handled = {name: np.zeros(len(complaint), dtype=np.int64) for name in names}
        rows = np.flatnonzero(complaint & self.kept)
        for row, customer, at, status, complaint_id in zip(
            rows.tolist(),
            view.rows[rows].tolist(),
            self.at[rows].tolist(),
            events.status[rank[rows]].tolist(),
            events.complaint_id[rank[rows]].tolist(),
            strict=True,
        ):
            book = self.customers.book(customer)
            took = book.apply(complaint_id, status, at)
            count[row], oldest[row] = book.open, book.oldest
            if took is not None:
                times, total = HANDLING[ComplaintStatus(status)]
                handled[times][row], handled[total][row] = 1, took
        for name, amounts in handled.items():
            view.add(name, amounts)
        view.replace("open_complaints", complaint & self.kept, count)
        view.replace("oldest_complaint", complaint & self.kept, oldest)

    def _feedback(self) -> None:
        answer = self.topic == Topic.FEEDBACK
        self.view.add("answers", answer.astype(np.int64))
        self.view.add("answer_sum", np.where(answer, self.events.amount[self.rank], 0))

    def _profiles(self) -> None:
        """Apply the newest profile by event time; of equal times the one taken last."""
        view, record = self.view, self.events.record
        newest = np.zeros(len(self.topic), dtype=np.bool_)
        known: dict[int, int] = {}
        fields = {name: np.zeros(len(newest), dtype=np.int32) for name in PROFILE_WORDS}
        ends = np.full(len(newest), NEVER, dtype=np.int64)
        silent = np.zeros(len(newest), dtype=np.bool_)
        rows = np.flatnonzero(self.topic == Topic.PROFILES)
        # Which words find room depends on the order in which events are taken.
        for row in rows[np.argsort(self.rank[rows], kind="stable")].tolist():
            customer, at, profile = int(view.rows[row]), int(self.at[row]), record[self.rank[row]]
            if not isinstance(profile, ProfileRecord):
                continue
            if at < known.get(customer, int(self.customers.state["profile_at"][customer])):
                continue
            known[customer] = at
            newest[row] = True
            for name in PROFILE_WORDS:
                word = getattr(profile, name)
                code = fields[name][row] = self.customers.code(name, word)
                self.customers.vocabulary.note_over(name, int(word is not None and code == UNKNOWN))
            ends[row] = NEVER if profile.contract_ends_at is None else profile.contract_ends_at
            silent[row] = profile.do_not_contact
        view.replace("profile_at", newest, self.at)
        for name in PROFILE_WORDS:
            view.replace(name, newest, fields[name])
        view.replace("contract_ends_at", newest, ends)
        view.replace("do_not_contact", newest, silent)
