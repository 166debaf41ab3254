"""Customers' warnings step by step, and silences, as the database of the tests holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from consumers.database.database import Database
from consumers.database.notices import NoticeRow
from consumers.muting.notice import Limits
from consumers.sink.kinds import SILENCES
from streams.contract.silences import Silence, encode_silence, make_silence
from streams.contract.warnings import encode_step
from streams.core.steps import Acknowledgement, AcknowledgementState, Cause, Step, StepKind, Tier
from tests.consumers.stored import store_records
from tests.consumers.warning_events import record, records

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(at_most=3, period=7 * DAY, flapping_after=2, flapping_period=10 * DAY)


def us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


@dataclass
class Shop:
    """The steps of customers' warnings, made one after the other."""

    steps: list[Step]
    numbers: dict[str, int]

    def step(
        self,
        customer: str,
        at: datetime,
        kind: str,
        tier: Tier = Tier.HIGH,
        rule: str = "overdue",
        warning: int = 1,
        *,
        holdout: bool = False,
        is_overdue: bool = False,
    ) -> None:
        name = f"{customer}-{warning}"
        self.numbers[name] = self.numbers.get(name, 0) + 1
        acknowledgement = None
        if is_overdue:
            acknowledgement = Acknowledgement(AcknowledgementState.OVERDUE, self.numbers[name], us(at))
        cause = Cause(rule, "1", "", tier, "silence", None, None, us(at), us(at), "", {})
        self.steps.append(
            Step(
                StepKind(kind),
                customer,
                us(at),
                name,
                self.numbers[name],
                tier,
                us(at),
                (cause,),
                None,
                90,
                None,
                (),
                "abc",
                holdout=holdout,
                acknowledgement=acknowledgement,
            )
        )

    def encoded(self) -> list[bytes]:
        return [encode_step(step, "shop") for step in self.steps]


def opened() -> Database:
    database = Database("sqlite://")
    database.prepare()
    return database


def store(database: Database, shop: Shop, now: datetime = BEGIN) -> None:
    contents: list[bytes | None] = [*shop.encoded()]
    store_records(database, records(contents), now)
    shop.steps.clear()


def rows(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(NoticeRow.__table__).order_by(NoticeRow.seq)).all())


def decided(database: Database) -> list[tuple[str, str, str | None]]:
    return [(row.step_id, row.verdict, row.why) for row in rows(database)]


def silence(name: str, begins: datetime, ends: datetime | None, **more: Any) -> Silence:
    fields: dict[str, Any] = {"revision": 1, "matchers": {"everything": True}, **more}
    return make_silence(
        id=name, author="me", reason="why", created_at=begins, starts_at=begins, ends_at=ends, **fields
    )


def put(database: Database, *silences: Silence, now: datetime = BEGIN) -> int:
    found = [
        replace(record(encode_silence(each), offset), key=each.id.encode(), topic="silences")
        for offset, each in enumerate(silences)
    ]
    return store_records(database, found, now, SILENCES).stored
