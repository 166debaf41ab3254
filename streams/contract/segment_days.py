"""The records of the internal topic: what partitions counted of segments, and the judge's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from streams.contract.mistakes import one_line
from streams.core.segments.counts import DaySums, Row, Segment
from streams.errors import ContractError

MOST_BYTES: Final = 64_000_000
"""Of the records of days whose end has not come yet: those of 400,000 segments."""
MOST_DROPPED: Final = 10_000
"""So many days that were dropped are remembered until their end."""
_EPOCH: Final = date(1970, 1, 1)
_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode


class SegmentSums(msgspec.Struct, tag_field="kind", tag="sums"):
    """What a partition counted of one segment when it ended a day, by local day."""

    partition: int
    closed: date
    dimension: str
    value: str
    days: dict[date, Row]


class DayEnd(msgspec.Struct, tag_field="kind", tag="end"):
    """A partition has ended a day and sent all its counts; with the shop's counts."""

    partition: int
    closed: date
    since: date
    quiet: tuple[str, ...]
    shop: dict[date, Row]


class JudgeState(msgspec.Struct, tag_field="kind", tag="state"):
    """What a judge resumes from."""

    rule_set: str
    state: dict[str, Any]


_INTERNAL: Final = msgspec.json.Decoder(SegmentSums | DayEnd | JudgeState)


def encode_sums(sums: DaySums) -> list[tuple[str, bytes]]:
    """Return a record for each segment, as its key and value."""
    closed = _date(sums.closed)
    return [
        (
            f"{dimension}={value}",
            _encode(SegmentSums(sums.partition, closed, dimension, value, _dates(days))),
        )
        for (dimension, value), days in sorted(sums.segments.items())
    ]


def encode_end(sums: DaySums) -> bytes:
    """Return the record that every partition of the internal topic gets after the segments' ones."""
    closed, since = _date(sums.closed), _date(sums.since)
    return _encode(DayEnd(sums.partition, closed, since, sums.quiet, _dates(sums.shop)))


def encode_state(state: dict[str, Any], rule_set: str) -> bytes:
    """Return the record of a judge's state."""
    return _encode(JudgeState(rule_set, state))


@dataclass(slots=True)
class _OpenDay:
    """What has come of a partition's day."""

    rows: dict[Segment, dict[int, Row]] = field(default_factory=dict)
    size: int = 0
    """Bytes of the records, repeats included."""


class SumsReader:
    """Puts the records of one partition of the internal topic together; a repeat changes nothing.

    Of days whose end has not come yet at most so many bytes of records are kept. Where that is not enough,
    the days that have waited longest for a record are dropped, and refused at their end: counts that lack
    segments would be wrong without a word.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._open: dict[tuple[int, date], _OpenDay] = {}
        """In the order of their newest record."""
        self._dropped: dict[tuple[int, date], None] = {}
        self.state: JudgeState | None = None
        """The state of the newest day that was judged."""

    def read(self, value: bytes | None) -> DaySums | None:
        """Take in a record; return a partition's sums when it is the end of its day.

        Raises `ContractError` for a record that is not one of ours.
        """
        try:
            record = _INTERNAL.decode(value or b"")
        except (msgspec.MsgspecError, RecursionError) as error:
            msg = f"not a record of segments' days: {one_line(str(error))}"
            raise ContractError(msg) from error
        if isinstance(record, JudgeState):
            if not isinstance(record.state.get("judged"), int):
                msg = "not a record of segments' days: the state has no whole number `judged`"
                raise ContractError(msg)
            if self.state is None or record.state["judged"] >= self.state.state["judged"]:
                self.state = record
            return None
        place = (record.partition, record.closed)
        day = self._open.pop(place, None) or _OpenDay()
        if isinstance(record, SegmentSums):
            day.rows[record.dimension, record.value] = _days(record.days)
            day.size += len(value or b"")
            self._bytes += len(value or b"")
            self._open[place] = day
            self._make_room()
            return None
        self._bytes -= day.size
        if place in self._dropped:
            del self._dropped[place]
            msg = (
                f"the sums of partition {record.partition} for {record.closed} were dropped: the records of "
                f"days without an end had more than {self._most_bytes:,} bytes"
            )
            raise ContractError(msg)
        closed, since = _day(record.closed), _day(record.since)
        return DaySums(record.partition, closed, since, record.quiet, _days(record.shop), day.rows)

    def _make_room(self) -> None:
        while self._bytes > self._most_bytes:
            oldest = next(iter(self._open))
            self._bytes -= self._open.pop(oldest).size
            self._dropped[oldest] = None
        while len(self._dropped) > MOST_DROPPED:
            del self._dropped[next(iter(self._dropped))]


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _day(local: date) -> int:
    return (local - _EPOCH).days


def _dates(days: Any) -> dict[date, Row]:
    return {_date(day): row for day, row in sorted(days.items())}


def _days(dates: dict[date, Row]) -> dict[int, Row]:
    return {_day(local): row for local, row in dates.items()}
