"""What a customer takes in memory and in a checkpoint, and how long it takes to forget most of them at once.

With `--years`, customers come and go for so many years; memory is printed at the end of each, with
`forget_after` and without; with `--words`, what a flood of words takes.

python -m benchmarks.state [--customers 1000000] [--years 10] [--words 100000]
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.checkpoint import BATCH
from benchmarks.engine import RULES, resident_bytes
from benchmarks.workload import MODEL_SETTINGS, START, Workload
from lapwing.settings.settings import Settings
from lapwing.wiring import engine as engine_of
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.core.engine import Engine
from streams.core.events.batch import MILLION, Batch, ProfileRecord
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.state_tables import take
from streams.intake.merge import TopicPosition
from streams.rulebook.load import load_rulebook

FORGET_DAYS: Final = 100
SWEEP_DAYS: Final = 20
"""Of the measurement of forgetting, whose days between do not matter."""
STAYS: Final = 10
"""One in so many customers is still there when the others are forgotten."""


def checkpoint_bytes(engine: Engine) -> int:
    """Return how large a checkpoint of a state is."""
    with tempfile.TemporaryDirectory() as folder:
        content = CheckpointManifest({"orders": TopicPosition(0, 1)}, {}, engine.rules.hash)
        CheckpointStore(folder, "bench").save(0, take(engine)(), content)
        return sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))


def logins(customers: range, at: int) -> Batch:
    """Return a login of each of some customers of the workload."""
    return Batch.of(
        [
            {"topic": Topic.LOGINS, "at": at, "customer_id": f"c{number:08}", "event_id": f"back {number}"}
            for number in customers
        ]
    )


def measure(customers: int) -> None:
    """Print what the customers take, and how long the sweep takes that forgets most of them."""
    gc.collect()
    before = resident_bytes()
    settings = MODEL_SETTINGS | {"sweep_every": f"{SWEEP_DAYS}d", "forget_after": f"{FORGET_DAYS}d"}
    engine = engine_of(Settings.model_validate(settings), load_rulebook(RULES).rules)
    workload = Workload(customers)
    for first in range(0, workload.warm_up, BATCH):
        engine.step(workload.part(first, min(BATCH, workload.warm_up - first)).batch())
    gc.collect()
    taken, size = resident_bytes() - before, checkpoint_bytes(engine)
    print(
        f"{customers:,} customers: {taken / 1e6:,.0f} MB of memory, {taken / customers:,.0f} bytes each; "
        f"checkpoint {size / 1e6:,.0f} MB, {size / customers:,.0f} bytes each",
        flush=True,
    )
    engine.step(logins(range(0, customers, STAYS), START + (FORGET_DAYS - SWEEP_DAYS) * DAY))
    engine.flush()
    last = 0
    while last < START + (FORGET_DAYS + 2 * SWEEP_DAYS) * DAY:
        last = engine.place[1]
        engine.advance(last - 1)
        begun = time.perf_counter()
        forgotten = engine.advance(last).counts.forgotten
        print(f"a sweep that forgets {forgotten:>9,}: {time.perf_counter() - begun:.2f} s", flush=True)
    gc.collect()
    left = resident_bytes() - before
    print(
        f"{engine.customers.known:,} left: {left / 1e6:,.0f} MB of memory, "
        f"checkpoint {checkpoint_bytes(engine) / 1e6:,.1f} MB"
    )


def measure_words(words: int) -> None:
    """Print what so many segments, regions and owners take that one profile each names."""
    # The first is not printed: much that it takes is taken once.
    for customers, count in ((1_000, 20_000), (1_000, words), (words, words)):
        gc.collect()
        before = resident_bytes()
        engine = engine_of(Settings.model_validate({}), load_rulebook(RULES).rules)
        for first in range(0, count, 1000):
            engine.step(Batch.of([profile(n, customers) for n in range(first, first + 1000)]))
        engine.flush()
        gc.collect()
        taken, size = resident_bytes() - before, checkpoint_bytes(engine)
        if count < words:
            continue
        kept = len(engine.customers.words)
        print(
            f"{words:,} words in each of 3 fields, by {customers:,} customers: {kept:,} kept, "
            f"{taken / 1e6:,.0f} MB of memory, checkpoint {size / 1e6:,.1f} MB",
            flush=True,
        )


def profile(number: int, customers: int) -> dict[str, object]:
    """Return a profile whose words no other one has, of 200 characters each."""
    text = f"{number} {'x' * 190}"
    record = ProfileRecord(segment=f"s {text}", region=f"r {text}", account_owner=f"a {text}")
    return {
        "topic": Topic.PROFILES,
        "at": START + number * MILLION,
        "customer_id": f"c{number % customers}",
        "event_id": f"profile {number}",
        "record": record,
    }


def year(number: int, a_year: int) -> Iterator[Batch]:
    """Yield a year of customers, each of whom comes for 120 days, a day at a time."""
    for day in range(number * 365, (number + 1) * 365):
        newest = day * a_year // 365
        oldest = max(0, (day - 120) * a_year // 365)
        rows = [
            {
                "topic": Topic.ORDERS if (day - customer) % 2 else Topic.LOGINS,
                "at": day * DAY + customer % 86_400 * MILLION,
                "customer_id": f"c{customer}",
                "event_id": f"{customer}/{day}",
                "amount": 5 * MILLION,
            }
            for customer in range(oldest, newest)
            if (day - customer) % 12 < 2
        ]
        if rows:
            yield Batch.of(sorted(rows, key=lambda row: int(str(row["at"]))))


def measure_years(years: int, a_year: int) -> None:
    """Print memory and checkpoint at the end of each year, with forgetting and without."""
    rules = load_rulebook(RULES).rules
    for forget_after in (f"{FORGET_DAYS}d", "0"):
        engine = engine_of(Settings.model_validate(MODEL_SETTINGS | {"forget_after": forget_after}), rules)
        for number in range(years):
            for batch in year(number, a_year):
                engine.step(batch)
            gc.collect()
            known, size = engine.customers.known, checkpoint_bytes(engine)
            print(
                f"forget_after {forget_after:>4}, year {number + 1:>2}: {known:>9,} customers, "
                f"checkpoint {size / 1e6:>6.1f} MB, process {resident_bytes() / 1e6:,.0f} MB",
                flush=True,
            )
        del engine


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.state", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--years", type=int, default=0)
    parser.add_argument("--words", type=int, default=0, help="distinct words of profiles")
    parser.add_argument("--a-year", type=int, default=5_000, help="customers who come in a year")
    arguments = parser.parse_args()
    if arguments.words:
        measure_words(arguments.words)
    elif arguments.years:
        measure_years(arguments.years, arguments.a_year)
    else:
        measure(arguments.customers)


if __name__ == "__main__":
    main()
