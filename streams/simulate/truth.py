"""What each customer of the shop really is and does, for comparison with what was warned of."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.simulate.population import Kind, Population
from streams.simulate.records import customer_ids

REASONS: Final = {
    Kind.FADER: "activity_decline",
    Kind.STOPPER: "sudden_stop",
    Kind.COMPLAINT_LEAVER: "complaint",
    Kind.ONE_TIMER: "never_settled",
}
"""Why each kind of leaver leaves."""


def truth_of(population: Population, midnights: NDArray[np.int64]) -> pl.DataFrame:
    """Return a row for each customer; `midnights` are the `(days + 1,)` instants that bound the days watched.

    `leaving_from` is when the wish to leave begins and `left_at` from when no order is placed any more: the
    begin and the end of a fader's fading, one instant for the others. Both are null where they lie beyond the
    days watched; `left` says that `left_at` does not. `holidays` holds pairs of first day and day of return.
    """
    p = population
    fades = p.kind == Kind.FADER
    leaving_day = np.where(fades, p.fade_day, p.left_day)
    left_at = _instants(midnights, p.left_day, p.left_share)
    kinds = {int(kind): kind.label for kind in Kind}
    return pl.DataFrame(
        {
            "customer_id": customer_ids(len(p)),
            "kind": pl.Series(p.kind).replace_strict(kinds, return_dtype=pl.String),
            "gap_days": p.gap_days.round(1),
            "joined_at": _instants(midnights, p.joined_day),
            "leaving_from": _instants(midnights, leaving_day, p.left_share),
            "left_at": left_at,
            "left": left_at.is_not_null(),
            "reason": pl.Series(p.kind).replace_strict(
                {int(kind): word for kind, word in REASONS.items()}, default=None, return_dtype=pl.String
            ),
            "holidays": _holidays(p, midnights),
        }
    )


def _instants(
    midnights: NDArray[np.int64], day: NDArray[np.int32], share: NDArray[np.float32] | None = None
) -> pl.Series:
    """Return the instants of days, or of shares of them, `(c,)`; null beyond the last day."""
    inside = day < len(midnights) - 1
    begin = np.where(inside, day, 0)
    length = midnights[begin + 1] - midnights[begin]
    at = midnights[begin] + (0 if share is None else (share * length).astype(np.int64)) // 1000 * 1000
    column = pl.Series(at).cast(pl.Datetime("us", "UTC"))
    return column.set(pl.Series(~inside), None)


def _holidays(p: Population, midnights: NDArray[np.int64]) -> pl.Series:
    """Return each customer's holidays, lists of pairs `(c,)`: those that begin while watched and not left."""
    last_day = np.minimum(p.left_day[p.away], len(midnights) - 1)
    row, nth = np.nonzero(p.away_from < last_day[:, None])
    begin, end = p.away_from[row, nth], p.away_until[row, nth]
    last = len(midnights) - 1
    # A holiday that goes on after the last day ends, for the file, with it.
    bounds = [
        pl.Series(midnights[np.minimum(day, last)]).cast(pl.Datetime("us", "UTC")) for day in (begin, end)
    ]
    pairs = pl.DataFrame({"customer": p.away[row], "begin": bounds[0], "end": bounds[1]})
    lists = pairs.group_by("customer", maintain_order=True).agg(
        pl.concat_list("begin", "end").alias("holidays")
    )
    everyone = pl.DataFrame({"customer": np.arange(len(p))})
    return everyone.join(lists, on="customer", how="left", maintain_order="left")["holidays"].fill_null([])
