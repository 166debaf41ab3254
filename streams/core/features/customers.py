"""The customers of one partition: their state as columns, and the days behind the windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.decision.value import ValueModel, ValueTerms
from streams.core.events.calendar import ALWAYS, DAY, NEVER
from streams.core.events.dedup import hash_strings
from streams.core.events.topics import Topic
from streams.core.features import day_bits
from streams.core.features.buying_model import BuyingModel
from streams.core.features.complaints import CustomerComplaints, Rows
from streams.core.features.ranks import ScoreRanks
from streams.core.features.renumbering import Renumbering
from streams.core.features.vocabulary import CURRENCY, MOST_WORDS, Vocabulary

KEPT_DAYS: Final = 90
"""Local days that the state holds; an older event counts in the lifetime totals only."""


@dataclass(frozen=True, slots=True)
class DayWindow:
    """Days by their age: today's is 0."""

    name: str
    youngest: int
    oldest: int


W7 = DayWindow("7d", 0, 6)
W30 = DayWindow("30d", 0, 29)
W90 = DayWindow("90d", 0, 89)
PREV30 = DayWindow("prev_30d", 30, 59)

MEASURES: Final[dict[str, tuple[DayWindow, ...]]] = {
    "orders": (W7, W30, W90, PREV30),
    "spend": (W7, W30, W90, PREV30),
    "logins": (W7, W30, W90, PREV30),
    "complaints": (W30, W90, PREV30),
    "returns": (W90,),
    "first_answers": (W90,),
    "answer_time": (W90,),
    "solutions": (W90,),
    "solution_time": (W90,),
    "ratings": (W90,),
    "rating_sum": (W90,),
    "answers": (W30, W90, PREV30),
    "answer_sum": (W30, W90, PREV30),
}
"""What is summed by day, and over which windows."""

WIDE: Final = frozenset({"spend", "answer_sum", "answer_time", "solution_time"})
"""Measures in millionths or microseconds; the others are counts."""

TOTALS: Final = ("orders", "spend", "logins", "complaints")
"""Measures that are also summed over the whole history."""

ATTRIBUTES: Final = ("customer_class", "segment", "region", "origin")
"""Profile fields that customers are grouped by."""
PROFILE_WORDS: Final = (*ATTRIBUTES, "account_owner")
"""Profile fields kept as codes of `Customers.words`; code 0 is missing."""

CHANNEL: Final = "channel"
CATEGORY: Final = "category"
"""A field of orders, of which segments are counted."""
WORD_COLUMNS: Final = (*PROFILE_WORDS, CHANNEL, CURRENCY)
"""The state columns that are codes of words."""

UNANSWERED: Final = {"complaint_without_order": "last_order", "complaint_without_login": "last_login"}
"""When the first complaint was that no such event has followed, and the column of the newest such event."""


NO_DAY: Final = int(np.iinfo(np.int32).min)
"""The newest day of a thing that never happened."""

LAST_OF: Final = {Topic.ORDERS: "last_order", Topic.LOGINS: "last_login"}
"""The topics that may count as activity, and the column of the newest event of each."""


def _schema() -> dict[str, tuple[Any, Any]]:
    columns: dict[str, tuple[Any, Any]] = {}
    for measure, windows in MEASURES.items():
        for window in windows:
            columns[f"{measure}_{window.name}"] = (np.int64 if measure in WIDE else np.int32, 0)
    for measure in TOTALS:
        columns[f"{measure}_total"] = (np.int64 if measure in WIDE else np.int32, 0)
    for name in ("last_order", "last_login", "last_complaint", "closed_at", "profile_at", *UNANSWERED):
        columns[name] = (np.int64, NEVER)
    columns["first_at"] = (np.int64, ALWAYS)
    for thing in ("order", "activity"):
        columns[f"{thing}_days"] = (np.int32, 0)
        columns[f"first_{thing}_day"] = (np.int32, np.iinfo(np.int32).max)
        columns[f"last_{thing}_day"] = (np.int32, NO_DAY)
    columns["order_gap_squares"] = (np.int64, 0)
    columns["last_gap"] = (np.int32, 0)
    columns["older_order_day"] = (np.int32, NO_DAY)
    for name in day_bits.WORDS:
        columns[name] = (np.uint64, 0)
    columns["open_complaints"] = (np.int32, 0)
    columns["oldest_complaint"] = (np.int64, ALWAYS)
    for name in PROFILE_WORDS:
        columns[name] = (np.int32, 0)
    columns[CHANNEL] = (np.int32, 0)
    columns["contract_ends_at"] = (np.int64, NEVER)
    columns["do_not_contact"] = (np.bool_, False)
    columns[CURRENCY] = (np.int32, 0)
    columns["turnover"] = (np.int64, 0)
    columns["last_event"] = (np.int64, NEVER)
    return columns


SCHEMA: Final = _schema()
"""Name of each state column, its dtype and the value of a customer who has done nothing."""


class DayLog:
    """One measure's sums by local day and customer, for the days that the state holds.

    It is what a window forgets when a day leaves it; only customers who did something have a cell.
    """

    def __init__(self) -> None:
        self._days: dict[int, list[tuple[NDArray[np.int32], NDArray[np.int64]]]] = {}
        self._unsummed: set[int] = set()

    def add(self, day: int, customers: NDArray[np.int32], amounts: NDArray[np.int64]) -> None:
        """Add (k,) `amounts` of (k,) `customers` to `day`."""
        self._days.setdefault(day, []).append((customers, amounts))
        self._unsummed.add(day)

    def cells(self, day: int) -> tuple[NDArray[np.int32], NDArray[np.int64]] | None:
        """Return the day's customers, each once, and their sums; `None` for a day without any."""
        chunks = self._days.get(day)
        if not chunks:
            return None
        if day in self._unsummed:
            self._unsummed.discard(day)
            customers = np.concatenate([c for c, _ in chunks])
            amounts = np.concatenate([a for _, a in chunks])
            unique, inverse = np.unique(customers, return_inverse=True)
            sums = np.zeros(len(unique), dtype=np.int64)
            np.add.at(sums, inverse, amounts)
            chunks[:] = [(unique, sums)]
        return chunks[0]

    def has(self, day: int, customer: int) -> bool:
        """Say whether the customer has a cell on that day."""
        return any(bool((customers == customer).any()) for customers, _ in self._days.get(day, ()))

    def has_each(self, day: int, customers: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Say of each of (k,) customers whether it has a cell on that day."""
        found = np.zeros(len(customers), dtype=np.bool_)
        for known, _ in self._days.get(day, ()):
            place = np.searchsorted(known, customers)  # chunks are sorted by customer, as a pass is
            found |= known[np.minimum(place, len(known) - 1)] == customers
        return found

    def renumber(self, to: Renumbering) -> None:
        """Go on without the cells of customers who leave, and with the new rows of the others."""
        first = to.first_gone
        for day, chunks in list(self._days.items()):
            moved = []
            for customers, amounts in chunks:
                if len(customers) and customers[-1] >= first:
                    stay = to.mask(customers)
                    moved.append((to.place[customers[stay]], amounts[stay]))
                else:
                    moved.append((customers, amounts))
            chunks[:] = [chunk for chunk in moved if len(chunk[0])]
            if not chunks:
                del self._days[day]
                self._unsummed.discard(day)

    def drop_before(self, day: int) -> None:
        """Forget the days before `day`."""
        for old in [d for d in self._days if d < day]:
            del self._days[old]
            self._unsummed.discard(old)

    def items(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
        """Yield every kept day with its customers and their sums."""
        for day in sorted(self._days):
            cells = self.cells(day)
            if cells is not None:
                yield day, *cells


def _no_names() -> pl.Series:
    return pl.Series("names", [], dtype=pl.Categorical(pl.Categories.random("customers")))


class Customers:
    """State of the `c` customers of a partition, a column for each thing known of them.

    `state[name]` is a (capacity,) array of `SCHEMA[name]`; the first `known` rows have an id, and of
    these the first `count` have had their first event by now.
    """

    def __init__(
        self,
        activity: tuple[Topic, ...] = (Topic.ORDERS,),
        value_terms: ValueTerms | None = None,
        horizon_us: int = 90 * DAY,
        max_words: int = MOST_WORDS,
    ) -> None:
        self.activity = activity
        """What counts as activity."""
        self.horizon_us = horizon_us
        """After so long without activity a customer has churned."""
        self.buying: BuyingModel | None = None
        """The buying model in force."""
        self.value_terms = value_terms or ValueTerms()
        self.value_model: ValueModel | None = None
        """What values are computed from; `None` before the first fit."""
        self.ranks: ScoreRanks | None = None
        """The probabilities of the last sweep."""
        self.ids: list[str] = []
        self.count = 0
        self.day = NEVER
        """The local day up to which windows reach."""
        self.state: dict[str, NDArray[Any]] = {
            name: np.full(1024, neutral, dtype=dtype) for name, (dtype, neutral) in SCHEMA.items()
        }
        self.hashes = np.zeros(1024, dtype=np.uint64)
        """(capacity,) a hash of each id that is the same in every process."""
        self.books: dict[int, CustomerComplaints] = {}
        """The complaints of the customers that had any."""
        self._book_rows: dict[int, Rows] = {}
        self._used_books: set[int] = set()
        self.logs = {measure: DayLog() for measure in MEASURES}
        self.names_channels = False
        """Whether any order has named a channel."""
        self.vocabulary = Vocabulary(max_words)
        # Polars finds ids among a million three times as fast as a dict does. It forgets its categories when
        # no column has them: hence the column, of no rows.
        self._names = _no_names()
        self._numbers = np.full(1024, -1, dtype=np.int32)
        """The index of each id, by its code among `_names`."""
        self._names_used = 0
        """The codes that `_names` has given, those of customers who left included."""

    @property
    def names_used(self) -> int:
        """How many ids are kept, those of customers who left included."""
        return self._names_used

    @property
    def known(self) -> int:
        """Customers that have an index."""
        return len(self.ids)

    def index(self, customer_ids: NDArray[np.object_]) -> NDArray[np.int32]:
        """Return the index of each id, (n,), giving new ones the next numbers in order of appearance."""
        codes = self._name_codes(customer_ids.tolist())
        highest = int(codes.max(initial=0))
        if highest >= len(self._numbers):
            added = np.full(max(highest + 1, len(self._numbers)), -1, dtype=np.int32)
            self._numbers = np.concatenate([self._numbers, added])
        found: NDArray[np.int32] = self._numbers[codes]
        first = len(self.ids)
        for row in np.flatnonzero(found < 0).tolist():
            if self._numbers[codes[row]] < 0:
                self._numbers[codes[row]] = len(self.ids)
                self.ids.append(customer_ids[row])
            found[row] = self._numbers[codes[row]]
        if len(self.ids) > first:
            self._grow(len(self.ids))
            self.hashes[first : len(self.ids)] = hash_strings(self.ids[first:])
        return found

    def find(self, customer_ids: NDArray[np.object_]) -> NDArray[np.int32]:
        """Return the index of each id, (n,), -1 for one that has none."""
        codes = self._name_codes(customer_ids.tolist())
        found = np.full(len(codes), -1, dtype=np.int32)
        known = codes < len(self._numbers)
        found[known] = self._numbers[codes[known]]
        return found

    def _name_codes(self, ids: list[str]) -> NDArray[np.uint32]:
        names = pl.Series(ids, dtype=pl.String)
        codes: NDArray[np.uint32] = names.cast(self._names.dtype).to_physical().to_numpy()
        self._names_used = max(self._names_used, int(codes.max(initial=0)) + 1)
        return codes

    def note_events(self, rows: NDArray[np.int32], instant: NDArray[np.int64]) -> None:
        """Note when the newest event of each customer was taken, of (n,) events in order of time."""
        self.state["last_event"][rows] = instant

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        for name, (_, neutral) in SCHEMA.items():
            self.state[name] = to.column(self.state[name], neutral)
        self.hashes = to.column(self.hashes, 0)
        self.ids = list(compress(self.ids, to.stays.tolist()))
        self.count = int(np.count_nonzero(to.stays[: self.count]))
        self.books = to.by_customer(self.books)
        self._book_rows, self._used_books = {}, set(self.books)
        for log in self.logs.values():
            log.renumber(to)
        if self._names_used > 2 * len(self.ids) + 128:
            # Names of customers who left are most of them.
            self._names, self._names_used = _no_names(), 0
            codes = self._name_codes(self.ids)
            self._numbers = np.full(max(1024, self._names_used), -1, dtype=np.int32)
            self._numbers[codes] = np.arange(len(self.ids), dtype=np.int32)
        else:
            place = np.append(np.where(to.stays, to.place, -1), -1).astype(np.int32)
            self._numbers = place[self._numbers]

    def last_activity(self) -> NDArray[np.int64]:
        """Return the time of each customer's last activity, (c,), `NEVER` where there was none."""
        columns = [self.state[LAST_OF[topic]][: self.count] for topic in self.activity]
        return columns[0] if len(columns) == 1 else np.maximum(*columns)

    def use_ranks(self, ranks: ScoreRanks | None) -> None:
        """Compare probabilities with these from now on."""
        self.ranks = ranks

    def use_buying(self, model: BuyingModel) -> None:
        """Go on with this buying model."""
        self.buying = model

    def use_value_model(self, model: ValueModel) -> None:
        """Compute values from this from now on."""
        self.value_model = model

    def appear(self, rows: NDArray[np.int32]) -> None:
        """Let the customers of (k,) rows have had their first event by now."""
        self.count = max(self.count, int(rows.max()) + 1)

    def fix_currencies(self, codes: Mapping[int, int]) -> None:
        """Let customers have a currency, each a code of `words`."""
        self.state["currency"][list(codes)] = list(codes.values())

    def restore(
        self, ids: NDArray[np.object_], columns: Mapping[str, NDArray[Any]], once: Mapping[str, Any]
    ) -> None:
        """Go on from the ids and state columns, (k,) each, of customers, and from `once`."""
        self.index(ids)
        for name, values in columns.items():
            self.state[name][: len(ids)] = values
        self.names_channels = bool(self.state["channel"].any())
        self.count, self.day = once["count"], once["day"]
        self.vocabulary.restore(once["words"], once.get("word_fields", {}))
        if "word_fields" not in once:  # a state of before fields had a bound
            for name in WORD_COLUMNS:
                self.vocabulary.know(name, self.state[name][: len(ids)])

    def once(self) -> dict[str, Any]:
        """Return what there is once of all customers, for `restore`."""
        words = self.vocabulary.state()
        return {
            "count": self.count,
            "day": self.day,
            "words": words["words"],
            "word_fields": words["fields"],
        }

    def book(self, customer: int) -> CustomerComplaints:
        """Return the complaints of a customer, to be changed."""
        self._used_books.add(customer)
        book = self.books.get(customer)
        if book is None:
            book = self.books[customer] = CustomerComplaints()
        return book

    def book_rows(self) -> list[Rows]:
        """Return the rows of every book; those of books not used since the last call are at hand."""
        for customer in self._used_books:
            self._book_rows[customer] = self.books[customer].rows(customer)
        self._used_books.clear()
        return list(self._book_rows.values())

    @property
    def words(self) -> list[str | None]:
        """The words of profiles and orders by code."""
        return self.vocabulary.words

    def code(self, field: str, word: str | None) -> int:
        """Return the code of a field's value."""
        return self.vocabulary.code(field, word)

    def channel_code(self, channel: str | None) -> int:
        """Return the code of a channel that an order names, or of none."""
        self.names_channels = self.names_channels or channel is not None
        return self.code(CHANNEL, channel)

    def forget_words(self, others: Mapping[str, NDArray[np.int32]]) -> NDArray[np.int32] | None:
        """Forget the words that nobody uses, as far as room is short; to be called at local midnights.

        `others` are more codes in use, by field. Return the new code of each old one, (words,), where codes
        have changed; those of the customers have been changed then.
        """
        vocabulary = self.vocabulary
        for field in (*PROFILE_WORDS, CHANNEL, CATEGORY):
            if vocabulary.is_filling(field):
                used = np.zeros(len(vocabulary.words), dtype=np.bool_)
                if field in self.state:
                    used[self.state[field][: self.known]] = True
                if field in others:
                    used[others[field]] = True
                vocabulary.keep_used(field, used)
        new = vocabulary.packed()
        if new is not None:
            for name in WORD_COLUMNS:
                self.state[name] = new[self.state[name]]
        return new

    def _grow(self, needed: int) -> None:
        capacity = len(self.state["first_at"])
        if needed <= capacity:
            return
        larger = max(needed, capacity * 2)
        for name, (dtype, neutral) in SCHEMA.items():
            column = np.full(larger, neutral, dtype=dtype)
            column[:capacity] = self.state[name]
            self.state[name] = column
        hashes = np.zeros(larger, dtype=np.uint64)
        hashes[:capacity] = self.hashes
        self.hashes = hashes

    def begin(self, day: int) -> None:
        """Set the first day."""
        self.day = day

    def next_day(self) -> None:
        """Let the windows reach one day further: what is too old leaves them, what has aged enters."""
        self.day += 1
        for measure, windows in MEASURES.items():
            log = self.logs[measure]
            for window in windows:
                column = self.state[f"{measure}_{window.name}"]
                leaving = log.cells(self.day - window.oldest - 1)
                if leaving is not None:
                    column[leaving[0]] -= leaving[1].astype(column.dtype)
                if window.youngest:
                    entering = log.cells(self.day - window.youngest)
                    if entering is not None:
                        column[entering[0]] += entering[1].astype(column.dtype)
            log.drop_before(self.day - KEPT_DAYS + 1)
        forgotten = day_bits.next_day([self.state[name][: self.count] for name in day_bits.WORDS])
        self.state["older_order_day"][forgotten] = self.day - day_bits.DAYS
