"""The figures of a backtest counted customer by customer, from `docs/backtest.md` alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from statistics import quantiles
from zoneinfo import ZoneInfo

from streams.core.events.batch import OrderStatus, ProfileRecord
from streams.core.events.topics import Topic
from streams.core.steps import Step, StepKind
from tests.oracle.days import DAY, sweep_instants
from tests.oracle.history import Event


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning, or one rule's cause."""

    customer: str
    opened_at: int
    closed_at: float


@dataclass(frozen=True, slots=True)
class Left:
    """A customer who left."""

    customer: str
    last_order: int
    known_at: int


def warnings_of(steps: Sequence[Step]) -> list[Warned]:
    """Return the warnings that steps tell of."""
    closed: dict[str, float] = {
        step.warning_id: step.at for step in steps if step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN)
    }
    return [
        Warned(step.customer_id, step.at, closed.get(step.warning_id, float("inf")))
        for step in steps
        if step.kind == StepKind.OPENED
    ]


def without_repeats(events: Sequence[Event], window: int) -> list[Event]:
    """Return the events, in their order, that are no repeats."""
    kept: dict[tuple[str, str], list[int]] = {}
    result = []
    for event in sorted(events, key=lambda e: e.order):
        before = kept.setdefault((event.customer_id, event.event_id), [])
        if not any(abs(event.at - at) <= window for at in before):
            before.append(event.at)
            result.append(event)
    return result


@dataclass(frozen=True, slots=True)
class Twin:
    """A history to count in; `since` and `until` bound what is judged."""

    events: Sequence[Event]
    """Without repeats."""
    horizon: int
    since: int
    until: int
    zone: ZoneInfo

    def times(self, customer: str, topic: Topic) -> list[int]:
        """Return when a customer placed orders, or had events of another topic."""
        return sorted(
            e.at
            for e in self.events
            if e.customer_id == customer
            and e.topic == topic
            and (topic != Topic.ORDERS or e.status == OrderStatus.PLACED)
        )

    def left(self) -> list[Left]:
        """Return everybody who left, each time anew."""
        result = []
        for customer in sorted({e.customer_id for e in self.events}):
            orders = self.times(customer, Topic.ORDERS)
            for last in sorted(set(orders)):
                following = min((at for at in orders if at > last), default=None)
                end = last + self.horizon if following is None else min(following, last + self.horizon)
                closures = [at for at in self.times(customer, Topic.CLOSURES) if last < at <= end]
                silent = following is None or following > last + self.horizon
                if not closures and not silent:
                    continue
                known_at = min(closures, default=last + self.horizon)
                if last >= self.since and known_at <= self.until:
                    result.append(Left(customer, last, known_at))
        return result

    def opened(self, warnings: Sequence[Warned]) -> list[Warned]:
        """Return the warnings of the period."""
        return [w for w in warnings if self.since <= w.opened_at <= self.until]

    def matured(self, warnings: Sequence[Warned]) -> list[Warned]:
        """Return those whose horizon was over before a sweep."""
        first = min(e.at for e in self.events)
        sweeps = takewhile(lambda at: at <= self.until, sweep_instants(first, DAY, self.zone))
        last = max(sweeps, default=first)
        return [w for w in self.opened(warnings) if w.opened_at + self.horizon < last]

    def right(self, warning: Warned) -> bool:
        """Say whether the customer left after a warning."""

        def within(topic: Topic) -> bool:
            return any(
                warning.opened_at < at <= warning.opened_at + self.horizon
                for at in self.times(warning.customer, topic)
            )

        return within(Topic.CLOSURES) or not within(Topic.ORDERS)

    def lost_before(self, warning: Warned) -> bool:
        """Say whether a churn was known when a warning opened, and nobody has ordered since."""
        orders = [at for at in self.times(warning.customer, Topic.ORDERS) if at <= warning.opened_at]
        if not orders or warning.opened_at >= orders[-1] + self.horizon:
            return True
        closures = self.times(warning.customer, Topic.CLOSURES)
        return any(orders[-1] < at <= warning.opened_at for at in closures)

    def acted_on(self, warning: Warned) -> bool:
        """Say whether the team acted after a warning."""
        actions = self.times(warning.customer, Topic.ACTIONS)
        return any(warning.opened_at <= at <= warning.opened_at + self.horizon for at in actions)

    def base(self) -> tuple[int, int]:
        """Return how many active customers left, and how many there were, every four weeks."""
        left = active = 0
        at = self.since + self.horizon
        while at + self.horizon <= self.until:
            for customer in {e.customer_id for e in self.events}:
                as_if = Warned(customer, at, at)
                if not self.lost_before(as_if):
                    active += 1
                    left += self.right(as_if)
            at += 28 * DAY
        return left, active

    def catching(self, left: Left, warnings: Sequence[Warned]) -> Warned | None:
        """Return the first warning that was open between the last order and the leaving's being known."""
        open_then = [
            w
            for w in warnings
            if w.customer == left.customer and w.opened_at < left.known_at and w.closed_at > left.last_order
        ]
        return min(open_then, key=lambda w: w.opened_at, default=None)

    def lead_days(self, warnings: Sequence[Warned]) -> list[float]:
        """Return how long before a leaving was known its warning opened."""
        return [
            (left.known_at - caught.opened_at) / DAY
            for left in self.left()
            if (caught := self.catching(left, warnings)) is not None
        ]

    def false_by(self, warnings: Sequence[Warned], field: str) -> Mapping[str | None, tuple[int, int]]:
        """Return false and judged warnings by what the customer's profile said when they opened."""
        false, judged = Counter[str | None](), Counter[str | None]()
        for warning in self.matured(warnings):
            word = None
            for event in self.events:
                known = event.customer_id == warning.customer and event.at <= warning.opened_at
                if known and isinstance(event.record, ProfileRecord):
                    word = getattr(event.record, field)
            judged[word] += 1
            false[word] += not self.right(warning)
        return {word: (false[word], judged[word]) for word in judged}

    def by_working_day(self, warnings: Sequence[Warned], zone: ZoneInfo, working: Sequence[int]) -> list[int]:
        """Return what waits on each working day of the period; Monday is 0."""

        def local(at: int) -> datetime:
            return datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(zone)

        opened = Counter(local(w.opened_at).date() for w in self.opened(warnings))
        day, last = local(self.since).date(), local(self.until).date()
        loads, waiting = [], 0
        while day <= last:
            waiting += opened[day]
            if day.weekday() in working:
                loads.append(waiting)
                waiting = 0
            day += timedelta(days=1)
        return loads


def median_and_quartiles(values: Sequence[float]) -> list[float]:
    """Return the lower quartile, the median and the upper quartile."""
    return [values[0]] * 3 if len(values) == 1 else quantiles(values, n=4, method="inclusive")
