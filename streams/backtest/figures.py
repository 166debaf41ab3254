"""How good alarms were: every rate with its numerator and denominator, over a stated period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.backtest.alarms import Alarms
from streams.backtest.churns import Churns, churns, inactive, outcome
from streams.backtest.history import History
from streams.backtest.load import Load, Team
from streams.backtest.terms import JudgeTerms
from streams.core.events.calendar import DAY
from streams.errors import BacktestError
from streams.share import Share, Spread

GROUPS: Final = ("customer_class", "segment")
BASE_EVERY: Final = 28 * DAY


@dataclass(frozen=True, slots=True)
class Period:
    """What is judged: alarms opened, and churns that began and became known, in [since, until]."""

    since: int
    until: int

    def __post_init__(self) -> None:
        if self.since > self.until:
            msg = "the period to judge begins after the history's end"
            raise BacktestError(msg)


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """The alarms of the customers that share a value."""

    value: str | None
    judged: int
    false: int
    all_false: int

    def as_dict(self) -> dict[str, Any]:
        """Return the group with both rates as plain JSON values."""
        return {
            "value": self.value,
            "false_rate": Share(self.false, self.judged).as_dict(),
            "share_of_false": Share(self.false, self.all_false).as_dict(),
        }


@dataclass(frozen=True, slots=True)
class BacktestFigures:
    """What a rule, or a set of rules, would have been worth."""

    alarms: int
    """Opened in the period."""
    load: Load
    precision: Share
    """Of the matured alarms, those after which the customer left."""
    precision_not_lost: Share
    """The same without those about customers who were not active when they opened."""
    already_lost: int
    """Matured alarms about customers who were not active when they opened."""
    acted_on: int
    """False alarms after which the team is known to have acted: they may be rescues."""
    recall: Share
    """Of the churns, those with an alarm open between the last order and its being known."""
    lead_days: Spread
    """From that alarm's opening to the instant at which the churn was known."""
    leads: NDArray[np.float64]
    caught: NDArray[np.bool_]
    """(k,) of the churns."""
    groups: dict[str, tuple[FigureGroup, ...]]
    """False alarms by class and by segment at the alarm's opening."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "warnings": self.alarms,
            **self.load.as_dict(),
            "precision": self.precision.as_dict(),
            "precision_not_lost": self.precision_not_lost.as_dict(),
            "not_matured": self.alarms - self.precision.whole,
            "already_lost": self.already_lost,
            "false_alarms_acted_on": self.acted_on,
            "recall": self.recall.as_dict(),
            "lead_days": self.lead_days.as_dict(),
            "false_alarms_by": {name: [g.as_dict() for g in groups] for name, groups in self.groups.items()},
        }


class Judge:
    """A history, a horizon and a period: what alarms are judged by."""

    def __init__(self, history: History, terms: JudgeTerms, team: Team, period: Period) -> None:
        self.history = history
        self.terms = terms
        self.team = team
        self.period = period
        self._matured_before = terms.matured_before(history, period.until)
        self.churns: Churns = churns(history, terms.horizon_us).between(period.since, period.until)

    def figures(self, alarms: Alarms) -> BacktestFigures:
        """Return how good alarms were."""
        period, horizon = self.period, self.terms.horizon_us
        opened = alarms.take((alarms.opened_at >= period.since) & (alarms.opened_at <= period.until))
        matured = opened.take(opened.opened_at + horizon < self._matured_before)
        right = outcome(self.history, matured.customer, matured.opened_at, horizon)
        acted = self.history.actions.next(matured.customer, matured.opened_at - 1)
        first = alarms.first_in(self.churns, len(self.history.customers))
        caught = first >= 0
        leads = (self.churns.known_at[caught] - alarms.opened_at[first[caught]]) / DAY
        return BacktestFigures(
            alarms=len(opened),
            load=Load.of(opened.opened_at, period.since, period.until, self.terms.calendar, self.team),
            precision=Share.of(right),
            precision_not_lost=Share.of(right[~matured.already_lost]),
            already_lost=int(np.count_nonzero(matured.already_lost)),
            acted_on=int(np.count_nonzero(~right & (acted <= matured.opened_at + horizon))),
            recall=Share.of(caught),
            lead_days=Spread.of(leads),
            leads=leads,
            caught=caught,
            groups={name: self._groups(matured, right, name) for name in GROUPS},
        )

    def _groups(self, matured: Alarms, right: NDArray[np.bool_], field: str) -> tuple[FigureGroup, ...]:
        words = self.history.profiles.at(matured.customer, matured.opened_at, field)
        judged = Counter(words)
        false = Counter(word for word, was_right in zip(words, right.tolist(), strict=True) if not was_right)
        order = sorted(judged, key=lambda word: (-false[word], -judged[word], word is None, word or ""))
        return tuple(FigureGroup(word, judged[word], false[word], false.total()) for word in order)

    def base(self) -> Share:
        """Return the share of active customers who left, taken every four weeks: what chance would give.

        Active is who ordered in the time before and has not closed since; only what has matured is counted.
        """
        horizon, period = self.terms.horizon_us, self.period
        customer = np.arange(len(self.history.customers))
        left = active = 0
        for at in range(period.since + horizon, period.until - horizon + 1, BASE_EVERY):
            instant = np.full(len(customer), at)
            there = ~inactive(self.history, customer, instant, self.terms.active_within_us)
            active += int(np.count_nonzero(there))
            left += int(np.count_nonzero(outcome(self.history, customer, instant, horizon) & there))
        return Share(left, active)


def alone(figures: BacktestFigures, others: Sequence[BacktestFigures]) -> Share:
    """Return of the churns that one rule caught those that none of the others did."""
    seen = np.zeros(len(figures.caught), dtype=np.bool_)
    for other in others:
        seen |= other.caught
    return Share(int(np.count_nonzero(figures.caught & ~seen)), int(np.count_nonzero(figures.caught)))
