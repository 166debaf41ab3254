"""Takes erased customers out of an engine: out of every table of its state, and out of what waits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.outcomes.census import FAMILIES
from streams.core.state_tables import Tables, restore, tables

ROW_FOR_EACH: Final = frozenset({"customers", "customer_status", "sent_scores", "segment_customers"})
"""Tables with one row for each customer, in the order of `customers`."""
OF_NOBODY: Final = frozenset(
    {
        *("engine", "scores", "segments", "erasures"),
        *("census", "census_names", "censuses", "census_cells", "census_expected"),
        # Hashes of event ids. Which of them are a customer's cannot be found; they are forgotten soon.
        "repeats",
    }
)
"""Tables whose rows are not customers'."""


def erase(engine: Engine) -> tuple[Engine, Output]:
    """Carry out the erasures that are pending: return the engine that goes on, and what comes of it.

    To be called after `adopt` wherever an engine was restored. The open warnings of the erased are withdrawn;
    then nothing of them is left but the hash of the id. All else goes on as it would have.
    """
    if not engine.erased.pending:
        return engine, Output()
    gone = engine.erased.find(engine.customers.ids)
    output = engine.withdraw(gone.tolist())
    engine.erased.carried_out(engine.reorder.watermark)
    if len(gone):
        state = tables(engine)
        engine = engine.blank()
        restore(engine, without(state, gone))
    events, instant = engine.reorder.waiting
    erased = engine.erased.among(events, engine.customers)
    if erased is not None and erased.any():
        output.counts.erased = int(np.count_nonzero(erased))
        output.counts.note("erased", events.topic[erased])
        reorder = engine.reorder
        reorder.restore(
            events.take(~erased), instant[~erased], reorder.watermark, reorder.newest, begun=reorder.begun
        )
    return engine, output


def without(state: Mapping[str, pl.DataFrame], gone: NDArray[np.int32]) -> Tables:
    """Return the tables of a state without the customers of these rows; those that follow move up.

    Events that wait are left as they are.
    """
    kept = np.ones(len(state["customers"]), dtype=np.bool_)
    kept[gone] = False
    place = np.cumsum(kept) - 1
    made: Tables = {}
    for name, frame in state.items():
        if name in ROW_FOR_EACH:
            made[name] = frame.filter(kept)
        elif "customer" in frame.columns:
            made[name] = _renumbered(frame, kept, place)
        elif name == "held" or name in OF_NOBODY or not frame.columns:
            made[name] = frame
        else:
            msg = f"how are customers taken out of the table {name}?"
            raise AssertionError(msg)
    once = json.loads(state["engine"]["json"][0])
    once["count"] -= int(np.count_nonzero(gone < once["count"]))
    made["engine"] = pl.DataFrame({"json": [json.dumps(once, sort_keys=True)]})
    if len(state.get("census_expected", ())):
        made["census_expected"] = _expected(state, kept)
    return made


def _renumbered(frame: pl.DataFrame, kept: NDArray[np.bool_], place: NDArray[np.int64]) -> pl.DataFrame:
    """Return the rows of customers who stay, by their new rows; rows of no customer stay too."""
    owners = frame["customer"]
    named = owners.is_not_null().to_numpy()
    rows = owners.fill_null(0).to_numpy()
    chosen = ~named | (kept[rows] if len(kept) else ~named)
    moved = pl.Series("customer", place[rows[chosen]] if len(kept) else rows[chosen]).cast(owners.dtype)
    left = frame.filter(chosen)
    return left.with_columns(moved.zip_with(left["customer"].is_not_null(), left["customer"]))


def _expected(state: Mapping[str, pl.DataFrame], kept: NDArray[np.bool_]) -> pl.DataFrame:
    """Return what was expected of each cell of a census, less what was expected of those who go."""
    expected, members = state["census_expected"], state["census_members"]
    gone = members.filter(~kept[members["customer"].to_numpy()]).filter(pl.col("probability").is_not_nan())
    less: dict[tuple[int, int, int], list[float]] = {}
    for at, combination, probability in gone.select("at", "combination", "probability").iter_rows():
        cells = state["census_cells"].filter(pl.col("at") == at).row(combination, named=True)
        for family, name in enumerate(FAMILIES):
            less.setdefault((at, family, int(cells[name])), []).append(probability)
    rows = []
    for at, family, cell, scored, total in expected.iter_rows():
        taken = less.get((at, int(family), int(cell)), [])
        if scored > len(taken):
            rows.append((at, family, cell, scored - len(taken), total - sum(taken)))
    return pl.DataFrame(rows, schema=expected.schema, orient="row")
