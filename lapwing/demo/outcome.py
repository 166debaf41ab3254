"""How good the warnings were: warnings and what then happened become figures.

A customer is *counted as lost* when no order has come for the horizon, 90 days say: the day on which a report
on lost customers would show the customer, and too late to do anything. A warning is in time when it is open
before that day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

DAY_US: Final = 86_400_000_000
BASE_EVERY_DAYS: Final = 28
"""How often the rate without any warning is taken."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A warning from its opening to its end; instants are microseconds since the epoch."""

    customer: str
    opened_at: int
    closed_at: int | None
    tier: str
    """The highest it had."""

    def last_open(self) -> float:
        """Return until when it was open."""
        return float("inf") if self.closed_at is None else self.closed_at


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a simulated customer."""

    kind: str
    leaving_from: int | None
    """When the wish to leave begins, where it does."""
    left_at: int | None
    """From when there is no order any more."""


@dataclass(frozen=True, slots=True)
class Share:
    """A rate that keeps its numerator and denominator."""

    part: int
    whole: int

    def __str__(self) -> str:
        if not self.whole:
            return "0 of 0"
        return f"{self.part:,} of {self.whole:,} ({self.part / self.whole:.0%})"


@dataclass(frozen=True, slots=True)
class InTime:
    """How many of the lost were warned of before they were counted as lost, and how early."""

    warned: Share
    lead_days: float | None
    """Median of the days from the warning to the day of being counted as lost."""
    after_order_days: float | None
    """Median of the days from the last order to the warning; negative where the warning came first."""


@dataclass(frozen=True, slots=True)
class SimulatedOutcome:
    """The figures of a shop whose truth is known."""

    in_time: InTime
    by_kind: dict[str, Share]
    """Of the lost of each kind of leaver, those warned of in time."""
    too_recent: int
    """Leavers whose last order is less than the horizon ago: they are in none of the shares above."""
    right: Share
    """Of all warnings, those about a customer who was leaving or had left."""
    right_by_tier: dict[str, Share]
    """The same of the warnings of each tier."""
    false_by_kind: dict[str, int]
    """The other warnings by the kind of customer."""
    stayers_alarmed: Share
    """Of the customers who never wanted to leave, those with a warning at any time."""
    stayers_alarmed_high: Share
    """The same with a warning of the highest tier."""


@dataclass(frozen=True, slots=True)
class ObservedOutcome:
    """The figures where only the orders are known."""

    in_time: InTime
    confirmed: Share
    """Of the warnings whose horizon is over, those after which no order came within it."""
    confirmed_by_tier: dict[str, Share]
    """The same of the warnings of each tier."""
    not_yet_known: int
    """Warnings whose horizon reaches beyond the last event."""
    base: Share
    """Of active customers every four weeks, those after whom no order came within the horizon."""


def simulated_outcome(
    episodes: Iterable[Episode],
    truth: Mapping[str, Truth],
    orders: Mapping[str, Sequence[int]],
    end: int,
    horizon_days: int,
) -> SimulatedOutcome:
    """Compare warnings with the truth; `orders` are the customers' ascending times of orders, up to `end`.

    What begins after `end` has not begun, and who has not ordered by then is left out. A warning is right
    when it was open at a time at which its customer was leaving or had left. A leaver is warned of in time
    when a right warning was open before the customer was counted as lost.
    """
    by_customer = _by_customer(episodes)
    horizon = horizon_days * DAY_US
    lost: dict[str, tuple[int, int]] = {}
    too_recent = 0
    leaving = {
        c: t.leaving_from for c, t in truth.items() if t.leaving_from is not None and t.leaving_from <= end
    }
    for customer, begin in leaving.items():
        left_at = truth[customer].left_at
        if left_at is not None and left_at <= end and orders.get(customer):
            last = orders[customer][-1]
            if last + horizon <= end:
                lost[customer] = (begin, last)
            else:
                too_recent += 1
    found = {
        c: _first_open(by_customer.get(c, ()), begin, last + horizon) for c, (begin, last) in lost.items()
    }
    kinds = {
        kind: [c for c in lost if truth[c].kind == kind] for kind in sorted({truth[c].kind for c in lost})
    }

    right, tiers, wrong = Counter[str](), Counter[str](), Counter[str]()
    for customer, mine in by_customer.items():
        for episode in mine:
            tiers[episode.tier] += 1
            if customer in leaving and episode.last_open() > leaving[customer]:
                right[episode.tier] += 1
            else:
                wrong[truth[customer].kind] += 1
    stayers = [customer for customer in truth if customer not in leaving and orders.get(customer)]
    return SimulatedOutcome(
        in_time=_in_time(found, {c: last for c, (_, last) in lost.items()}, horizon),
        by_kind={k: Share(sum(found[c] is not None for c in who), len(who)) for k, who in kinds.items()},
        too_recent=too_recent,
        right=Share(right.total(), tiers.total()),
        right_by_tier={tier: Share(right[tier], count) for tier, count in tiers.items()},
        false_by_kind=dict(wrong.most_common()),
        stayers_alarmed=Share(sum(customer in by_customer for customer in stayers), len(stayers)),
        stayers_alarmed_high=Share(sum(_any_high(by_customer.get(c, ())) for c in stayers), len(stayers)),
    )


def observed_outcome(
    episodes: Iterable[Episode], orders: Mapping[str, Sequence[int]], end: int, horizon_days: int
) -> ObservedOutcome:
    """Compare warnings with the orders that came, or did not come, after them."""
    by_customer = _by_customer(episodes)
    horizon = horizon_days * DAY_US
    confirmed, ripe, unripe = Counter[str](), Counter[str](), 0
    for customer, mine in by_customer.items():
        for episode in mine:
            if episode.opened_at + horizon > end:
                unripe += 1
            else:
                ripe[episode.tier] += 1
                confirmed[episode.tier] += not _ordered(orders.get(customer, ()), episode.opened_at, horizon)
    lost = {customer: times[-1] for customer, times in orders.items() if times and times[-1] + horizon <= end}
    found = {c: _first_open(by_customer.get(c, ()), last, last + horizon) for c, last in lost.items()}
    return ObservedOutcome(
        in_time=_in_time(found, lost, horizon),
        confirmed=Share(confirmed.total(), ripe.total()),
        confirmed_by_tier={tier: Share(confirmed[tier], count) for tier, count in ripe.items()},
        not_yet_known=unripe,
        base=_base_rate(orders, end, horizon),
    )


def _by_customer(episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
    grouped: dict[str, list[Episode]] = {}
    for episode in sorted(episodes, key=lambda e: e.opened_at):
        grouped.setdefault(episode.customer, []).append(episode)
    return grouped


def _any_high(episodes: Sequence[Episode]) -> bool:
    return any(episode.tier == "high" for episode in episodes)


def _first_open(episodes: Sequence[Episode], begin: int, end: int) -> int | None:
    """Return the first instant of `[begin, end)` at which a warning was open; `None` where none was."""
    return min(
        (max(e.opened_at, begin) for e in episodes if e.opened_at < end and e.last_open() > begin),
        default=None,
    )


def _in_time(found: Mapping[str, int | None], last_order: Mapping[str, int], horizon: int) -> InTime:
    after = [at - last_order[customer] for customer, at in found.items() if at is not None]
    if not after:
        return InTime(Share(0, len(found)), None, None)
    middle = median(after)
    return InTime(Share(len(after), len(found)), (horizon - middle) / DAY_US, middle / DAY_US)


def _ordered(times: Sequence[int], at: int, horizon: int) -> bool:
    """Return whether an order came in `(at, at + horizon]`."""
    following = bisect_right(times, at)
    return following < len(times) and times[following] <= at + horizon


def _base_rate(orders: Mapping[str, Sequence[int]], end: int, horizon: int) -> Share:
    """Return the share of active customers after whom no order came, over instants four weeks apart."""
    begin = min((times[0] for times in orders.values() if times), default=end)
    active = lost = 0
    for at in range(begin + horizon, end - horizon + 1, BASE_EVERY_DAYS * DAY_US):
        for times in orders.values():
            before = bisect_right(times, at)
            if before and times[before - 1] > at - horizon:
                active += 1
                lost += not _ordered(times, at, horizon)
    return Share(lost, active)
