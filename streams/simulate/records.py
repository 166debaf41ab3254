"""The shop's events in the form of the inbound contract: as a frame, as JSON lines, as Kafka records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.events.batch import ComplaintStatus, OrderStatus
from streams.core.events.topics import FILE_TYPES, Topic
from streams.simulate.events import CATEGORIES, CHANNELS, Events
from streams.simulate.population import CLASSES, ORIGINS, REGIONS, SEGMENTS, Population

CURRENCY: Final = "EUR"
ITEMS: Final = ("gift", "communication", "labour", "discount")
"""Of what an action cost."""
TYPES: Final = {topic: word for word, topic in FILE_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Records:
    """`n` Kafka records of any topics, in event-time order."""

    topic: NDArray[np.int8]
    """(n,) a `Topic`."""
    at: NDArray[np.int64]
    """(n,) event time, microseconds since the epoch, UTC."""
    keys: list[bytes]
    """The customers."""
    values: list[bytes]

    def __len__(self) -> int:
        return len(self.at)

    def rows(self, begin: int, end: int) -> Iterator[tuple[Topic, bytes, bytes, int]]:
        """Yield topic, key, value and timestamp in milliseconds of the rows from `begin` to before `end`."""
        # Rounded up, so that no event lies after its record.
        stamps = (-(-self.at[begin:end] // 1000)).tolist()
        topics = [Topic(number) for number in self.topic[begin:end].tolist()]
        yield from zip(topics, self.keys[begin:end], self.values[begin:end], stamps, strict=True)


def frame_of(events: Events, population: Population) -> pl.DataFrame:
    """Return events as a frame with the columns of event files, those of other types null."""
    who, code = events.customer, events.code
    is_order, is_login, is_complaint, is_profile = (
        pl.col("topic") == topic for topic in (Topic.ORDERS, Topic.LOGINS, Topic.COMPLAINTS, Topic.PROFILES)
    )
    raw = pl.DataFrame(
        {
            "topic": events.topic,
            "at": events.at,
            "number": events.number,
            "customer": who,
            "status": events.status,
            # NumPy divides; Polars multiplies by a hundredth where a frame has more than one row.
            "amount": events.cents / 100,
            "ref": events.ref,
            "code": code,
            "satisfaction": events.satisfaction,
            **{f"profile_{i}": population.profile[who, i] for i in range(4)},
        }
    )
    order_status = _words("status", [status.name.lower() for status in OrderStatus])
    complaint_status = _words("status", [status.name.lower() for status in ComplaintStatus])
    return raw.select(
        pl.col("topic").replace_strict(TYPES, return_dtype=pl.String).alias("type"),
        _id("e", "number", 9).alias("event_id"),
        _id("c", "customer", 7).alias("customer_id"),
        pl.from_epoch("at", time_unit="us").dt.replace_time_zone("UTC").alias("occurred_at"),
        pl.when(is_order).then(_id("o", "ref", 9)).alias("order_id"),
        pl.when(is_order).then(pl.col("amount")).alias("amount"),
        pl.when(is_order).then(pl.lit(CURRENCY)).alias("currency"),
        pl.when(is_order).then(order_status).when(is_complaint).then(complaint_status).alias("status"),
        pl.when(is_login).then(_words("code", CHANNELS)).alias("channel"),
        pl.when(is_complaint).then(_id("k", "ref", 9)).alias("complaint_id"),
        pl.when(is_complaint).then(_words("code", CATEGORIES)).alias("category"),
        pl.when(is_complaint & (pl.col("satisfaction") > 0))
        .then(pl.col("satisfaction"))
        .alias("satisfaction"),
        *(
            pl.when(is_profile).then(_words(f"profile_{i}", words)).alias(name)
            for i, (name, words) in enumerate(PROFILE_WORDS.items())
        ),
    )


PROFILE_WORDS: Final = {"customer_class": CLASSES, "segment": SEGMENTS, "region": REGIONS, "origin": ORIGINS}


def customer_ids(count: int) -> pl.Series:
    """Return the ids of the first `count` customers."""
    return pl.select(number=pl.int_range(count)).select(_id("c", "number", 7))["number"].alias("customer_id")


def _id(letter: str, column: str, width: int) -> pl.Expr:
    """Return ids of one width, so that their order is that of the numbers."""
    return pl.format(f"{letter}{{}}", pl.col(column).cast(pl.String).str.zfill(width))


def _words(column: str, words: Any) -> pl.Expr:
    """Return the word at each code; codes beyond the list belong to other types and give null."""
    return pl.col(column).replace_strict(dict(enumerate(words)), default=None, return_dtype=pl.String)


def json_lines(frame: pl.DataFrame, *, with_type: bool) -> pl.Series:
    """Return each row as a JSON object without its nulls, `(n,)` strings.

    The strings the shop makes need no escaping, so columns are glued together, many times faster than a
    serialiser that takes rows.
    """
    at = pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    parts = [pl.lit("{")]
    if with_type:
        parts.append(pl.format('"type":"{}",', pl.col("type")))
    parts.append(
        pl.format('"event_id":"{}","customer_id":"{}","occurred_at":"{}"', "event_id", "customer_id", at)
    )
    for name in frame.columns[4:]:
        column, plain = pl.col(name), frame.schema[name].is_numeric()
        if isinstance(frame.schema[name], pl.Struct):
            column, plain = _given(column), True
        parts.append(pl.format(f',"{name}":{{}}' if plain else f',"{name}":"{{}}"', column))
    parts.append(pl.lit("}"))
    return frame.select(pl.concat_str(parts, ignore_nulls=True).alias("line"))["line"]


def _given(struct: pl.Expr) -> pl.Expr:
    """Return the fields of a struct of numbers that are not null, as a JSON object."""
    text = (
        struct.struct.json_encode().str.replace_all(r'"\w+":null,?', "").str.replace(",}", "}", literal=True)
    )
    return pl.when(struct.is_not_null()).then(text)


def records_of(frame: pl.DataFrame) -> Records:
    """Return the rows of a frame as Kafka records, keyed by customer."""
    topics = {word: int(topic) for word, topic in FILE_TYPES.items()}
    return Records(
        topic=frame["type"].replace_strict(topics, return_dtype=pl.Int8).to_numpy(),
        at=frame["occurred_at"].dt.timestamp("us").to_numpy(),
        keys=frame["customer_id"].cast(pl.Binary).to_list(),
        values=json_lines(frame, with_type=False).cast(pl.Binary).to_list(),
    )
