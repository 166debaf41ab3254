"""How many records a second the sink stores, by kind of record and of all kinds mixed.

python -m benchmarks.sink [--records 50000] [--large 200000]

Each kind is stored in polls of 5,000 as the sink does it: read by the contract, one transaction a poll, on a
SQLite file that is written through to the disk, then of all kinds mixed there and on PostgreSQL. Beside it
the same, a transaction for each record, as a plain consumer does it. The records are those of a simulated
shop, each again under other ids. A record of samples has about 17 of them.

Then a table that grows large, of customers' days: as many at once as the sink takes where it is behind, and
beside it polls of 1,250 that SQLAlchemy writes with SQLite's and Python's own settings, as the sink did once.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from consumers.broker.records import Record
from consumers.collector import collector_paused
from consumers.database.database import Database
from consumers.database.outcomes import CustomerDaysRow
from consumers.sink import kinds
from consumers.sink.reading import Entry
from consumers.sink.record_kind import AppendOnly, RecordKind, Stored
from consumers.sink.sink import ENOUGH
from consumers.sink.store import read_poll, write
from tests.consumers.shop_records import APP, KINDS, NOW, shop_records
from tests.servers import Server, ServerAbsent

POLL: Final = 5_000
FETCH: Final = 1_250
"""Customers' days that one fetch of a partition gives."""
PLAIN_RECORDS: Final = 1_000
"""So many are inserted one by one: it is slow."""
LEFT_OUT: Final = ("segment_warnings", "silences", "rules_adopted")
"""Kinds of which there are a few records a day."""
SAMPLES_KEPT: Final = 50_000


def again(record: Record, number: int) -> Record:
    """Return the record under other ids."""
    value = record.value or b""
    if record.topic == f"{APP}-samples":
        samples = msgspec.msgpack.decode(value)
        return replace(
            record, value=msgspec.msgpack.encode(samples | {"at": samples["at"] + number}), offset=number
        )
    event = json.loads(value)
    if "data" in event:
        event["id"] = f"{number}-{event['id']}"
        if "step" in event["data"]:
            event["data"]["warning_id"] = f"{number}-{event['data']['warning_id']}"
    else:
        event["event_id"] = f"{event['event_id']}-{number}"
    return replace(record, value=msgspec.json.encode(event), offset=number)


def of_kind(topic: str, count: int) -> list[Record]:
    """Return so many records of a topic."""
    templates = [record for record in shop_records() if record.topic == topic]
    return [again(record, number) for number, record in zip(range(count), itertools.cycle(templates))]


def clock() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def polls(records: Sequence[Record], size: int = POLL) -> Iterator[Sequence[Record]]:
    """Yield the records in polls."""
    for begin in range(0, len(records), size):
        yield records[begin : begin + size]


@dataclass(frozen=True)
class Took:
    """How long so many records took."""

    records: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.records / self.wall_s:>12,.0f}{self.cpu_s / self.records * 1e6:>10,.0f}"


@contextmanager
def timed(records: int, into: list[Took]) -> Iterator[None]:
    """Append how long the `with` block took."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into.append(Took(records, time.perf_counter() - wall, time.process_time() - cpu))


def store(
    database: Database, by_topic: Mapping[str, RecordKind[Any]], records: Sequence[Record], size: int = POLL
) -> Took:
    """Store the records as the sink does, so many at once."""
    took: list[Took] = []
    stored = 0
    with timed(len(records), took):
        for poll in polls(records, size):
            with collector_paused():
                stored += write(database, read_poll(by_topic, poll, NOW), clock).total.stored
    assert stored == len(records), stored
    return took[0]


def store_plainly(database: Database, kind: RecordKind[Any], records: Sequence[Record]) -> Took:
    """Store the records one by one, a transaction for each."""
    took: list[Took] = []
    with timed(len(records), took):
        for record in records:
            write(database, [(kind, kind.read([record], NOW))], clock)
    return took[0]


class OnceWritten(AppendOnly):
    """Writes as the sink did once: SQLAlchemy makes of each row what the driver takes."""

    def store(
        self, database: Database, connection: Connection, entries: Sequence[Entry], now: datetime
    ) -> Stored:
        """Store the entries whose id is not there."""
        fresh, stored = self.sorted(connection, entries)
        rows = [entry.row | {self.stamp: now} for entry in fresh]
        connection.execute(database.insert_new(self.table), rows)
        return stored


def store_as_once(database: Database, records: Sequence[Record]) -> Took:
    """Store customers' days as the sink did once: fetch by fetch, the collector on, SQLite's own settings."""
    kind = replace(kinds.CUSTOMER_DAYS, rule=OnceWritten(CustomerDaysRow))
    with database.reading() as connection:  # the pool has this one connection, and keeps it
        for setting in ("cache_size = -2000", "wal_autocheckpoint = 1000"):
            connection.exec_driver_sql(f"PRAGMA {setting}")
    took: list[Took] = []
    with timed(len(records), took):
        for poll in polls(records, FETCH):
            write(database, [(kind, kind.read(poll, NOW))], clock)
    return took[0]


def large(database: Database, once: Database, count: int) -> None:
    """Print what a table of so many customers' days takes, both ways in turn by quarters."""
    records = of_kind(f"{APP}.customer-days", count)
    ours, theirs = [], []
    for part in polls(records, -(-count // 4)):
        theirs.append(store_as_once(once, part))
        ours.append(store(database, KINDS, part, ENOUGH))
    print(f"\n{'customer days, large':<22}{'as the sink does':>22}{'as it did once':>22}{'ratio':>10}")
    total = 0
    for new, old in zip(ours, theirs, strict=True):
        total += new.records
        ratio = f"{old.wall_s / new.wall_s:.1f}/{old.cpu_s / new.cpu_s:.1f}"
        print(f"{f'up to {total:,}':<22}{new}{old}{ratio:>10}", flush=True)


def size_of(database: Database, file: Path) -> int:
    """Return the bytes of a database's file, which is closed."""
    database.close()
    return sum(path.stat().st_size for path in file.parent.glob(file.name + "*"))


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--large", type=int, default=200_000)
    options = parser.parse_args()
    by_topic = {**KINDS, f"{APP}-samples": kinds.samples(APP, SAMPLES_KEPT)}
    mixed: list[Record] = []
    print(f"{'':<22}{'in polls':>22}{'one by one':>22}{'bytes a':>10}")
    print(f"{'':<22}{'records/s':>12}{'CPU us':>10}{'records/s':>12}{'CPU us':>10}{'record':>10}")
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        numbers = itertools.count()

        def opened() -> tuple[Database, Path]:
            file = Path(place) / f"{next(numbers)}.db"
            database = Database(f"sqlite:///{file}")
            database.prepare()
            return database, file

        base = size_of(*opened())
        for topic, kind in by_topic.items():
            if kind.name in LEFT_OUT:
                continue
            count = options.records // 50 if kind.name == "samples" else options.records
            records = of_kind(topic, count)
            mixed += records
            database, file = opened()
            took = store(database, by_topic, records)
            size = (size_of(database, file) - base) / count
            plain, _ = opened()
            plainly = store_plainly(plain, kind, records[:PLAIN_RECORDS])
            plain.close()
            print(f"{kind.name:<22}{took}{plainly}{size:>10,.0f}", flush=True)
        mixed.sort(key=lambda record: record.offset)
        database, _ = opened()
        print(f"{'all, mixed':<22}{store(database, by_topic, mixed)}", flush=True)
        database.close()
        (database, _), (once, _) = opened(), opened()
        large(database, once, options.large)
        database.close()
        once.close()
        try:
            server = Server("postgres")
        except ServerAbsent as reason:
            print(f"no PostgreSQL: {reason}")
            return 0
        stack.callback(server.stop)
        database = Database(server.address)
        database.prepare()
        print(f"{'the same, PostgreSQL':<22}{store(database, by_topic, mixed)}")
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
