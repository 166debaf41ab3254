"""Recount the customers of an event file: `python -m tests.oracle FILE`.

The engine reads the whole file; the twin lives the lives of some customers, drawn at random. Every feature
at every sweep and every step of their warnings must agree. With `--features` or `--warnings`, what
`lapwing replay` wrote is recounted instead (without a model, which the twin has not).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from tests.oracle.compare import OF_MODELS, compare_features, compare_steps, report
from tests.oracle.days import EPOCH
from tests.oracle.drive import compiled, drive
from tests.oracle.engine import OracleEngine, OracleSettings
from tests.oracle.event_files import read_events
from tests.oracle.histories import cut
from tests.oracle.history import Event
from tests.oracle.sample_rules import RULES
from tests.oracle.warning_files import read_rules, read_steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print what differs and return 1 where something does."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("file", type=Path, help="events, .jsonl or .jsonl.gz")
    parser.add_argument("--customers", type=int, default=60, help="how many to draw (default 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--zone", default="UTC")
    parser.add_argument("--sweep-hours", type=int, default=24)
    parser.add_argument("--features", type=Path, help="what `lapwing replay --features` wrote for this file")
    parser.add_argument("--warnings", type=Path, help="what `lapwing replay --out` wrote for this file")
    parser.add_argument("--rules", type=Path, help="the folder of rule files it was run with")
    said = parser.parse_args(arguments)
    if (said.warnings is None) != (said.rules is None):
        parser.error("--warnings and --rules belong together")
    events = read_events(said.file)
    customers = sorted({event.customer_id for event in events})
    drawn = set(random.Random(said.seed).sample(customers, min(said.customers, len(customers))))
    theirs = [event for event in events if event.customer_id in drawn]
    settings = OracleSettings(zone=ZoneInfo(said.zone), sweep_every_us=said.sweep_hours * 3_600_000_000)
    rules = RULES if said.rules is None else read_rules(said.rules)
    run = OracleEngine(settings, rules).run(theirs, events[-1].at)
    lines: list[str] = []
    agreed: list[str] = []
    driven = None
    if said.features is None and said.warnings is None:
        driven = drive(settings, compiled(rules), cut(events, [10_000]), events[-1].at, drawn)
    if said.features is not None or driven is not None:
        lines += compare_features(driven.sweeps if driven else sweeps_of(said.features, drawn), run.sweeps)
        agreed.append(f"{len(run.sweeps):,} feature rows")
    if said.warnings is not None or driven is not None:
        lines += compare_steps(driven.steps if driven else read_steps(said.warnings, drawn), run.steps)
        agreed.append(f"{len(run.steps):,} steps")
    if lines:
        sys.stdout.write(report(lines, of_first(lines, theirs)) + "\n")
        return 1
    sys.stdout.write(f"{len(drawn):,} of {len(customers):,} customers: {' and '.join(agreed)} agree\n")
    return 0


def sweeps_of(path: Path, customers: set[str]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the sweeps of a feature file, in their order in time."""
    named = pl.col("customer_id").is_in(list(customers))
    frame = pl.scan_parquet(path).filter(named).collect().drop(OF_MODELS, strict=False)
    frame = frame.with_columns(pl.lit(None, pl.Float64).alias("churn_probability"))
    for key, rows in frame.sort("at").group_by("at", maintain_order=True):
        (at,) = key
        assert isinstance(at, datetime)
        yield (at - EPOCH) // timedelta(microseconds=1), rows


def of_first(lines: Sequence[str], events: Sequence[Event]) -> list[Event]:
    """Return the events of the customer that the first difference names."""
    named = [event.customer_id for event in events if f" {event.customer_id} " in lines[0].replace(":", " ")]
    return [event for event in events if named and event.customer_id == named[0]]


if __name__ == "__main__":
    sys.exit(main())
