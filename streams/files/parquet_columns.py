"""Rows of Parquet that are plainly right, straight into columns; the others are read as JSON lines.

Orders, logins and complaints are nearly all of a history, and their columns have the types that a program
writes. Whatever else there is, and each row with anything that might not be accepted, is left to the decoder
of JSON lines, so that it alone decides; a test compares the two.
"""

from __future__ import annotations

from typing import Any, Final, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.contract.columns import COMPLAINT_CODES, ORDER_CODES, labels, millionths
from streams.contract.events import LARGEST_AMOUNT, LONGEST_ID, LONGEST_TEXT, ComplaintCategory
from streams.contract.instants import LAST_US
from streams.core.events.batch import COLUMNS, Batch, ComplaintStatus
from streams.core.events.topics import FILE_TYPES, Topic

_WORDS: Final = {word: int(FILE_TYPES[word]) for word in ("order", "login", "complaint")}
_STRINGS: Final = ("type", "event_id", "customer_id", "order_id", "complaint_id", "status", "channel",
                   "category", "currency")  # fmt: skip
_EXACT: Final = (pl.Float64, pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
"""Types of numbers that JSON would give back as they are."""
_WHOLE: Final = _EXACT[1:]


def plain_rows(frame: pl.DataFrame, latest_us: int | None) -> tuple[Batch, NDArray[np.bool_]]:
    """Return the rows that are plainly right as a batch, and which (n,) of the frame they are."""
    if not _usual(frame.schema):
        return Batch.empty(), np.zeros(frame.height, dtype=np.bool_)
    absent = [
        pl.lit(None, pl.String).alias(name) for name in _STRINGS if frame.schema.get(name) in (None, pl.Null)
    ]
    numbers = [pl.lit(None, t).alias(n) for n, t in (("amount", pl.Float64), ("satisfaction", pl.Int8))
               if frame.schema.get(n) in (None, pl.Null)]  # fmt: skip
    frame = frame.with_columns(
        *absent,
        *numbers,
        pl.col("occurred_at").dt.epoch("us").alias("at"),
    )
    right = frame.select(_right(latest_us).fill_null(value=False)).to_series()
    rows = frame.filter(right)
    return _batch(rows), right.to_numpy()


def _usual(schema: pl.Schema) -> bool:
    """Say whether the columns have types whose values need no reading."""
    at = schema.get("occurred_at")
    return (
        isinstance(at, pl.Datetime)
        and at.time_zone is not None
        and at.time_unit != "ns"
        and all(schema.get(name) == pl.String for name in ("type", "event_id", "customer_id"))
        and all(schema.get(name) in (pl.String, pl.Null, None) for name in _STRINGS)
        and schema.get("amount") in (*_EXACT, pl.Null, None)
        and schema.get("satisfaction") in (*_WHOLE, pl.Null, None)
    )


def _right(latest_us: int | None) -> pl.Expr:
    """Return what says of a row that it is an order, a login or a complaint without anything wrong."""
    word, status = pl.col("type"), pl.col("status")
    order = (
        (word == "order")
        & _text("order_id", LONGEST_ID, least=1)
        & pl.col("amount").is_between(0, LARGEST_AMOUNT)
        & _among(status, [each for each in ORDER_CODES if each])
        & _optional("channel")
        & _optional("category")
        & _optional("currency")
    )
    complaint = (
        (word == "complaint")
        & _text("complaint_id", LONGEST_ID, least=1)
        & _among(status, [each for each in COMPLAINT_CODES if each])
        & _among(pl.col("category"), list(get_args(ComplaintCategory)))
        & (pl.col("satisfaction").is_null() | pl.col("satisfaction").is_between(1, 5))
    )
    login = (word == "login") & _optional("channel")
    return (
        _text("event_id", LONGEST_ID, least=1)
        & _text("customer_id", LONGEST_ID, least=1)
        & pl.col("at").is_between(0, LAST_US if latest_us is None else min(latest_us, LAST_US))
        & (order.fill_null(value=False) | complaint.fill_null(value=False) | login.fill_null(value=False))
    )


def _text(name: str, longest: int, *, least: int) -> pl.Expr:
    column = pl.col(name)
    return column.str.len_chars().is_between(least, longest) & ~column.str.contains("\0", literal=True)


def _optional(name: str) -> pl.Expr:
    return pl.col(name).is_null() | _text(name, LONGEST_TEXT, least=0)


def _among(column: pl.Expr, words: list[str]) -> pl.Expr:
    return column.is_null() | column.is_in(words)


def _batch(rows: pl.DataFrame) -> Batch:
    topic = rows["type"].replace_strict(_WORDS, return_dtype=pl.Int8).to_numpy()
    order, complaint = topic == Topic.ORDERS, topic == Topic.COMPLAINTS
    made: dict[str, Any] = {
        name: np.full(rows.height, neutral, dtype=dtype) for name, (dtype, neutral) in COLUMNS.items()
    }
    made["topic"], made["at"] = topic, rows["at"].to_numpy()
    for name in ("customer_id", "event_id"):
        made[name][:] = rows[name].to_list()
    made["amount"][order] = millionths(rows["amount"].filter(order).cast(pl.Float64).to_numpy())
    for mask, codes in ((order, ORDER_CODES), (complaint, COMPLAINT_CODES)):
        words = {word: code for word, code in codes.items() if word}
        status = rows["status"].filter(mask).replace_strict(words, return_dtype=pl.Int8).fill_null(0)
        made["status"][mask] = status.to_numpy()
    made["complaint_id"][complaint] = rows["complaint_id"].filter(complaint).to_list()
    for mask, names in (
        (order, ("channel", "category", "currency")),
        (complaint, (None, "category", None)),
    ):
        columns = [[None] * int(mask.sum()) if n is None else rows[n].filter(mask).to_list() for n in names]
        if given := labels(list(zip(*columns, strict=True))):
            made["record"][mask] = given["record"]
    marks = rows["satisfaction"].filter(complaint).fill_null(0).cast(pl.Int8).to_numpy()
    resolved = made["status"][complaint] == ComplaintStatus.RESOLVED
    made["satisfaction"][complaint] = np.where(resolved, marks, np.int8(0))
    return Batch(**made)
