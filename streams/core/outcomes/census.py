"""The monthly census: how many customers there are, stayed, came and left, by profile, cohort and channel.

A census counts every customer of the partition in one cell of each family. It remembers who was active and in
which cells, so that the next one can say what became of them, and so that it can mature: at its instant and
the horizon it is known who of its active has churned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import MILLION
from streams.core.events.calendar import Calendar
from streams.core.events.topics import Topic
from streams.core.features.customers import ATTRIBUTES, SCHEMA, Customers
from streams.core.features.renumbering import Renumbering
from streams.core.outcomes.action_log import ActionLog

MOST_CELLS: Final = 5_000
"""Cells of a family that have a name of their own; a census counts the customers of all others in one."""
OTHER: Final = 0
"""The cell of customers who are in none with a name."""

PROFILE: Final = "profile"
COHORT: Final = "cohort"
CHANNEL: Final = "channel"
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    PROFILE: ATTRIBUTES,
    COHORT: ("cohort",),
    CHANNEL: ("channel",),
}
"""The families of cells, and the fields that name a cell of each."""

SUMS: Final = {
    "orders": "orders",
    "spend": "spend",
    "logins": "logins",
    "complaints": "complaints",
    "ratings": "answers",
    "rating_sum": "satisfaction",
}
"""What is summed since the census before: the measure of the state, and its name in the census."""

NEVER_DAY: Final = int(SCHEMA["first_order_day"][1])
"""The day of the first activity of a customer who had none."""

CellName = tuple[str | None, ...]
_EPOCH: Final = date(1970, 1, 1)


@dataclass(slots=True)
class CensusMembers:
    """Who was active at a census, in which cells, and what was expected of them."""

    at: int
    day: int
    """The local day that the census began."""
    present: NDArray[np.uint8]
    """A bit for each customer: whether it is one of the `k` members."""
    combination: NDArray[np.unsignedinteger[Any]]
    """(k,) the row of each one's cells in `cells`."""
    cells: NDArray[np.int32]
    """(m, families) combinations of cells."""
    probability: NDArray[np.float32] | None
    """(k,) the churn probability given then, NaN for none; `None` where nobody was scored."""
    value: NDArray[np.float64] | None = None
    """(k,) each one's value then, NaN for unknown; `None` where it is known of nobody."""
    expected: NDArray[np.float64] | None = None
    """(n, 4) family, cell, scored and the sum of probabilities, of the cells with anybody scored."""
    came: NDArray[np.bool_] | None = None
    """(k,) who did something in the horizon, once it is over; `None` before."""
    closed: NDArray[np.bool_] | None = None
    """(k,) who closed in it, the same."""
    treated: NDArray[np.bool_] | None = None
    """(k,) who was treated in it, the same."""

    @property
    def customers(self) -> NDArray[np.int32]:
        """Return the members, (k,), in ascending order."""
        return np.flatnonzero(np.unpackbits(self.present)).astype(np.int32)

    def of_family(self, family: int) -> NDArray[np.int32]:
        """Return the cell of each member in a family, (k,)."""
        cells: NDArray[np.int32] = self.cells[self.combination, family]
        return cells


class CellNames:
    """The cells of one family that have a name, in the order in which they got it; cell 0 is all others."""

    def __init__(self, names: Sequence[CellName] = ()) -> None:
        self.names: list[CellName] = [(), *names]
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def numbers(self, names: Sequence[CellName]) -> NDArray[np.int32]:
        """Return the cells of (k,) names; new ones get one in alphabetical order while there is room."""
        for name in sorted(set(names) - self._numbers.keys(), key=_place):
            if len(self.names) <= MOST_CELLS:
                self._numbers[name] = len(self.names)
                self.names.append(name)
        return np.array([self._numbers.get(name, OTHER) for name in names], dtype=np.int32)


class CensusTaker:
    """The censuses of one partition: those taken, and what waits for the horizon."""

    def __init__(self, calendar: Calendar, horizon_us: int) -> None:
        self._calendar = calendar
        self._horizon_us = horizon_us
        self.families = {family: CellNames() for family in FAMILIES}
        self.due_at: int | None = None
        """The next local midnight that begins a month; `None` before the first event."""
        self.members: list[CensusMembers] = []
        """Of the censuses that have not matured, and of the last one, oldest first."""
        self.matured = 0
        """How many of `members`, from the oldest on, have matured: one at the most."""

    def begin(self, at: int) -> None:
        """Let the first census be that of the month after an instant."""
        self.due_at = self._next_month(at)

    def is_due(self, at: int) -> bool:
        """Return whether a census is to be taken at a sweep."""
        return self.due_at is not None and at >= self.due_at

    def next_horizon(self) -> int | None:
        """Return the instant at which the next census's horizon is over, `None` if none is awaited."""
        for members in self.members[self.matured :]:
            if members.came is None:
                return members.at + self._horizon_us
        return None

    def renumber(self, to: Renumbering) -> None:
        """Give customers their new rows; nobody leaves who is a member of a census."""
        for members in self.members:
            rows = members.customers
            assert to.mask(rows).all(), "a census waits for a customer who leaves"
            members.present = packed(to.place[rows])

    # -- taking one -------------------------------------------------------------------------------

    def take(
        self,
        at: int,
        customers: Customers,
        active: NDArray[np.bool_],
        score: NDArray[np.float64] | None,
        value: NDArray[np.float64] | None,
    ) -> list[CellCounts]:
        """Count all customers and remember the active; return the counts of each cell.

        `active`, `score` and `value` (c,) are those at the sweep.
        """
        count = len(active)
        before = self.members[-1] if self.members else None
        today = self._calendar.day(at)
        thing = "order" if customers.activity == (Topic.ORDERS,) else "activity"
        first_day = customers.state[f"first_{thing}_day"][:count]
        cells = self._cells(customers, first_day)
        was_active = np.zeros(count, dtype=np.bool_)
        if before is not None:
            was_active[before.customers] = True
        fresh = active & (first_day >= before.day) if before is not None else active
        sums = _sums(customers, before.day if before is not None else None, today, count)
        made: list[CellCounts] = []
        for place, family in enumerate(FAMILIES):
            made += self._count(
                family, place, cells[:, place], active, was_active, fresh, before, score, sums
            )
        self._remember(at, today, active, cells, score, value, made)
        self.due_at = self._next_month(at)
        return made

    def _cells(self, customers: Customers, first_day: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the cell of each customer in each family, (c, families)."""
        count = len(first_day)
        words = customers.words
        kinds, kind = _distinct([customers.state[name][:count] for name in ATTRIBUTES])
        names = [tuple(words[code] for code in codes) for codes in kinds.tolist()]
        profile = self.families[PROFILE].numbers(names)[kind]
        days, which = np.unique(first_day, return_inverse=True)
        cohort = self.families[COHORT].numbers([(_month(day),) for day in days.tolist()])[which]
        codes, which = np.unique(customers.state["channel"][:count], return_inverse=True)
        channel = self.families[CHANNEL].numbers([(words[code],) for code in codes.tolist()])[which]
        return np.column_stack([profile, cohort, channel]).astype(np.int32)

    def _count(
        self,
        family: str,
        place: int,
        cell: NDArray[np.int32],
        active: NDArray[np.bool_],
        was_active: NDArray[np.bool_],
        fresh: NDArray[np.bool_],
        before: CensusMembers | None,
        score: NDArray[np.float64] | None,
        sums: Mapping[str, NDArray[np.int64]],
    ) -> list[CellCounts]:
        size = len(self.families[family].names)

        def counted(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
            return np.bincount(cell[rows], minlength=size)

        standing = np.bincount(cell, minlength=size)
        acquired, now = counted(fresh), counted(active)
        returned = counted(active & ~was_active & ~fresh)
        original = kept = np.zeros(size, dtype=np.int64)
        values = lost_values = values_known = lost_known = np.zeros(size)
        if before is not None:
            stood, stayed = before.of_family(place), active[before.customers]
            original = np.bincount(stood, minlength=size)
            kept = np.bincount(stood[stayed], minlength=size)
            if before.value is not None:
                known = ~np.isnan(before.value)
                values, values_known = _exact(stood, before.value, known, size)
                lost_values, lost_known = _exact(stood, before.value, known & ~stayed, size)
        expected, scored = np.zeros(size), np.zeros(size)
        if score is not None:
            expected, scored = _exact(cell, score, active & ~np.isnan(score), size)
        totals = {name: _totals(cell, amounts, size) for name, amounts in sums.items()}
        made = []
        for number in np.flatnonzero((standing > 0) | (original > 0)).tolist():
            made.append(
                CellCounts(
                    family,
                    number,
                    dict(zip(FAMILIES[family], self.families[family].names[number], strict=False)),
                    None if before is None else int(original[number]),
                    None if before is None else int(kept[number]),
                    int(acquired[number]),
                    int(returned[number]),
                    int(now[number]),
                    None if before is None else (float(values[number]), int(values_known[number])),
                    None if before is None else (float(lost_values[number]), int(lost_known[number])),
                    int(scored[number]),
                    float(expected[number]),
                    {
                        SUMS[name]: total[number] / MILLION if name == "spend" else total[number]
                        for name, total in totals.items()
                    },
                )
            )
        return made

    def _remember(
        self,
        at: int,
        today: int,
        active: NDArray[np.bool_],
        cells: NDArray[np.int32],
        score: NDArray[np.float64] | None,
        value: NDArray[np.float64] | None,
        made: Sequence[CellCounts],
    ) -> None:
        rows = np.flatnonzero(active)
        kinds, kind = _distinct([cells[rows, place] for place in range(len(FAMILIES))])
        places = {family: place for place, family in enumerate(FAMILIES)}
        expected = [(places[c.by], c.number, c.scored, c.expected) for c in made if c.scored]
        if self.matured:
            del self.members[: self.matured]  # the last one, needed until now only
            self.matured = 0
        self.members.append(
            CensusMembers(
                at,
                today,
                packed(rows),
                narrow(kind),
                kinds.astype(np.int32),
                None if not expected or score is None else score[rows].astype(np.float32),
                None if value is None else value[rows],
                np.array(expected, dtype=np.float64).reshape(len(expected), 4),
            )
        )

    # -- what became of them ----------------------------------------------------------------------

    def judge(
        self,
        at: int,
        last_activity: NDArray[np.int64],
        closed_at: NDArray[np.int64],
        log: ActionLog,
    ) -> None:
        """Note, when a census's horizon is over, what its active did in it."""
        for members in self.members[self.matured :]:
            if members.came is None and members.at + self._horizon_us == at:
                rows = members.customers
                members.came = last_activity[rows] >= members.at
                members.closed = closed_at[rows] >= members.at
                members.treated = np.isin(rows, log.treated(members.at, at))

    def note_late(self, customer: int, at: int, what: str) -> None:
        """Note that a customer `came`, `closed` or was `treated` in a horizon that is over already."""
        for members in self.members[self.matured :]:
            if members.came is not None and members.at <= at < members.at + self._horizon_us:
                for row in np.flatnonzero(members.customers == customer).tolist():
                    getattr(members, what)[row] = True

    def note_struck(self, customer: int, log: ActionLog) -> None:
        """Note what is left of a customer's treatments in horizons that are over already."""
        for members in self.members[self.matured :]:
            if members.treated is not None:
                row = members.customers == customer
                members.treated[row] = log.is_treated(customer, members.at, members.at + self._horizon_us)

    def mature(self) -> list[MaturedCounts]:
        """Return the counts of the censuses whose horizon is over, by cell, and forget them."""
        made: list[MaturedCounts] = []
        while self.matured < len(self.members) and self.members[self.matured].came is not None:
            made += self._became(self.members[self.matured])
            if self.matured + 1 < len(self.members):
                del self.members[self.matured]
            else:
                self.matured += 1
        return made

    def _became(self, members: CensusMembers) -> list[MaturedCounts]:
        came, closed, treated = members.came, members.closed, members.treated
        assert came is not None
        assert closed is not None
        assert treated is not None
        churned = ~came | closed
        made = []
        for place, family in enumerate(FAMILIES):
            names = self.families[family].names
            size = len(names)
            cell = members.of_family(place)
            scored, expected = np.zeros(size), np.zeros(size)
            if members.expected is not None:
                own = members.expected[members.expected[:, 0] == place]
                number = own[:, 1].astype(np.int64)
                scored[number], expected[number] = own[:, 2], own[:, 3]
            of_treated, n_treated = np.zeros(size), np.zeros(size)
            if members.probability is not None and treated.any():
                known = treated & ~np.isnan(members.probability)
                of_treated, n_treated = _exact(cell, members.probability.astype(np.float64), known, size)
            active = np.bincount(cell, minlength=size)
            lost, acted_on, lost_alone = (
                np.bincount(cell[rows], minlength=size) for rows in (churned, treated, churned & ~treated)
            )
            for number in np.flatnonzero(active).tolist():
                made.append(
                    MaturedCounts(
                        members.at,
                        family,
                        dict(zip(FAMILIES[family], names[number], strict=False)),
                        int(active[number]),
                        int(lost[number]),
                        int(acted_on[number]),
                        int(lost_alone[number]),
                        int(scored[number]),
                        float(expected[number]),
                        int(scored[number] - n_treated[number]),
                        float(expected[number] - of_treated[number]),
                    )
                )
        return made

    def _next_month(self, at: int) -> int:
        """Return the first local midnight after an instant that begins a month."""
        day = _EPOCH + timedelta(days=self._calendar.day(at))
        first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return self._calendar.start((first - _EPOCH).days)


@dataclass(frozen=True, slots=True)
class CellCounts:
    """The counts of one cell at a census."""

    by: str
    number: int
    cell: Mapping[str, str | None]
    original: int | None
    kept: int | None
    acquired: int
    returned: int
    active: int
    value: tuple[float, int] | None
    value_lost: tuple[float, int] | None
    scored: int
    expected: float
    sums: Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class MaturedCounts:
    """What became of the active of one cell."""

    census_at: int
    by: str
    cell: Mapping[str, str | None]
    active: int
    churned: int
    treated: int
    untreated_churned: int
    scored: int
    expected: float
    untreated_scored: int
    untreated_expected: float


def packed(customers: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Return a bit for each customer up to the last of (k,)."""
    present = np.zeros(int(customers.max(initial=-1)) + 1, dtype=np.bool_)
    present[customers] = True
    return np.packbits(present)


def narrow(numbers: NDArray[np.integer[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Return numbers in the narrowest type that holds them."""
    found: NDArray[np.unsignedinteger[Any]] = numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
    return found


def _place(name: CellName) -> tuple[tuple[bool, str], ...]:
    """Return what names are ordered by: unknown comes last."""
    return tuple((word is None, word or "") for word in name)


def _month(day: int) -> str | None:
    """Return the month of a local day, `None` for the day of what has not happened."""
    return None if day == NEVER_DAY else (_EPOCH + timedelta(days=day)).isoformat()[:7]


def _distinct(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows of columns, (m, columns), and the row of each of (n,) among them."""
    rows = np.zeros((1, 0), dtype=np.int64)
    code = np.zeros(len(columns[0]), dtype=np.int64)
    if not len(code):
        return np.zeros((0, len(columns)), dtype=np.int64), code
    for column in columns:
        width = int(column.max()) + 1
        keys, code = np.unique(code * width + column, return_inverse=True)
        rows = np.column_stack([rows[keys // width], keys % width])
    return rows, code


def _exact(
    cell: NDArray[np.int32], amounts: NDArray[np.float64], rows: NDArray[np.bool_], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each cell the sum of the amounts of the masked rows, rounded once, and their number.

    The sum does not depend on the order in which customers became known.
    """
    chosen = np.flatnonzero(rows)
    chosen = chosen[np.argsort(cell[chosen], kind="stable")]
    number = np.bincount(cell[chosen], minlength=size)
    ends = np.cumsum(number)
    totals = np.zeros(size)
    for which in np.flatnonzero(number).tolist():
        totals[which] = math.fsum(amounts[chosen[ends[which] - number[which] : ends[which]]].tolist())
    return totals, number.astype(np.float64)


def _totals(cell: NDArray[np.int32], amounts: NDArray[np.int64], size: int) -> list[int]:
    """Return the sum of the amounts of each cell; it may need more than 64 bits."""
    high, low = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    np.add.at(high, cell, amounts >> 32)
    np.add.at(low, cell, amounts & 0xFFFFFFFF)
    return [(upper << 32) + lower for upper, lower in zip(high.tolist(), low.tolist(), strict=True)]


def _sums(customers: Customers, since: int | None, today: int, count: int) -> dict[str, NDArray[np.int64]]:
    """Return what each customer did on the local days from `since` to before `today`, (c,) each."""
    totals = {name: np.zeros(count, dtype=np.int64) for name in SUMS}
    for name, total in totals.items():
        for day, owners, amounts in customers.logs[name].items():
            if day < today and (since is None or day >= since):
                np.add.at(total, owners, amounts)
    return totals
