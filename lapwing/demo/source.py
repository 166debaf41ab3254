"""Where the demo's events come from: the simulated shop, or a file."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import polars as pl

from lapwing.demo.outcome import Truth
from lapwing.settings.settings import Settings
from streams.backtest.history import History
from streams.contract.decode import decode_lines
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.refusal import stragglers
from streams.errors import DemoError
from streams.files.events import SUFFIXES, line_blocks
from streams.simulate.records import Records, records_of
from streams.simulate.shop import Shop

ROWS: Final = 8_000
"""Events made ready at a time: few enough that the display does not wait for them."""

Orders = dict[str, list[int]]
"""Each customer's times of placed orders, ascending, microseconds since the epoch."""


def until(orders: Orders, end: int) -> Orders:
    """Return the orders up to `end`."""
    return {customer: times[: bisect_right(times, end)] for customer, times in orders.items()}


class EventSource(Protocol):
    """Events in event-time order."""

    @property
    def title(self) -> str:
        """What the events are, in a few words."""

    @property
    def days(self) -> float:
        """How long a time the events span."""

    def parts(self) -> Iterator[Records]:
        """Yield all events."""


@dataclass
class ShopSource:
    """The simulated shop; its records are made as they are needed."""

    shop: Shop
    orders: Orders = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the events are, in a few words."""
        return f"a simulated shop of {self.shop.customers:,} customers, seed {self.shop.seed}"

    @property
    def days(self) -> float:
        """How long a time the events span."""
        return self.shop.days

    def parts(self) -> Iterator[Records]:
        """Yield all events and note their orders."""
        for frame in self.shop.frames(ROWS):
            placed = frame.filter((pl.col("type") == "order") & (pl.col("status") == "placed"))
            times = placed["occurred_at"].dt.timestamp("us")
            for customer, at in zip(placed["customer_id"], times, strict=True):
                self.orders.setdefault(customer, []).append(at)
            yield records_of(frame)

    def truth(self) -> dict[str, Truth]:
        """Return what is true of each customer."""
        rows = self.shop.truth().with_columns(pl.col("leaving_from", "left_at").dt.timestamp("us"))
        return {
            row["customer_id"]: Truth(row["kind"], row["leaving_from"], row["left_at"])
            for row in rows.iter_rows(named=True)
        }


class FileSource:
    """The events of a file, each as its own bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines, self._batch, self.refused = _read(path)
        if not len(self._batch):
            msg = f"{path}: holds no events"
            raise DemoError(msg)

    @property
    def title(self) -> str:
        """What the events are, in a few words."""
        customers = len(set(self._batch.customer_id.tolist()))
        return f"{self._path.name}, {customers:,} customers"

    @property
    def days(self) -> float:
        """How long a time the events span."""
        return float(self._batch.at[-1] - self._batch.at[0]) / DAY

    def history(self, end: int, settings: Settings) -> History:
        """Return what happened up to `end`."""
        return History.of(self._batch, settings.repeat_window, end, currency=settings.currency)

    def parts(self) -> Iterator[Records]:
        """Yield all events."""
        batch = self._batch
        for begin in range(0, len(batch), ROWS):
            rows = slice(begin, begin + ROWS)
            keys = [customer.encode() for customer in batch.customer_id[rows]]
            yield Records(batch.topic[rows], batch.at[rows], keys, self._lines[rows])


def _read(path: Path) -> tuple[list[bytes], Batch, int]:
    """Return a file's events in order, as bytes and as columns, and how many lines are none."""
    suffix = next((s for s in SUFFIXES if path.name.endswith(s)), None)
    if suffix is None:
        msg = f"{path}: not an event file, its name should end in one of {', '.join(SUFFIXES)}"
        raise DemoError(msg)
    latest_us = time.time_ns() // 1000
    kept: list[bytes] = []
    batches: list[Batch] = []
    refused, first = 0, ""
    for number, lines, _ in line_blocks(path, suffix):
        decoded = decode_lines(lines, latest_us=latest_us)
        kept.extend(lines[i] for i in decoded.index.tolist())
        batches.append(decoded.batch)
        bad = [r for r in decoded.refused if lines[r.index].strip()]
        if bad and not refused:
            first = f"line {number + bad[0].index}: {bad[0].detail}"
        refused += len(bad)
    if refused and not kept:
        msg = f"{path}: not an event file: {first}"
        raise DemoError(msg)
    batch = Batch.concat(batches)
    early = stragglers(batch.topic, batch.at)
    order = batch.order()
    order = order[~np.isin(order, early)]
    return [kept[i] for i in order.tolist()], batch.take(order), refused + len(early)
