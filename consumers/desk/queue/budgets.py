"""What the plays' budgets were at a past instant, by the changes of rules since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, or_, select

from consumers.database.database import Database
from consumers.database.learning import AdoptionRow
from consumers.desk.rulebook import CauseView, Rulebook, RulebookView
from streams.contract.audit import RulesAdopted, parse_adopted

_FIELD = "budget_month"


@dataclass(frozen=True, slots=True)
class Budgets:
    """What might be spent on each play in a month; a play without a budget has no entry."""

    by_play: Mapping[str, float]
    are_known: bool
    """Whether the store has every change since, with what was before."""


def budgets_at(database: Database, now: Mapping[str, float], instant: datetime) -> Budgets:
    """Return the budgets in force at an instant; `now` has those of today."""
    row = AdoptionRow
    when = func.coalesce(row.at, row.adopted_at)
    since = select(row.data).where(row.judges == "customers", when > instant)
    before = select(func.count()).where(
        row.judges == "customers", or_(when <= instant, row.rule_set_before.is_(None))
    )
    with database.reading() as connection:
        found = list(connection.scalars(since.order_by(when.desc(), row.seq.desc())))
        has_begin = bool(connection.scalar(before))
    return undone(now, [parse_adopted(msgspec.json.encode(each)) for each in found], is_whole=has_begin)


def undone(now: Mapping[str, float], changes: Iterable[RulesAdopted], *, is_whole: bool) -> Budgets:
    """Return the budgets before changes, which are given the newest first, each once for each partition."""
    found, are_known = dict(now), is_whole
    for each in changes:
        if each.rule_set_before is None:
            continue  # a partition that is new: no rules were in force there
        if each.changes is None:
            are_known = False  # nobody could read the rules before
        for play in each.plays:
            if play.change == "added":
                found.pop(play.play, None)
            elif play.change == "removed":
                are_known = False  # the change does not say what it had
            for field in play.fields:
                if field.field == _FIELD:
                    found.pop(play.play, None)
                    if field.before is not None:
                        found[play.play] = float(field.before)
    return Budgets(found, are_known)


class PastRulebook:
    """The rule folder of today with the budgets of a past instant."""

    def __init__(self, rulebook: Rulebook, budgets: Budgets) -> None:
        self._rulebook = rulebook
        self._budgets = budgets

    def current(self) -> RulebookView:
        """Return what it says now, but for the budgets."""
        view = self._rulebook.current()
        of = self._budgets.by_play
        return replace(view, plays=tuple(replace(p, budget_month=of.get(p.id)) for p in view.plays))

    def explain(self, rule_id: str, version: str, values: Mapping[str, Any]) -> CauseView | None:
        """Return a rule with the values that it read, as the folder has it now."""
        return self._rulebook.explain(rule_id, version, values)
