"""The engine alone, in this process: microseconds an event by stage, a sweep, bytes a customer.

python -m benchmarks.engine [--customers 10000 1000000] [--batches 1000 10000 60000] [--events 600000]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.stopwatch import Stopwatch
from benchmarks.workload import ACTIVE, MODEL_SETTINGS, Workload
from lapwing.settings.settings import Settings
from lapwing.wiring import engine as engine_of
from streams.core import engine
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.dedup import Deduplicator
from streams.core.events.reorder import ReorderBuffer
from streams.core.features.catalogue import Features
from streams.core.features.customers import Customers
from streams.core.features.view import Pass
from streams.core.model.scorer import Scorer
from streams.core.outcomes.outcomes import Outcomes
from streams.core.rules.rule_set import RuleSet
from streams.rulebook.load import load_rulebook

RULES: Final = Path(__file__).resolve().parent.parent / "warning_rules"
STAGES: Final = {
    "order": "put in order of time",
    "index": "customers found by id",
    "repeats": "repeats found by a hash of the event id",
    "layout": "sorted by customer, changes laid out",
    "features": "the columns that rules and model read",
    "score": "the model",
    "rules": "verdicts of every rule",
    "episodes": "causes and warnings moved on",
    "steps": "warnings written",
    "outcomes": "who came, left and returned; what matures",
    "commit": "state written back",
    "rest": "everything else",
}
SWEEP, LEARN, MIDNIGHT = "sweep", "learn", "midnight"
WARM_UP_BATCH: Final = 60_000


PLACES: Final[tuple[tuple[object, str, str], ...]] = (
    (ReorderBuffer, "put", "order"),
    (Customers, "index", "index"),
    (Deduplicator, "check", "repeats"),
    (engine, "apply_events", "layout"),
    (Features, "__getitem__", "features"),
    (Features, "frame", "features"),
    (Scorer, "score", "score"),
    (RuleSet, "verdicts", "rules"),
    (Engine, "_evaluate", "episodes"),
    (Engine, "_emit", "steps"),
    (Outcomes, "take_pass", "outcomes"),
    (Pass, "commit", "commit"),
    (Engine, "step", "rest"),
    (Engine, "_sweep", SWEEP),
    (Engine, "_learn", LEARN),
    (Customers, "next_day", MIDNIGHT),
    (Deduplicator, "forget", MIDNIGHT),
)
"""The functions of a class or module that count for a stage."""


def watched() -> Stopwatch:
    """Return a stopwatch that the engine's stages are tied to."""
    watch = Stopwatch(SWEEP, LEARN, MIDNIGHT)
    for owner, name, stage in PLACES:
        watch.wrap(owner, name, stage)
    return watch


def resident_bytes() -> int:
    """Return the memory of this process, or the most it ever had where the system does not say more."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return pages * resource.getpagesize()


def measure(customers: int, sizes: list[int], events: int, watch: Stopwatch) -> None:
    """Print the figures for so many customers."""
    workload = Workload(customers)
    subject = engine_of(Settings.model_validate(MODEL_SETTINGS | ACTIVE), load_rulebook(RULES).rules)
    before = resident_bytes()
    first = 0
    while first < workload.warm_up:
        count = min(WARM_UP_BATCH, workload.warm_up - first)
        subject.step(workload.part(first, count).batch())
        first += count
    used = (resident_bytes() - before) / customers
    ready = subject.scorer.model is not None and subject.scorer.model.ready
    print(
        f"\n{customers:,} customers, {len(subject.rules)} rules, model {'ready' if ready else 'NOT ready'}, "
        f"{used:,.0f} bytes a customer"
    )
    columns: dict[int, tuple[dict[str, float], float, float]] = {}
    for size in sizes:
        watch.clear()
        wall, done, steps = 0.0, 0, 0
        while done < events:
            batch = workload.part(first, size).batch()
            start = time.perf_counter()
            output = subject.step(batch)
            wall += time.perf_counter() - start
            done, first, steps = done + size, first + size, steps + _opened(output)
        columns[size] = (
            {name: watch.seconds[name] / done * 1e6 for name in STAGES},
            wall / done * 1e6,
            steps / done,
        )
    print(f"{'processor us an event, in batches of':<52}" + "".join(f"{size:>10,}" for size in sizes))
    for name, meaning in STAGES.items():
        print(f"  {name:<10}{meaning:<40}" + "".join(f"{columns[size][0][name]:10.2f}" for size in sizes))
    print(f"  {'in all':<50}" + "".join(f"{sum(columns[size][0].values()):10.2f}" for size in sizes))
    print(
        f"  {'by the wall clock, with what falls due in between':<50}"
        + "".join(f"{columns[s][1]:10.2f}" for s in sizes)
    )
    print(
        f"  {'steps put out, of 1,000 events':<50}" + "".join(f"{columns[s][2] * 1e3:10.2f}" for s in sizes)
    )
    _measure_days(workload, subject, first, watch)


def _measure_days(workload: Workload, subject: Engine, first: int, watch: Stopwatch) -> None:
    """Print what a day's end costs: events follow until there was one, or it is reached without."""
    subject.flush()
    watch.clear()
    midnight = subject.place[0]
    assert midnight is not None
    subject.advance(midnight + 1)  # outcomes are known after the events of that instant
    print(
        f"at a day's end: sweep {watch.seconds[SWEEP]:.2f} s, learning {watch.seconds[LEARN]:.2f} s, "
        f"windows and ids that pass out {watch.seconds[MIDNIGHT]:.2f} s"
    )


def _opened(output: Output) -> int:
    return len(output.steps)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--batches", type=int, nargs="+", default=[1_000, 10_000, 60_000])
    parser.add_argument("--events", type=int, default=600_000, help="events measured in each column")
    arguments = parser.parse_args()
    watch = watched()
    for customers in arguments.customers:
        measure(customers, arguments.batches, arguments.events, watch)


if __name__ == "__main__":
    main()
