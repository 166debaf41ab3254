"""What plays do and what they cost: the effect since they began, and what the team spent in the period.

An effect is measured as `consumers.effects` measures it, on the warnings with a play that opened before the
period's end: a month alone has too few held-out customers. Where there are very many, the newest are enough.
What was spent is that of the period's actions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, Text, cast, or_, select

from consumers.actions import CONTACTS, Action
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.effects.matured import NOT_REACHED, SCHEMA, TYPE
from consumers.effects.report import EffectsInput, EffectsReport, report
from consumers.reports.columns import parsed, read_columns
from consumers.reports.contacts import ACTION_COLUMNS, read_actions, stored_actions
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from streams.contract.instants import to_us

NO_PLAY: Final = None
NO_COST: Final = "{}"
ENOUGH: Final = 40_000
"""Matured warnings that are looked at: where there are more, those that opened last."""


@dataclass(frozen=True, slots=True)
class PlayFacts:
    """What plays are measured from."""

    given: EffectsInput
    """Of the warnings with a play that opened before the period's end."""
    done: tuple[Action, ...]
    """The actions of the period that stand."""
    since: int | None = None
    """The opening from which on warnings are looked at, microseconds; `None`: all."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What the team spent on a play in the period."""

    play: str | None
    """`None` where the action names none."""
    actions: int
    contacts: int
    """Contacts and offers among them."""
    without_cost: int
    """Of the contacts and offers, those without a cost on record: they are in no amount."""
    items: tuple[tuple[str, float], ...]

    @property
    def amount(self) -> float:
        """The sum of the items."""
        return math.fsum(amount for _, amount in self.items)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "play": self.play,
            "actions": self.actions,
            "contacts": self.contacts,
            "without_cost": self.without_cost,
            "items": dict(self.items),
            "amount": self.amount,
        }


@dataclass(frozen=True, slots=True)
class Plays:
    """The effect of each play up to the period's end, and what was spent in the period."""

    period: Period
    effects: EffectsReport
    spending: tuple[Spending, ...]
    total: Spending

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities that do not hold."""
        parts = math.fsum(each.amount for each in self.spending)
        same = math.isclose(parts, self.total.amount, rel_tol=1e-9, abs_tol=1e-6)
        return () if same else ("plays: what was spent on each does not add up to all",)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        effects = self.effects.as_dict()
        return {
            "since": effects["since"],
            "until": effects["until"],
            "min_holdout": effects["min_holdout"],
            "plays": effects["plays"],
            "spent_in_period": [each.as_dict() for each in self.spending],
            "spent_in_period_total": self.total.as_dict(),
        }


def read_plays(connection: Connection, period: Period, knowledge: Knowledge) -> PlayFacts:
    """Return what plays are measured from."""
    since = _since(connection, period, knowledge)
    about = select(*ACTION_COLUMNS).where(
        or_(cast(ActionRow.cost, Text) != NO_COST, ActionRow.corrects.is_not(None)),
        knowledge.by_then(ActionRow.stored_at),
    )
    if since is not None:
        about = about.where(ActionRow.time >= since)
    matured = _matured(connection, period, knowledge, since)
    about_them = stored_actions(connection, about, set(matured["warning_id"]))
    return PlayFacts(
        EffectsInput(matured, tuple(about_them)),
        tuple(read_actions(connection, knowledge, period.begin_at, period.end_at)),
        None if since is None else to_us(since),
    )


def _since(connection: Connection, period: Period, knowledge: Knowledge) -> datetime | None:
    """Return when the first of the newest matured warnings opened, where there are more than enough."""
    query = (
        select(OutcomeRow.opened_at)
        .where(
            OutcomeRow.type == TYPE,
            OutcomeRow.opened_at < period.end_at,
            knowledge.by_then(OutcomeRow.stored_at),
        )
        .order_by(OutcomeRow.time.desc(), OutcomeRow.seq.desc())
        .offset(ENOUGH)
        .limit(1)
    )
    return connection.scalar(query)


def _matured(
    connection: Connection, period: Period, knowledge: Knowledge, since: datetime | None
) -> pl.DataFrame:
    """Return the matured warnings with a play that opened from `since` to the period's end."""
    data = OutcomeRow.data
    play = data["decision", "play"].as_string()
    query = select(
        OutcomeRow.seq,
        OutcomeRow.customer_id,
        OutcomeRow.warning_id,
        OutcomeRow.opened_at,
        OutcomeRow.tier,
        play,
        data["decision", "verdict"].as_string(),
        data["lot"].as_string(),
        OutcomeRow.holdout,
        data["experiment"].as_string(),
        OutcomeRow.churned,
        data["treated"].as_boolean(),
        data["results"],
        data["decision", "value"].as_float(),
        data["decision", "cost"],
    ).where(
        OutcomeRow.type == TYPE,
        OutcomeRow.opened_at < period.end_at,
        play.is_not(None),
        knowledge.by_then(OutcomeRow.stored_at),
    )
    if since is not None:
        query = query.where(OutcomeRow.opened_at >= since)
    seqs, *about, treated, results, values, costs = read_columns(connection, query)
    silent = parsed(results, lambda found: set(found) == {NOT_REACHED})
    unreached = [was and nobody for was, nobody in zip(treated, silent, strict=True)]
    columns = (*about, treated, unreached, values, parsed(costs, _planned))
    found = pl.DataFrame(
        [pl.Series(name, own, dtype) for (name, dtype), own in zip(SCHEMA.items(), columns, strict=True)]
    )
    in_order = found.with_columns(seq=pl.Series(seqs, dtype=pl.Int64)).sort("seq").drop("seq")
    return in_order.unique("warning_id", keep="first", maintain_order=True)


def _planned(cost: Mapping[str, float | None] | None) -> float | None:
    """Return what a play was to cost; `None` where an item is not known."""
    amounts = [] if cost is None else list(cost.values())
    known = [amount for amount in amounts if amount is not None]
    return float(sum(known)) if len(known) == len(amounts) else None


def plays(facts: PlayFacts, period: Period, min_holdout: int) -> Plays:
    """Return what plays did up to the period's end, and what was spent in the period."""
    effects = report(
        facts.given, min_holdout=min_holdout, group_of={}, since=facts.since, until=period.end_us
    )
    by_play: defaultdict[str | None, list[Action]] = defaultdict(list)
    for action in facts.done:
        if action.cost or action.kind in CONTACTS:
            by_play[action.play].append(action)
    spending = [_spending(play, own) for play, own in by_play.items()]
    return Plays(
        period,
        effects,
        tuple(sorted(spending, key=lambda each: (-each.amount, each.play is None, each.play or ""))),
        _spending(NO_PLAY, [action for own in by_play.values() for action in own]),
    )


def _spending(play: str | None, actions: Sequence[Action]) -> Spending:
    contacts = [action for action in actions if action.kind in CONTACTS]
    return Spending(
        play,
        len(actions),
        len(contacts),
        sum(not action.cost for action in contacts),
        _items(actions),
    )


def _items(actions: Iterable[Action]) -> tuple[tuple[str, float], ...]:
    amounts: defaultdict[str, list[float]] = defaultdict(list)
    for action in actions:
        for item, amount in (action.cost or {}).items():
            amounts[item].append(amount)
    return tuple(sorted((item, math.fsum(own)) for item, own in amounts.items()))
