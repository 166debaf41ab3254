"""From records of the warnings topics to rows: steps of warnings, and records that cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from consumers.broker.records import Record
from streams.contract.segments import SegmentEvent, parse_segment_warning
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
class StepRows:
    """A record that is a step of a warning, as the rows it makes."""

    record: Record
    step: Row
    warning: Row


@dataclass(slots=True)
class Reading:
    """The records of one poll, sorted by whether they can be read."""

    steps: list[StepRows] = field(default_factory=list)
    unreadable: list[tuple[Record, Row]] = field(default_factory=list)


def read_records(records: Sequence[Record], now: datetime, parse: Callable[[bytes], WarningEvent]) -> Reading:
    """Return the rows of the records of customers' warnings, which were received at `now`."""
    return _read(records, now, lambda record, value: _customers_step(record, parse(value), now))


def read_segments(records: Sequence[Record], now: datetime) -> Reading:
    """Return the rows of the records of segments' warnings, which were received at `now`."""
    return _read(
        records, now, lambda record, value: _segments_step(record, parse_segment_warning(value), now)
    )


def _read(records: Sequence[Record], now: datetime, make: Callable[[Record, bytes], StepRows]) -> Reading:
    reading = Reading()
    for record in records:
        if record.value is None:
            reading.unreadable.append((record, put_aside(record, now, Unreadable.EMPTY, "no value")))
            continue
        try:
            reading.steps.append(make(record, record.value))
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
        # A topic that is created again begins at offset 0, so the place alone does not identify a record.
        "digest": hashlib.sha256(whole).hexdigest(),
        "reason": reason.value,
        "detail": detail.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:1000],
        "key": record.key,
        "value": record.value,
        "received_at": now,
    }


def _customers_step(record: Record, event: WarningEvent, now: datetime) -> StepRows:
    data = event.data
    given = data.attention
    whose = {"customer_id": data.customer_id}
    step, warning = _rows(record, event, whose, now)
    warning |= {
        "reasons": step["data"]["reasons"],
        "churn_probability": data.churn_probability,
        "horizon_days": data.horizon_days,
        "model_version": data.model_version,
        "value_at_risk": data.value_at_risk,
        "decision": data.decision.verdict if data.decision else None,
        "net": data.decision.net if data.decision else None,
        "play": data.play,
        "holdout": data.holdout,
        "attention": given.state if given else None,
        "attended_by": given.by if given else None,
        "attended_until": given.until if given else None,
        "deadline": given.deadline if given else None,
    }
    return StepRows(record, step, warning)


def _segments_step(record: Record, event: SegmentEvent, now: datetime) -> StepRows:
    whose = {"dimension": event.data.dimension, "value": event.data.value}
    return StepRows(record, *_rows(record, event, whose, now))


def _rows(record: Record, event: WarningEvent | SegmentEvent, whose: Row, now: datetime) -> tuple[Row, Row]:
    """Return the columns that steps and warnings of customers and segments share."""
    # Read again as plain JSON: fields that a newer worker added are kept.
    try:
        document = msgspec.json.decode(record.value or b"")
        canonical = msgspec.json.encode(document, order="sorted")
    except (msgspec.MsgspecError, OverflowError) as error:
        msg = f"not a warning event: {error}"
        raise ContractError(msg) from error
    content = document["data"]
    data = event.data
    # Else the same step under two ids would be two steps, and would be sent twice.
    if event.id != f"{data.warning_id}/{data.step}":
        msg = "not a warning event: its id is not its warning's and step's"
        raise ContractError(msg)
    step = {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "warning_id": data.warning_id,
        "step": data.step,
        **whose,
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
        "id": data.warning_id,
        **whose,
        "state": data.state,
        "tier": data.tier,
        "opened_at": data.opened_at,
        "updated_at": event.time,
        "closed_at": None if data.state == "open" else event.time,
        "last_step": data.step,
        "last_type": event.type,
        "causes": content["causes"],
        "rule_set": data.rule_set,
    }
    return step, warning
