"""What the desk draws of a customer who is warned of: the last days, and each day that follows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import MILLION
from streams.core.features.catalogue import Features
from streams.core.features.customers import KEPT_DAYS, Customers
from streams.core.features.renumbering import Renumbering
from streams.core.outcomes.outcome import CustomerDays, DayCounts, Score, outcome_id
from streams.core.steps import Step, StepKind
from streams.core.warnings.decisions import DecisionMaker, circumstances
from streams.core.warnings.episodes import OpenWarning, WarningChange

MEASURES: Final = ("orders", "spend", "logins", "complaints")


@dataclass(frozen=True, slots=True)
class CustomerDayWriter:
    """Makes the records of one partition's customers."""

    customers: Customers

    def opened(self, features: Features, steps: Sequence[tuple[WarningChange, Step]]) -> list[CustomerDays]:
        """Return for each warning that opened what its customer did on the last local days."""
        chosen = [(change, step) for change, step in steps if change.kind is StepKind.OPENED]
        if not chosen:
            return []
        rows = np.array([change.row for change, _ in chosen], dtype=np.int64)
        counts = {measure: features.view.by_day(measure, rows, KEPT_DAYS) for measure in MEASURES}
        return [
            CustomerDays(
                id=f"{step.warning_id}/opened",
                at=change.at,
                customer_id=step.customer_id,
                warning_id=step.warning_id,
                first_day=self.customers.day - KEPT_DAYS + 1,
                last_day=self.customers.day,
                days=self._days({measure: grid[i] for measure, grid in counts.items()}),
                churn_probability=step.churn_probability,
                value=None if step.decision is None else step.decision.value,
                decision=step.decision,
            )
            for i, (change, step) in enumerate(chosen)
        ]

    def swept(
        self,
        at: int,
        features: Features,
        warnings: dict[int, OpenWarning],
        new: Collection[str],
        maker: DecisionMaker,
    ) -> list[CustomerDays]:
        """Return for each open warning that is not a `new` one the day that a sweep judges."""
        ids, today = self.customers.ids, self.customers.day
        owners = sorted((c for c, w in warnings.items() if w.id not in new), key=ids.__getitem__)
        if not owners:
            return []
        rows = np.array(owners, dtype=np.int64)
        counts = [features.view.by_day(measure, rows, 1)[:, 0].tolist() for measure in MEASURES]
        probability, known = _column(features, "churn_probability", rows), circumstances(features.view, rows)
        made = []
        for customer, p, around, *done in zip(owners, probability, known, *counts, strict=True):
            orders, spend, logins, complaints = done
            decision = maker.decide(warnings[customer].causes.values(), p, around)
            days = (DayCounts(today, orders, spend / MILLION, logins, complaints),) if any(done) else ()
            warning_id = warnings[customer].id
            own = f"{warning_id}/{at}"
            made.append(
                CustomerDays(
                    own, at, ids[customer], warning_id, today, today, days, p, around.value, decision
                )
            )
        return made

    def _days(self, counts: dict[str, NDArray[np.int64]]) -> tuple[DayCounts, ...]:
        """Return the days of one customer on which anything was done, the oldest first."""
        found = np.flatnonzero(np.any([column != 0 for column in counts.values()], axis=0))[::-1]
        return tuple(
            DayCounts(
                day=self.customers.day - age,
                orders=int(counts["orders"][age]),
                spend=int(counts["spend"][age]) / MILLION,
                logins=int(counts["logins"][age]),
                complaints=int(counts["complaints"][age]),
            )
            for age in found.tolist()
        )


def _column(features: Features, name: str, rows: NDArray[np.int64]) -> list[float | None]:
    """Return a feature at the (k,) rows, `None` where it is missing."""
    values = features[name][rows].astype(np.float64)
    return [None if np.isnan(value) else value for value in values.tolist()]


class ScoreKeeper:
    """Which scores were put out last, so that only those that have moved are put out again."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.sent = np.full(1024, np.nan, dtype=np.float32)
        """(capacity,) the probability put out last, NaN for none."""

    def grow(self, needed: int) -> None:
        """Make room for the first `needed` customers."""
        if needed > len(self.sent):
            added = max(needed, 2 * len(self.sent)) - len(self.sent)
            self.sent = np.concatenate([self.sent, np.full(added, np.nan, dtype=np.float32)])

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        self.sent = to.column(self.sent, np.nan)

    def state(self, known: int) -> NDArray[np.float32]:
        """Return a copy of what was put out of the first `known` customers."""
        self.grow(known)
        return self.sent[:known].copy()

    def restore(self, sent: NDArray[np.float32]) -> None:
        """Go on from `state`."""
        self.grow(len(sent))
        self.sent[: len(sent)] = sent

    def moved(self, probability: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the customers, (k,), whose probability, of (c,), has moved by more than a step."""
        self.grow(len(probability))
        sent = self.sent[: len(probability)]
        known = ~np.isnan(probability)
        rows = np.flatnonzero(known & ~(np.abs(probability - sent) <= self.step))
        sent[rows] = probability[rows]
        return rows


def scores(app: str, at: int, features: Features, customers: Customers, keeper: ScoreKeeper) -> list[Score]:
    """Return the scores at a sweep that have moved, by customer."""
    rows = keeper.moved(features["churn_probability"].astype(np.float64))
    columns = [_column(features, name, rows) for name in ("churn_probability", "churn_lift", "value")]
    made = [
        Score(
            outcome_id(app, "customer.scored", customers.ids[customer], str(at)),
            at,
            customers.ids[customer],
            *values,
        )
        for customer, *values in zip(rows.tolist(), *columns, strict=True)
    ]
    return sorted(made, key=lambda score: score.customer_id)
