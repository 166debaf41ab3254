"""Rows of Parquet straight into columns, against the same rows read as JSON lines."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.decode import decode_lines
from streams.files.parquet_columns import plain_rows
from tests.oracle.histories import same_columns

LATEST = 1_700_000_000_000_000
NAMES = st.sampled_from(["e1", "é" * 128, "x" * 129, "", "a\0b", "c", None])
TEXTS = st.sampled_from([None, "web", "", "y" * 256, "y" * 257, "\0"])
ROWS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["order", "login", "complaint", "profile", "elephant", None]),
        "event_id": NAMES,
        "customer_id": NAMES,
        "order_id": NAMES,
        "complaint_id": NAMES,
        "occurred_at": st.sampled_from(
            [
                datetime(2023, 1, 2, 3, 4, 5, 678_901, UTC),
                datetime(1970, 1, 1, tzinfo=UTC),
                datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
                datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
                datetime(2023, 11, 14, 22, 13, 20, 1, tzinfo=UTC),
                None,
            ]
        ),
        "amount": st.sampled_from([None, 0.0, 0.1, 19.99, 1e12, 1.0000001e12, -0.01, 333333.333333, 2.0**33]),
        "status": st.sampled_from([None, "placed", "returned", "resolved", "opened", "gone"]),
        "satisfaction": st.sampled_from([None, 0, 1, 5, 6]),
        "channel": TEXTS,
        "category": st.sampled_from([None, "price", "toys", "y" * 257]),
        "currency": TEXTS,
    }
)
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "occurred_at": pl.Datetime("us", "UTC"),
    "amount": pl.Float64,
    "satisfaction": pl.Int8,
}
FIELDS = {
    "order": ("order_id", "amount", "status", "channel", "category", "currency"),
    "login": ("channel",),
    "complaint": ("complaint_id", "status", "category", "satisfaction"),
}
BASE = ("type", "event_id", "customer_id", "occurred_at")


def line(row: dict[str, Any]) -> bytes:
    names = (*BASE, *FIELDS.get(row["type"] or "", ()))
    return msgspec.json.encode({name: row[name] for name in names if row[name] is not None})


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {name: SCHEMA.get(name, pl.String) for name in rows[0]}
    return pl.DataFrame(rows, schema=schema)


@settings(max_examples=150)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_rows_taken_are_those_and_as_the_decoder_takes_them(rows: list[dict[str, Any]]) -> None:
    batch, plain = plain_rows(frame_of(rows), LATEST)
    lines = [line(row) for row in rows]
    decoded = decode_lines(lines, latest_us=LATEST)
    accepted = set(decoded.index.tolist())
    assert set(np.flatnonzero(plain).tolist()) <= accepted
    wanted = decode_lines([lines[i] for i in np.flatnonzero(plain).tolist()], latest_us=LATEST)
    assert same_columns(batch, wanted.batch)
    # None of the three kinds is left to the decoder that it would accept.
    kinds = {i for i in accepted if rows[i]["type"] in FIELDS}
    assert kinds == set(np.flatnonzero(plain).tolist())


def test_other_types_are_left_to_the_decoder() -> None:
    row = {
        "type": "order", "event_id": "e", "customer_id": "c", "order_id": "o", "amount": 1.5,
        "occurred_at": datetime(2023, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    good = frame_of([row])
    assert plain_rows(good, None)[1].tolist() == [True]
    for other in (
        good.with_columns(pl.col("amount").cast(pl.Float32)),
        good.with_columns(pl.col("occurred_at").dt.cast_time_unit("ns")),
        good.with_columns(pl.col("occurred_at").dt.to_string()),
        good.with_columns(pl.lit(1).alias("event_id")),
        good.with_columns(pl.lit(2.5).alias("satisfaction")),
    ):
        batch, plain = plain_rows(other, None)
        assert len(batch) == 0
        assert plain.tolist() == [False]
