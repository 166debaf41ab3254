"""What two rule sets with their plays would have decided about the warnings of one history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from streams.backtest.figures import Period
from streams.backtest.history import History
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.model.logistic import Learner
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Step, StepKind
from streams.offline.replay import replay

Choice = tuple[str, str | None]
"""A verdict and a play, `None` where there is none."""


@dataclass(frozen=True, slots=True)
class OpeningDecision:
    """The decision on a warning as it opened."""

    verdict: str
    play: str | None
    cost: float | None
    """The sum of its items, `None` where one is missing."""
    net: float | None

    @property
    def choice(self) -> Choice:
        """Return verdict and play."""
        return self.verdict, self.play


Decided = dict[tuple[str, int], OpeningDecision]
"""By customer and opening."""


@dataclass(frozen=True, slots=True)
class DecisionFigures:
    """Warnings of one verdict and play."""

    warnings: int
    cost: float
    """Of those whose cost is known."""
    net: float
    """Of those whose net is known."""


@dataclass(frozen=True, slots=True)
class DecisionComparison:
    """The decisions under an old set and a new one."""

    old: dict[Choice, DecisionFigures]
    new: dict[Choice, DecisionFigures]
    moved: dict[tuple[Choice, Choice], int]
    """How many of the warnings that open under both at one instant go from one choice to another."""
    same: int
    """Those with the same verdict and play under both."""

    @property
    def choices(self) -> list[Choice]:
        """Return all verdicts and plays, rescues first."""
        ranks = {"rescue": 0, "dont": 1, "unknown": 2}
        return sorted({*self.old, *self.new}, key=lambda c: (ranks[c[0]], c[1] or ""))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""

        def row(choice: Choice) -> dict[str, Any]:
            old, new = self.old.get(choice, NONE), self.new.get(choice, NONE)
            return {
                "verdict": choice[0],
                "play": choice[1],
                "old": {"warnings": old.warnings, "cost": old.cost, "net": old.net},
                "new": {"warnings": new.warnings, "cost": new.cost, "net": new.net},
            }

        return {
            "by_verdict_and_play": [row(choice) for choice in self.choices],
            "moved": [
                {"from": list(before), "to": list(after), "warnings": count}
                for (before, after), count in self.moved.items()
            ],
            "same": self.same,
        }


NONE = DecisionFigures(0, 0.0, 0.0)


def compare_decisions(
    history: History,
    old: RuleSet,
    new: RuleSet,
    settings: EngineSettings,
    learner: Callable[[], Learner | None],
    *,
    since: int | None = None,
) -> DecisionComparison | None:
    """Run each set over a history; `None` where neither has plays. `learner` makes a new one for each."""
    if not len(old.plays) and not len(new.plays):
        return None
    period = Period(history.begin if since is None else since, history.end)
    before, after = (decisions_of(history, each, settings, learner(), period) for each in (old, new))
    both = [(before[warning].choice, after[warning].choice) for warning in before if warning in after]
    moved = Counter(pair for pair in both if pair[0] != pair[1])
    return DecisionComparison(
        _figures(before), _figures(after), dict(moved.most_common()), len(both) - moved.total()
    )


def decisions_of(
    history: History, rules: RuleSet, settings: EngineSettings, learner: Learner | None, period: Period
) -> Decided:
    """Return the decisions on the warnings that open in a period."""
    # A history has no repeats, and names its customers by their rows.
    engine = Engine(replace(settings, repeat_window_us=None, forget_after_us=None), rules, learner)
    engine.keep_no_outcomes()
    found: Decided = {}

    def note(steps: list[Step]) -> None:
        for step in steps:
            inside = period.since <= step.at <= period.until
            if step.kind is StepKind.OPENED and step.decision is not None and inside:
                numbers = step.decision.arithmetic()
                found[step.customer_id, step.at] = OpeningDecision(
                    str(numbers.verdict), step.play, numbers.total_cost, numbers.net
                )

    replay(history.events, [engine], until=history.end, on_steps=note)
    return found


def _figures(decided: Decided) -> dict[Choice, DecisionFigures]:
    grouped: dict[Choice, list[OpeningDecision]] = {}
    for each in decided.values():
        grouped.setdefault(each.choice, []).append(each)
    return {
        choice: DecisionFigures(
            len(those), sum(each.cost or 0.0 for each in those), sum(each.net or 0.0 for each in those)
        )
        for choice, those in grouped.items()
    }
