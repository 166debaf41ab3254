"""The segments' counts, features and warnings, recounted from the list of all events (docs/segments.md)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from streams.core.events.batch import LabelsRecord, ProfileRecord
from streams.core.events.topics import Topic
from streams.core.segments.engine import SegmentStep
from tests.oracle.conditions import OracleRule, conjunction, disjunction, negation
from tests.oracle.days import local_day, midnight
from tests.oracle.engine import stamped
from tests.oracle.history import HELD_DAYS, Event, Value, is_complaint, is_placed, ratio
from tests.oracle.life import FALSE, MISSING, TRUE, CustomerLife, LifeStep, Verdict

BOUGHT: Final = {"channel": "channel", "order_category": "category"}
PROFILED: Final = ("customer_class", "segment", "region", "origin")
DIMENSIONS: Final = (*PROFILED, *BOUGHT, "category")
Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Act:
    """An event that counts: when its day was told of it, and under what."""

    told: int
    """The day at whose end it was counted."""
    day: int
    counts: Counts
    segments: dict[str, str]
    """Dimension -> value."""


@dataclass(frozen=True, slots=True)
class Part:
    """The events of one partition that were kept, in the order in which they were judged."""

    kept: Sequence[Event]
    zone: ZoneInfo

    @property
    def first(self) -> int:
        """The first day that ends."""
        return min(local_day(e.judged_at, self.zone) for e in self.kept)

    def known_at(self, day: int, customer: str) -> list[Event]:
        """What was known of a customer when a day ended."""
        return [
            e for e in self.kept if e.customer_id == customer and local_day(e.judged_at, self.zone) <= day
        ]

    def segments_of(self, customer: str, day: int) -> dict[str, str]:
        """Return the dimensions' values of a customer at the end of a day."""
        known = self.known_at(day, customer)
        found: dict[str, str | None] = {}
        newest: Event | None = None
        for e in known:
            if isinstance(e.record, ProfileRecord) and (newest is None or e.at >= newest.at):
                newest = e
        for name in PROFILED:
            found[name] = getattr(newest.record, name) if newest is not None else None
        for dimension, name in BOUGHT.items():
            last: Event | None = None
            for e in known:
                names = isinstance(e.record, LabelsRecord) and getattr(e.record, name) is not None
                if is_placed(e) and names and (last is None or e.at >= last.at):
                    last = e
            found[dimension] = getattr(last.record, name) if last is not None else None
        return {dimension: value for dimension, value in found.items() if value is not None}

    def acts(self) -> Iterator[Act]:
        """Yield what is counted, event by event."""
        active: set[tuple[int, str]] = set()
        complained: set[tuple[int, str]] = set()
        of_category: set[tuple[int, str, str]] = set()
        for e in self.kept:
            if not (is_placed(e) or is_complaint(e) or e.topic == Topic.LOGINS):
                continue
            day, told, who = local_day(e.at, self.zone), local_day(e.judged_at, self.zone), e.customer_id
            if told - day >= HELD_DAYS:
                continue
            counts = {
                "orders": int(is_placed(e)),
                "complaints": int(is_complaint(e)),
                "active": int((day, who) not in active),
                "complainers": int(is_complaint(e) and (day, who) not in complained),
            }
            active.add((day, who))
            yield Act(told, day, counts, {"shop": "", **self.segments_of(who, told)})
            if is_complaint(e):
                complained.add((day, who))
                if isinstance(e.record, LabelsRecord) and e.record.category is not None:
                    new = (day, who, e.record.category) not in of_category
                    of_category.add((day, who, e.record.category))
                    alone = {"orders": 0, "complaints": 1, "active": 0, "complainers": int(new)}
                    yield Act(told, day, alone, {"category": e.record.category})


def kept(arrivals: Sequence[Event], reorder_us: int, window_us: int) -> list[Event]:
    """Return what is judged of a partition's records, repeats left out."""
    found: list[Event] = []
    for event in stamped(arrivals, reorder_us):
        again = any(
            e.customer_id == event.customer_id
            and e.event_id == event.event_id
            and abs(e.at - event.at) <= window_us
            and event.judged_at - e.judged_at <= window_us
            for e in found
        )
        if not again:
            found.append(event)
    return found


@dataclass(slots=True)
class SegmentTwin:
    """All partitions' counts, judged day by day."""

    parts: Sequence[Part]
    zone: ZoneInfo
    rules: Mapping[str, Sequence[OracleRule]]
    """By dimension."""
    features: dict[tuple[int, str], dict[str, Value]] = field(default_factory=dict)
    """By day and segment."""
    steps: list[tuple[str, LifeStep]] = field(default_factory=list)

    def run(self, last_day: int) -> SegmentTwin:
        """Judge every day that all partitions have ended by `last_day`, the last of them included."""
        of_parts = [(part.first, list(part.acts())) for part in self.parts]
        acts = [act for _, own in of_parts for act in own]
        lives: dict[tuple[str, str], CustomerLife] = {}
        for day in range(min(part.first for part in self.parts), last_day + 1):
            told = [act for act in acts if act.told <= day]
            begun = [(first, own) for first, own in of_parts if first <= day]
            # The first day that a partition ends tells all it knows, of earlier days too.
            since = min(min([first, *(a.day for a in own if a.told == first)]) for first, own in begun)
            at = midnight(day + 1, self.zone)
            for dimension in self.rules:
                values = {
                    a.segments[dimension] for a in told if dimension in a.segments and 0 <= day - a.day < 35
                }
                values |= {value for of, value in lives if of == dimension}
                for value in sorted(values):
                    row = features(told, dimension, value, day, day + 1 - since)
                    self.features[day, f"{dimension}={value}"] = row
                    terms = {rule.id: rule.terms for rule in self.rules[dimension]}
                    life = lives.setdefault((dimension, value), CustomerLife(terms))
                    verdicts = {rule.id: verdict(rule, row) for rule in self.rules[dimension]}
                    step = life.judge(at, verdicts)
                    if step is not None:
                        self.steps.append((f"{dimension}={value}", step))
        self.steps.sort(key=lambda each: (each[1].at, each[0]))
        return self


def features(acts: Iterable[Act], dimension: str, value: str, day: int, known_days: int) -> dict[str, Value]:
    """Return the features of a segment at the end of a day."""
    acts = list(acts)

    def total(what: str, of: str, whose: str, ages: Collection[int]) -> int:
        return sum(a.counts[what] for a in acts if a.segments.get(of) == whose and day - a.day in ages)

    windows = {"7d": range(7), "28d": range(28), "prev_28d": range(7, 35)}
    row: dict[str, Value] = {"value": value}
    names = {
        "orders": "orders",
        "complaints": "complaints",
        "active": "active_days",
        "complainers": "complainers",
    }
    for window, ages in windows.items():
        unknown = window == "prev_28d" and known_days < 35
        for what, name in names.items():
            whose = (
                ("shop", "")
                if dimension == "category" and what in ("orders", "active")
                else (dimension, value)
            )
            row[f"{name}_{window}"] = None if unknown else total(what, *whose, ages)
            row[f"all_{name}_{window}"] = None if unknown else total(what, "shop", "", ages)
        for prefix in ("", "all_"):
            row[f"{prefix}complaint_rate_{window}"] = quotient(
                row[f"{prefix}complaints_{window}"], row[f"{prefix}orders_{window}"]
            )
    for prefix in ("", "all_"):
        rates = [row[f"{prefix}complaint_rate_{window}"] for window in ("7d", "prev_28d")]
        row[f"{prefix}complaint_rise"] = quotient(*rates)
    row["complaint_rise_z"] = None
    a, m, b, n = (
        row[name] for name in ("complaints_7d", "orders_7d", "complaints_prev_28d", "orders_prev_28d")
    )
    if isinstance(a, int) and isinstance(b, int) and isinstance(m, int) and isinstance(n, int) and m * n:
        d = m / n
        row["complaint_rise_z"] = 2 * (math.sqrt(a + 3 / 8) - math.sqrt(d * (b + 3 / 8))) / math.sqrt(1 + d)
    return row


def quotient(above: Value, below: Value) -> float | None:
    """Return the quotient of two numbers, missing where either is or the latter is 0."""
    if above is None or below is None:
        return None
    assert not isinstance(above, str)
    assert not isinstance(below, str)
    return ratio(above, below)


def verdict(rule: OracleRule, row: Mapping[str, Value]) -> Verdict:
    """Return what a rule, whose conditions are functions, says of a row."""

    def say(condition: object) -> int:
        assert callable(condition)
        answer = condition(row)
        return MISSING if answer is None else TRUE if answer else FALSE

    when = say(rule.when)
    clear = negation(when) if rule.clear is None else say(rule.clear)
    if rule.only is not None:
        only = say(rule.only)
        when, clear = conjunction(only, when), disjunction(negation(only), clear)
    return Verdict(when, clear)


def told(step: SegmentStep) -> tuple[object, ...]:
    """Return what a step of the engine says, in the twin's words."""
    causes = {cause.rule: (cause.since, cause.opened_at) for cause in step.causes}
    return (step.segment, step.kind, step.at, step.number, step.tier, step.opened_at, causes)


def told_by_twin(segment: str, step: LifeStep) -> tuple[object, ...]:
    """Return the same of the twin's step."""
    causes = {rule: (held.since, held.opened_at) for rule, held in step.causes.items()}
    return (segment, step.kind, step.at, step.number, step.tier, step.opened_at, causes)
