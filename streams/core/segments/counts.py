"""What one partition counts of segments: its days' sums by dimension and value (docs/segments.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import RAISED, LabelsRecord, OrderStatus
from streams.core.events.calendar import NEVER, Calendar
from streams.core.events.topics import Topic
from streams.core.features.apply import OrderedEvents
from streams.core.features.customers import ATTRIBUTES, KEPT_DAYS, Customers, DayLog
from streams.core.features.customers import CATEGORY as ORDER_CATEGORY
from streams.core.features.renumbering import Renumbering

BOUGHT: Final = {"channel": "channel", "order_category": "category"}
"""Dimensions that come from a customer's newest order, and the field of the order."""
CATEGORY: Final = "category"
"""The dimension that comes from a complaint itself."""
DIMENSIONS: Final = (*ATTRIBUTES, *BOUGHT, CATEGORY)
"""What a segment rule may be `by`."""
COUNTS: Final = ("orders", "complaints", "active", "complainers")
"""What is counted of a segment and a day."""

Segment = tuple[str, str]
"""Dimension and value."""
Row = tuple[int, int, int, int]
"""The `COUNTS` of a segment and a day."""


@dataclass(frozen=True, slots=True)
class DaySums:
    """What a partition counted when it ended a local day: that day's sums, and what came late of others."""

    partition: int
    closed: int
    """The local day that ended; all before it have ended too."""
    since: int
    """The first local day of which anything was counted."""
    quiet: tuple[str, ...]
    """Labels of the topics that are quiet at this midnight."""
    shop: Mapping[int, Row]
    """By local day, the counts of all customers."""
    segments: Mapping[Segment, Mapping[int, Row]]
    """By segment and local day; what is all zero is not here. All days' rows add up."""


@dataclass(slots=True)
class _Cells:
    """Counts by customer of one local day: (k,) customers, in any order, and what each adds."""

    customers: NDArray[np.int32]
    counts: NDArray[np.int64]
    """(k, 4) by `COUNTS`."""


@dataclass(slots=True)
class SegmentCounts:
    """The segments of one partition: what is known of its customers and what the days' logs do not hold."""

    partition: int
    calendar: Calendar
    since: int | None = None
    """The first local day that was counted; `None` until one has ended."""
    bought: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    """By dimension of `BOUGHT`, (capacity,) the code of each customer's value; 0 for none."""
    bought_at: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """By the same, (capacity,) the time of the order that gave it."""
    complained: dict[str, DayLog] = field(default_factory=lambda: defaultdict(DayLog))
    """By category, the complaints of each day and customer."""
    late: list[tuple[int, int, Row]] = field(default_factory=list)
    """Day, customer and counts of what came after its day had ended, since the last midnight."""
    late_categories: list[tuple[int, str, Row]] = field(default_factory=list)
    """Day, category and counts of the same."""

    def __post_init__(self) -> None:
        for name in BOUGHT:
            self.bought.setdefault(name, np.zeros(1024, dtype=np.int32))
            self.bought_at.setdefault(name, np.full(1024, NEVER, dtype=np.int64))

    # -- events -----------------------------------------------------------------------------------

    def take(self, taken: OrderedEvents, customers: Customers) -> None:
        """Take in events of one pass; to be called before they are part of the customers' state."""
        events = taken.events
        placed = (events.topic == Topic.ORDERS) & (events.status == OrderStatus.PLACED)
        raised = (events.topic == Topic.COMPLAINTS) & np.isin(events.status, RAISED)
        self._buy(np.flatnonzero(placed), taken, customers)
        late = np.flatnonzero(
            (events.at < taken.instant) & (placed | raised | (events.topic == Topic.LOGINS))
        )
        if len(late):
            day = self.calendar.days(events.at[late])
            kept = (day < customers.day) & (day > customers.day - KEPT_DAYS)
            self._come_late(late[kept], day[kept], placed, raised, taken, customers)
        self._complain(np.flatnonzero(raised), taken, customers)

    def _buy(self, rows: NDArray[np.int64], taken: OrderedEvents, customers: Customers) -> None:
        """Let the newest order that names a channel or a category give them to its customer."""
        records = taken.events.record[rows].tolist()
        if not any(records):
            return
        self.grow(customers.known)
        at, owners = taken.events.at[rows], taken.rows[rows]
        for dimension, name in BOUGHT.items():
            words = [None if record is None else getattr(record, name) for record in records]
            code_of = {word: customers.code(name, word) for word in dict.fromkeys(words)}
            codes = np.fromiter(map(code_of.__getitem__, words), dtype=np.int32, count=len(words))
            if name == ORDER_CATEGORY and not customers.vocabulary.room(name):
                customers.vocabulary.note_over(
                    name, sum(word is not None for word in words) - int(np.count_nonzero(codes))
                )
            times = self.bought_at[dimension]
            newer = np.flatnonzero((codes > 0) & (at >= times[owners]))
            order = newer[np.lexsort((newer, at[newer], owners[newer]))]
            last = order[np.flatnonzero(np.diff(owners[order], append=-1))]
            times[owners[last]] = at[last]
            self.bought[dimension][owners[last]] = codes[last]

    def _come_late(
        self,
        rows: NDArray[np.int64],
        days: NDArray[np.int64],
        placed: NDArray[np.bool_],
        raised: NDArray[np.bool_],
        taken: OrderedEvents,
        customers: Customers,
    ) -> None:
        """Note what days that have ended gain; until one has been counted, their logs say it all."""
        if self.since is None:
            return
        logs = customers.logs
        seen: set[tuple[str, int, int]] = set()
        for day in np.unique(days).tolist():
            of_day = rows[days == day]
            owners = taken.rows[of_day]
            complained = logs["complaints"].has_each(day, owners)
            active = complained | logs["orders"].has_each(day, owners) | logs["logins"].has_each(day, owners)
            for i, (row, owner) in enumerate(zip(of_day.tolist(), owners.tolist(), strict=True)):
                new_active = not active[i] and ("active", day, owner) not in seen
                new_complainer = (
                    bool(raised[row]) and not complained[i] and ("raised", day, owner) not in seen
                )
                seen.add(("active", day, owner))
                if raised[row]:
                    seen.add(("raised", day, owner))
                counts = (int(placed[row]), int(raised[row]), int(new_active), int(new_complainer))
                if any(counts):
                    self.late.append((day, owner, counts))

    def _complain(self, rows: NDArray[np.int64], taken: OrderedEvents, customers: Customers) -> None:
        """Put complaints that name a category into its log, and note what days that have ended gain."""
        records, owners = taken.events.record, taken.rows
        days = self.calendar.days(taken.events.at[rows])
        for row, day in zip(rows.tolist(), days.tolist(), strict=True):
            record = records[row]
            if not isinstance(record, LabelsRecord) or record.category is None:
                continue
            if not customers.day - KEPT_DAYS < day <= customers.day:
                continue
            log, owner = self.complained[record.category], owners[row : row + 1]
            if day < customers.day and self.since is not None:
                new = not log.has_each(day, owner)[0]
                self.late_categories.append((day, record.category, (0, 1, 0, int(new))))
            log.add(day, owner, np.ones(1, dtype=np.int64))

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        self.grow(len(to.stays))
        self.bought = {name: to.column(codes, 0) for name, codes in self.bought.items()}
        self.bought_at = {name: to.column(at, NEVER) for name, at in self.bought_at.items()}
        for log in self.complained.values():
            log.renumber(to)
        self.late = [(day, int(to.place[c]), counts) for day, c, counts in self.late if to.stays[c]]

    def words_used(self) -> dict[str, NDArray[np.int32]]:
        """Return the codes of words that are in use, by field."""
        return {name: self.bought[dimension] for dimension, name in BOUGHT.items()}

    def renumber_words(self, new: NDArray[np.int32]) -> None:
        """Go on with other codes of words, (words,) by the codes of before."""
        self.bought = {dimension: new[codes] for dimension, codes in self.bought.items()}

    def grow(self, needed: int) -> None:
        """Make room for the first `needed` customers."""
        capacity = len(self.bought["channel"])
        if needed > capacity:
            added = max(needed, 2 * capacity) - capacity
            for name in BOUGHT:
                zeros, nevers = np.zeros(added, dtype=np.int32), np.full(added, NEVER, dtype=np.int64)
                self.bought[name] = np.concatenate([self.bought[name], zeros])
                self.bought_at[name] = np.concatenate([self.bought_at[name], nevers])

    # -- midnight ---------------------------------------------------------------------------------

    def close(self, customers: Customers, quiet: Sequence[Topic]) -> DaySums:
        """Return what was counted by the end of the customers' present day.

        The first time, that is everything of the days that the state holds.
        """
        today = customers.day
        days = [today]
        if self.since is None:
            days = [
                day for day in range(today - KEPT_DAYS + 1, today + 1) if _cells(customers, day) is not None
            ]
            self.since = min([today, *days])
        found = {day: cells for day in days if (cells := _cells(customers, day)) is not None}
        for day, cells in self._late_cells():
            found[day] = cells  # never today: what comes late is of a day before
        self.grow(customers.known)
        sums = _Sums()
        for day, cells in found.items():
            sums.add_shop(day, cells.counts.sum(axis=0))
            for dimension in DIMENSIONS[:-1]:
                codes = self._codes(dimension, customers)[cells.customers]
                for value, counts in _by_value(codes, cells.counts, customers.words):
                    sums.add((dimension, value), day, counts)
        self._close_categories(sums, days, today)
        labels = tuple(sorted(topic.label for topic in quiet))
        self.late, self.late_categories = [], []
        return DaySums(self.partition, today, self.since, labels, sums.shop, sums.segments)

    def _codes(self, dimension: str, customers: Customers) -> NDArray[Any]:
        return self.bought[dimension] if dimension in BOUGHT else customers.state[dimension]

    def _late_cells(self) -> Iterator[tuple[int, _Cells]]:
        for day in sorted({day for day, _, _ in self.late}):
            of_day = [(customer, counts) for late, customer, counts in self.late if late == day]
            yield (
                day,
                _Cells(
                    np.array([customer for customer, _ in of_day], dtype=np.int32),
                    np.array([counts for _, counts in of_day], dtype=np.int64),
                ),
            )

    def _close_categories(self, sums: _Sums, days: Sequence[int], today: int) -> None:
        for category, log in self.complained.items():
            for day in days:
                if (cells := log.cells(day)) is not None:
                    counts = np.array([0, int(cells[1].sum()), 0, len(cells[0])])
                    sums.add((CATEGORY, category), day, counts)
            log.drop_before(today - KEPT_DAYS + 2)
        for day, category, row in self.late_categories:
            sums.add((CATEGORY, category), day, np.array(row))


class _Sums:
    """Counts by segment and day as they are added up."""

    def __init__(self) -> None:
        self.shop: dict[int, Row] = {}
        self.segments: dict[Segment, dict[int, Row]] = {}

    def add(self, segment: Segment, day: int, counts: NDArray[np.int64]) -> None:
        """Add to a segment's day."""
        _add(self.segments.setdefault(segment, {}), day, counts)

    def add_shop(self, day: int, counts: NDArray[np.int64]) -> None:
        """Add to the shop's day."""
        _add(self.shop, day, counts)


def _add(days: dict[int, Row], day: int, counts: NDArray[np.int64]) -> None:
    before = days.get(day, (0, 0, 0, 0))
    orders, complaints, active, complainers = (np.array(before) + counts).tolist()
    days[day] = (orders, complaints, active, complainers)


def _cells(customers: Customers, day: int) -> _Cells | None:
    """Return who did what on a day that the logs hold, one row per customer; `None` where nobody did."""
    logs = [customers.logs[name].cells(day) for name in ("orders", "complaints", "logins")]
    present = [cells[0] for cells in logs if cells is not None]
    if not present:
        return None
    who = np.unique(np.concatenate(present))
    counts = np.zeros((len(who), len(COUNTS)), dtype=np.int64)
    counts[:, 2] = 1
    for column, cells in enumerate(logs[:2]):
        if cells is not None:
            counts[np.searchsorted(who, cells[0]), column] = cells[1]
    counts[:, 3] = counts[:, 1] > 0
    return _Cells(who, counts)


def _by_value(
    codes: NDArray[Any], counts: NDArray[np.int64], words: Sequence[str | None]
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each value with the sums of its rows' counts, (4,)."""
    sums = [np.bincount(codes, weights=column, minlength=len(words)) for column in counts.T]
    table = np.rint(np.stack(sums, axis=1)).astype(np.int64)
    for code in np.flatnonzero(table.any(axis=1)).tolist():
        word = words[code]
        if word is not None:
            yield word, table[code]
