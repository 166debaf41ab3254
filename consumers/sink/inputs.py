"""Complaints and actions, which customers' and the team's systems send, as rows.

What the worker refuses is refused here by the same checks. It is counted and not kept: the worker puts the
bytes on `<app>.rejected`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from consumers.broker.records import Record
from consumers.sink.reading import Entry, PutAside, Reader, Reading, Row, digest, place
from streams.contract.decode import decode_poll
from streams.contract.events import Action, Complaint, Event
from streams.contract.instants import format_instant, to_us

AnyEvent = TypeVar("AnyEvent", bound=Event)


@dataclass(frozen=True, slots=True)
class MappedInputs:
    """What records of a topic of others become, as far as they are stored."""

    events: Sequence[tuple[Record, bytes]]
    """The contract's JSON, with the record that it came of."""
    refused: Sequence[PutAside] = ()


MapInputs = Callable[[Sequence[Record], datetime], MappedInputs]
"""Maps records at the time of a wall clock. Raises a `Retryable` where that is not possible yet."""


def mapped_events(
    model: type[AnyEvent], make: Callable[[AnyEvent], Row], mapping: MapInputs
) -> Reader[Entry]:
    """Return a reader of a topic whose records `mapping` turns into such events."""

    def read(records: Sequence[Record], now: datetime) -> Reading[Entry]:
        found = mapping(records, now)
        reading: Reading[Entry] = Reading(refused=list(found.refused))
        for record, value in found.events:
            event = model.model_validate_json(value)
            reading.entries.append(_entry(record, event, make(event)))
        return reading

    return read


def events(model: type[AnyEvent], make: Callable[[AnyEvent], Row], max_skew_us: int) -> Reader[Entry]:
    """Return a reader of a topic of events, of which `make` returns the columns of their own."""

    def read(records: Sequence[Record], now: datetime) -> Reading[Entry]:
        values = [record.value for record in records]
        decoded = decode_poll(
            model.topic,
            values,
            [record.key for record in records],
            [record.timestamp_ms for record in records],
            max_skew_us=max_skew_us,
            now_us=to_us(now),
        )
        reading: Reading[Entry] = Reading()
        for refusal in decoded.refused:
            record = records[refusal.index]
            reading.refused.append(PutAside(record, refusal.reason, refusal.detail))
        for index in decoded.index.tolist():
            event = model.model_validate_json(values[index] or b"")
            reading.entries.append(_entry(records[index], event, make(event)))
        return reading

    return read


def _entry(record: Record, event: Event, own: Row) -> Entry:
    # The fields of the contract only: others may hold anything, and nobody asked for it.
    fields = event.model_dump(exclude_none=True)
    content = {
        name: format_instant(to_us(value)) if isinstance(value, datetime) else value
        for name, value in fields.items()
    }
    row = {
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "time": event.occurred_at,
        **own,
        "data": content,
        "digest": digest(msgspec.json.encode(content, order="sorted")),
        **place(record),
    }
    return Entry(record, row)


def complaint(event: Complaint) -> Row:
    """Return the columns of a complaint's event."""
    return {
        "complaint_id": event.complaint_id,
        "status": event.status,
        "category": event.category,
        "satisfaction": event.satisfaction if event.status == "resolved" else None,
    }


def action(event: Action) -> Row:
    """Return the columns of an action."""
    return {
        "kind": event.kind,
        "warning_id": event.warning_id,
        "play": event.play,
        "result": event.result,
        "actor": event.actor,
        "reasons": list(event.reasons or ()),
        "cost": dict(event.cost or {}),
        "corrects": event.corrects,
        "until": event.until,
        "assignee": event.assignee,
    }
