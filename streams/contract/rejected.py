"""Why a record was refused, and how the rejected topic says so.

The rejected topic carries a record's own bytes and key; what is known about the refusal stands in headers, as
in Kafka Connect's dead-letter queues, so that a value at the broker's size limit still fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from streams.contract.instants import format_instant
from streams.core.events.refusal import RefusedEvent
from streams.errors import ContractError


class RefusalReason(StrEnum):
    """Why a record was refused: a closed list, so that refusals can be counted and alerted on."""

    NO_VALUE = "no_value"
    """The record has no value (a tombstone)."""
    NOT_JSON = "not_json"
    """The bytes are not JSON in UTF-8."""
    NOT_OBJECT = "not_object"
    """The value is JSON, but no object."""
    UNREADABLE = "unreadable"
    """The bytes are not what the format of their source says, such as Avro or a change record."""
    SCHEMA_UNKNOWN = "schema_unknown"
    """The schema that the record was written with is not in the registry, or could not be had in time."""
    UNKNOWN_TYPE = "unknown_type"
    """In a file: `type` names no kind of event."""
    MISSING_FIELD = "missing_field"
    """A field that every such event has is not there."""
    WRONG_TYPE = "wrong_type"
    """A field holds another type of value, such as a string for a number."""
    WRONG_VALUE = "wrong_value"
    """A field's value has the right type, but is none of those allowed."""
    OUT_OF_RANGE = "out_of_range"
    """A number, a length or an instant lies outside its limits."""
    KEY_MISMATCH = "key_mismatch"
    """The record's key is not its customer."""
    FUTURE_TIME = "future_time"
    """The event time lies too far after the record's timestamp or the time of the run."""
    NOT_ROW = "not_row"
    """In a file: a line that is no row of its table."""
    PAST_TIME = "past_time"
    """In a file: one of few events that lie years before all others."""
    OTHER_CURRENCY = "other_currency"
    """An order in another currency than the customer's, or than the setting `currency`."""
    SUM_TOO_LARGE = "sum_too_large"
    """An order with which the customer's amounts would add up to more than can be kept."""
    UNMAPPED = "unmapped"
    """A field of a mapped record holds a word that its mapping does not name."""
    ID_REUSED = "id_reused"
    """The customer's `event_id` was given before for another event: what was taken first counts."""


REASON_HEADER: Final = "lapwing-reason"
DETAIL_HEADER: Final = "lapwing-detail"
TOPIC_HEADER: Final = "lapwing-topic"
PARTITION_HEADER: Final = "lapwing-partition"
OFFSET_HEADER: Final = "lapwing-offset"
TRUNCATED_HEADER: Final = "lapwing-truncated"
"""`true` where the value had to be cut to fit."""
NAMED_HEADER: Final = "lapwing-named"
"""`true` where the value names the event and is not the record's own bytes."""

HEADERS: Final[dict[str, str]] = {
    REASON_HEADER: "Why the record was refused.",
    DETAIL_HEADER: "The field and what is wrong with it.",
    TOPIC_HEADER: "The topic the record was read from.",
    PARTITION_HEADER: "The partition the record was read from.",
    OFFSET_HEADER: "The record's offset there.",
    TRUNCATED_HEADER: "`true` where the value was cut to fit; otherwise the value is the record's own bytes.",
    NAMED_HEADER: "`true` where the record was refused for what the partition knew already, and could not be "
    "read once more: the value then names the event (`event_id`, `customer_id`, `occurred_at`).",
}
"""The headers of a record on the rejected topic and what they say."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """What the headers of a record on the rejected topic say."""

    reason: RefusalReason
    detail: str
    topic: str
    partition: int
    offset: int
    truncated: bool = False
    named: bool = False


def rejected_headers(
    reason: RefusalReason,
    detail: str,
    topic: str,
    partition: int,
    offset: int,
    *,
    truncated: bool = False,
    named: bool = False,
) -> list[tuple[str, bytes]]:
    """Return the headers of a record on the rejected topic."""
    headers = [
        (REASON_HEADER, reason.value.encode()),
        (DETAIL_HEADER, detail.encode()),
        (TOPIC_HEADER, topic.encode()),
        (PARTITION_HEADER, str(partition).encode()),
        (OFFSET_HEADER, str(offset).encode()),
    ]
    if truncated:
        headers.append((TRUNCATED_HEADER, b"true"))
    if named:
        headers.append((NAMED_HEADER, b"true"))
    return headers


def name_event(event: RefusedEvent) -> bytes:
    """Return the value on the rejected topic of an event that an engine refused."""
    return msgspec.json.encode(
        {
            "event_id": event.event_id,
            "customer_id": event.customer_id,
            "occurred_at": format_instant(event.at),
        }
    )


def read_rejected_headers(headers: Iterable[tuple[str, bytes | None]]) -> Rejection:
    """Return what `rejected_headers` wrote; headers of others are passed over."""
    found = {name: value for name, value in headers if value is not None}
    try:
        return Rejection(
            reason=RefusalReason(found[REASON_HEADER].decode()),
            detail=found[DETAIL_HEADER].decode(),
            topic=found[TOPIC_HEADER].decode(),
            partition=int(found[PARTITION_HEADER]),
            offset=int(found[OFFSET_HEADER]),
            truncated=found.get(TRUNCATED_HEADER) == b"true",
            named=found.get(NAMED_HEADER) == b"true",
        )
    except KeyError as error:
        message = f"not a record of the rejected topic: no header {error.args[0]}"
        raise ContractError(message) from None
    except ValueError:
        message = "not a record of the rejected topic: a header cannot be read"
        raise ContractError(message) from None
