"""Whole polls of inbound records become columns; what cannot be accepted comes back with its reason.

Msgspec reads what is plainly right. Whatever it refuses, or might read otherwise than pydantic does, is
judged by the models, so that these alone decide. Each reads a record at most once, however many of a poll are
bad.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.contract.columns import columns
from streams.contract.instants import LAST_US
from streams.contract.rejected import RefusalReason
from streams.contract.structs import LINE_DECODER, POLL_DECODERS, EventRow
from streams.contract.validate import RecordRefusal, judge, judge_line
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic

Row = TypeVar("Row")

PLAIN_LENGTH: Final = 400
"""A value up to this long can nest no deeper, and hold no number longer, than every JSON reader takes."""
LONGEST_PLAIN: Final = 4000
"""A longer value may hold a number that pydantic refuses and msgspec skips."""
FUTURE_DETAIL: Final = "occurred_at: Time lies in the future"
MOST_BRACKETS: Final = 100
"""A value with fewer brackets nests no deeper than pydantic reads (200)."""


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record of a poll that cannot be accepted."""

    index: int
    reason: RefusalReason
    detail: str
    """Names the field and what is wrong with it, never what it holds."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A poll as columns."""

    batch: Batch
    """The accepted records in the order of the poll."""
    index: NDArray[np.int64]
    """(n,) the place of each in the poll."""
    refused: list[RefusedRecord]
    """In the order of the poll."""

    def refuse(self, places: Collection[int], reason: RefusalReason, detail: str) -> Decoded:
        """Return the poll with the accepted records at these places refused too."""
        bad = np.isin(self.index, np.fromiter(places, np.int64))
        refused = [*self.refused, *(RefusedRecord(i, reason, detail) for i in self.index[bad].tolist())]
        refused.sort(key=lambda record: record.index)
        return Decoded(self.batch.take(~bad), self.index[~bad], refused)


def decode_poll(
    topic: Topic,
    values: Sequence[bytes | None],
    keys: Sequence[bytes | None] | None,
    timestamps_ms: Sequence[int] | NDArray[np.int64] | None,
    *,
    max_skew_us: int,
    now_us: int | None = None,
) -> Decoded:
    """Return the records of a poll of `topic` as columns.

    What happened more than `max_skew_us` after its record's own timestamp, or after `now_us`, is refused.
    A profile's tombstone, by which a compacted topic forgets a key, is neither accepted nor refused.
    Without `keys`, `timestamps_ms` or `now_us` these are not checked; nor is a timestamp of -1, which is
    Kafka's word for none.
    """
    latest = None if now_us is None else np.full(len(values), now_us + max_skew_us)
    if timestamps_ms is not None:
        stamps = np.asarray(timestamps_ms, dtype=np.int64)
        # Bounded first, as an absurd timestamp in microseconds would not fit.
        own = np.where(stamps < 0, LAST_US, np.minimum(stamps, LAST_US // 1000) * 1000 + max_skew_us)
        latest = own if latest is None else np.minimum(own, latest)
    decoded = _decode(values, POLL_DECODERS[topic], topic, lambda value: judge(topic, value))
    if topic is Topic.PROFILES and decoded.refused:
        refused = [record for record in decoded.refused if values[record.index] is not None]
        decoded = replace(decoded, refused=refused)
    return _checked(decoded, keys, latest)


def decode_lines(lines: Sequence[bytes], *, latest_us: int | None) -> Decoded:
    """Return the lines of an event file as columns; what happened after `latest_us` is refused."""
    decoded = _decode(lines, LINE_DECODER, None, lambda line: judge_line(line or b""))
    return _checked(decoded, None, None if latest_us is None else np.full(len(lines), latest_us))


def _decode(
    values: Sequence[bytes | None],
    decoder: msgspec.json.Decoder[EventRow],
    topic: Topic | None,
    judged: Callable[[bytes | None], EventRow | RecordRefusal],
) -> Decoded:
    """Read `values` fast where they are plainly right, and leave the others to `judged`."""
    rows = read_each(values, decoder)
    for i in doubtful(values):
        rows[i] = None
    batch, index, good = _columns(rows, topic)
    if len(index) == len(values) and good.all():
        return Decoded(batch, index, [])

    accepted: list[EventRow | None] = [None] * len(values)
    refused: list[RefusedRecord] = []
    judged_alone = np.ones(len(values), dtype=np.bool_)
    judged_alone[index[good]] = False
    for i in np.flatnonzero(judged_alone).tolist():
        verdict = judged(values[i])
        if isinstance(verdict, RecordRefusal):
            refused.append(RefusedRecord(i, verdict.reason, verdict.detail))
        else:
            accepted[i] = verdict
    second, second_index, _ = _columns(accepted, topic)
    both = Batch.concat([batch.take(good), second])
    places = np.concatenate([index[good], second_index])
    order = np.argsort(places, kind="stable")
    return Decoded(both.take(order), places[order], refused)


def read_each(values: Sequence[bytes | None], decoder: msgspec.json.Decoder[Row]) -> list[Row | None]:
    """Return a row for each value, `None` where msgspec refuses it."""
    rows: list[Row | None] = []
    # `extend` keeps the rows read before an error, and the iterator has gone past the value that caused it:
    # so there is one try for each bad value, and none for a good one.
    remaining = map(decoder.decode, values)  # type: ignore[arg-type]  # None is refused as any other value
    while True:
        try:
            rows.extend(remaining)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, TypeError):
            rows.append(None)
        else:
            return rows


def doubtful(values: Sequence[bytes | None]) -> list[int]:
    """Return the places of values that msgspec may accept and pydantic may not.

    Msgspec passes over what stands in unknown fields without checking that it is UTF-8, how deep it nests or
    how long its numbers are; and it takes U+0000.
    """
    present = values if None not in values else [value or b"" for value in values]
    joined = b"".join(present)  # type: ignore[arg-type]  # no None is left
    longest = max(map(len, present), default=0)  # type: ignore[arg-type]
    if longest <= PLAIN_LENGTH and _is_utf8(joined) and not (b"\\" in joined and b"\\u0000" in joined):
        return []
    return [i for i, value in enumerate(values) if value and not _plain(value)]


def _plain(value: bytes) -> bool:
    """Tell whether msgspec and pydantic see the same JSON in `value`."""
    if len(value) > PLAIN_LENGTH and (
        len(value) > LONGEST_PLAIN or value.count(b"[") + value.count(b"{") > MOST_BRACKETS
    ):
        return False
    return _is_utf8(value) and b"\\u0000" not in value


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _columns(
    rows: Sequence[EventRow | None], topic: Topic | None
) -> tuple[Batch, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the rows that are there as a batch, with their places (n,) and where (n,) the batch holds.

    `topic` is that of all rows, or `None` where each may have its own.
    """
    kept = [row for row in rows if row is not None]
    index = np.arange(len(rows), dtype=np.int64)
    if len(kept) < len(rows):
        index = index[[row is not None for row in rows]]
    if topic is not None:
        batch, good = columns(topic, kept)
        return batch, index, good
    topics = np.array([row.topic for row in kept], dtype=np.int8)
    order = np.argsort(topics, kind="stable")
    parts = []
    for code in np.unique(topics).tolist():
        parts.append(columns(Topic(code), [kept[i] for i in np.flatnonzero(topics == code).tolist()]))
    back = np.argsort(order)
    goods = np.concatenate([good for _, good in parts]) if parts else np.empty(0, dtype=np.bool_)
    return Batch.concat([batch for batch, _ in parts]).take(back), index, goods[back]


def _all_equal(ids: Sequence[str], keys: Sequence[bytes | None]) -> bool:
    """Tell whether every key is its id; a third of the time that a comparison one by one takes."""
    # No id holds U+0000, so where the joined texts are equal they are cut at the same places.
    return None not in keys and "\0".join(ids).encode() == b"\0".join(cast("Sequence[bytes]", keys))


def _checked(
    decoded: Decoded, keys: Sequence[bytes | None] | None, latest: NDArray[np.int64] | None
) -> Decoded:
    """Refuse records whose key is not their customer, and those dated after `latest` of their place."""
    batch, index = decoded.batch, decoded.index
    wrong_key = np.zeros(len(batch), dtype=np.bool_)
    future = np.zeros(len(batch), dtype=np.bool_)
    if keys is not None:
        ids = batch.customer_id.tolist()
        given = keys if len(ids) == len(keys) else [keys[i] for i in index.tolist()]
        if not _all_equal(ids, given):
            wrong_key[:] = [a.encode() != b for a, b in zip(ids, given, strict=True)]
    if latest is not None:
        future = batch.at > latest[index]
    bad = wrong_key | future
    if not bad.any():
        return decoded
    refused = list(decoded.refused)
    for i in np.flatnonzero(bad).tolist():
        place = int(index[i])
        if wrong_key[i]:
            refused.append(
                RefusedRecord(place, RefusalReason.KEY_MISMATCH, "the record's key is not its customer_id")
            )
        else:
            refused.append(RefusedRecord(place, RefusalReason.FUTURE_TIME, FUTURE_DETAIL))
    refused.sort(key=lambda record: record.index)
    return Decoded(batch.take(~bad), index[~bad], refused)
