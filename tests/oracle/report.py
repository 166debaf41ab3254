"""The figures of a report, counted from the lines of an events file and nothing else (DESIGN 6 and 9).

A stranger's count: it knows no engine, no outcome, no census and no store, and looks through a customer's
events again for every question. Lines are those of a file in the order of `in_order`, so that none is late.
Times are microseconds since the epoch, days local.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.oracle.days import DAY, instant, local_day, midnight

Line = dict[str, Any]
Life = list[tuple[str, int, int]]
"""What became of a customer: what, when, and the last activity before."""

AGES: Final = (30, 90, 180, 365)
TENURES: Final = (30, 60, 90, 180, 365, 730)
TENURE_MONTHS: Final = ((3, "0-3"), (6, "4-6"), (12, "7-12"), (24, "13-24"))
PROFILE: Final = ("customer_class", "segment", "region", "origin")


@dataclass(frozen=True)
class Terms:
    """The settings that decide who is lost, and up to when sweeps go."""

    zone: ZoneInfo
    horizon: int
    until: int
    active_within: int | None = None
    activity: tuple[str, ...] = ("order",)
    repeat_window: int = 2 * DAY
    currency: str | None = None

    @property
    def within(self) -> int:
        """How long a customer without activity counts as active."""
        return self.active_within or self.horizon


@dataclass(frozen=True)
class Flow:
    """Who was there, stayed, left and came."""

    original: int = 0
    kept: int = 0
    lost: int = 0
    acquired: int = 0
    returned: int = 0
    active: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def in_order(lines: Iterable[Line]) -> list[tuple[int, Line]]:
    """Return lines with their instants, by time, then topic, then id, then customer."""
    timed = [(instant(line["occurred_at"]), line) for line in lines]
    return sorted(
        timed, key=lambda each: (each[0], *(each[1][n] for n in ("type", "event_id", "customer_id")))
    )


def is_placed(order: Line) -> bool:
    """Say whether an order was placed, and not cancelled or returned."""
    return order.get("status") in (None, "placed")


class Recount:
    """Counts from raw lines."""

    def __init__(self, lines: Iterable[Line], terms: Terms) -> None:
        """Keep what counts: no repeat, no order in another currency."""
        self.terms = terms
        self.of: dict[str, list[tuple[int, Line]]] = {}
        self.kept: list[Line] = []
        seen: dict[tuple[str, str], int] = {}
        for at, line in in_order(lines):
            if at > terms.until:
                continue
            key = (line["customer_id"], line["event_id"])
            if key in seen and at - seen[key] <= terms.repeat_window:
                continue
            seen[key] = at
            named = line.get("currency")
            if terms.currency and named and named.strip().upper() != terms.currency:
                continue
            self.of.setdefault(line["customer_id"], []).append((at, line))
            self.kept.append(line)
        self._active_at = {
            c: [at for at, line in own if self._is_activity(line)] for c, own in self.of.items()
        }
        self._closed_at = {
            c: [at for at, line in own if line["type"] == "closure"] for c, own in self.of.items()
        }
        self._lives = {customer: self._life(customer) for customer in self.of}

    def _is_activity(self, line: Line) -> bool:
        return line["type"] in self.terms.activity and (line["type"] != "order" or is_placed(line))

    # -- one customer --------------------------------------------------------------------------------

    def activities(self, customer: str, before: int = 2**62) -> list[int]:
        """Return when the customer was active, before an instant."""
        return [at for at in self._active_at[customer] if at < before]

    def closures(self, customer: str) -> list[int]:
        """Return when the customer closed."""
        return self._closed_at[customer]

    def is_active(self, customer: str, at: int) -> bool:
        """Say, as a sweep sees it, whether the last activity lies in (at - A, at) and no closure follows."""
        times = self.activities(customer, at)
        if not times or times[-1] <= at - self.terms.within:
            return False
        # At one instant a closure comes before an order.
        return not any(times[-1] < closed < at for closed in self.closures(customer))

    def active(self, at: int) -> set[str]:
        """Return all who are active at a sweep."""
        return {customer for customer in self.of if self.is_active(customer, at)}

    def first(self, customer: str) -> int | None:
        """Return the first activity."""
        return min(self.activities(customer), default=None)

    def sweep_from(self, at: int) -> int:
        """Return the first local midnight at or after an instant."""
        day = local_day(at, self.terms.zone)
        begin = midnight(day, self.terms.zone)
        return begin if begin >= at else midnight(day + 1, self.terms.zone)

    def life(self, customer: str) -> Life:
        """Return what became of a customer: acquired, lapsed, closed, returned, up to the last sweep."""
        return self._lives[customer]

    def _life(self, customer: str) -> Life:
        found: Life = []
        times, closed = self.activities(customer), self.closures(customer)
        for place, at in enumerate(times):
            gone = not found or found[-1][0] in ("lapsed", "closed")
            if gone:
                found.append(("returned" if found else "acquired", at, times[place - 1] if place else at))
            following = times[place + 1] if place + 1 < len(times) else 2**62
            lapse = self.sweep_from(at + self.terms.within)
            # A closure at the instant of an order comes before it, so it ends what was before that.
            shut = next((c for c in closed if at < c <= following), None)
            if lapse <= min(following, self.terms.until) and (shut is None or lapse <= shut):
                found.append(("lapsed", lapse, at))
            if shut is not None:
                found.append(("closed", shut, at))
        return found

    def attributes(self, customer: str, before: int) -> dict[str, str | None]:
        """Return the newest profile and the channel of the last order, before an instant."""
        return self._attributes([line for at, line in self.of[customer] if at < before])

    def _attributes_when_coming(self, customer: str, at: int) -> dict[str, str | None]:
        """Return the same as they were known with the first activity at an instant."""
        own = self.of[customer]
        place = next(n for n, (when, line) in enumerate(own) if when == at and self._is_activity(line))
        return self._attributes([line for _, line in own[: place + 1]])

    @staticmethod
    def _attributes(seen: Sequence[Line]) -> dict[str, str | None]:
        profiles = [line for line in seen if line["type"] == "profile"]
        orders = [line for line in seen if line["type"] == "order" and is_placed(line)]
        found: dict[str, str | None] = {
            name: profiles[-1].get(name) if profiles else None for name in PROFILE
        }
        found["channel"] = orders[-1].get("channel") if orders else None
        return found

    # -- all customers --------------------------------------------------------------------------------

    def flow(self, begin: int, end: int, first: bool = False) -> Flow:
        """Return who was kept and lost between two sweeps, and who came; of the first census all came."""
        return self._flow(
            self.active(begin) if not first else set(), self.active(end), begin if not first else 0
        )

    def _flow(self, then: set[str], now: set[str], begin: int) -> Flow:
        came = now - then
        fresh = {customer for customer in came if (self.first(customer) or 0) >= begin}
        return Flow(len(then), len(then & now), len(then - now), len(fresh), len(came - fresh), len(now))

    def groups(self, by: str, begin: int, end: int, *, by_outcome: bool = False) -> dict[str | None, Flow]:
        """Return the flows of each group, the original in that of the beginning, who came in that of the end.

        With `by_outcome` a customer stands where the last coming before that end put them.
        """
        then, now = self.active(begin), self.active(end)
        at_begin = {c: self._group(c, by, begin, begin, by_outcome) for c in then}
        at_end = {c: self._group(c, by, begin, end, by_outcome) for c in now}
        found = {}
        for name in {*at_begin.values(), *at_end.values()}:
            stood = {c for c in then if at_begin[c] == name}
            here = {c for c in now if at_end[c] == name}
            came = here - then
            fresh = {c for c in came if (self.first(c) or 0) >= begin}
            found[name] = Flow(
                len(stood), len(stood & now), len(stood - now), len(fresh), len(came - fresh), len(here)
            )
        return found

    def _group(self, customer: str, by: str, begin: int, edge: int, by_outcome: bool) -> str | None:
        if by == "tenure":
            return self._tenure(customer, begin)
        if not by_outcome:
            return self.attributes(customer, edge)[by]
        came = [at for kind, at, _ in self.life(customer) if kind in ("acquired", "returned") and at < edge]
        return self._attributes_when_coming(customer, came[-1])[by]

    def _tenure(self, customer: str, begin: int) -> str:
        first = self.first(customer)
        assert first is not None
        months = self._month_number(begin) - self._month_number(first)
        return next((name for bound, name in TENURE_MONTHS if months <= bound), "25+")

    def _month_number(self, at: int) -> int:
        day = date.fromordinal(local_day(at, self.terms.zone))
        return day.year * 12 + day.month

    def cohort(self, customer: str) -> str | None:
        """Return the local month of the first activity."""
        first = self.first(customer)
        if first is None:
            return None
        return date.fromordinal(local_day(first, self.terms.zone)).isoformat()[:7]

    def losses(self, begin: int, end: int) -> Iterator[tuple[str, str, int, int]]:
        """Yield (customer, what, when, last activity) of who left in (begin, end], a closure in [begin, end).

        A closure after a lapse is `closed_after_lapse`.
        """
        for customer in self.of:
            before = None
            for kind, at, last in self.life(customer):
                inside = begin < at <= end if kind == "lapsed" else begin <= at < end
                if inside and kind in ("lapsed", "closed"):
                    yield customer, "closed_after_lapse" if before == "lapsed" else kind, at, last
                before = kind

    def lapses(self, begin: int, end: int) -> dict[str, Any]:
        """Return how many were lost, by days since the first event, by weekday and by month."""
        zone = self.terms.zone
        found = list(self.losses(begin, end))
        lost = [each for each in found if each[1] != "closed_after_lapse"]
        tenure, weekday, month = Counter[str](), Counter[str](), Counter[str]()
        for customer, kind, at, last in lost:
            days = (at - self.of[customer][0][0]) / DAY
            edges = (0, *TENURES)
            tenure[
                next(
                    (f"{low}-{high - 1}" for low, high in zip(edges, TENURES, strict=False) if days < high),
                    "730+",
                )
            ] += 1
            if kind == "lapsed":
                weekday[f"{date.fromordinal(local_day(last, zone)):%a}".lower()] += 1
            day = local_day(at - 1 if kind == "lapsed" else at, zone)
            month[date.fromordinal(day).isoformat()[:7]] += 1
        kinds = Counter(kind for _, kind, _, _ in found)
        return {
            "lapsed": kinds["lapsed"],
            "closed": kinds["closed"],
            "closed_after_lapse": kinds["closed_after_lapse"],
            "tenure": tenure,
            "weekday": weekday,
            "month": month,
        }

    def ages(self, end: int) -> list[int]:
        """Return all who are lost at an instant, by how many days ago: up to each of `AGES`, and longer."""
        bands = [0] * (len(AGES) + 1)
        for customer in self.of:
            if self.is_active(customer, end):
                continue
            left = None
            for kind, at, _ in self.life(customer):
                if at > end or (at == end and kind != "lapsed"):
                    break
                if kind in ("acquired", "returned"):
                    left = None
                elif left is None:
                    left = at
            if left is not None:
                bands[sum(left <= end - days * DAY for days in AGES)] += 1
        return bands

    def churned(self, customer: str, at: int) -> bool:
        """Say whether no activity lies in (at, at + H], or a closure does."""
        end = at + self.terms.horizon
        return not any(at < t <= end for t in self.activities(customer)) or any(
            at < t <= end for t in self.closures(customer)
        )
