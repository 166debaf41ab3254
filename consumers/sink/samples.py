"""Labelled samples as rows: of all that ever came, those whose hashes are the lowest stay.

So the table is bounded, and what it holds is a random sample, the same whatever the order of the records and
however often they come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select

from consumers.broker.records import Record
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.learning import SampleRow
from consumers.sink.reading import Entry, Row, digest, place
from consumers.sink.record_kind import Stored
from streams.contract.instants import EPOCH
from streams.contract.samples import SampleBatch, parse_samples

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


@dataclass(frozen=True, slots=True)
class SampleEntry(Entry):
    """A record of samples; its row has what all of its samples share."""

    samples: SampleBatch = field(kw_only=True)


def ranks(partition: int, at: int, count: int) -> NDArray[np.int64]:
    """Return a hash (count,) of each sample of a record, below 2**63 and equally spread (SplitMix64)."""
    seed = hashlib.blake2b(f"{partition}/{at}".encode(), digest_size=8).digest()
    mixed = np.frombuffer(seed, "<u8")[0] + _STEP * np.arange(1, count + 1, dtype=np.uint64)
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    ranked: NDArray[np.int64] = (mixed >> np.uint64(1)).astype(np.int64)
    return ranked


def sample_entry(app: str, record: Record, value: bytes) -> SampleEntry:
    """Return a record of this application's samples."""
    samples = parse_samples(value, app)
    row = {
        "at": EPOCH + timedelta(microseconds=samples.at),
        "partition": samples.partition,
        "digest": digest(value),
        **place(record),
    }
    return SampleEntry(record, row, samples=samples)


@dataclass(frozen=True, slots=True)
class LowestRanks:
    """Keeps the `most` samples whose ranks are the lowest."""

    most: int
    table: type[Base] = SampleRow

    def store(
        self, database: Database, connection: Connection, entries: Sequence[SampleEntry], now: datetime
    ) -> Stored:
        """Store the samples that are among the lowest, and delete those that are no more."""
        stored = Stored()
        limit = self._limit(connection)
        for entry in entries:
            known = self._known(connection, entry)
            if known is not None and known != entry.row["digest"]:
                stored.conflicts.append(entry)
                continue
            stored.new += known is None
            stored.repeats += known is not None
            rows = _rows(entry, limit, now)
            if rows:
                database.insert_many(connection, SampleRow, rows)
        after = self._limit(connection)
        if after is not None:
            connection.execute(delete(SampleRow).where(SampleRow.rank > after))
        return stored

    def _limit(self, connection: Connection) -> int | None:
        """Return the highest rank that stays, `None` while there is room."""
        ordered = select(SampleRow.rank).order_by(SampleRow.rank)
        return connection.scalar(ordered.offset(self.most - 1).limit(1))

    def _known(self, connection: Connection, entry: SampleEntry) -> str | None:
        """Return the digest of the record of the same partition and instant, if samples of it are stored."""
        same = select(SampleRow.digest).where(
            SampleRow.at == entry.row["at"], SampleRow.partition == entry.row["partition"]
        )
        return connection.scalar(same.limit(1))


def _rows(entry: SampleEntry, limit: int | None, now: datetime) -> list[Row]:
    """Return the rows of the samples of a record whose rank is not above the limit."""
    samples = entry.samples
    rank = ranks(samples.partition, samples.at, len(samples))
    chosen = np.arange(len(rank)) if limit is None else np.flatnonzero(rank <= limit)
    # The shortest decimal of each float32, and not that of the double next to it.
    x = samples.x[chosen].astype(str).astype(np.float64)
    missing = np.isnan(x)
    return [
        {
            **entry.row,
            "id": f"{samples.partition}/{samples.at}/{position}",
            "churned": bool(samples.y[position]),
            "p": None if np.isnan(samples.p[position]) else float(samples.p[position]),
            "weight": float(samples.weight[position]),
            "rank": int(rank[position]),
            "inputs": {
                name: None if gone else number
                for name, number, gone in zip(samples.inputs, numbers, without, strict=True)
            },
            "stored_at": now,
        }
        for position, numbers, without in zip(chosen.tolist(), x.tolist(), missing.tolist(), strict=True)
    ]
