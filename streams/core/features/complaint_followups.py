"""Complaints that nothing has followed: since when a customer has waited, or stayed away, after one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.events.calendar import NEVER
from streams.core.features.customers import UNANSWERED
from streams.core.features.view import Pass


def restored(customers: pl.DataFrame, name: str) -> pl.Series:
    """Return one of the columns for customers of a state that was saved before there was such a column.

    Of the complaints after the newest answer only the last is known by its time, as after a late answer.
    """
    last, answer = pl.col("last_complaint"), pl.col(UNANSWERED[name])
    return customers.select(pl.when(last > answer).then(last).otherwise(NEVER).alias(name)).to_series()


def follow(view: Pass, raised: NDArray[np.bool_], answers: Mapping[str, NDArray[np.bool_]]) -> None:
    """Bring the columns of `UNANSWERED` forward over a pass's events.

    `raised` (n,) are complaints opened or reopened; `answers` holds for each column of newest events the
    (n,) events that move it. An event at the very time of a complaint follows it.
    """
    for name, newest in UNANSWERED.items():
        answered = answers[newest]
        waiting = view.customers.state[name]
        concerned = waiting[view.rows] != NEVER
        if raised.any():
            concerned |= np.isin(view.rows, view.rows[raised])
        rows = np.flatnonzero((raised | answered) & concerned)
        if len(rows):
            _follow_one(view, rows, raised, name, newest)


def _follow_one(
    view: Pass, rows: NDArray[np.int64], raised: NDArray[np.bool_], name: str, newest: str
) -> None:
    """Walk through the few rows that may change one column."""
    since: dict[int, int] = {}
    changed = np.zeros(len(view), dtype=np.bool_)
    values = np.full(len(view), NEVER, dtype=np.int64)
    last_answer, last_complaint = view.column(newest), view.column("last_complaint")
    for row in rows.tolist():
        customer, at = int(view.rows[row]), int(view.occurred[row])
        first = since.get(customer, int(view.customers.state[name][customer]))
        if raised[row]:
            if at > last_answer[row]:
                first = at if first == NEVER else min(first, at)
        elif first != NEVER and first <= at:
            # Of complaints after a late event only the newest is known by its time.
            first = int(last_complaint[row]) if last_complaint[row] > at else NEVER
        since[customer] = values[row] = first
        changed[row] = True
    view.replace(name, changed, values)
