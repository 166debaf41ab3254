"""The anchor: LightGBM on the same rows, fitted again every four weeks on all that has matured."""

from __future__ import annotations

from typing import Final

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.quality.sets import History
from benchmarks.quality.table import LEFT_OUT
from streams.core.events.calendar import DAY

MOST_ROWS: Final = 50_000
ROUNDS: Final = 100
PARAMETERS: Final = {
    "objective": "binary",
    "num_leaves": 8,
    "lambda_l2": 20,
    "learning_rate": 0.05,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
}
KEYS: Final = ("customer_id", "at", "silent_days", "churned", *LEFT_OUT)


def first_test(table: pl.DataFrame, history: History) -> int:
    """Return the first instant that counts: five weeks after the first outcome is known."""
    first: int = table["at"].to_numpy().min()
    return first + (history.horizon_days + 35) * DAY


def predictions(table: pl.DataFrame, history: History, seed: int = 1) -> NDArray[np.float64]:
    """Return the anchor's probability for each row, NaN before the first test."""
    x = table.select(pl.exclude(KEYS)).to_numpy().astype(np.float64)
    y, at = table["churned"].to_numpy(), table["at"].to_numpy()
    result = np.full(len(table), np.nan)
    dice = np.random.default_rng(seed)
    booster: lightgbm.Booster | None = None
    fitted = 0
    for instant in np.unique(at[at >= first_test(table, history)]).tolist():
        if booster is None or instant - fitted >= 28 * DAY:
            known = np.flatnonzero(at <= instant - history.horizon_days * DAY)
            if len(known) > MOST_ROWS:
                known = np.sort(dice.choice(known, MOST_ROWS, replace=False))
            booster = lightgbm.train(
                PARAMETERS | {"seed": seed}, lightgbm.Dataset(x[known], y[known]), ROUNDS
            )
            fitted = instant
        now = np.flatnonzero(at == instant)
        result[now] = booster.predict(x[now])
    return result
