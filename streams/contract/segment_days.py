"""The records of the internal topic: what partitions counted of segments, and what a judge goes on from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from streams.core.segments.counts import DaySums, Row, Segment

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
    """A partition has ended a day and told all it counted; with the shop's counts."""

    partition: int
    closed: date
    since: date
    quiet: tuple[str, ...]
    shop: dict[date, Row]


class JudgeState(msgspec.Struct, tag_field="kind", tag="state"):
    """What a judge goes on from."""

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


class SumsReader:
    """Puts the records of one partition of the internal topic together; what comes twice changes nothing."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, date], dict[Segment, dict[int, Row]]] = {}
        self.state: JudgeState | None = None
        """The state of the newest day that was judged."""

    def read(self, value: bytes | None) -> DaySums | None:
        """Take in a record; return a partition's sums when it is the end of its day."""
        try:
            said = _INTERNAL.decode(value or b"")
        except msgspec.MsgspecError:
            return None  # not of ours, and nothing can be lost with it: an end is told once all is told
        if isinstance(said, JudgeState):
            if self.state is None or said.state["judged"] >= self.state.state["judged"]:
                self.state = said
            return None
        rows = self._open.setdefault((said.partition, said.closed), {})
        if isinstance(said, SegmentSums):
            rows[said.dimension, said.value] = _days(said.days)
            return None
        del self._open[said.partition, said.closed]
        return DaySums(
            said.partition, _day(said.closed), _day(said.since), said.quiet, _days(said.shop), rows
        )


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _day(local: date) -> int:
    return (local - _EPOCH).days


def _dates(days: Any) -> dict[date, Row]:
    return {_date(day): row for day, row in sorted(days.items())}


def _days(dates: dict[date, Row]) -> dict[int, Row]:
    return {_day(local): row for local, row in dates.items()}
