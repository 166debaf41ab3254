"""How good the warnings were: those that came, judged by `streams.backtest`, and by the truth of a shop.

A customer is *counted as lost* when no order has come for the horizon, 90 days say: the day on which a report
on lost customers would show the customer, and too late to do anything. A warning is in time when it is open
before that day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lapwing.demo.ledger import Episode
from streams.backtest.alarms import Alarms
from streams.backtest.churns import Churns
from streams.backtest.figures import Judge, Period
from streams.backtest.history import History
from streams.backtest.load import Team
from streams.backtest.terms import JudgeTerms
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import ALWAYS, DAY, NEVER
from streams.core.steps import Tier
from streams.share import Share, Spread

URGENT_FIRST: Final = tuple(sorted(Tier, reverse=True))


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a simulated customer."""

    kind: str
    leaving_from: int | None
    """When the wish to leave begins, where it does."""
    left_at: int | None
    """From when there is no order any more."""


@dataclass(frozen=True, slots=True)
class InTime:
    """How many of the lost were warned of before they were counted as lost, and how early."""

    warned: Share
    lead_days: float | None
    """Median of the days from the warning to the day of being counted as lost."""
    after_order_days: float | None
    """Median of the days from the last order to the warning; negative where the warning came first."""

    @classmethod
    def of(cls, warned: Share, leads: Spread, horizon_us: int) -> InTime:
        """Return a share with its leads, in days; being counted as lost is the last order's horizon."""
        lead = leads.median
        return cls(warned, lead, None if lead is None else horizon_us / DAY - lead)


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
    """The other warnings by the kind of customer, the most frequent first."""
    stayers_alarmed: Share
    """Of the customers who never wanted to leave, those with a warning at any time."""
    stayers_alarmed_high: Share
    """The same with a warning of the highest tier."""


@dataclass(frozen=True, slots=True)
class ObservedOutcome:
    """The figures where only the events are known, each as docs/backtest.md defines it."""

    in_time: InTime
    confirmed: Share
    """Of the warnings whose horizon is over, those after which no order came within it."""
    confirmed_by_tier: dict[str, Share]
    """The same of the warnings of each tier."""
    not_yet_known: int
    """Warnings whose horizon reaches beyond the last event."""
    base: Share
    """Of active customers every four weeks, those after whom no order came within the horizon."""


def alarms_of(episodes: Iterable[Episode], customers: Mapping[str, int]) -> Alarms:
    """Return warnings as alarms of numbered customers; those of nobody else are left out."""
    rows = sorted(
        (
            (customers[e.customer], e.opened_at, ALWAYS if e.closed_at is None else e.closed_at, e.tier)
            for e in episodes
            if e.customer in customers
        ),
        key=lambda row: row[:2],
    )
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 4)
    tier = table[:, 3].astype(np.int8)
    # Nothing here asks whether the customer was lost already.
    return Alarms(table[:, 0], table[:, 1], table[:, 2], tier, tier, np.zeros(len(rows), dtype=np.bool_))


def simulated_outcome(
    episodes: Iterable[Episode],
    truth: Mapping[str, Truth],
    orders: Mapping[str, Sequence[int]],
    end: int,
    horizon_us: int,
) -> SimulatedOutcome:
    """Compare warnings with the truth; `orders` are the customers' ascending times of orders, up to `end`.

    What begins after `end` has not begun, and who has not ordered by then is left out. A warning is right
    when it was open at a time at which its customer was leaving or had left. A leaver is warned of in time
    when a right warning was open before the customer was counted as lost.
    """
    alarms = alarms_of(episodes, {name: number for number, name in enumerate(truth)})
    kinds = np.array([each.kind for each in truth.values()], dtype=np.object_)
    begin = _instants([each.leaving_from for each in truth.values()], end)
    left_at = _instants([each.left_at for each in truth.values()], end)
    last = np.array([orders[name][-1] if orders.get(name) else NEVER for name in truth], dtype=np.int64)
    leaving, ordered = begin != ALWAYS, last != NEVER
    gone = leaving & (left_at != ALWAYS) & ordered
    lost = gone.copy()
    lost[gone] = last[gone] <= end - horizon_us

    who = np.flatnonzero(lost)
    # From the wish to leave on, a warning is right; what is known at the horizon's end is known too late.
    courses = Churns(who, begin[who], last[who] + horizon_us, np.zeros(len(who), dtype=np.bool_))
    first = alarms.first_in(courses, len(truth))
    caught = first >= 0
    seen = np.maximum(alarms.opened_at[first[caught]], courses.last_order[caught])
    leads = Spread.of((courses.known_at[caught] - seen) / DAY)

    right = leaving[alarms.customer] & (alarms.closed_at > begin[alarms.customer])
    stayers = ordered & ~leaving
    false = Counter(sorted(kinds[alarms.customer[~right]].tolist()))
    return SimulatedOutcome(
        in_time=InTime.of(Share.of(caught), leads, horizon_us),
        by_kind={kind: Share.of(caught[kinds[who] == kind]) for kind in sorted(set(kinds[who].tolist()))},
        too_recent=int(np.count_nonzero(gone & ~lost)),
        right=Share.of(right),
        right_by_tier=_by_tier(alarms, right),
        false_by_kind=dict(false.most_common()),
        stayers_alarmed=Share.of(_alarmed(alarms.customer, len(truth))[stayers]),
        stayers_alarmed_high=Share.of(
            _alarmed(alarms.customer[alarms.tier == Tier.HIGH], len(truth))[stayers]
        ),
    )


def observed_outcome(
    episodes: Iterable[Episode], history: History, zone: str, horizon_us: int
) -> ObservedOutcome:
    """Compare warnings with what a history holds after them, over the whole of it."""
    alarms = alarms_of(episodes, {name: number for number, name in enumerate(history.customers)})
    terms = JudgeTerms.of(EngineSettings(time_zone=zone, horizon_us=horizon_us))
    judge = Judge(history, terms, Team(), Period(history.begin, history.end))
    figures = judge.figures(alarms)
    by_tier = {tier.label: judge.figures(alarms.take(alarms.tier == tier)).precision for tier in URGENT_FIRST}
    return ObservedOutcome(
        in_time=InTime.of(figures.recall, figures.lead_days, horizon_us),
        confirmed=figures.precision,
        confirmed_by_tier={tier: share for tier, share in by_tier.items() if share.whole},
        not_yet_known=figures.alarms - figures.precision.whole,
        base=judge.base(),
    )


def _instants(instants: Sequence[int | None], end: int) -> NDArray[np.int64]:
    """Return (n,) instants, `ALWAYS` for those that have not come by `end`."""
    return np.array([ALWAYS if at is None or at > end else at for at in instants], dtype=np.int64)


def _by_tier(alarms: Alarms, right: NDArray[np.bool_]) -> dict[str, Share]:
    """Return the share of the right among the alarms of each tier that there is, the urgent first."""
    return {
        tier.label: Share.of(right[alarms.tier == tier])
        for tier in URGENT_FIRST
        if (alarms.tier == tier).any()
    }


def _alarmed(customer: NDArray[np.int64], customers: int) -> NDArray[np.bool_]:
    """Say of each of (c,) customers whether it has an alarm."""
    return np.bincount(customer, minlength=customers) > 0
