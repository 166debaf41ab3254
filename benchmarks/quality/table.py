"""The table of a set: features, probability and outcome of every customer of the population, weekly."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.quality.sets import History
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch, OrderStatus
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import CATALOGUE, DTYPES, Features
from streams.core.rules.rule_set import RuleSet
from streams.learning.learner import LearnerSettings, RiverLearner

EVERY: Final = 7
"""Sweeps between two instants of the table."""
LEFT_OUT: Final = ("customer_class", "segment", "region", "origin", "churn_probability")
"""What the anchor does not read: who a customer is, and the answer."""


class _WeeklyRows:
    """Keeps the features of every seventh sweep."""

    def __init__(self, engine: Engine, names: tuple[str, ...]) -> None:
        self.engine = engine
        self.names = names
        self.frames: list[pl.DataFrame] = []

    def swept(self, at: int, features: Features) -> None:
        """Keep the rows of a sweep."""
        if self.engine.sweeps % EVERY == 0:
            frame = features.frame(self.names)
            names = pl.Series("customer_id", self.engine.customers.ids[: len(features)], dtype=pl.String)
            instants = pl.Series("at", np.full(len(frame), at))
            self.frames.append(frame.insert_column(0, names).insert_column(1, instants))


def rows(history: History, events: Batch, seed: int = 1) -> pl.DataFrame:
    """Return what an engine that learns as it goes says at each instant, with the outcomes that are known.

    Kept are the customers whose last activity lies less than two horizons back, who have not closed since.
    """
    horizon = history.horizon_days * DAY
    settings = EngineSettings(
        horizon_us=horizon, learn_within_us=2 * horizon, activity=history.activity, reorder_us=0
    )
    engine = Engine(settings, RuleSet((), DTYPES), RiverLearner(LearnerSettings(seed=seed)))
    weekly = _WeeklyRows(engine, tuple(name for name in CATALOGUE if name not in LEFT_OUT[:-1]))
    engine.observe(sweeps=weekly)
    engine.step(events)
    engine.flush()
    end = int(events.at[-1])
    engine.advance(end)
    table = pl.concat(weekly.frames)
    outcome = outcomes(history, events, table, horizon)
    table = table.with_columns(**outcome).filter(
        (pl.col("silent_days") < 2 * history.horizon_days)
        & ~pl.col("closed")
        & (pl.col("at") + horizon <= end)
    )
    return table.drop("closed")


def outcomes(
    history: History, events: Batch, table: pl.DataFrame, horizon: int
) -> dict[str, NDArray[np.generic]]:
    """Return for each row of the table days of silence, whether closed since, and whether churned.

    Read off the events: activity and closures before the instant, and in the horizon from it on.
    """
    placed = (events.topic != Topic.ORDERS) | (events.status == OrderStatus.PLACED)
    active = np.isin(events.topic, [int(t) for t in history.activity]) & placed
    at = table["at"].to_numpy()
    names, customer = np.unique(
        np.concatenate([table["customer_id"].to_numpy(), events.customer_id]).astype(np.str_),
        return_inverse=True,
    )
    of_row, of_event = customer[: len(at)], customer[len(at) :]
    last, following = _around(of_row, at, of_event[active], events.at[active], len(names))
    closures = events.topic == Topic.CLOSURES
    closed, closing = _around(of_row, at, of_event[closures], events.at[closures], len(names))
    return {
        "silent_days": np.where(last >= 0, (at - last) / DAY, np.inf),
        "closed": closed > last,
        "churned": (following >= at + horizon) | (closing < at + horizon),
    }


def _around(
    of_row: NDArray[np.intp],
    at: NDArray[np.int64],
    of_event: NDArray[np.intp],
    times: NDArray[np.int64],
    customers: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the newest event of each row's customer before `at`, -1 for none, and the first from it on."""
    order = np.lexsort((times, of_event))
    of_event, times = of_event[order], times[order]
    bounds = np.searchsorted(of_event, np.arange(customers + 1))
    before = np.full(len(at), -1, dtype=np.int64)
    after = np.full(len(at), np.iinfo(np.int64).max, dtype=np.int64)
    by_customer = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[by_customer], np.arange(customers + 1))
    for customer in np.unique(of_row).tolist():
        mine = times[bounds[customer] : bounds[customer + 1]]
        found = by_customer[starts[customer] : starts[customer + 1]]
        place = np.searchsorted(mine, at[found], side="left")
        padded = np.concatenate([[-1], mine, [np.iinfo(np.int64).max]])
        before[found], after[found] = padded[place], padded[place + 1]
    return before, after
