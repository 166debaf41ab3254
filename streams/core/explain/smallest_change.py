"""The smallest change of a customer's features that makes a condition true, or false."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from streams.core.analysis.intervals import Interval, holding, solved
from streams.core.analysis.knowledge import CUSTOMERS
from streams.core.conditions import tree as c
from streams.core.conditions.distance import MIRRORED, OPPOSITE
from streams.core.explain.parts import CustomerRow, Verdict
from streams.core.steps import Value

MOST_PLANS: Final = 64
"""Ways of a part that are looked at; the nearest ones."""

SLACK: Final = 1e-12
"""Share of a bound by which arithmetic may miss it."""

LARGEST_COUNT: Final = 2**53
"""No count is larger."""

Plan = dict[str, Interval]
"""Where features must lie; features that are not named may have any value."""

Order = tuple[float, int, float, tuple[str, ...]]
"""What sorts changes: the nearest first."""


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """A feature that becomes another number."""

    feature: str
    value: float
    """What it is."""
    to: float
    """The nearest number that does it."""
    op: str
    """With `bound`, all numbers that do it: `<`, `<=`, `=`, `>=` or `>`."""
    bound: float

    @property
    def distance(self) -> float:
        """Return the size of the change as a share of the larger of the two numbers."""
        return abs(self.to - self.value) / (max(abs(self.value), abs(self.to)) or 1.0)


def smallest_change(
    condition: c.Condition, values: Mapping[str, Value], want: bool = True
) -> tuple[FeatureChange, ...] | None:
    """Return the features to change so that a condition is true, or false; none where it already is.

    `None` means that no change of known numbers was found. Every feature is changed alone, within its range:
    a count is whole and not negative, a total never falls. Of several ways it is the one whose greatest
    `distance` is least, then that of the fewest features. The condition was evaluated with it, and no part
    of it can be left out.
    """
    row, wanted = CustomerRow(values), Verdict.TRUE if want else Verdict.FALSE
    if row.verdict(condition) is wanted:
        return ()
    ways = [
        changes
        for plan in _Planner(row).plans(condition, want)
        if (changes := _changes(plan, row)) is not None
    ]
    for changes in sorted(ways, key=_order):
        for tried in (changes, _beyond(changes, row)):
            if _does(condition, row, tried, wanted):
                return _needed(condition, row, tried, wanted)
    return None


def _beyond(changes: tuple[FeatureChange, ...], row: CustomerRow) -> tuple[FeatureChange, ...]:
    """Return changes that go a little further: a bound that was computed may be off in its last digits."""
    return tuple(
        change
        if _is_whole(row, change.feature)
        else replace(change, to=change.to + math.copysign(abs(change.to) * SLACK, change.to - change.value))
        for change in changes
    )


def _does(
    condition: c.Condition, row: CustomerRow, changes: Iterable[FeatureChange], wanted: Verdict
) -> bool:
    changed = {
        change.feature: int(change.to) if _is_whole(row, change.feature) else change.to for change in changes
    }
    return CustomerRow({**row.values, **changed}).verdict(condition) is wanted


def _needed(
    condition: c.Condition, row: CustomerRow, changes: tuple[FeatureChange, ...], wanted: Verdict
) -> tuple[FeatureChange, ...]:
    """Return `changes` without those that can be left out, the greatest first."""
    for change in sorted(changes, key=lambda each: -each.distance):
        fewer = tuple(each for each in changes if each is not change)
        if _does(condition, row, fewer, wanted):
            changes = fewer
    return changes


def _order(changes: tuple[FeatureChange, ...]) -> Order:
    farthest = max((change.distance for change in changes), default=0.0)
    way = sum(abs(change.to - change.value) for change in changes)
    return farthest, len(changes), way, tuple(change.feature for change in changes)


def _changes(plan: Plan, row: CustomerRow) -> tuple[FeatureChange, ...] | None:
    """Return the nearest changes of a plan, `None` where it is impossible."""
    changes = []
    for name, interval in sorted(plan.items()):
        value = row.values[name]
        assert isinstance(value, int | float)
        to = interval.nearest(value, _is_whole(row, name))
        if to is None or (_is_whole(row, name) and abs(to) > LARGEST_COUNT):
            return None
        if to != value:
            changes.append(_change(name, value, to, interval))
    return tuple(changes)


def _change(name: str, value: float, to: float, interval: Interval) -> FeatureChange:
    if interval.low == interval.high:
        return FeatureChange(name, value, to, "=", to)
    if to > value:
        return FeatureChange(name, value, to, ">" if interval.low_open else ">=", interval.low)
    return FeatureChange(name, value, to, "<" if interval.high_open else "<=", interval.high)


class _Planner:
    """Plans for the parts of a condition, each made once for each verdict, however often it is needed."""

    def __init__(self, row: CustomerRow) -> None:
        self.row = row
        self._plans: dict[tuple[c.Condition, bool], list[Plan]] = {}

    def plans(self, node: c.Condition, want: bool) -> list[Plan]:
        """Return ways to give a condition the wanted verdict; parts that have it keep it."""
        found = self._plans.get((node, want))
        if found is None:
            found = self._plans[node, want] = self._make(node, want)
        return found

    def _make(self, node: c.Condition, want: bool) -> list[Plan]:
        match node:
            case c.Not(of):
                return self.plans(of, not want)
            case c.And(left, right) | c.Or(left, right):
                both = self.plans(left, want), self.plans(right, want)
                return _together(*both, self.row) if isinstance(node, c.And) is want else both[0] + both[1]
            case c.Coalesce(of):
                known = [each for each in of if self.row.verdict(each) is not Verdict.MISSING]
                return self.plans(known[0], want) if known else []
            case c.CaseCondition(when, then, otherwise):
                first = _together(self.plans(when, True), self.plans(then, want), self.row)
                is_missing = self.row.verdict(when) is Verdict.MISSING
                out: list[Plan] = [{}] if is_missing else self.plans(when, False)
                return first + _together(out, self.plans(otherwise, want), self.row)
            case c.Compare(op, left, right):
                return _comparison(op if want else OPPOSITE[op], left, right, self.row)
            case c.InList(of, values):
                if want:
                    return [p for value in values for p in _comparison("=", of, c.Number(value), self.row)]
                ways: list[Plan] = [{}]
                for value in values:
                    ways = _together(ways, _comparison("<>", of, c.Number(value), self.row), self.row)
                return ways
        is_so = self.row.verdict(node) is (Verdict.TRUE if want else Verdict.FALSE)
        return [{}] if is_so else []


def _comparison(op: str, left: c.Numeric, right: c.Numeric, row: CustomerRow) -> list[Plan]:
    side_is, other_is = row.number(left), row.number(right)
    if side_is is None or other_is is None:
        return []
    names = [*c.features_of(left), *c.features_of(right)]
    plans = [
        {name: interval.meet(reachable(name, now))}
        for side, relation, other in ((left, op, other_is), (right, MIRRORED[op], side_is))
        for name in dict.fromkeys(c.features_of(side))
        if names.count(name) == 1 and isinstance(now := row.values[name], int | float)
        for within in holding(relation, other)
        for interval in solved(side, name, within, row.number)
    ]
    plans = [plan for plan in plans if not any(interval.empty for interval in plan.values())]
    if row.verdict(_compare(op, left, right)) is not Verdict.TRUE:
        return plans
    kept: Plan = {}
    others = []
    for plan in plans:
        for name, interval in plan.items():
            value = row.values[name]
            if isinstance(value, int | float) and value in interval:
                kept[name] = interval
            else:
                others.append(plan)
    return [kept, *others]


def _compare(op: str, left: c.Numeric, right: c.Numeric) -> c.Condition:
    return c.Not(c.Compare("=", left, right)) if op == "<>" else c.Compare(op, left, right)


def _together(left: list[Plan], right: list[Plan], row: CustomerRow) -> list[Plan]:
    """Return the ways to follow a plan of each list at once, the nearest ones."""
    ways: list[tuple[Order, int, Plan]] = []
    for one in left:
        for other in right:
            plan = {**one, **{n: i.meet(one[n]) if n in one else i for n, i in other.items()}}
            changes = _changes(plan, row)
            if changes is not None:
                ways.append((_order(changes), len(ways), plan))
    return [plan for _, _, plan in sorted(ways, key=lambda way: way[:2])[:MOST_PLANS]]


def reachable(name: str, now: float = 0.0) -> Interval:
    """Return the numbers that a feature can become from what it is `now`.

    >>> reachable("churn_probability")
    Interval(low=0, high=1, low_open=False, high_open=False)
    >>> reachable("orders_total", 4).low
    4
    """
    interval = CUSTOMERS.range_of(name)
    return interval if CUSTOMERS.can_fall(name) else interval.meet(Interval(low=now))


def _is_whole(row: CustomerRow, name: str) -> bool:
    return isinstance(row.values[name], int)
