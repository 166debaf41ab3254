"""Two rule sets over one history: who is gained, lost or changed, and what that does to load and quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from streams.backtest.alarms import Alarms
from streams.backtest.figures import BacktestFigures, Judge, Period
from streams.backtest.history import History
from streams.backtest.load import Team
from streams.backtest.terms import JudgeTerms
from streams.backtest.trial import Trial, run
from streams.contract.instants import format_instant
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.model.logistic import Learner
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.rulebook.diff import RuleChange, rule_changes
from streams.share import ShareDifference


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What became of one rule from the old set to the new one."""

    change: RuleChange
    old: BacktestFigures | None
    """Figures of its causes, where it takes part."""
    new: BacktestFigures | None


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """A customer whose warnings differ; a tier is the highest that a warning of the period had."""

    customer_id: str
    old: Tier | None
    new: Tier | None

    def as_dict(self) -> dict[str, Any]:
        """Return the change as plain JSON values."""
        return {
            "customer_id": self.customer_id,
            "old_tier": self.old.label if self.old else None,
            "new_tier": self.new.label if self.new else None,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a new rule set would have changed."""

    old_set: str
    new_set: str
    period: Period
    horizon_us: int
    events: int
    customers: int
    rules: tuple[RuleEffect, ...]
    old: BacktestFigures
    new: BacktestFigures
    gained: tuple[CustomerChange, ...]
    """Warned of under the new set alone."""
    lost: tuple[CustomerChange, ...]
    """Warned of under the old set alone."""
    changed: tuple[CustomerChange, ...]
    """Warned of under both, with another highest tier."""
    kept: int
    """Warned of under both with the same one."""
    trial: Trial
    """Both sets over the history."""

    @property
    def precision(self) -> ShareDifference:
        """The new set's precision less the old one's."""
        return ShareDifference.between(self.old.precision, self.new.precision)

    @property
    def recall(self) -> ShareDifference:
        """The new set's recall less the old one's, on the same churns."""
        return ShareDifference.paired(self.old.caught, self.new.caught)

    def as_dict(self, most: int) -> dict[str, Any]:
        """Return everything as plain JSON values; of each list of customers as many as are asked for."""
        per_day = [f.alarms / len(f.load.daily) for f in (self.old, self.new)]
        return {
            "old_rule_set": self.old_set,
            "new_rule_set": self.new_set,
            "period": {
                "since": format_instant(self.period.since),
                "until": format_instant(self.period.until),
            },
            "horizon_days": self.horizon_us / DAY,
            "events": self.events,
            "customers": self.customers,
            "rules": [_rule_dict(each) for each in self.rules],
            "old": self.old.as_dict(),
            "new": self.new.as_dict(),
            "warnings_per_day_change": per_day[1] - per_day[0],
            "precision_change": self.precision.as_dict(),
            "recall_change": self.recall.as_dict(),
            "customers_gained": _listed(self.gained, most),
            "customers_lost": _listed(self.lost, most),
            "customers_changed_in_tier": _listed(self.changed, most),
            "customers_kept": self.kept,
        }


def compare(
    history: History,
    old: RuleSet,
    new: RuleSet,
    settings: EngineSettings,
    learner: Learner | None,
    team: Team,
    *,
    since: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Run both rule sets over a history, in one pass, and report what differs."""
    period = Period(history.begin if since is None else since, history.end)
    judge = Judge(history, JudgeTerms.of(settings), team, period)
    trial = run(history, [*old.rules, *new.rules], settings, learner, progress=progress)
    alarms = [trial.alarms([r for r in each.rules if r.status is RuleStatus.ACTIVE]) for each in (old, new)]
    tiers = [_highest(each, period) for each in alarms]
    changes = {
        customer: CustomerChange(history.customers[customer], tiers[0].get(customer), tiers[1].get(customer))
        for customer in sorted({*tiers[0], *tiers[1]}, key=history.customers.__getitem__)
    }
    differing = [change for change in changes.values() if change.old != change.new]

    def figures(rule: Rule | None) -> BacktestFigures | None:
        return judge.figures(trial.alarms([rule])) if rule is not None and rule.takes_part else None

    return Comparison(
        old_set=old.hash,
        new_set=new.hash,
        period=period,
        horizon_us=settings.horizon_us,
        events=len(history.events),
        customers=len(history.customers),
        rules=_effects(old, new, figures),
        old=judge.figures(alarms[0]),
        new=judge.figures(alarms[1]),
        gained=tuple(c for c in differing if c.old is None),
        lost=tuple(c for c in differing if c.new is None),
        changed=tuple(c for c in differing if c.old is not None and c.new is not None),
        kept=len(changes) - len(differing),
        trial=trial,
    )


def _effects(
    old: RuleSet, new: RuleSet, figures: Callable[[Rule | None], BacktestFigures | None]
) -> tuple[RuleEffect, ...]:
    """Return the rules that were added, removed or changed, each with its figures under both sets."""
    before, after = _all(old), _all(new)
    return tuple(
        RuleEffect(change, figures(before.get(change.rule)), figures(after.get(change.rule)))
        for change in rule_changes(old, new)
    )


def _all(rules: RuleSet) -> dict[str, Rule]:
    return {rule.id: rule for rule in (*rules.rules, *rules.idle)}


def _highest(alarms: Alarms, period: Period) -> dict[int, Tier]:
    """Return the highest tier of each customer's warnings that opened in a period."""
    opened = alarms.take((alarms.opened_at >= period.since) & (alarms.opened_at <= period.until))
    highest: dict[int, Tier] = {}
    for customer, tier in zip(opened.customer.tolist(), opened.tier.tolist(), strict=True):
        highest[customer] = max(highest.get(customer, Tier.LOW), Tier(tier))
    return highest


def _listed(changes: Sequence[CustomerChange], most: int) -> dict[str, Any]:
    return {"count": len(changes), "customers": [change.as_dict() for change in changes[:most]]}


def _rule_dict(effect: RuleEffect) -> dict[str, Any]:
    change = effect.change
    return {
        "rule": change.rule,
        "kind": change.change,
        "old_version": change.version_before,
        "new_version": change.version_after,
        "fields": {
            each.field: {"old": one_line(each.before), "new": one_line(each.after)} for each in change.fields
        },
        "old": effect.old.as_dict() if effect.old else None,
        "new": effect.new.as_dict() if effect.new else None,
    }


def one_line(value: str | None) -> str | None:
    """Return a field's value with its lines as one."""
    return None if value is None else " ".join(value.split())
