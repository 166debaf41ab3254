"""Warnings as the database has them: found by filters or by the beginning of their id."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, case, select

from consumers.database.database import Database
from consumers.database.schema import notices, warning_steps, warnings
from streams.errors import StoreError

OPEN: Final = "open"
_TIERS: Final = ("high", "medium", "low")
_SHOWN: Final = 5
_STEP: Final = ("id", "time", "type", "step", "tier", "state")
_NOTICE: Final = ("step_id", "kind", "at", "verdict", "why", "silence_id", "look_again_at", "note")


@dataclass(frozen=True, slots=True)
class WarningFilter:
    """Which warnings: of every collection that is not empty one word must match."""

    states: Collection[str] = (OPEN,)
    tiers: Collection[str] = ()
    customers: Collection[str] = ()
    since: datetime | None = None
    """Opened then or later, by event time."""
    rules: Collection[str] = ()
    reasons: Collection[str] = ()
    """Groups of causes, `reason` in rule files."""
    classes: Collection[str] = ()
    segments: Collection[str] = ()
    regions: Collection[str] = ()
    owners: Collection[str] = ()
    """Who looks after the customer, `account_owner` in profiles."""
    holdout: bool = False
    """Whether to find those in the holdout too, which are shown to nobody."""

    def matches(self, data: Mapping[str, Any]) -> bool:
        """Return whether the fields that only the newest step's data has match."""
        causes = data["causes"]
        words: list[tuple[Collection[str], set[object]]] = [
            (self.rules, {cause["rule"] for cause in causes}),
            (self.reasons, {cause["reason"] for cause in causes}),
            (self.classes, {data.get("customer_class")}),
            (self.segments, {data.get("segment")}),
            (self.regions, {data.get("region")}),
            (self.owners, {data.get("account_owner")}),
        ]
        return (self.holdout or not data.get("holdout")) and all(
            not wanted or not here.isdisjoint(wanted) for wanted, here in words
        )


@dataclass(frozen=True, slots=True)
class StoredWarning:
    """A warning as its newest step left it."""

    data: Mapping[str, Any]
    """`data` of the step's CloudEvent."""
    updated_at: datetime

    @property
    def id(self) -> str:
        """The warning's id."""
        return str(self.data["warning_id"])


@dataclass(frozen=True, slots=True)
class WarningHistory:
    """A warning, its steps, and what became of their notices, each in order."""

    warning: StoredWarning
    steps: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    notices: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


_newest = select(warning_steps.c.data, warning_steps.c.time).join(
    warnings,
    and_(warnings.c.id == warning_steps.c.warning_id, warnings.c.last_step == warning_steps.c.step),
)


def find_warnings(database: Database, wanted: WarningFilter) -> list[StoredWarning]:
    """Return the warnings that match, the most urgent first, then by opening."""
    tier = case({word: rank for rank, word in enumerate(_TIERS)}, value=warnings.c.tier, else_=len(_TIERS))
    query = _newest.order_by(tier, warnings.c.opened_at, warnings.c.id)
    for column, words in (
        ("state", wanted.states),
        ("tier", wanted.tiers),
        ("customer_id", wanted.customers),
    ):
        if words:
            query = query.where(warnings.c[column].in_(sorted(words)))
    if wanted.since is not None:
        query = query.where(warnings.c.opened_at >= wanted.since)
    with database.reading() as connection:
        rows = connection.execution_options(yield_per=1_000).execute(query)
        return [StoredWarning(row.data, row.time) for row in rows if wanted.matches(row.data)]


def find_warning(database: Database, wanted: str) -> WarningHistory:
    """Return the warning of this id, or of the one id that begins so. Raises `StoreError`."""
    with database.reading() as connection:
        begins = warnings.c.id.startswith(wanted, autoescape=True)
        found = list(
            connection.scalars(select(warnings.c.id).where(begins).order_by(warnings.c.id).limit(_SHOWN + 1))
        )
        chosen = [wanted] if wanted in found else found
        if not wanted or not chosen:
            msg = f"there is no warning {wanted!r} in {database.place}: `lapwing warnings list` shows them"
            raise StoreError(msg)
        if len(chosen) > 1:
            more = ", ..." if len(chosen) > _SHOWN else ""
            msg = f"{wanted!r} begins several warnings: {', '.join(chosen[:_SHOWN])}{more}"
            raise StoreError(msg)
        data, time = connection.execute(_newest.where(warnings.c.id == chosen[0])).one()
        steps = select(*(warning_steps.c[name] for name in _STEP))
        of_steps = steps.where(warning_steps.c.warning_id == chosen[0]).order_by(warning_steps.c.step)
        of_notices = select(*(notices.c[name] for name in _NOTICE))
        of_notices = of_notices.where(notices.c.warning_id == chosen[0]).order_by(notices.c.seq)
        return WarningHistory(
            StoredWarning(data, time),
            [dict(row) for row in connection.execute(of_steps).mappings()],
            [dict(row) for row in connection.execute(of_notices).mappings()],
        )
