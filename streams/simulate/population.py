"""Who the shop's customers are and what each of them will do: the truth, drawn before the first event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAVING_PER_YEAR: Final = 0.22
"""Share of the customers who begin to leave within a year, once they are settled."""

NEVER: Final = 1 << 30
"""A day that does not come."""


class Kind(IntEnum):
    """What a customer is like; the last four leave, those before them never mean to."""

    LOYAL = 0
    """Buys at an own pace and stays."""
    SLOW = 1
    """Buys every three to six months and stays: a long silence that means nothing."""
    HOLIDAY = 2
    """Buys often, is away for two to four weeks once or twice a year and comes back."""
    BIG_ORDER = 3
    """Orders once for ten times the usual amount; what follows looks like a collapse and is not."""
    NEWCOMER = 4
    """Comes while the shop is being watched, and stays."""
    FADER = 5
    """Leaves over weeks: logs in less, buys less often and for less."""
    STOPPER = 6
    """Leaves from one day to the next."""
    COMPLAINT_LEAVER = 7
    """Leaves after a complaint that was not resolved, or badly."""
    ONE_TIMER = 8
    """Comes while the shop is being watched, orders once and never again."""

    @property
    def label(self) -> str:
        """Return the word used in the truth file."""
        return self.name.lower()

    @property
    def leaves(self) -> bool:
        """Return whether a customer of this kind leaves."""
        return self >= Kind.FADER


CHARACTERS: Final = {Kind.SLOW: 0.12, Kind.HOLIDAY: 0.14, Kind.BIG_ORDER: 0.04}
"""Share of each among all customers, before leaving; the rest is loyal."""

LEAVERS: Final = {Kind.FADER: 0.45, Kind.STOPPER: 0.3, Kind.COMPLAINT_LEAVER: 0.25}
"""Share of each way of leaving among the settled customers who leave."""

NEWCOMERS: Final = 0.3
"""Share of the customers who come after the first day."""

ONE_TIMERS: Final = 0.3
"""Share of the newcomers who order only once."""

HOLIDAYS: Final = 8
"""Holidays drawn for each holiday-maker; those beyond the last day do not happen."""

CLASSES: Final = ("key", "ordinary", "small", "problem")
SEGMENTS: Final = ("household", "office", "trade")
REGIONS: Final = ("north", "east", "south", "west")
ORIGINS: Final = ("search", "friend", "advert", "fair")


@dataclass(frozen=True, slots=True)
class Population:
    """The customers as columns; days count from the shop's first day, which is 0."""

    kind: NDArray[np.int8]
    """(c,) a `Kind`."""
    gap_days: NDArray[np.float32]
    """(c,) mean days between orders: weekly to half-yearly."""
    regularity: NDArray[np.float32]
    """(c,) shape of the gamma-distributed gaps; 1 is a Poisson process, more is more regular."""
    amount: NDArray[np.float32]
    """(c,) median amount of an order."""
    browsing: NDArray[np.float32]
    """(c,) logins a day apart from those that end in an order."""
    complaining: NDArray[np.float32]
    """(c,) share of orders complained about."""
    joined_day: NDArray[np.int32]
    """(c,) the first day as a customer; 0 for those who were there before."""
    fade_day: NDArray[np.int32]
    """(c,) the day from which a fader's rate falls; `NEVER` for others."""
    fade_days: NDArray[np.float32]
    """(c,) how long the falling takes; 1 for others."""
    left_day: NDArray[np.int32]
    """(c,) the day from which there is no order or browsing any more; `NEVER` for those who stay."""
    left_share: NDArray[np.float32]
    """(c,) time of day of a complaint leaver's last complaint, as a share of the day; 0 for others."""
    big_order_day: NDArray[np.int32]
    """(c,) the first order on or after this day is the big one; `NEVER` for others."""
    away: NDArray[np.int64]
    """(a,) the holiday-makers, ascending."""
    away_from: NDArray[np.int32]
    """(a, HOLIDAYS) first day of each holiday."""
    away_until: NDArray[np.int32]
    """(a, HOLIDAYS) the day of coming back."""
    profile: NDArray[np.int8]
    """(c, 4) class, segment, region, origin as positions in their lists; -1 in the first for no profile."""

    def __len__(self) -> int:
        return len(self.kind)

    def faded(self, day: int) -> NDArray[np.float32]:
        """Return how far each customer's fading has come on a day, 0 to 1, `(c,)`."""
        faded: NDArray[np.float32] = (np.float32(day) - self.fade_day) / self.fade_days
        return faded.clip(0, 1).astype(np.float32)

    def present(self, day: int) -> NDArray[np.bool_]:
        """Return who has come, has not left and is not away on a day, `(c,)`."""
        here: NDArray[np.bool_] = (self.joined_day <= day) & (day < self.left_day)
        gone = ((self.away_from <= day) & (day < self.away_until)).any(axis=1)
        here[self.away[gone]] = False
        return here

    def returning(self, day: int) -> NDArray[np.int64]:
        """Return who comes back from a holiday on a day, `(k,)`."""
        back: NDArray[np.int64] = self.away[(self.away_until == day).any(axis=1)]
        return back


def draw_population(rng: np.random.Generator, customers: int, days: int) -> Population:
    """Draw `customers` customers for a shop that is watched for `days` days."""
    c = customers
    character = _choose(rng, c, CHARACTERS, Kind.LOYAL)
    gap = _gaps(rng, character)
    newcomer = rng.random(c) < NEWCOMERS
    joined = np.where(newcomer, rng.integers(0, max(int(days * 0.9), 1), c), 0)

    settled = joined + 30 + 2 * gap
    leaving = settled + rng.exponential(-365 / np.log1p(-LEAVING_PER_YEAR), c)
    leaves = leaving < days
    once = (joined > 0) & (rng.random(c) < ONE_TIMERS)
    kind = np.where(leaves, _choose(rng, c, LEAVERS, Kind.FADER), character)
    kind = np.where((kind == Kind.LOYAL) & (joined > 0), Kind.NEWCOMER, kind)
    kind = np.where(once, Kind.ONE_TIMER, kind)
    fades = kind == Kind.FADER
    fade_days = np.clip(rng.uniform(1.5, 3.5, c) * gap, 28, 150)
    left = np.where(leaves, leaving + np.where(fades, fade_days, 0), NEVER)
    left = np.where(once, joined + 1, left)
    complains = kind == Kind.COMPLAINT_LEAVER
    away, away_from, away_until = _holidays(rng, character, joined)
    return Population(
        kind=kind.astype(np.int8),
        gap_days=gap.astype(np.float32),
        regularity=rng.uniform(1.5, 6.0, c).astype(np.float32),
        amount=(60 * rng.lognormal(0.0, 0.7, c)).astype(np.float32),
        browsing=np.minimum(rng.uniform(1.0, 4.0, c) / gap, 0.5).astype(np.float32),
        complaining=rng.beta(0.8, 40.0, c).astype(np.float32),
        joined_day=joined.astype(np.int32),
        fade_day=np.where(fades, leaving, NEVER).astype(np.int32),
        fade_days=np.where(fades, fade_days, 1).astype(np.float32),
        left_day=left.astype(np.int32),
        left_share=np.where(complains, rng.uniform(0.3, 0.9, c), 0).astype(np.float32),
        big_order_day=np.where(character == Kind.BIG_ORDER, joined + rng.integers(60, 300, c), NEVER).astype(
            np.int32
        ),
        away=away,
        away_from=away_from,
        away_until=away_until,
        profile=_profiles(rng, c),
    )


def _choose(rng: np.random.Generator, count: int, shares: dict[Kind, float], rest: Kind) -> NDArray[np.int64]:
    """Draw `count` kinds with the given shares, `rest` where none falls."""
    kinds = np.array([*shares, rest], np.int64)
    drawn: NDArray[np.int64] = kinds[np.searchsorted(np.cumsum(list(shares.values())), rng.random(count))]
    return drawn


def _gaps(rng: np.random.Generator, character: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw the mean days between orders: lognormal, but long for the slow and short for holiday-makers."""
    c = len(character)
    gap = np.clip(27 * rng.lognormal(0.0, 0.65, c), 6, 120)
    slow, quick = rng.uniform(90, 182, c), rng.uniform(6, 18, c)
    return np.where(character == Kind.SLOW, slow, np.where(character == Kind.HOLIDAY, quick, gap))


def _holidays(
    rng: np.random.Generator, character: NDArray[np.int64], joined: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Draw holidays of two to four weeks, some seven months apart, none in the first six weeks."""
    who = np.flatnonzero(character == Kind.HOLIDAY)
    pauses = np.concatenate(
        [rng.uniform(42, 330, (len(who), 1)), rng.uniform(120, 330, (len(who), HOLIDAYS - 1))], axis=1
    )
    lengths = rng.integers(14, 29, (len(who), HOLIDAYS))
    begins = (joined[who, None] + np.cumsum(pauses, axis=1)).astype(np.int64)
    begins[:, 1:] += np.cumsum(lengths, axis=1)[:, :-1]
    return who, begins.astype(np.int32), (begins + lengths).astype(np.int32)


def _profiles(rng: np.random.Generator, count: int) -> NDArray[np.int8]:
    """Draw profiles for three customers of five."""
    classes = rng.choice(len(CLASSES), count, p=[0.12, 0.6, 0.25, 0.03])
    others = [rng.integers(0, len(words), count) for words in (SEGMENTS, REGIONS, ORIGINS)]
    known = rng.random(count) < 0.6
    return np.stack([np.where(known, classes, -1), *others], axis=1).astype(np.int8)
