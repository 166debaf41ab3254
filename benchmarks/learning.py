"""What the model costs: building its matrix, scoring a population, explaining a few, learning a sample.

python -m benchmarks.learning [customers]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streams.contract.samples import SampleBatch
from streams.core.events.calendar import DAY
from streams.core.events.dedup import hash_strings
from streams.core.model.delayed_labels import DelayedLabels
from streams.core.model.logistic import INPUTS, design
from streams.learning.learner import RiverLearner
from streams.learning.shared import SharedLearner

SAMPLES = 5000
RECORD = 500
"""Samples of a record, as one sweep of a large partition sends them."""
RECORDS = 40
WARMED_UP = 30
"""Records before it is measured: by then the reservoir and the watch for drift are at work."""
WARNED = 1000


def seconds(action: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest time that `action` took."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def shared(x: NDArray[np.float64]) -> float:
    """Return the processor seconds that champion and challengers take for a sample, judging included."""
    rng, learner = np.random.default_rng(8), SharedLearner()
    names = tuple(i.name for i in INPUTS)
    spent = 0.0
    for number in range(WARMED_UP + RECORDS):
        rows = x[rng.integers(0, len(x), RECORD)].astype(np.float32)
        y = rng.random(RECORD) < 0.3
        batch = SampleBatch(0, 1, number * DAY, names, rows, y, np.full(RECORD, 0.3), np.ones(RECORD))
        start = time.process_time()
        learner.take(batch, number)
        spent += (time.process_time() - start) * (number >= WARMED_UP)
    return spent / (RECORDS * RECORD)


def main() -> None:
    """Measure and print a line for each step."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(7)
    columns = {i.feature: rng.gamma(1.0, 20.0, customers) for i in INPUTS}
    for column in columns.values():
        column[rng.random(customers) < 0.1] = np.nan
    x = design(columns)
    samples = min(customers, SAMPLES)
    y = rng.random(samples) < 0.3
    none = np.full(samples, np.nan)
    learner = RiverLearner()
    learning = seconds(lambda: learner.learn(x[:samples], y, none), repeats=1)
    model = learner.snapshot()

    keys = hash_strings([str(i) for i in range(customers)])
    last_order = np.full(customers, 10**15 - 1)
    closed_at = np.full(customers, np.iinfo(np.int64).min)
    cohorts = DelayedLabels([i.name for i in INPUTS])

    print(f"{customers:,} customers, {len(INPUTS)} inputs")
    print(f"design   {seconds(lambda: design(columns)) * 1e3:8.1f} ms")
    print(f"score    {seconds(lambda: model.score(x)) * 1e3:8.1f} ms")
    print(f"choose   {seconds(lambda: cohorts.choose(10**15, 5, keys, last_order, closed_at)) * 1e3:8.1f} ms")
    reasons = seconds(lambda: model.reasons(x[:WARNED], lambda name, row: None))
    print(f"reasons  {reasons / WARNED * 1e6:8.1f} us a warning")
    print(f"learn    {learning / samples * 1e6:8.1f} us a sample")
    print(f"shared   {shared(x) * 1e6:8.1f} us a sample, champion and challengers together")


if __name__ == "__main__":
    main()
