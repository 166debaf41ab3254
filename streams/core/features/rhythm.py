"""The rhythm of orders and of activity: on which days there were any, and the gaps between them.

What the buying model knows of customers is made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.events.topics import Topic
from streams.core.features import day_bits
from streams.core.features.buying_model import FEWEST_HISTORIES, MOST_HISTORIES, BuyingModel, Histories, fit
from streams.core.features.customers import NO_DAY, DayLog
from streams.core.features.view import Pass, View

GAPS: Final = ("order_gap_squares", "last_gap", "older_order_day", *day_bits.WORDS)
"""State columns of the gaps between order days."""


def new_days(
    view: Pass, active: NDArray[np.bool_], day: NDArray[np.int64], last_day: str, logs: Sequence[DayLog]
) -> NDArray[np.bool_]:
    """Say of each row whether it is the customer's first one of the `active` on its local day, (n,).

    `day` (n,) is the local day of each row, `last_day` the column of the newest such day, and `logs` know the
    days that the state holds.
    """
    today = view.customers.day
    todays = active & (day == today)
    ordinal = view.running_sum(todays.astype(np.int64))
    new: NDArray[np.bool_] = todays & (ordinal == 1) & (view.column(last_day) != today)
    if view.age is None:
        return new
    seen: set[tuple[int, int]] = set()
    for row in np.flatnonzero(active & (day != today)).tolist():
        key = (int(view.rows[row]), int(day[row]))
        new[row] = key not in seen and not any(log.has(key[1], key[0]) for log in logs)
        seen.add(key)
    return new


def count_days(view: Pass, new: NDArray[np.bool_], day: NDArray[np.int64], thing: str) -> None:
    """Count the `new` days of a thing, and keep the first and the last."""
    view.count_up(f"{thing}_days", new)
    view.raise_to(f"last_{thing}_day", new, day)
    view.lower_to(f"first_{thing}_day", new, day)


def follow_gaps(view: Pass, new: NDArray[np.bool_], day: NDArray[np.int64]) -> None:
    """Bring the columns of `GAPS` forward over `new` order days, before the last order day is moved."""
    if not new.any():
        return
    today = view.customers.day
    base = {name: view.column(name) for name in GAPS}
    last = view.column("last_order_day").astype(np.int64)
    gap = np.where(last == NO_DAY, 0, today - last)
    values: dict[str, NDArray[Any]] = {
        "order_gap_squares": base["order_gap_squares"] + gap * gap,
        "last_gap": gap,
        "older_order_day": base["older_order_day"].copy(),
        day_bits.WORDS[0]: base[day_bits.WORDS[0]] | np.uint64(1),
        **{name: base[name].copy() for name in day_bits.WORDS[1:]},
    }
    late = np.unique(view.rows[new & (day != today)])
    if len(late):
        _walk(view, np.flatnonzero(new & np.isin(view.rows, late)), today - day, base, values)
    view.replace_all(new, values)


def _walk(
    view: Pass,
    rows: NDArray[np.int64],
    age: NDArray[np.int64],
    base: dict[str, NDArray[Any]],
    values: dict[str, NDArray[Any]],
) -> None:
    """Take the new order days of customers with late ones one by one: a late day divides a gap."""
    today, known = view.customers.day, (-1, 0, 0, 0)
    for row in rows.tolist():
        customer, place = int(view.rows[row]), int(age[row])
        if customer != known[0]:
            bits = day_bits.as_number([base[name][row] for name in day_bits.WORDS])
            known = (customer, bits, int(base["order_gap_squares"][row]), int(base["last_gap"][row]))
        _, bits, squares, _ = known
        older_day = int(base["older_order_day"][row])
        forgotten = None if older_day == NO_DAY else today - older_day
        before = _lowest(bits >> (place + 1))
        older = forgotten if before is None else before + place + 1
        younger = (bits & ((1 << place) - 1)).bit_length() - 1
        if older is not None:
            squares += (older - place) ** 2
        if younger >= 0:
            squares += (place - younger) ** 2
            if older is not None:
                squares -= (older - younger) ** 2
        bits |= 1 << place
        newest = _lowest(bits) or 0
        second = _lowest(bits >> (newest + 1))
        last = forgotten if second is None else second + newest + 1
        known = (customer, bits, squares, 0 if last is None else last - newest)
        values["order_gap_squares"][row], values["last_gap"][row] = known[2], known[3]
        for name, word in zip(day_bits.WORDS, day_bits.as_words(bits), strict=True):
            values[name][row] = word


def _lowest(bits: int) -> int | None:
    """Return the place of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1 if bits else None


def gap_deviation(view: View) -> NDArray[np.float64]:
    """Return the standard deviation of the gaps between order days, (n,), NaN below three such days."""
    gaps = np.maximum(view.column("order_days").astype(np.int64) - 1, 1)
    span = view.column("last_order_day").astype(np.int64) - view.column("first_order_day")
    variance = view.column("order_gap_squares") / gaps - (span / gaps) ** 2
    return np.where(view.column("order_days") > 2, np.sqrt(np.maximum(variance, 0.0)), np.nan)


def last_gap(view: View) -> NDArray[np.float64]:
    """Return the newest gap between order days, (n,), NaN below two such days."""
    return np.where(view.column("order_days") > 1, view.column("last_gap"), np.nan)


def active_weeks(view: View, count: int) -> NDArray[np.int64]:
    """Return how many of the last `count` blocks of seven local days hold a placed order, (n,)."""
    return day_bits.weeks([view.column(name) for name in day_bits.WORDS], count)


def histories(view: View, thing: str | None = None, positions: NDArray[np.int64] | None = None) -> Histories:
    """Return what the model knows of a view's rows; NaN for a customer who was never active.

    `thing` is `order` or `activity`, by default what the business counts as activity; with `positions` (k,)
    of those rows alone.
    """
    thing = thing or thing_of(view.customers.activity)

    def column(name: str) -> NDArray[Any]:
        return view.column(name) if positions is None else view.values(name, positions)

    days, last = column(f"{thing}_days"), column(f"last_{thing}_day").astype(np.int64)
    first = column(f"first_{thing}_day").astype(np.int64)
    never = days == 0
    columns = (days - 1, last - first, view.customers.day - first)
    return Histories(*(np.where(never, np.nan, column) for column in columns))


def thing_of(activity: tuple[Topic, ...]) -> str:
    """Return the prefix of the columns that count the days of activity."""
    return "order" if activity == (Topic.ORDERS,) else "activity"


def fit_customers(view: View, horizon_days: float, thing: str | None = None) -> BuyingModel | None:
    """Return the model of a view's customers by what `histories` knows, `None` where there are too few."""
    known = histories(view, thing)
    active = np.flatnonzero(~np.isnan(known.x))
    if len(active) < FEWEST_HISTORIES:
        return None
    if len(active) > MOST_HISTORIES:
        hashes = view.customers.hashes[view.rows[active]]
        active = np.sort(active[np.argsort(hashes, kind="stable")[:MOST_HISTORIES]])
    return fit(Histories(known.x[active], known.t_x[active], known.T[active]), horizon_days)


def restored(customers: pl.DataFrame, name: str, day: int) -> pl.Series:
    """Return a column of `GAPS` for customers of a state that was saved before there was such a column.

    The gaps of before count as even, and of the days only the last one is known.
    """
    days, last = pl.col("order_days"), pl.col("last_order_day")
    mean = (last - pl.col("first_order_day")) / pl.max_horizontal(days - 1, 1)
    age = pl.when(days > 0).then(day - last)
    columns = {
        "order_gap_squares": pl.when(days > 1)
        .then((mean * mean * (days - 1)).round())
        .otherwise(0)
        .cast(pl.Int64),
        "last_gap": pl.when(days > 1).then(mean.round()).otherwise(0).cast(pl.Int32),
        "older_order_day": pl.when(age >= day_bits.DAYS).then(last).otherwise(NO_DAY).cast(pl.Int32),
    }
    if name in columns:
        return customers.select(columns[name].alias(name)).to_series()
    word = day_bits.WORDS.index(name)
    ages = customers.select(age.fill_null(-1)).to_series().to_list()
    return pl.Series(
        name,
        [day_bits.as_words(1 << a)[word] if 0 <= a < day_bits.DAYS else 0 for a in ages],
        dtype=pl.UInt64,
    )
