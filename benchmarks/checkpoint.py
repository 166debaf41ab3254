"""A checkpoint of one partition: how long the work stands still for it, its size, and the way back.

A worker's first one takes longer than those that follow, which only look at complaints that moved.

python -m benchmarks.checkpoint [--customers 10000 1000000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.engine import RULES
from benchmarks.workload import MODEL_SETTINGS, Workload
from lapwing.settings.settings import Settings
from lapwing.wiring import engine as engine_of
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.core.engine import Engine
from streams.core.state_tables import restore, take
from streams.intake.merge import TopicPosition
from streams.rulebook.load import load_rulebook

BATCH = 60_000


def fed(workload: Workload) -> Engine:
    """Return an engine that has seen every customer, some days long."""
    engine = new()
    for first in range(0, workload.warm_up, BATCH):
        engine.step(workload.part(first, min(BATCH, workload.warm_up - first)).batch())
    return engine


def new() -> Engine:
    """Return an engine that knows nothing."""
    return engine_of(Settings.model_validate(MODEL_SETTINGS), load_rulebook(RULES).rules)


def measure(customers: int, folder: Path) -> str:
    """Return a line of the table."""
    workload = Workload(customers)
    engine = fed(workload)
    store = CheckpointStore(str(folder), "bench")
    content = CheckpointManifest({"orders": TopicPosition(0, 1)}, {}, engine.rules.hash)
    before = time.perf_counter()
    take(engine)
    first = time.perf_counter() - before
    engine.step(workload.part(workload.warm_up, BATCH).batch())
    begun = time.perf_counter()
    make = take(engine)
    taken = time.perf_counter()
    checkpoint = store.save(0, make(), content)
    written = time.perf_counter()
    size = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    del engine, make
    again = new()
    resumed = time.perf_counter()
    loaded = store.load(0, checkpoint.offsets)
    assert loaded is not None
    read = time.perf_counter()
    restore(again, loaded[1])
    restored = time.perf_counter()
    assert again.customers.known == customers
    return (
        f"{customers:>11,}{first * 1e3:>10.0f}{(taken - begun) * 1e3:>10.0f}{written - taken:>11.2f}"
        f"{size / 1e6:>9.1f}{size / customers:>10.0f}{read - resumed:>9.2f}{restored - read:>13.2f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkpoint", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000, 1_000_000])
    arguments = parser.parse_args()
    print(
        f"{'customers':>11}{'first ms':>10}{'pause ms':>10}{'writing s':>11}{'MB':>9}{'bytes/c.':>10}"
        f"{'read s':>9}{'restore s':>13}"
    )
    for customers in arguments.customers:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(customers, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
