"""`lapwing replay` on a generated history and on the real one in `examples/`: events a second by phase.

python -m benchmarks.replay [--customers 3000] [--days 365]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.engine import RULES
from lapwing.settings.settings import Settings
from lapwing.wiring import engine
from streams.contract.warnings import encode_step
from streams.core.steps import Step
from streams.files.events import read_events
from streams.offline.replay import FeatureFile, replay
from streams.rulebook.load import load_rulebook
from streams.simulate.files import write_events
from streams.simulate.shop import Shop

REAL: Final = Path(__file__).resolve().parent.parent / "examples" / "online_retail_ii.jsonl.gz"


@dataclass(slots=True)
class Phases:
    """Processor seconds of each phase of a replay, and what it did."""

    events: int
    steps: int
    sweeps: int
    customers: int
    read: float
    run: float
    write: float
    features: float
    """With every feature of everybody at each sweep, what that adds."""


def measure(path: Path, folder: Path) -> Phases:
    """Replay a file as the command does, without features and with them."""
    started = time.process_time()
    events = read_events([path], now_us=None, max_skew_us=0, on_refused=lambda refusal: None)
    read = time.process_time() - started
    settings = Settings.model_validate({})
    rules = load_rulebook(RULES).rules
    write = 0.0

    with (folder / "warnings.jsonl").open("wb") as lines:

        def on_steps(steps: list[Step]) -> None:
            nonlocal write
            begun = time.process_time()
            lines.writelines(encode_step(step, settings.app) + b"\n" for step in steps)
            write += time.process_time() - begun

        started = time.process_time()
        result = replay(events, [engine(settings, rules)], on_steps=on_steps)
        ran = time.process_time() - started - write
    started = time.process_time()
    with FeatureFile(folder / "features.parquet") as rows:
        replay(events, [engine(settings, rules)], on_steps=lambda steps: None, features=rows)
    features = time.process_time() - started - ran
    return Phases(
        result.counts.events, result.steps, result.sweeps, result.customers, read, ran, write, features
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--customers", type=int, default=3_000)
    parser.add_argument("--days", type=int, default=365)
    arguments = parser.parse_args()
    print(
        f"{'processor seconds':<34}{'events':>9}{'events/s':>10}{'read':>8}{'run':>8}{'write':>8}"
        f"{'features':>10}{'customers':>11}{'sweeps':>8}{'steps':>8}"
    )
    with tempfile.TemporaryDirectory(prefix="lapwing-bench-") as made:
        folder = Path(made)
        paths = [REAL]
        shop = Shop(arguments.customers, arguments.days, 1)
        for suffix in (".jsonl", ".parquet"):
            paths.append(folder / f"simulated{suffix}")
            write_events(shop.frames(), paths[-1], suffix)
        for path in paths:
            found = measure(path, folder)
            rate = found.events / (found.read + found.run + found.write)
            print(
                f"{path.name:<34}{found.events:>9,}{rate:>10,.0f}{found.read:>8.1f}{found.run:>8.1f}"
                f"{found.write:>8.1f}{found.features:>10.1f}{found.customers:>11,}{found.sweeps:>8,}"
                f"{found.steps:>8,}"
            )


if __name__ == "__main__":
    main()
