"""Customers as they are at given instants: what features are computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import NEVER
from streams.core.events.topics import Topic
from streams.core.features.customers import MEASURES, TOTALS, Customers, DayLog

Quiet = Mapping[Topic, NDArray[np.bool_] | bool]
"""Whether each guarded topic is quiet, at every row alike or (n,) row by row."""
Newest = Callable[[Topic], NDArray[np.int64] | int]
"""Topic -> its newest event time of anyone in the partition, at every row alike or (n,) row by row."""


class View:
    """(n,) customers, each at an instant, and the value of any state column there.

    Quiet topics are given as a mask each; a feature that reads a quiet topic is missing in those rows.
    """

    def __init__(
        self,
        customers: Customers,
        rows: NDArray[np.int32],
        at: NDArray[np.int64],
        quiet: Quiet | None = None,
        newest: Newest | None = None,
    ) -> None:
        self.customers = customers
        self.rows = rows
        """(n,) index of each row's customer."""
        self.at = at
        """(n,) the instant each row is judged at."""
        self.quiet = quiet or {}
        self.any_quiet = {topic: mask for topic, mask in self.quiet.items() if np.any(mask)}
        """The topics that are quiet at some row."""
        self._newest = newest

    def __len__(self) -> int:
        return len(self.at)

    def column(self, name: str) -> NDArray[Any]:
        """Return the state column `name` at each row, (n,)."""
        values: NDArray[Any] = self.customers.state[name][self.rows]
        return values

    def values(self, name: str, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Return the state column `name` at the (k,) positions of rows alone."""
        found: NDArray[Any] = self.customers.state[name][self.rows[positions]]
        return found

    def by_day(self, measure: str, positions: NDArray[np.int64], days: int) -> NDArray[np.int64]:
        """Return a measure's sums on each of the last days, (k, days) by age, at (k,) positions of rows."""
        log, owners, today = self.customers.logs[measure], self.rows[positions], self.customers.day
        sums = np.zeros((len(positions), days), dtype=np.int64)
        for age in range(days):
            cells = log.cells(today - age)
            if cells is not None:
                place = np.minimum(np.searchsorted(cells[0], owners), len(cells[0]) - 1)
                sums[:, age] = np.where(cells[0][place] == owners, cells[1][place], 0)
        for age, amounts in self._additions(measure, positions):
            if 0 <= age < days:
                sums[:, age] += amounts
        return sums

    def _additions(self, measure: str, positions: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
        """Return what the view's own events add to a measure up to the (k,) rows at positions, by age."""
        return []

    def newest(self, topic: Topic) -> NDArray[np.int64]:
        """Return the newest event time of a topic, of anyone in the partition, at each row, (n,)."""
        found = NEVER if self._newest is None else self._newest(topic)
        return np.broadcast_to(np.asarray(found, dtype=np.int64), (len(self),))


class Sweep(View):
    """Every customer seen so far at one instant."""

    def __init__(
        self, customers: Customers, at: int, quiet: Quiet | None = None, newest: Newest | None = None
    ) -> None:
        rows = np.arange(customers.count, dtype=np.int32)
        super().__init__(customers, rows, np.full(len(rows), at, dtype=np.int64), quiet, newest)

    def column(self, name: str) -> NDArray[Any]:
        """Return the state column `name` of every customer, (n,), without a copy."""
        return self.customers.state[name][: len(self.rows)]


class Pass(View):
    """Events of one local day, sorted by customer and, within one, in the order they are to be taken.

    `column` gives the values *after* each event; `commit` makes the last of each customer the state.
    `day` is the local day of each event and differs from the partition's own only where it is late.
    """

    def __init__(
        self,
        customers: Customers,
        rows: NDArray[np.int32],
        at: NDArray[np.int64],
        occurred: NDArray[np.int64],
        day: NDArray[np.int64] | None,
        quiet: Quiet | None = None,
        newest: Newest | None = None,
    ) -> None:
        super().__init__(customers, rows, at, quiet, newest)
        n = len(rows)
        self.occurred = occurred
        first = np.ones(n, dtype=np.bool_)
        first[1:] = rows[1:] != rows[:-1]
        starts = np.flatnonzero(first)
        self.first = starts
        """Position of each customer's first row."""
        self.last = np.append(starts[1:], n) - 1
        """Position of each customer's last row."""
        self.start = np.repeat(starts, self.last - starts + 1)
        """(n,) position of the first row of the row's customer."""
        self.age = None if day is None else customers.day - day
        self._deltas: dict[str, NDArray[np.int64]] = {}
        self._sums: dict[str, NDArray[np.int64]] = {}
        self._extremes: dict[str, NDArray[Any]] = {}

    # -- what the events change -------------------------------------------------------------------

    def add(self, measure: str, amounts: NDArray[np.int64]) -> None:
        """Add (n,) `amounts` to a measure on each event's own day."""
        if not amounts.any():
            return
        self._deltas[measure] = amounts

    def raise_to(self, name: str, mask: NDArray[np.bool_], values: NDArray[Any]) -> None:
        """Let column `name` be no less than `values` from each masked row on."""
        if mask.any():
            base = self.customers.state[name]
            floor = np.where(mask, values, np.iinfo(base.dtype).min).astype(base.dtype)
            self._extremes[name] = np.maximum(base[self.rows], self.running_max(floor))

    def lower_to(self, name: str, mask: NDArray[np.bool_], values: NDArray[Any]) -> None:
        """Let column `name` be no more than `values` from each masked row on."""
        if mask.any():
            base = self.customers.state[name]
            ceiling = np.where(mask, values, np.iinfo(base.dtype).max).astype(base.dtype)
            self._extremes[name] = np.minimum(base[self.rows], -self.running_max(-ceiling))

    def count_up(self, name: str, mask: NDArray[np.bool_]) -> None:
        """Let column `name` grow by one at each masked row."""
        if mask.any():
            base = self.customers.state[name][self.rows]
            self._extremes[name] = base + self.running_sum(mask.astype(base.dtype))

    def replace(self, name: str, mask: NDArray[np.bool_], values: NDArray[Any]) -> None:
        """Let column `name` be `values` from each masked row on, until the next one."""
        if mask.any():
            self.replace_all(mask, {name: values})

    def replace_all(self, mask: NDArray[np.bool_], columns: Mapping[str, NDArray[Any]]) -> None:
        """Let each column be its (n,) values from each masked row on, until the next one."""
        newest = self.running_max(np.where(mask, np.arange(len(mask)), -1))
        known = newest >= 0
        for name, values in columns.items():
            base = self.column(name)
            self._extremes[name] = np.where(known, values[newest], base).astype(base.dtype)

    # -- running values within a customer ---------------------------------------------------------

    def running_sum(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of each customer's values up to each row, (n,)."""
        total: NDArray[Any] = np.cumsum(values)
        total -= total[self.start] - values[self.start]
        return total

    def running_max(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the greatest of each customer's values up to each row, (n,)."""
        result = values.copy()
        position = np.arange(len(values))
        step = 1
        longest = int((self.last - self.first).max()) if len(values) else 0
        while step <= longest:
            # Doubling: after each turn a row knows the greatest of the 2 * step rows up to it.
            inside = position[step:] - step >= self.start[step:]
            shifted = np.where(inside, result[:-step], result[step:])
            result[step:] = np.maximum(result[step:], shifted)
            step *= 2
        return result

    # -- reading ----------------------------------------------------------------------------------

    @cached_property
    def _places(self) -> dict[str, tuple[str, int, int]]:
        """State column -> its measure and the ages it sums; the oldest age of a total is without bound."""
        places = {}
        for measure, windows in MEASURES.items():
            for window in windows:
                places[f"{measure}_{window.name}"] = (measure, window.youngest, window.oldest)
        for measure in TOTALS:
            places[f"{measure}_total"] = (measure, 0, int(np.iinfo(np.int32).max))
        return places

    def _sum(self, measure: str, youngest: int, oldest: int) -> NDArray[np.int64] | None:
        """Return what this pass has added to the ages of a window up to each row, or `None` for nothing."""
        deltas = self._deltas.get(measure)
        if deltas is None or (self.age is None and youngest):
            return None
        if self.age is None:
            if measure not in self._sums:
                self._sums[measure] = self.running_sum(deltas)
            return self._sums[measure]
        return self.running_sum(np.where((self.age >= youngest) & (self.age <= oldest), deltas, 0))

    def column(self, name: str) -> NDArray[Any]:
        """Return the state column `name` after each event, (n,)."""
        if name in self._extremes:
            return self._extremes[name]
        base: NDArray[Any] = self.customers.state[name][self.rows]
        place = self._places.get(name)
        added = self._sum(*place) if place else None
        return base if added is None else base + added

    def values(self, name: str, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Return the state column `name` after the events at the (k,) positions alone."""
        if name in self._extremes:
            return self._extremes[name][positions]
        base = super().values(name, positions)
        place = self._places.get(name)
        added = self._sum(*place) if place else None
        return base if added is None else base + added[positions]

    def _additions(self, measure: str, positions: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
        """Return what the events add to a measure up to the (k,) rows at positions, by the age of the day."""
        deltas = self._deltas.get(measure)
        if deltas is None:
            return []
        if self.age is None:
            return [(0, self.running_sum(deltas)[positions])]
        ages = np.unique(self.age[np.flatnonzero(deltas)]).tolist()
        return [(age, self.running_sum(np.where(self.age == age, deltas, 0))[positions]) for age in ages]

    # -- ending -----------------------------------------------------------------------------------

    def commit(self) -> None:
        """Make the values after each customer's last event the customer's state."""
        state, last = self.customers.state, self.last
        rows = self.rows[last]
        for name, values in self._extremes.items():
            state[name][rows] = values[last]
        for name, place in self._places.items():
            added = self._sum(*place)
            if added is not None:
                state[name][rows] += added[last].astype(state[name].dtype)
        for measure, deltas in self._deltas.items():
            self._log(self.customers.logs[measure], deltas)

    def _log(self, log: DayLog, deltas: NDArray[np.int64]) -> None:
        today = self.customers.day
        changed = np.flatnonzero(deltas)
        if self.age is None:
            log.add(today, self.rows[changed], deltas[changed])
            return
        ages = self.age[changed]
        for age in np.unique(ages).tolist():
            if 0 <= age < 90:
                of_day = changed[ages == age]
                log.add(today - age, self.rows[of_day], deltas[of_day])


def since(at: NDArray[np.int64], instant: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the fractional days of 24 hours from `instant` to `at`, NaN where it is `NEVER`, (n,)."""
    days: NDArray[np.float64] = (at - instant) / 86_400e6
    np.putmask(days, instant == NEVER, np.nan)
    return days
