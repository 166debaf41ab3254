"""A backtest: rules, a history and what would have come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from streams.backtest.figures import BacktestFigures, Judge, Period, alone
from streams.backtest.history import History
from streams.backtest.load import Team
from streams.backtest.missed import Missed, Nearest, as_dict, by_rule
from streams.backtest.terms import JudgeTerms
from streams.backtest.trial import Trial, run
from streams.contract.instants import format_instant
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.model.logistic import Learner
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.share import Share

CAUTIONS = (
    "Customers who were helped in time look like false alarms: precision is that of the rules under the "
    "policy of the past. Where actions are in the history, the false alarms after which the team acted are "
    "counted apart.",
    "Intervals (95 %, Wilson's score) take warnings as independent; several warnings of one customer, and a "
    "season that all share, make the true ones wider.",
    "Rules that were tuned on this history look better on it than they will be.",
)
"""What to keep in mind with the figures."""


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule's part."""

    rule: Rule
    figures: BacktestFigures
    alone: Share
    """Of the churns it caught, those that no other active rule did."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What rules would have done in a history."""

    rule_set: str
    period: Period
    horizon_us: int
    time_zone: str
    events: int
    customers: int
    repeats: int
    team: Team
    all: BacktestFigures
    """The warnings: all active rules together."""
    tiers: dict[Tier, BacktestFigures]
    """By the tier that a warning opened with."""
    rules: tuple[RuleFigures, ...]
    base: Share
    missed: tuple[Missed, ...]
    trial: Trial

    def as_dict(self, missed_most: int) -> dict[str, Any]:
        """Return everything as plain JSON values; of the missed churns as many as are asked for."""
        return {
            "rule_set": self.rule_set,
            "period": {
                "since": format_instant(self.period.since),
                "until": format_instant(self.period.until),
                "time_zone": self.time_zone,
            },
            "horizon_days": self.horizon_us / DAY,
            "working_days": list(self.team.working_days),
            "events": self.events,
            "repeats": self.repeats,
            "customers": self.customers,
            "base_rate": self.base.as_dict(),
            "all": {
                **self.all.as_dict(),
                "by_weekday": self.all.load.by_weekday(),
                "precision_by_tier": {
                    tier.label: figures.precision.as_dict() for tier, figures in self.tiers.items()
                },
                "precision_by_tier_not_lost": {
                    tier.label: figures.precision_not_lost.as_dict() for tier, figures in self.tiers.items()
                },
            },
            "rules": [
                {
                    "rule": each.rule.id,
                    "version": each.rule.version,
                    "status": each.rule.status.value,
                    "tier": each.rule.tier.label,
                    **each.figures.as_dict(),
                    "seen_by_it_alone": each.alone.as_dict(),
                }
                for each in self.rules
            ],
            "missed": {
                "count": len(self.missed),
                "nearest": by_rule(self.missed),
                "churns": [as_dict(each) for each in self.missed[:missed_most]],
            },
            "cautions": list(CAUTIONS),
        }


def backtest(
    history: History,
    rules: RuleSet,
    settings: EngineSettings,
    learner: Learner | None,
    team: Team,
    *,
    since: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Run rules over a history and judge them by what customers did next."""
    period = Period(history.begin if since is None else since, history.end)
    judge = Judge(history, JudgeTerms.of(settings), team, period)
    active = [rule for rule in rules.rules if rule.status is RuleStatus.ACTIVE]
    nearest = Nearest(active, judge.churns)
    trial = run(history, rules.rules, settings, learner, look=nearest.look, progress=progress)
    alarms = trial.alarms(active)
    together = judge.figures(alarms)
    tiers = {tier: judge.figures(alarms.take(alarms.first_tier == tier)) for tier in reversed(Tier)}
    return Backtest(
        rule_set=rules.hash,
        period=period,
        horizon_us=settings.horizon_us,
        time_zone=settings.time_zone,
        events=len(history.events),
        customers=len(history.customers),
        repeats=history.repeats,
        team=team,
        all=together,
        tiers=tiers,
        rules=_by_rule(judge, trial, rules.rules),
        base=judge.base(),
        missed=tuple(nearest.missed(together.caught, history.customers)),
        trial=trial,
    )


def _by_rule(judge: Judge, trial: Trial, rules: Sequence[Rule]) -> tuple[RuleFigures, ...]:
    figures = [judge.figures(trial.alarms([rule])) for rule in rules]
    active = [rule.status is RuleStatus.ACTIVE for rule in rules]
    return tuple(
        RuleFigures(
            rule,
            mine,
            alone(mine, [f for j, f in enumerate(figures) if j != i and active[j]]),
        )
        for i, (rule, mine) in enumerate(zip(rules, figures, strict=True))
    )
