"""Rules of segments over a history: when each would have warned, and who of the segment left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.backtest.history import History
from streams.contract.instants import format_instant
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.features.customers import ATTRIBUTES
from streams.core.rules.rule import RuleStatus
from streams.core.segments.counts import DaySums
from streams.core.segments.engine import SegmentEngine, SegmentSettings, SegmentStep
from streams.core.segments.rules import SegmentRule, SegmentRules
from streams.core.steps import StepKind
from streams.rulebook.diff import RuleChange, rule_changes
from streams.share import Share


@dataclass(frozen=True, slots=True)
class SegmentOpening:
    """One time that a rule would have warned of a segment."""

    value: str
    opened_at: int
    ended_at: int | None
    """`None`: it is open at the end of the history."""


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """What one rule of segments would have done, whether it is active or in shadow."""

    rule: SegmentRule
    openings: tuple[SegmentOpening, ...]
    left: Share | None
    """Of the segments' active customers at the openings, those who left within the horizon; `None` where a
    history does not say who belongs to a segment, as of `channel` and `category`."""
    left_elsewhere: Share | None
    """The same of all other active customers at the same instants."""

    @property
    def days_open(self) -> float | None:
        """The median time that a warning that ended was open, in days."""
        ended = [
            (each.ended_at - each.opened_at) / DAY for each in self.openings if each.ended_at is not None
        ]
        return median(ended) if ended else None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "rule": self.rule.rule.id,
            "version": self.rule.rule.version,
            "status": self.rule.rule.status.value,
            "by": self.rule.by,
            "warnings": len(self.openings),
            "segments": len({each.value for each in self.openings}),
            "open_at_end": sum(each.ended_at is None for each in self.openings),
            "days_open_median": self.days_open,
            "left": self.left.as_dict() if self.left is not None else None,
            "left_elsewhere": self.left_elsewhere.as_dict() if self.left_elsewhere is not None else None,
            "openings": [
                {
                    "segment": f"{self.rule.by}={each.value}",
                    "opened_at": format_instant(each.opened_at),
                    "ended_at": None if each.ended_at is None else format_instant(each.ended_at),
                }
                for each in self.openings
            ],
        }


@dataclass(frozen=True, slots=True)
class SegmentEffect:
    """What became of one rule of segments from one set to another."""

    change: RuleChange
    old: SegmentFigures | None
    new: SegmentFigures | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "rule": self.change.rule,
            "kind": self.change.change,
            "old_version": self.change.version_before,
            "new_version": self.change.version_after,
            "fields": {each.field: {"old": each.before, "new": each.after} for each in self.change.fields},
            "old": self.old.as_dict() if self.old is not None else None,
            "new": self.new.as_dict() if self.new is not None else None,
        }


def judge_segments(
    history: History,
    days: Sequence[DaySums],
    sets: Sequence[SegmentRules],
    settings: EngineSettings,
    *,
    since: int | None = None,
) -> list[dict[str, SegmentFigures]]:
    """Return, for each set, by id what each rule that takes part would have done.

    `days` are a trial's sums of segments. Each rule is judged by itself, as if it were active. What opened
    before `since` is left out.
    """
    found = []
    for rules in sets:
        taking_part = [each for each in rules.rules if each.rule.takes_part]
        found.append({each.rule.id: _figures(history, each, days, settings, since) for each in taking_part})
    return found


def segment_effects(
    old: SegmentRules, new: SegmentRules, figures: Sequence[dict[str, SegmentFigures]]
) -> list[SegmentEffect]:
    """Return the rules of segments that are not the same in both sets, with their figures."""
    before, after = figures
    return [
        SegmentEffect(change, before.get(change.rule), after.get(change.rule))
        for change in rule_changes(old, new)
    ]


def _figures(
    history: History, rule: SegmentRule, days: Sequence[DaySums], settings: EngineSettings, since: int | None
) -> SegmentFigures:
    active = SegmentRule(rule.by, replace(rule.rule, status=RuleStatus.ACTIVE))
    engine = SegmentEngine(
        SegmentSettings(settings.app, settings.time_zone, grace_days=0), SegmentRules([active])
    )
    opened: dict[str, SegmentStep] = {}
    openings: list[SegmentOpening] = []
    for sums in days:
        engine.take(sums)
        for step in engine.judge():
            if step.kind is StepKind.OPENED:
                opened[step.value] = step
            elif step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN):
                openings.append(SegmentOpening(step.value, opened.pop(step.value).at, step.at))
    openings += [SegmentOpening(value, step.at, None) for value, step in opened.items()]
    openings = [each for each in openings if since is None or each.opened_at >= since]
    openings.sort(key=lambda each: (each.opened_at, each.value))
    inside, outside = _who_left(history, rule.by, openings, settings.horizon_us)
    return SegmentFigures(rule, tuple(openings), inside, outside)


def _who_left(
    history: History, by: str, openings: Sequence[SegmentOpening], horizon: int
) -> tuple[Share | None, Share | None]:
    """Return who left of the segments' active customers, and of all others, as far as that is known."""
    if by not in ATTRIBUTES:
        return None, None
    counts = np.zeros(4, dtype=np.int64)
    everybody = np.arange(len(history.customers), dtype=np.int64)
    for each in openings:
        if each.opened_at + horizon > history.end:
            continue
        at = np.full(len(everybody), each.opened_at - 1, dtype=np.int64)  # a sweep comes before its instant
        active = _active(history, everybody, at, horizon)
        left = ~(history.activity.next(everybody, at) < each.opened_at + horizon)
        left |= history.closures.next(everybody, at) < each.opened_at + horizon
        member = np.array([word == each.value for word in history.profiles.at(everybody, at, by)])
        for place, whom in ((0, active & member), (2, active & ~member)):
            counts[place] += np.count_nonzero(left & whom)
            counts[place + 1] += np.count_nonzero(whom)
    return Share(int(counts[0]), int(counts[1])), Share(int(counts[2]), int(counts[3]))


def _active(
    history: History, customer: NDArray[np.int64], at: NDArray[np.int64], horizon: int
) -> NDArray[np.bool_]:
    """Return which customers were active within the horizon up to `at`, and have not closed since."""
    last = history.activity.last(customer, at)
    active: NDArray[np.bool_] = (last > at - horizon) & (history.closures.last(customer, at) < last)
    return active
