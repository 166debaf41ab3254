"""Times as change data and Avro write them, numbers whose type names their unit, as times that JSON can hold.

An instant gets UTC's `Z`. A time without a zone gets none: the mapping says in which zone it is. What lies
outside the calendar (`infinity` in PostgreSQL) stays the number that it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

Time = datetime | date | str | int

_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # a time without a zone, as its type says
_DAY: Final = date(1970, 1, 1)


def _instant(a_second: int) -> Callable[[int], Time]:
    def at(number: int) -> Time:
        try:
            return _INSTANT + timedelta(microseconds=number * 1_000_000 // a_second)
        except OverflowError:
            return number

    return at


def _local(a_second: int) -> Callable[[int], Time]:
    def at(number: int) -> Time:
        try:
            local = _LOCAL + timedelta(microseconds=number * 1_000_000 // a_second)
        except OverflowError:
            return number
        # Always with its fraction, so that one form of time reads them all.
        return local.isoformat(timespec="microseconds")

    return at


def day(number: int) -> Time:
    """Return the day that is so many days after 1970-01-01."""
    try:
        return _DAY + timedelta(days=number)
    except OverflowError:
        return number


instant_ms: Final = _instant(1_000)
instant_us: Final = _instant(1_000_000)
instant_ns: Final = _instant(1_000_000_000)
local_ms: Final = _local(1_000)
local_us: Final = _local(1_000_000)
local_ns: Final = _local(1_000_000_000)

NAMED: Final[dict[str, Callable[[int], Time]]] = {
    "io.debezium.time.Date": day,
    "io.debezium.time.Timestamp": local_ms,
    "io.debezium.time.MicroTimestamp": local_us,
    "io.debezium.time.NanoTimestamp": local_ns,
    "org.apache.kafka.connect.data.Date": day,
    "org.apache.kafka.connect.data.Timestamp": instant_ms,
}
"""Kafka Connect's names of types of numbers that are times. Connect's own `Timestamp` counts as UTC."""
