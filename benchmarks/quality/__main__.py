"""Print one table: the model as it learns in the engine, the anchor and the buying model, set by set.

python -m benchmarks.quality [--data FOLDER] [--sets retail,cdnow] [--seeds 1,2] [--json FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.quality.anchor import KEYS, first_test, predictions
from benchmarks.quality.measures import Measures, measure
from benchmarks.quality.sets import DATA_VARIABLE, ROOT, SETS, History
from benchmarks.quality.table import rows
from streams.core.events.batch import Batch

COLUMNS = ("AUC", "by time", "first 6", "prec.", "lift", "log loss", "Brier", "calib.")
CACHE = ROOT / ".cache" / "quality"


def anchor(history: History, table: pl.DataFrame) -> np.ndarray:
    """Return the anchor's predictions, from the cache where the table is the one that it was made from."""
    # A hash of all features is cheap beside a fit.
    features = table.select(pl.exclude(KEYS)).to_numpy().astype(np.float64)
    content = hashlib.sha256(np.ascontiguousarray(features).tobytes())
    content.update(table["churned"].to_numpy().tobytes())
    content.update((Path(__file__).parent / "anchor.py").read_bytes())
    path = CACHE / f"{history.name}-{content.hexdigest()[:16]}.npy"
    if path.exists():
        found: np.ndarray = np.load(path)
        return found
    found = predictions(table, history)
    CACHE.mkdir(parents=True, exist_ok=True)
    np.save(path, found)
    return found


def judge(history: History, events: Batch, seed: int) -> dict[str, dict[str, Measures]]:
    """Return the measures of each candidate, for both populations."""
    table = rows(history, events, seed)
    at, y = table["at"].to_numpy(), table["churned"].to_numpy()
    silent = table["silent_days"].to_numpy()
    candidates = {
        "e*": anchor(history, table),
        "buying": table["p_silent"].to_numpy(),
        "lapwing": table["churn_probability"].to_numpy(),
    }
    judged = at >= first_test(table, history)
    for p in candidates.values():
        judged &= ~np.isnan(p)
    result: dict[str, dict[str, Measures]] = {}
    for population, horizons in (("silent < 2H", 2), ("silent < H", 1)):
        chosen = judged & (silent < horizons * history.horizon_days)
        result[population] = {
            name: measure(p[chosen], y[chosen], at[chosen]) for name, p in candidates.items()
        }
    return result


def main() -> int:
    """Judge the sets that are there and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.quality")
    parser.add_argument("--data", type=Path, help="The folder of histories not in the repository.")
    parser.add_argument("--sets", default=",".join(each.name for each in SETS))
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--json", type=Path, dest="out")
    given = parser.parse_args()
    print("set         population  model    seed       n  base " + " ".join(f"{name:>8}" for name in COLUMNS))
    lines = []
    for history in SETS:
        if history.name not in given.sets.split(","):
            continue
        path = history.path(given.data)
        if path is None:
            print(
                f"{history.name:11} skipped: no {history.file}; give its folder by --data or {DATA_VARIABLE}"
            )
            continue
        events = history.read(path)
        for seed in (int(text) for text in given.seeds.split(",")):
            begun = time.perf_counter()
            for population, candidates in judge(history, events, seed).items():
                for name, m in candidates.items():
                    if name != "lapwing" and seed != int(given.seeds.split(",")[0]):
                        continue
                    place = f"{history.name:11} {population:11} {name:8} {seed:4} {m.n:7,} {m.base:5.2f} "
                    print(place + " ".join(f"{value:8.4f}" for value in list(asdict(m).values())[2:]))
                    lines.append({"set": history.name, "population": population, "model": name, "seed": seed})
                    lines[-1] |= asdict(m)
            print(f"{history.name:11} {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    if given.out is not None:
        given.out.write_text(json.dumps(lines, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
