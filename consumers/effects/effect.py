"""The effect of a play: what chance separates, compared as it was drawn and not as it came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from consumers.effects.cohort import HELD_OUT, NOT_DRAWN, SHOWN
from streams.share import Share, ShareDifference

CLAIM_LEVEL: Final = 0.99
RESAMPLES: Final = 10_000
SEED: Final = 1
TIERS: Final = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Side:
    """Customers on one side, each with one warning."""

    n: int
    churned: int
    contacted: int
    """By a `contact` or an `offer` within the horizon, whether or not somebody was reached."""
    contacted_churned: int
    unreached: int
    """Of the contacted, those whom nobody reached."""

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Side:
        """Count a side's warnings."""
        churned, contacted = rows["churned"], rows["treated"]
        counts = (churned, contacted, churned & contacted, rows["unreached"])
        return cls(len(rows), *(int(column.sum()) for column in counts))

    @property
    def churn(self) -> Share:
        """Return the share that churned."""
        return Share(self.churned, self.n)

    @property
    def contact(self) -> Share:
        """Return the share that was contacted."""
        return Share(self.contacted, self.n)

    @property
    def no_answer(self) -> Share:
        """Return the share of the contacted whom nobody reached."""
        return Share(self.unreached, self.contacted)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and shares as plain JSON values."""
        counts = {"n": self.n, "churned": self.churned, "contacted": self.contacted}
        shares = {"churn": self.churn, "contact": self.contact, "not_reached": self.no_answer}
        return counts | {name: share.as_dict() for name, share in shares.items()}


class Claim(StrEnum):
    """Whether it may be said that a play does something, and if not, why not."""

    HELPS = "helps"
    HARMS = "harms"
    NOBODY_HELD_OUT = "nobody_held_out"
    TOO_FEW = "too_few"
    """Fewer of the held out churned than the setting `min_holdout` wants."""
    NOT_CLEAR = "not_clear"
    """The 99 % interval of the difference holds 0."""

    @property
    def is_made(self) -> bool:
        """Return whether there is a claim."""
        return self in (Claim.HELPS, Claim.HARMS)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a play did to the customers of a tier, or of all."""

    play: str
    tier: str | None
    """As at the opening; `None` for all tiers."""
    held_out: Side
    shown: Side
    not_drawn: Side
    """On neither side: an exempt class, a tier without a share, or held out only for an earlier warning."""
    success: float | None
    """s: of those contacted who would have churned, the share that stayed because of it."""
    success_interval: tuple[float, float] | None
    """95 %, by bootstrap."""
    claim: Claim

    @property
    def difference(self) -> ShareDifference:
        """Return how much less of the others churned than of the held out, with its 95 % interval."""
        return self._difference(0.95)

    @property
    def claim_difference(self) -> ShareDifference:
        """Return the same with the 99 % interval, by which a claim is made."""
        return self._difference(CLAIM_LEVEL)

    def _difference(self, level: float) -> ShareDifference:
        return ShareDifference.between(self.shown.churn, self.held_out.churn, level)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        low, high = self.success_interval or (None, None)
        return {
            "play": self.play,
            "tier": self.tier,
            "held_out": self.held_out.as_dict(),
            "not_held_out": self.shown.as_dict(),
            "not_drawn": self.not_drawn.as_dict(),
            "difference": self.difference.as_dict(),
            "difference_99": self.claim_difference.as_dict(),
            "success": {"value": self.success, "low": low, "high": high},
            "claim": self.claim.value,
        }


def effects_of(play: str, warnings: pl.DataFrame, min_holdout: int) -> list[Effect]:
    """Return the effect over all tiers, then by tier, of a cohort's warnings."""
    tiers = [tier for tier in TIERS if tier in set(warnings["tier"])]
    parts = [(None, warnings), *((tier, warnings.filter(tier=tier)) for tier in tiers)]
    return [_effect(play, tier, rows, min_holdout) for tier, rows in parts]


def _effect(play: str, tier: str | None, rows: pl.DataFrame, min_holdout: int) -> Effect:
    held_out, shown, not_drawn = (Side.of(rows.filter(side=side)) for side in (HELD_OUT, SHOWN, NOT_DRAWN))
    return Effect(
        play=play,
        tier=tier,
        held_out=held_out,
        shown=shown,
        not_drawn=not_drawn,
        success=success(held_out, shown),
        success_interval=success_interval(held_out, shown),
        claim=claim(held_out, shown, min_holdout),
    )


def claim(held_out: Side, shown: Side, min_holdout: int) -> Claim:
    """Return whether the two sides allow a claim."""
    if not held_out.n:
        return Claim.NOBODY_HELD_OUT
    if held_out.churned < min_holdout:
        return Claim.TOO_FEW
    found = ShareDifference.between(shown.churn, held_out.churn, CLAIM_LEVEL)
    if found.low is None or found.high is None or found.low <= 0 <= found.high:
        return Claim.NOT_CLEAR
    return Claim.HELPS if found.low > 0 else Claim.HARMS


def success(held_out: Side, shown: Side) -> float | None:
    """Return s = difference of the churn shares / (held-out churn share x share contacted of the others)."""
    if not (held_out.churned and shown.contacted):
        return None
    untreated = held_out.churned / held_out.n
    return (untreated - shown.churned / shown.n) / (untreated * shown.contacted / shown.n)


def success_interval(
    held_out: Side, shown: Side, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float] | None:
    """Return the percentile interval of s, by bootstrap of customers on each side.

    Efron, B., and Tibshirani, R. J. (1993): An Introduction to the Bootstrap, chapter 13. Drawing n customers
    with replacement gives counts of kinds of customers that are multinomial, so the counts are drawn and not
    the customers. `None` where so many resamples have no s that an end of the interval is among them.
    """
    if success(held_out, shown) is None:
        return None
    held, others = resampled(held_out, shown, resamples, seed)
    churned, contacted = others[:, 0] + others[:, 1], others[:, 0] + others[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        untreated = held / held_out.n
        drawn = (untreated - churned / shown.n) / (untreated * contacted / shown.n)
    undefined = ~np.isfinite(drawn)
    tail = (1 - level) / 2
    # One without an s may lie anywhere: it counts below the lower end and above the upper one.
    low = float(np.quantile(np.where(undefined, -np.inf, drawn), tail, method="lower"))
    high = float(np.quantile(np.where(undefined, np.inf, drawn), 1 - tail, method="higher"))
    return (low, high) if np.isfinite(low) and np.isfinite(high) else None


def resampled(
    held_out: Side, shown: Side, resamples: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of each resample how many held out churned, `(r,)`, and the counts of the others, `(r, 4)`.

    The four kinds: churned and contacted, churned only, contacted only, neither.
    """
    chance = np.random.default_rng(seed)
    both = shown.contacted_churned
    kinds = np.array(
        [both, shown.churned - both, shown.contacted - both, shown.n - shown.churned - shown.contacted + both]
    )
    held = chance.binomial(held_out.n, held_out.churned / held_out.n, resamples)
    others = chance.multinomial(shown.n, kinds / shown.n, resamples)
    return held.astype(np.int64), others.astype(np.int64)
