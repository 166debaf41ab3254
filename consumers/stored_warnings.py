"""Warnings as the database has them: found by filters or by the beginning of their id."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, case, func, select

from consumers.database.database import Database
from consumers.database.notices import NoticeRow
from consumers.database.prefix import begins
from consumers.database.warnings import WarningRow, WarningStepRow
from streams.errors import StoreError

OPEN: Final = "open"
_TIERS: Final = ("high", "medium", "low")
_SHOWN: Final = 5
_STEP: Final = (
    WarningStepRow.id,
    WarningStepRow.time,
    WarningStepRow.type,
    WarningStepRow.step,
    WarningStepRow.tier,
    WarningStepRow.state,
)
_NOTICE: Final = (
    NoticeRow.step_id,
    NoticeRow.kind,
    NoticeRow.at,
    NoticeRow.verdict,
    NoticeRow.why,
    NoticeRow.silence_id,
    NoticeRow.look_again_at,
    NoticeRow.note,
)


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


_IS_NEWEST: Final = and_(
    WarningRow.id == WarningStepRow.warning_id, WarningRow.last_step == WarningStepRow.step
)
_newest = select(WarningStepRow.data, WarningStepRow.time).join(WarningRow, _IS_NEWEST)


def find_warnings(database: Database, wanted: WarningFilter) -> list[StoredWarning]:
    """Return the warnings that match, the most urgent first, then by opening."""
    tier = case({word: rank for rank, word in enumerate(_TIERS)}, value=WarningRow.tier, else_=len(_TIERS))
    query = _newest.order_by(tier, WarningRow.opened_at, WarningRow.id)
    for column, words in (
        (WarningRow.state, wanted.states),
        (WarningRow.tier, wanted.tiers),
        (WarningRow.customer_id, wanted.customers),
    ):
        if words:
            query = query.where(column.in_(sorted(words)))
    if wanted.since is not None:
        query = query.where(WarningRow.opened_at >= wanted.since)
    with database.reading() as connection:
        rows = connection.execution_options(yield_per=1_000).execute(query)
        return [StoredWarning(row.data, row.time) for row in rows if wanted.matches(row.data)]


def newest_open_steps(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Yield `data` of the newest step of every open warning, those held out too, in no order."""
    query = select(WarningStepRow.data).join(WarningRow, _IS_NEWEST).where(WarningRow.state == OPEN)
    yield from connection.execution_options(yield_per=1_000).scalars(query)


@dataclass(frozen=True, slots=True)
class FoundWarning:
    """A warning that was found by the beginning of its id."""

    id: str
    customer_id: str
    state: str


def warnings_that_begin(connection: Connection, beginning: str, limit: int) -> list[FoundWarning]:
    """Return the first warnings whose ids begin so, in the order of their ids."""
    query = select(WarningRow.id, WarningRow.customer_id, WarningRow.state)
    query = query.where(begins(connection, WarningRow.id, beginning)).order_by(WarningRow.id).limit(limit)
    return [FoundWarning(*row) for row in connection.execute(query)]


def newest_update(connection: Connection) -> datetime | None:
    """Return the event time of the newest step that any warning stands at; `None` without warnings."""
    return connection.scalar(select(func.max(WarningRow.updated_at)))


def find_warning(database: Database, wanted: str) -> WarningHistory:
    """Return the warning of this id, or of the one id that begins so. Raises `StoreError`."""
    with database.reading() as connection:
        found = [row.id for row in warnings_that_begin(connection, wanted, _SHOWN + 1)]
        chosen = [wanted] if wanted in found else found
        if not wanted or not chosen:
            msg = f"there is no warning {wanted!r} in {database.place}: `lapwing warnings list` shows them"
            raise StoreError(msg)
        if len(chosen) > 1:
            more = ", ..." if len(chosen) > _SHOWN else ""
            msg = f"{wanted!r} begins several warnings: {', '.join(chosen[:_SHOWN])}{more}"
            raise StoreError(msg)
        data, time = connection.execute(_newest.where(WarningRow.id == chosen[0])).one()
        steps = select(*_STEP)
        of_steps = steps.where(WarningStepRow.warning_id == chosen[0]).order_by(WarningStepRow.step)
        of_notices = select(*_NOTICE)
        of_notices = of_notices.where(NoticeRow.warning_id == chosen[0]).order_by(NoticeRow.seq)
        return WarningHistory(
            StoredWarning(data, time),
            [dict(row) for row in connection.execute(of_steps).mappings()],
            [dict(row) for row in connection.execute(of_notices).mappings()],
        )
