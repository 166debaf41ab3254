"""A threshold moved through its range: what each value would have meant for precision, recall and load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.backtest.figures import BacktestFigures, Judge, Period
from streams.backtest.history import History
from streams.backtest.load import Team
from streams.backtest.terms import JudgeTerms
from streams.backtest.thresholds import Threshold, written
from streams.backtest.trial import run
from streams.contract.instants import format_instant
from streams.core.conditions.compiler import Program
from streams.core.conditions.parser import parse_condition
from streams.core.conditions.tree import And, features_of
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES, Features
from streams.core.model.logistic import Learner
from streams.core.rules.rule import Rule, RuleStatus

MOST_CUSTOMERS: Final = 5_000
"""Customers whose features candidates are drawn from."""
LOOK_EVERY: Final = 7
"""Sweeps from one look at their features to the next."""
SIGNIFICANT: Final = 3
"""Digits of a candidate."""

TUNING_CAUTION: Final = (
    "A threshold chosen for its figures on a history looks better on that history than it will be: choose on "
    "one part and look at another (--split)."
)


@dataclass(frozen=True, slots=True)
class Point:
    """One value of the threshold."""

    value: float
    rule: BacktestFigures
    """The rule alone."""
    all: BacktestFigures
    """With all other active rules."""

    def as_dict(self) -> dict[str, Any]:
        """Return the point as plain JSON values."""
        return {"value": self.value, "rule": self.rule.as_dict(), "all": self.all.as_dict()}


@dataclass(frozen=True, slots=True)
class Curve:
    """A threshold's values over one period, in ascending order."""

    period: Period
    points: tuple[Point, ...]

    def at(self, value: float) -> Point:
        """Return the point of a value."""
        return next(point for point in self.points if point.value == value)

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain JSON values."""
        return {
            "since": format_instant(self.period.since),
            "until": format_instant(self.period.until),
            "points": [point.as_dict() for point in self.points],
        }


@dataclass(frozen=True, slots=True)
class Tuning:
    """What moving one threshold of a rule would do."""

    rule: Rule
    threshold: Threshold
    horizon_us: int
    team: Team
    capacity_of: str
    """`all` active rules, or the `rule` alone: whose warnings are compared with the capacity."""
    min_precision: float | None
    curve: Curve
    """What is chosen on: the whole history, or what was known before the split."""
    after: Curve | None
    """From the split on."""
    chosen: float | None
    """The value that meets capacity and precision with the most recall; `None` where none does."""

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "rule": self.rule.id,
            "threshold": self.threshold.address,
            "present": self.threshold.value,
            "horizon_days": self.horizon_us / DAY,
            "capacity": self.team.capacity,
            "capacity_of": self.capacity_of,
            "min_precision": self.min_precision,
            "chosen": self.chosen,
            "curve": self.curve.as_dict(),
            "after_split": self.after.as_dict() if self.after else None,
            "caution": TUNING_CAUTION,
        }


def tune(
    history: History,
    rule: Rule,
    others: Sequence[Rule],
    threshold: Threshold,
    values: Sequence[float],
    settings: EngineSettings,
    learner: Learner | None,
    team: Team,
    *,
    capacity_of: str = "all",
    min_precision: float | None = None,
    split: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Return what each value of a threshold would have meant, all values in one run of the engine.

    With `split` the value is chosen by what was known then: warnings and churns that had matured before it.
    """
    variants = {
        value: replace(threshold.put(rule, value), status=RuleStatus.ACTIVE)
        for value in sorted({*values, threshold.value})
    }
    trial = run(history, [*variants.values(), *others], settings, learner, progress=progress)

    def curve(since: int, until: int) -> Curve:
        period = Period(since, until)
        judge = Judge(history, JudgeTerms.of(settings), team, period)
        points = [
            Point(
                value,
                judge.figures(trial.alarms([variant])),
                judge.figures(trial.alarms([variant, *others])),
            )
            for value, variant in variants.items()
        ]
        return Curve(period, tuple(points))

    first = curve(history.begin, history.end if split is None else split)
    return Tuning(
        rule=rule,
        threshold=threshold,
        horizon_us=settings.horizon_us,
        team=team,
        capacity_of=capacity_of,
        min_precision=min_precision,
        curve=first,
        after=None if split is None else curve(split, history.end),
        chosen=choose(first, team.capacity, capacity_of, min_precision),
    )


def choose(
    curve: Curve, capacity: float | None, capacity_of: str, min_precision: float | None
) -> float | None:
    """Return the value that meets the capacity, on the mean working day, and the precision.

    Of several the one with the most recall of all rules; of those alike the one with the fewest warnings.
    """
    if capacity is None and min_precision is None:
        return None
    fit = []
    for point in curve.points:
        compared = point.all if capacity_of == "all" else point.rule
        load = compared.load.as_dict()["per_working_day"]["value"]
        if capacity is not None and (load is None or load > capacity):
            continue
        precision = point.rule.precision.value
        if min_precision is not None and (precision is None or precision < min_precision):
            continue
        fit.append(point)
    best = min(fit, key=lambda p: (-p.all.recall.part, p.all.alarms, p.value), default=None)
    return best.value if best else None


def candidates(
    history: History,
    rule: Rule,
    threshold: Threshold,
    count: int,
    settings: EngineSettings,
    learner: Learner | None,
) -> list[float]:
    """Return values to try: quantiles of what the threshold is compared with, where it alone decides.

    Looked at are a few thousand customers at every seventh sweep, where the rest of the rule is true.
    """
    when = threshold.present
    if rule.only is not None:
        when = And(parse_condition(rule.only, DTYPES), when)
    program, columns = Program([when]), tuple(dict.fromkeys([*features_of(when), threshold.name]))
    seen: list[NDArray[np.float64]] = []
    looks = 0

    def look(features: Features, causes: NDArray[np.int32]) -> None:
        nonlocal looks
        looks += 1
        if looks % LOOK_EVERY == 0 and len(features):
            frame = features.frame(columns)
            there = program.run(frame)[0] == 1
            values = frame[threshold.name].cast(float).to_numpy()[there]
            seen.append(values[np.isfinite(values)])

    watched = replace(rule, status=RuleStatus.SHADOW)
    run(history.some(MOST_CUSTOMERS), [watched], settings, learner, look=look)
    values = np.concatenate(seen) if seen else np.empty(0)
    if not len(values):
        return []
    quantiles = np.quantile(values, np.linspace(0, 1, count + 2)[1:-1]).tolist()
    return sorted({_short(value, whole=threshold.whole) for value in quantiles})


def _short(value: float, *, whole: bool) -> float:
    """Return a number with few digits, as someone would write it in a rule."""
    return float(round(value)) if whole else float(written(float(f"{value:.{SIGNIFICANT}g}")))
