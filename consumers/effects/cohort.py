"""Which matured warnings count, and on which side: each customer's first with this play, by lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

RESCUE: Final = "rescue"
HELD_OUT: Final = "held_out"
SHOWN: Final = "shown"
NOT_DRAWN: Final = "not_drawn"


@dataclass(frozen=True, slots=True)
class Exclusions:
    """How many matured warnings of a play do not count, by why; each counts once, at the first that holds."""

    other_verdict: int
    """The decision at the opening was not to rescue, or something was missing."""
    other_experiment: int
    """They opened under another salt, or when the play was another."""
    outside: int
    """They opened outside of the period that was asked for."""
    not_first: int
    """The customer had a warning with this play before."""
    without_lot: int
    """Counted after all, by the customer's `holdout`: they opened before lots were noted."""

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Cohort:
    """The warnings of one play that count."""

    play: str
    experiment: str | None
    """The draw and the play that is measured: that of the newest warning."""
    begun_at: int | None
    """When the first warning that counts opened, microseconds."""
    warnings: pl.DataFrame
    """One row per customer: as `matured.SCHEMA`, with `side` for `lot`."""
    excluded: Exclusions


def cohorts(matured: pl.DataFrame, since: int | None = None, until: int | None = None) -> list[Cohort]:
    """Return the cohort of each play in alphabetical order; warnings count that opened in [since, until)."""
    with_play = matured.filter(pl.col("play").is_not_null())
    parts = with_play.partition_by("play", as_dict=True)
    return [_cohort(str(play), parts[play,], since, until) for (play,) in sorted(parts)]


def _cohort(play: str, own: pl.DataFrame, since: int | None, until: int | None) -> Cohort:
    rescue = own.filter(pl.col("verdict") == RESCUE).sort("opened_at", "warning_id")
    experiment = rescue["experiment"][-1] if len(rescue) else None
    current = rescue.filter(pl.col("experiment").eq_missing(pl.lit(experiment, pl.String)))
    inside = current.filter(
        pl.lit(value=True) if since is None else pl.col("opened_at") >= since,
        pl.lit(value=True) if until is None else pl.col("opened_at") < until,
    )
    first = inside.unique("customer_id", keep="first", maintain_order=True)
    by_holdout = pl.when("holdout").then(pl.lit(HELD_OUT)).otherwise(pl.lit(SHOWN))
    counted = first.with_columns(side=pl.coalesce("lot", by_holdout)).drop("lot")
    excluded = Exclusions(
        other_verdict=len(own) - len(rescue),
        other_experiment=len(rescue) - len(current),
        outside=len(current) - len(inside),
        not_first=len(inside) - len(first),
        without_lot=first["lot"].null_count(),
    )
    begun: Any = counted["opened_at"].min()
    return Cohort(play, experiment, begun, counted, excluded)
