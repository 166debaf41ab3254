"""How many records a second the sink stores, by kind of record and of all kinds mixed.

python -m benchmarks.sink [--records 50000] [--postgresql URL]

Each kind is stored in polls of 5,000 as the sink does it: read by the contract, one transaction a poll, on a
SQLite file that is written through to the disk. Beside it the same records, read alike, are inserted row by
row: a statement for each, committed a hundred at a time. The records are those of a simulated shop, each
again under other ids.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.sink import kinds
from consumers.sink.kind import AppendOnly, RecordKind, Steps
from consumers.sink.store import write
from tests.consumers.shop_records import APP, KINDS, NOW, shop_records

POLL: Final = 5_000
PLAIN_COMMIT: Final = 100
PLAIN_RECORDS: Final = 3_000
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


def polls(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yield the records in polls."""
    for begin in range(0, len(records), POLL):
        yield records[begin : begin + POLL]


def store(database: Database, by_topic: dict[str, RecordKind[Any]], records: Sequence[Record]) -> float:
    """Store the records as the sink does; return the seconds."""
    start = time.perf_counter()
    stored = 0
    for poll in polls(records):
        found: defaultdict[str, list[Record]] = defaultdict(list)
        for record in poll:
            found[record.topic].append(record)
        work = [(by_topic[topic], by_topic[topic].read(own, NOW)) for topic, own in found.items()]
        stored += write(database, work, clock).total.stored
    assert stored == len(records), stored
    return time.perf_counter() - start


def store_plainly(database: Database, kind: RecordKind[Any], records: Sequence[Record]) -> float:
    """Insert the records one by one; return the seconds."""
    rule = kind.rule
    table = rule.table
    stamp = (
        (rule.steps if isinstance(rule, Steps) else rule).stamp
        if isinstance(rule, AppendOnly | Steps)
        else ""
    )
    start = time.perf_counter()
    for begin in range(0, len(records), PLAIN_COMMIT):
        with database.writing() as connection:
            for record in records[begin : begin + PLAIN_COMMIT]:
                (entry,) = kind.read([record], NOW).entries
                connection.execute(database.insert_new(table), entry.row | {stamp: clock()})
    return time.perf_counter() - start


def opened(folder: Path, url: str | None) -> Database:
    """Return an empty database."""
    database = Database(url or f"sqlite:///{folder / f'{time.monotonic_ns()}.db'}")
    database.prepare()
    return database


def size_of(database: Database, folder: Path) -> int:
    """Return the bytes of the newest file in the folder."""
    database.close()
    newest = max(folder.glob("*.db"), key=lambda path: path.stat().st_mtime_ns)
    return sum(path.stat().st_size for path in folder.glob(newest.name + "*"))


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument(
        "--postgresql", metavar="URL", help="measure on this empty database as well, all kinds mixed"
    )
    options = parser.parse_args()
    by_topic = {**KINDS, f"{APP}-samples": kinds.samples(APP, SAMPLES_KEPT)}
    mixed: list[Record] = []
    print(f"{'kind':<18}{'records/s':>12}{'row by row':>12}{'times':>8}{'bytes a record':>16}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        empty = opened(folder, None)
        base = size_of(empty, folder)
        for topic, kind in by_topic.items():
            if kind.name in LEFT_OUT:
                continue
            count = options.records // 50 if kind.name == "samples" else options.records
            records = of_kind(topic, count)
            mixed += records
            database = opened(folder, None)
            seconds = store(database, by_topic, records)
            size = (size_of(database, folder) - base) / count
            speed = count / seconds
            line = f"{kind.name:<18}{speed:>12,.0f}"
            if kind.name != "samples":
                plain = opened(folder, None)
                few = records[:PLAIN_RECORDS]
                plainly = len(few) / store_plainly(plain, kind, few)
                plain.close()
                line += f"{plainly:>12,.0f}{speed / plainly:>8.1f}"
            else:
                line += f"{'':>20}"
            print(f"{line}{size:>16,.0f}", flush=True)
        mixed.sort(key=lambda record: record.offset)
        database = opened(folder, None)
        print(f"{'all, mixed':<18}{len(mixed) / store(database, by_topic, mixed):>12,.0f}")
        database.close()
        if options.postgresql:
            database = opened(folder, options.postgresql)
            seconds = store(database, by_topic, mixed)
            print(f"{'the same, PostgreSQL':<18}{len(mixed) / seconds:>10,.0f}")
            database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
