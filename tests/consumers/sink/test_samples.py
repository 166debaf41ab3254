"""Of all samples those with the lowest hashes stay, against a plain recount."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.database import Database
from consumers.database.learning import SampleRow
from consumers.sink.kinds import samples as samples_kind
from consumers.sink.samples import ranks
from streams.contract.samples import encode_samples, parse_samples
from streams.core.events.calendar import DAY
from tests.consumers.stored import empty_database, store_records
from tests.streams.contract.test_samples import matured

APP = "shop"


def record(partition: int, week: int, offset: int = 0, count: int = 30) -> Record:
    samples = matured(count, 100 * partition + week)
    samples = replace(samples, at=samples.at + 7 * week * DAY)
    return Record("shop-samples", 0, offset, 0, None, encode_samples(samples, APP, partition, 4))


RECORDS = [record(partition, week) for partition in range(4) for week in range(5)]


def slow_rank(partition: int, at: int, position: int) -> int:
    """Return a sample's hash, one step of SplitMix64 after the other."""
    mask = 2**64 - 1
    seed = int.from_bytes(hashlib.blake2b(f"{partition}/{at}".encode(), digest_size=8).digest(), "little")
    z = (seed + 0x9E3779B97F4A7C15 * (position + 1)) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) >> 1


def slow_lowest(records: list[Record], most: int) -> list[dict[str, Any]]:
    found = []
    for each in records:
        batch = parse_samples(each.value, APP)
        for position in range(len(batch)):
            x = zip(batch.inputs, batch.x[position], strict=True)
            found.append(
                {
                    "id": f"{batch.partition}/{batch.at}/{position}",
                    "rank": slow_rank(batch.partition, batch.at, position),
                    "churned": bool(batch.y[position]),
                    "p": None if np.isnan(batch.p[position]) else batch.p[position],
                    "weight": batch.weight[position],
                    "inputs": {name: None if np.isnan(value) else value for name, value in x},
                }
            )
    distinct = {row["id"]: row for row in found}
    return sorted(distinct.values(), key=lambda row: row["rank"])[:most]


def stored(database: Database) -> list[dict[str, Any]]:
    names = ("id", "rank", "churned", "p", "weight", "inputs")
    query = select(*(getattr(SampleRow, name) for name in names)).order_by(SampleRow.rank)
    with database.reading() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    for row in found:
        row["inputs"] = {k: None if v is None else np.float32(v) for k, v in row["inputs"].items()}
    return found


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(range(len(RECORDS))), max_size=30),
    st.integers(1, 700),
    st.integers(1, 9),
)
def test_the_lowest_stay_whatever_the_order_and_the_repeats(chosen: list[int], most: int, size: int) -> None:
    database = empty_database()
    kind = samples_kind(APP, most)
    records = [RECORDS[n] for n in chosen]
    for begin in range(0, len(records), size):
        counts = store_records(database, records[begin : begin + size], kind=kind)
        assert counts.records == counts.stored + counts.repeats
    assert stored(database) == slow_lowest(records, most)
    database.close()


def test_ranks_are_spread_evenly_and_the_vectorised_ones_are_the_slow_ones() -> None:
    found = ranks(3, 91 * DAY, 20_000)
    assert found[:200].tolist() == [slow_rank(3, 91 * DAY, n) for n in range(200)]
    tenths = np.bincount((found.astype(np.float64) / 2**63 * 10).astype(int), minlength=10)
    assert tenths.min() > 1_850
    assert tenths.max() < 2_150
    assert len(np.unique(found)) == len(found)


def test_the_share_of_the_churned_is_about_that_of_all() -> None:
    database = empty_database()
    records = [record(partition, week, count=500) for partition in range(4) for week in range(5)]
    store_records(database, records, kind=samples_kind(APP, 2_000))
    everyone = np.concatenate([parse_samples(each.value, APP).y for each in records])
    with database.reading() as connection:
        kept = np.array(connection.scalars(select(SampleRow.churned)).all())
    assert len(kept) == 2_000
    assert abs(kept.mean() - everyone.mean()) < 0.03
    database.close()


def test_a_lower_limit_draws_from_what_is_there() -> None:
    database = empty_database()
    store_records(database, RECORDS[:6], kind=samples_kind(APP, 100))
    store_records(database, RECORDS[6:7], kind=samples_kind(APP, 10))
    assert stored(database) == slow_lowest(RECORDS[:7], 10)
    database.close()


@pytest.mark.parametrize("app", ["another", ""])
def test_samples_of_another_application_are_put_aside(app: str) -> None:
    database = empty_database()
    counts = store_records(database, RECORDS[:1], kind=samples_kind(app, 100))
    assert (counts.unreadable, counts.stored) == (1, 0)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(UnreadableRow)) == 1
    database.close()
