"""The scorecard: each rule's and each tier's precision, recall, lead time and verdicts.

The meanings stand in `docs/scorecard.md`; the slow twin is in `tests/consumers/scorecard/twin.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from consumers.scorecard.facts import Facts
from consumers.scorecard.missed import Missed, missed_of
from consumers.scorecard.verdicts import TeamVerdict, verdicts
from streams.contract.instants import format_instant
from streams.share import Share, Spread

DAY_US: Final = 86_400_000_000
ACTIVE: Final = "active"
TIERS: Final = ("high", "medium", "low")
CAUTIONS: Final = (
    "Customers who were helped in time look like false alarms: look beside it at the precision of those "
    "held out, or not treated.",
    "Recall takes a rule as if it had been there for the whole period: give a rule that is newer --since.",
    "Intervals (95 %, Wilson's score) take warnings as independent; several of one customer, and a season "
    "that all share, make the true ones wider.",
)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the team found out about matured warnings, beside what became of them."""

    right: int
    false_alarm: int
    right_and_left: int
    false_alarm_and_stayed: int

    @property
    def precision(self) -> Share:
        """Return the share that the team found right."""
        return Share(self.right, self.right + self.false_alarm)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "right": self.precision.as_dict(),
            "false_alarms": self.false_alarm,
            "right_and_left": Share(self.right_and_left, self.right).as_dict(),
            "false_alarm_and_stayed": Share(self.false_alarm_and_stayed, self.false_alarm).as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Score:
    """How good the warnings of a tier, or the causes of a rule, were."""

    precision: Share
    """Of the matured, those after which the customer left."""
    precision_not_lost: Share
    """The same without customers who were not active at the opening."""
    already_lost: int
    not_matured: int | None
    """Opened in the period and not yet known; `None` where it is not known how many."""
    recall: Share
    """Of the losses of which everything is known, those seen before."""
    lead_days: Spread
    """From the first opening to the loss, of the losses seen."""
    verdicts: Verdicts

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "precision": self.precision.as_dict(),
            "precision_not_lost": self.precision_not_lost.as_dict(),
            "already_lost": self.already_lost,
            "not_matured": self.not_matured,
            "recall": self.recall.as_dict(),
            "lead_days": self.lead_days.as_dict(),
            "verdicts": self.verdicts.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class WarningScore:
    """The warnings of a tier, or all of them."""

    tier: str | None
    score: Score
    untreated: Share
    """Precision of the warnings on which nobody acted."""
    held_out: Share
    """Precision of those that were held out."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "tier": self.tier,
            **self.score.as_dict(),
            "precision_untreated": self.untreated.as_dict(),
            "precision_held_out": self.held_out.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class RuleScore:
    """The causes of one rule, of the tier that it had when they opened."""

    rule: str
    tier: str
    status: str
    """Of the newest."""
    score: Score
    alone: Share
    """Of the losses it saw, those that no other active rule did."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        own = {"rule": self.rule, "tier": self.tier, "status": self.status}
        return {**own, **self.score.as_dict(), "seen_by_it_alone": self.alone.as_dict()}


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What became of the warnings and causes that opened in [since, until), and who left in it."""

    since: int | None
    until: int | None
    as_of: int | None
    known_to: int | None
    horizon_us: int
    warnings: tuple[WarningScore, ...]
    """All first, then by the tier of the opening."""
    rules: tuple[RuleScore, ...]
    losses: int
    losses_not_settled: int
    """Losses so new that not all causes before them have matured: they are not in recall."""
    closed_after_lapse: int
    """Closures of customers who had left already: they are no second loss."""
    missed: Missed

    def as_dict(self, missed_most: int) -> dict[str, Any]:
        """Return everything as plain JSON values; of the missed as many as are asked for."""
        instants = {
            "since": self.since,
            "until": self.until,
            "as_of": self.as_of,
            "known_to": self.known_to,
        }
        return {
            **{name: None if at is None else format_instant(at) for name, at in instants.items()},
            "horizon_days": self.horizon_us / DAY_US,
            "losses": self.losses,
            "losses_not_settled": self.losses_not_settled,
            "closed_after_lapse": self.closed_after_lapse,
            "warnings": [each.as_dict() for each in self.warnings],
            "rules": [each.as_dict() for each in self.rules],
            "missed": self.missed.as_dict(missed_most),
            "cautions": list(CAUTIONS),
        }


def scorecard(
    facts: Facts,
    horizon_us: int,
    *,
    since: int | None = None,
    until: int | None = None,
    as_of: int | None = None,
) -> Scorecard:
    """Return the scorecard of a period."""
    known_to = facts.known_to if facts.known_to is not None else 0
    inside = _period("opened_at", since, until)
    found = verdicts(facts.actions)
    causes = facts.causes.filter(inside).with_columns(verdict=_verdict_column(found))
    lost = facts.causes.filter("already_lost").select("warning_id", "opened_at").unique()
    warnings = (
        facts.warnings.filter(inside)
        .with_columns(verdict=_verdict_column(found))
        .join(lost.with_columns(already_lost=True), on=["warning_id", "opened_at"], how="left")
        .with_columns(pl.col("already_lost").fill_null(value=False))
    )
    losses = facts.losses.filter(_period("at", since, until))
    first = losses.filter("first_loss").with_row_index("loss")
    settled = first.filter(pl.col("at") + horizon_us < known_to)
    seen = _seen(facts.causes, settled, horizon_us)
    return Scorecard(
        since=since,
        until=until,
        as_of=as_of,
        known_to=facts.known_to,
        horizon_us=horizon_us,
        warnings=_warning_scores(facts, warnings, settled, inside),
        rules=_rule_scores(facts, causes, settled, seen, inside),
        losses=len(first),
        losses_not_settled=len(first) - len(settled),
        closed_after_lapse=len(losses) - len(first),
        missed=missed_of(first),
    )


def _period(column: str, since: int | None, until: int | None) -> pl.Expr:
    inside = pl.lit(value=True) if since is None else pl.col(column) >= since
    return inside if until is None else inside & (pl.col(column) < until)


def _verdict_column(found: Mapping[str, TeamVerdict]) -> pl.Expr:
    words = {warning: verdict.value for warning, verdict in found.items()}
    return pl.col("warning_id").replace_strict(words, default=None, return_dtype=pl.String)


def _seen(causes: pl.DataFrame, losses: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Return (loss, rule, tier, status, lead_days): each loss with each cause that saw it.

    A cause saw a loss that it opened before, by the horizon at most, or whose warning it belonged to.
    """
    pairs = losses.select("loss", "customer_id", "at", "warned_id").join(causes, on="customer_id")
    recent = (pl.col("opened_at") < pl.col("at")) & (pl.col("opened_at") >= pl.col("at") - horizon_us)
    named = (pl.col("opened_at") <= pl.col("at")) & (pl.col("warning_id") == pl.col("warned_id"))
    return pairs.filter(recent | named.fill_null(value=False)).select(
        "loss",
        "rule",
        "tier",
        active=pl.col("status") == ACTIVE,
        lead_days=(pl.col("at") - pl.col("opened_at")) / DAY_US,
    )


def _warning_scores(
    facts: Facts, warnings: pl.DataFrame, settled: pl.DataFrame, inside: pl.Expr
) -> tuple[WarningScore, ...]:
    opened = None
    if facts.opened_warnings is not None:
        matured = facts.warnings.select("warning_id")
        opened = facts.opened_warnings.filter(inside).join(matured, on="warning_id", how="anti")
    made = []
    for tier in (None, *TIERS):
        rows = warnings if tier is None else warnings.filter(tier=tier)
        warned = settled.filter(pl.col("warned_id").is_not_null())
        warned = warned if tier is None else warned.filter(warned_tier=tier)
        waiting = opened if opened is None or tier is None else opened.filter(tier=tier)
        if tier is not None and not (len(rows) or len(warned) or (waiting is not None and len(waiting))):
            continue
        made.append(
            WarningScore(
                tier,
                _score(rows, waiting, len(warned), len(settled), warned["lead_days"]),
                _precision(rows.filter(~pl.col("treated"))),
                _precision(rows.filter("holdout")),
            )
        )
    return tuple(made)


def _rule_scores(
    facts: Facts, causes: pl.DataFrame, settled: pl.DataFrame, seen: pl.DataFrame, inside: pl.Expr
) -> tuple[RuleScore, ...]:
    waiting = None
    if facts.opened_causes is not None:
        same = ["customer_id", "rule", "opened_at"]
        waiting = facts.opened_causes.filter(inside).join(facts.causes.select(same), on=same, how="anti")
    keys = set(causes.select("rule", "tier").rows()) | set(seen.select("rule", "tier").rows())
    if waiting is not None:
        keys |= set(waiting.select("rule", "tier").rows())
    by_active = seen.filter("active").select("loss", "rule").unique()
    made = []
    for rule, tier in sorted(keys, key=lambda key: (TIERS.index(key[1]), key[0])):
        rows = causes.filter(rule=rule, tier=tier)
        every = facts.causes.filter(rule=rule, tier=tier).sort("opened_at")
        status = every["status"][-1] if len(every) else ACTIVE
        own = seen.filter(rule=rule, tier=tier)
        leads = own.group_by("loss").agg(pl.col("lead_days").max()).sort("loss")
        others = by_active.filter(pl.col("rule") != rule).select("loss").unique()
        alone = leads.join(others, on="loss", how="anti")
        mine = None
        if waiting is not None and (len(waiting.filter(rule=rule, tier=tier)) or status == ACTIVE):
            mine = waiting.filter(rule=rule, tier=tier)
        made.append(
            RuleScore(
                rule,
                tier,
                status,
                _score(rows, mine, len(leads), len(settled), leads["lead_days"]),
                Share(len(alone), len(leads)),
            )
        )
    return tuple(made)


def _score(
    rows: pl.DataFrame, waiting: pl.DataFrame | None, seen: int, losses: int, leads: pl.Series
) -> Score:
    right = rows.filter(verdict=TeamVerdict.RIGHT.value)
    wrong = rows.filter(verdict=TeamVerdict.FALSE_ALARM.value)
    return Score(
        precision=_precision(rows),
        precision_not_lost=_precision(rows.filter(~pl.col("already_lost"))),
        already_lost=int(rows["already_lost"].sum()),
        not_matured=None if waiting is None else len(waiting),
        recall=Share(seen, losses),
        lead_days=Spread.of(leads.to_numpy().astype(np.float64)),
        verdicts=Verdicts(
            len(right), len(wrong), int(right["churned"].sum()), int((~wrong["churned"]).sum())
        ),
    )


def _precision(rows: pl.DataFrame) -> Share:
    return Share(int(rows["churned"].sum()), len(rows))
