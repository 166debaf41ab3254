"""What outcomes cost: the engine's time with and without them, bytes per customer and per pending warning.

python -m benchmarks.outcomes [--customers 100000 1000000] [--events 600000] [--warnings 100000]

Engines take the same batches in turn, so that a busy machine slows all of them. What is put out is also
written as JSON; sending it is part of `benchmarks.throughput`.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, Final

import numpy as np

from benchmarks.engine import RULES, WARM_UP_BATCH
from benchmarks.workload import ACTIVE, MODEL_SETTINGS, Workload
from lapwing.settings.settings import Settings
from lapwing.wiring import engine as engine_of
from streams.contract.customer_days import encode_customer_days
from streams.contract.outcomes import encode_outcome
from streams.core.engine import Engine
from streams.core.events.calendar import Calendar
from streams.core.features.customers import Customers
from streams.core.rules.rule_set import RuleSet
from streams.rulebook.load import load_rulebook, parse_rulebook

BATCH: Final = 10_000
KINDS: Final = ("off", "outcomes", "outcomes and customer days")
EVERYBODY: Final = """
version: 1
rules:
  - id: everybody
    title: Every customer, from the first event on
    status: active
    owner: benchmark
    when: tenure_days >= 0
    tier: low
    reason: other
    message: "known for {tenure_days} days"
"""
"""A rule that opens a warning for each customer."""


def new(rules: RuleSet, kind: str, **other: str) -> Engine:
    """Return an engine that puts out what `kind` says."""
    settings = Settings.model_validate(MODEL_SETTINGS | ACTIVE | other)
    return engine_of(settings, rules, outcomes=kind != KINDS[0], desk=kind == KINDS[2])


def take(engine: Engine, batch: Any) -> int:
    """Let an engine take a batch, write what it puts out, and return how many records that is."""
    output = engine.step(batch)
    for each in output.outcomes:
        encode_outcome(each, "bench")
    for days in output.customer_days:
        encode_customer_days(days, "bench")
    return len(output.outcomes) + len(output.customer_days)


def measure_time(customers: int, events: int) -> None:
    """Print processor microseconds an event."""
    rules, workload = load_rulebook(RULES).rules, Workload(customers)
    engines = {kind: new(rules, kind) for kind in KINDS}
    first = 0
    while first < workload.warm_up:
        count = min(WARM_UP_BATCH, workload.warm_up - first)
        batch = workload.part(first, count).batch()
        for engine in engines.values():
            engine.step(batch)
        first += count
    size = sum(sizes(engines[KINDS[1]].outcomes)) / customers
    gc.collect()
    gc.freeze()  # as a worker seldom looks for garbage in circles
    used, records = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0)
    for number in range(events // BATCH):
        batch = workload.part(first, BATCH).batch()
        first += BATCH
        order = KINDS if number % 2 else KINDS[::-1]
        for kind in order:
            begun = time.process_time()
            records[kind] += take(engines[kind], batch)
            used[kind] += time.process_time() - begun
    print(f"\n{customers:,} customers, {events:,} events: {size:.0f} bytes a customer for outcomes")
    for kind in KINDS:
        share = used[kind] / used[KINDS[0]] - 1
        print(
            f"  {kind:<28}{used[kind] / events * 1e6:6.2f} us/event{share:+8.1%}"
            f"{records[kind] / events * 1e3:8.1f} records per 1,000 events"
        )


def measure_warnings(customers: int) -> None:
    """Print the bytes of warnings that wait to mature: each customer has one, of one cause."""
    rules, workload = parse_rulebook({"everybody.yaml": EVERYBODY}).rules, Workload(customers)
    engine = new(rules, KINDS[1], horizon="90d")
    for first in range(0, customers, BATCH):
        engine.step(workload.part(first, min(BATCH, customers - first)).batch())
    engine.flush()
    maturity, shared = engine.outcomes.maturity, set(map(id, _reachable(engine.episodes, set())))
    pending, causes = len(maturity.warnings), len(maturity.causes)
    parts = {
        "the warning": sum(sizes(maturity.warnings)) / pending,
        "its cause": sum(sizes(maturity.causes)) / pending,
        "while it is open": sum(sizes(maturity.open, shared)) / pending,
    }
    print(f"\n{pending:,} warnings and {causes:,} causes that have not matured, bytes each:")
    for name, size in parts.items():
        print(f"  {name:<28}{size:6.0f}")
    print(f"  {'in all':<28}{sum(parts.values()):6.0f}")


def sizes(root: object, seen: set[int] | None = None) -> Iterator[int]:
    """Yield the bytes of everything that can be reached from `root` and is not in `seen`, each once."""
    for each in _reachable(root, set() if seen is None else set(seen)):
        if isinstance(each, np.ndarray):
            yield each.nbytes
        else:
            yield sys.getsizeof(each)


def _reachable(root: object, seen: set[int]) -> Iterator[object]:
    """Yield what belongs to `root`; customers, calendars, rules and code belong to others."""
    todo = [root]
    while todo:
        each = todo.pop()
        foreign = isinstance(each, Customers | Calendar | RuleSet | type | ModuleType | FunctionType)
        if id(each) in seen or foreign or (isinstance(each, int) and each < 257):
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, dict):
            todo += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            todo += each
        elif not isinstance(each, np.ndarray):
            todo += getattr(each, "__dict__", {}).values()
            todo += (
                getattr(each, slot) for slot in getattr(type(each), "__slots__", ()) if hasattr(each, slot)
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outcomes", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--warnings", type=int, default=100_000)
    arguments = parser.parse_args()
    for customers in arguments.customers:
        measure_time(customers, arguments.events)
    measure_warnings(arguments.warnings)


if __name__ == "__main__":
    main()
