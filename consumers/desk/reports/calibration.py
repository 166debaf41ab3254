"""Whether the model's probabilities came true, from the samples that the store keeps: a random sample."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from consumers.database.database import Database
from consumers.database.learning import SampleRow
from streams.share import Share

BANDS: Final = 10


@dataclass(frozen=True, slots=True)
class Band:
    """The samples whose probability lay in [low, high)."""

    low: float
    high: float
    mean_probability: float
    churned: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """What became of customers, by the probability that they had."""

    bands: tuple[Band, ...]
    """Those with samples, from low to high."""
    scored: int
    not_scored: int
    """Samples without a probability: the model was not ready."""
    expected: float
    """The sum of the probabilities."""
    churned: int
    since: datetime | None
    until: datetime | None


def calibration(database: Database) -> Calibration:
    """Return what the stored samples say; each counts once, whatever it weighs in learning."""
    n, total, churned = [0] * BANDS, [0.0] * BANDS, [0] * BANDS
    not_scored = 0
    with database.reading() as connection:
        query = select(SampleRow.p, SampleRow.churned).execution_options(yield_per=5_000)
        for p, left in connection.execute(query):
            if p is None:
                not_scored += 1
                continue
            band = min(int(p * BANDS), BANDS - 1)
            n[band] += 1
            total[band] += p
            churned[band] += left
        scored = SampleRow.p.is_not(None)
        span = select(func.min(SampleRow.at), func.max(SampleRow.at)).where(scored)
        since, until = connection.execute(span).one()
    bands = tuple(
        Band(each / BANDS, (each + 1) / BANDS, total[each] / n[each], Share(churned[each], n[each]))
        for each in range(BANDS)
        if n[each]
    )
    return Calibration(bands, sum(n), not_scored, sum(total), sum(churned), since, until)
