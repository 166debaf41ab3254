"""From records of the warnings topic to rows: what is a step of a warning, and what cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from consumers.kafka import Record
from streams.contract.warnings import WarningEvent
from streams.errors import ContractError

Row = dict[str, Any]


class Unreadable(StrEnum):
    """Why a record was put aside."""

    EMPTY = "empty"
    INVALID = "invalid"
    CONFLICT = "conflict"
    """Its id is stored with another content."""
    REFUSED = "refused"
    """The database has no room for one of its values."""


@dataclass(frozen=True, slots=True)
class Step:
    """A record that is a step of a warning, as the rows it makes."""

    record: Record
    step: Row
    warning: Row


@dataclass(slots=True)
class Reading:
    """The records of one poll, told apart."""

    steps: list[Step] = field(default_factory=list)
    unreadable: list[tuple[Record, Row]] = field(default_factory=list)


def read_records(records: Sequence[Record], now: datetime, parse: Callable[[bytes], WarningEvent]) -> Reading:
    """Return the rows of the records, which were received at `now`."""
    reading = Reading()
    for record in records:
        if record.value is None:
            reading.unreadable.append((record, put_aside(record, now, Unreadable.EMPTY, "no value")))
            continue
        try:
            reading.steps.append(_step(record, parse(record.value), now))
        except ContractError as error:
            reading.unreadable.append((record, put_aside(record, now, Unreadable.INVALID, str(error))))
    return reading


def put_aside(record: Record, now: datetime, reason: Unreadable, detail: str) -> Row:
    """Return the row of a record that cannot be stored as a step."""
    whole = b"%r %r" % (record.key, record.value)
    return {
        "source_topic": record.topic,
        "source_partition": record.partition,
        "source_offset": record.offset,
        # A topic made anew begins again at offset 0, so the place alone does not tell records apart.
        "digest": hashlib.sha256(whole).hexdigest(),
        "reason": reason.value,
        "detail": detail.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:1000],
        "key": record.key,
        "value": record.value,
        "received_at": now,
    }


def _step(record: Record, event: WarningEvent, now: datetime) -> Step:
    # Read again as plain JSON: fields that a newer worker added are kept.
    try:
        document = msgspec.json.decode(record.value or b"")
        canonical = msgspec.json.encode(document, order="sorted")
    except (msgspec.MsgspecError, OverflowError) as error:
        msg = f"not a warning event: {error}"
        raise ContractError(msg) from error
    content = document["data"]
    data = event.data
    attention = data.attention
    step = {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "warning_id": data.warning_id,
        "step": data.step,
        "customer_id": data.customer_id,
        "state": data.state,
        "tier": data.tier,
        "data": content,
        "digest": hashlib.sha256(canonical).hexdigest(),
        "source_topic": record.topic,
        "source_partition": record.partition,
        "source_offset": record.offset,
        "received_at": now,
    }
    warning = {
        "id": step["warning_id"],
        "customer_id": data.customer_id,
        "state": data.state,
        "tier": step["tier"],
        "opened_at": data.opened_at,
        "updated_at": event.time,
        "closed_at": None if data.state == "open" else event.time,
        "last_step": data.step,
        "last_type": step["type"],
        "causes": content["causes"],
        "reasons": content["reasons"],
        "churn_probability": data.churn_probability,
        "horizon_days": data.horizon_days,
        "model_version": data.model_version,
        "value_at_risk": data.value_at_risk,
        "decision": data.decision,
        "play": data.play,
        "holdout": data.holdout,
        "rule_set": data.rule_set,
        "attention": attention.state if attention else None,
        "attended_by": attention.by if attention else None,
        "attended_until": attention.until if attention else None,
        "deadline": attention.deadline if attention else None,
    }
    return Step(record, step, warning)
