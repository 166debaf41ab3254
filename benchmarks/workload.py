"""The events that everything here is measured with: many customers, a steady pace, no surprises.

Event `i` is the same in every run with the same number of customers, as a row of a `Batch` for the engine
alone and as JSON of about 200 bytes for a broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.events.batch import COLUMNS, Batch, ComplaintStatus, OrderStatus
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic

START: Final = 1_704_067_200_000_000
"""2024-01-01, in microseconds since the epoch."""
ORDERS, COMPLAINTS = 0.40, 0.05
"""Shares of the events; the rest are logins."""
WARM_UP_DAYS: Final = 3
"""Days after which every customer is known and the model, with `MODEL_SETTINGS`, is ready."""
MODEL_SETTINGS: Final = {"horizon": "2d", "decide_every": "1d", "min_positives": "20"}
"""A horizon so short that labels ripen within the run; about 45 in 100 do not order for so long."""
ACTIVE: Final = {"active_within": "90d"}
"""With the model's short horizon nearly half of all customers would lapse each day, and return."""
CHANNELS: Final = ("web", "app", "shop", "phone")
CATEGORIES: Final = ("household", "garden", "clothing", "groceries")
GRIEVANCES: Final = ("product", "service", "price", "delivery")


@dataclass(frozen=True, slots=True)
class Events:
    """`n` events in order of time, as plain columns."""

    number: NDArray[np.int64]
    topic: NDArray[np.int8]
    at: NDArray[np.int64]
    customer: NDArray[np.int64]
    status: NDArray[np.int8]
    cents: NDArray[np.int64]
    satisfaction: NDArray[np.int8]
    """(n,) of a resolved complaint, 0 elsewhere."""

    def __len__(self) -> int:
        return len(self.number)

    def batch(self) -> Batch:
        """Return the events as the engine takes them."""
        n = len(self)
        ids = self._frame().select(pl.exclude("topic", "at", "cents"))
        complaint = self.topic == Topic.COMPLAINTS
        made: dict[str, Any] = {
            "topic": self.topic,
            "at": self.at,
            "customer_id": _objects(ids["customer_id"]),
            "event_id": _objects(ids["event_id"]),
            "status": self.status,
            "amount": np.where(self.topic == Topic.ORDERS, self.cents * 10_000, 0),
            "complaint_id": np.where(
                complaint, _objects(ids["complaint_id"]), np.array(None, dtype=np.object_)
            ),
            "satisfaction": self.satisfaction,
        }
        for name, (dtype, neutral) in COLUMNS.items():
            if name not in made:
                made[name] = np.full(n, neutral, dtype=dtype)
        return Batch(**made)

    def _frame(self) -> pl.DataFrame:
        """Return what the columns say as the words and ids of the contract."""
        number = pl.col("number").cast(pl.String).str.zfill(10)
        frame = pl.DataFrame(
            {
                "number": self.number,
                "topic": self.topic,
                "at": self.at,
                "customer": self.customer,
                "cents": self.cents,
                "satisfaction": self.satisfaction,
                "status": self.status,
            }
        )
        return frame.with_columns(
            customer_id=pl.format("c{}", pl.col("customer").cast(pl.String).str.zfill(8)),
            event_id=pl.format("e{}", number),
            complaint_id=pl.format("k{}", pl.col("customer").cast(pl.String).str.zfill(8)),
        )

    def customer_ids(self) -> list[str]:
        """Return the customer of each event."""
        return self._frame()["customer_id"].to_list()

    def values(self) -> list[bytes]:
        """Return each event as the JSON of the contract."""
        number = pl.col("number")
        frame = self._frame().with_columns(
            head=pl.format(
                '"event_id":"{}","customer_id":"{}","occurred_at":"{}"',
                "event_id",
                "customer_id",
                pl.from_epoch("at", time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
            )
        )
        order = pl.format(
            '{},"order_id":"o{}","amount":{}.{},"currency":"EUR","status":"{}","channel":"{}","category":"{}"',
            "head",
            number.cast(pl.String).str.zfill(10),
            pl.col("cents") // 100,
            (pl.col("cents") % 100).cast(pl.String).str.zfill(2),
            _word("status", [status.name.lower() for status in OrderStatus]),
            _word(number % 4, CHANNELS),
            _word(number // 4 % 4, CATEGORIES),
        )
        login = pl.format(
            '{},"channel":"{}","session":"s{}-{}","agent":"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"',
            "head",
            _word(number % 4, CHANNELS),
            "customer",
            "number",
        )
        rating = pl.when(pl.col("satisfaction") > 0).then(pl.format(',"satisfaction":{}', "satisfaction"))
        complaint = pl.format(
            '{},"complaint_id":"{}","status":"{}","category":"{}"{},"text":"What came was not what I chose"',
            "head",
            "complaint_id",
            _word("status", [status.name.lower() for status in ComplaintStatus]),
            _word(number % 4, GRIEVANCES),
            rating.otherwise(pl.lit("")),
        )
        value = (
            pl.when(pl.col("topic") == Topic.ORDERS)
            .then(order)
            .when(pl.col("topic") == Topic.LOGINS)
            .then(login)
            .otherwise(complaint)
        )
        whole = pl.concat_str(pl.lit("{"), value, pl.lit("}"))
        return frame.select(whole.cast(pl.Binary).alias("value"))["value"].to_list()


@dataclass(frozen=True, slots=True)
class Workload:
    """An endless stream of events, uniform over the customers.

    On the first day comes each customer's first event; up to `warm_up` one a day and customer, then `pace`.
    """

    customers: int
    pace: float = 4.0

    @property
    def warm_up(self) -> int:
        """Return after how many events everybody is known and the model is ready."""
        return self.customers * WARM_UP_DAYS + self.customers // 100

    def part(self, first: int, count: int) -> Events:
        """Return the events from number `first` on."""
        number = np.arange(first, first + count, dtype=np.int64)
        chance, who, what = (_uniform(number, salt) for salt in (1, 2, 3))
        introduction = number * 7_919 % self.customers  # a prime: everybody once, in no order
        customer = np.where(number < self.customers, introduction, (who * self.customers).astype(np.int64))
        topic = np.where(
            chance < ORDERS,
            Topic.ORDERS,
            np.where(chance < ORDERS + COMPLAINTS, Topic.COMPLAINTS, Topic.LOGINS),
        ).astype(np.int8)
        order, complaint = topic == Topic.ORDERS, topic == Topic.COMPLAINTS
        resolved = complaint & (what < 0.5)
        beyond = np.maximum(number - self.warm_up, 0)
        day = (number - beyond * (1 - 1 / self.pace)) / self.customers
        status = np.zeros(count, dtype=np.int8)
        status[order & (what < 0.03)] = OrderStatus.RETURNED
        status[resolved] = ComplaintStatus.RESOLVED
        return Events(
            number=number,
            topic=topic,
            at=START + (day * DAY).astype(np.int64),
            customer=customer,
            status=status,
            cents=np.where(order, 500 + (what * 20_000).astype(np.int64), 0),
            satisfaction=np.where(resolved, 3 + number % 3, 0).astype(np.int8),
        )


def _uniform(number: NDArray[np.int64], salt: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each event, (n,), that depends on nothing else (SplitMix64)."""
    z = number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
        salt * 0xD1B54A32D192ED03 % 2**64
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _word(code: str | pl.Expr, words: tuple[str, ...] | list[str]) -> pl.Expr:
    codes = pl.col(code) if isinstance(code, str) else code
    return codes.replace_strict(dict(enumerate(words)), default=words[0], return_dtype=pl.String)


def _objects(ids: pl.Series) -> NDArray[np.object_]:
    column = np.empty(len(ids), dtype=np.object_)
    column[:] = ids.to_list()
    return column
