"""Delayed labels: what was known of customers at their decision instants, kept until the outcome is.

Every customer has one decision instant in `decide_every` sweeps; which one follows from a hash of the
customer's id, so that each sweep takes about an equal share. At that instant `t` the model's inputs are
frozen. A customer has churned when no activity follows in [t, t + horizon), or on a closure in it: the sweep
at `t` comes before the events of its instant, and so does the judgement at `t + horizon`. The outcome is
known then and not before, for those who stayed as for those who left: learning early from customers who came
back would make everybody look like one of them. What has not matured is censored and never learned.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.features.renumbering import Renumbering
from streams.core.model.treatment import WarningsThen


@dataclass(frozen=True, slots=True)
class LabelledSamples:
    """`k` customers at one decision instant and what became of them, in learning order."""

    at: int
    """The decision instant, microseconds since the epoch."""
    customers: NDArray[np.int64]
    x: NDArray[np.float32]
    """(k, m) the model's inputs as they were then, NaN for missing."""
    p: NDArray[np.float64]
    """(k,) the probability given then, NaN if there was none."""
    logit: NDArray[np.float64]
    """(k,) the model's log odds then, without the level, ready or not; NaN if there was no model."""
    full: float
    """The shift of the level at full strength, as it was then."""
    y: NDArray[np.bool_]
    """(k,) whether the customer had churned by the end of the horizon."""
    excluded: NDArray[np.bool_]
    """(k,) customers whose outcome is not known, as while a topic of activity is quiet."""
    treated: NDArray[np.bool_]
    """(k,) customers who were treated: nobody knows what they would have done without it."""
    weight: NDArray[np.float64]
    """(k,) for how many customers each stands; 1 where nobody was treated."""
    inputs: tuple[str, ...]
    """(m,) the names of the columns of `x`."""

    def __len__(self) -> int:
        return len(self.y)

    def plain(self) -> LabelledSamples:
        """Return the samples to learn from: those neither excluded nor treated."""
        keep = ~(self.excluded | self.treated)
        columns = {
            f.name: getattr(self, f.name)[keep]
            for f in fields(self)
            if f.name not in ("at", "full", "inputs")
        }
        return replace(self, **columns)


@dataclass(frozen=True, slots=True)
class _PendingSamples:
    at: int
    customers: NDArray[np.int64]
    x: NDArray[np.float32]
    p: NDArray[np.float64]
    logit: NDArray[np.float64]
    full: float
    warnings: WarningsThen


class DelayedLabels:
    """Decisions whose outcome is not known yet, oldest first.

    `max_samples` bounds what one sweep adds, and so memory and learning time: of a larger share a uniform
    subsample is kept, chosen anew at each sweep by a hash. A model of twenty weights gains little from more.
    Once there are treatments, held-out customers with an open warning are kept beside it.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        *,
        horizon_us: int = 90 * DAY,
        learn_within_us: int | None = None,
        decide_every: int = 7,
        max_samples: int = 500,
    ) -> None:
        within = 2 * horizon_us if learn_within_us is None else learn_within_us
        if min(horizon_us, within, decide_every, max_samples) < 1:
            msg = "horizon, learning window, decision interval and sample limit must be at least 1"
            raise ValueError(msg)
        self.inputs = tuple(inputs)
        self.horizon_us = horizon_us
        self.learn_within_us = within
        self.decide_every = decide_every
        self.max_samples = max_samples
        self.thinned = 0
        """Customers who were due since this was made, and left out for `max_samples`."""
        self._waiting: deque[_PendingSamples] = deque()
        self.counts: Counter[str] = Counter()
        """Samples that have matured: `learned`, of them `weighted` more than 1, `treated` and `excluded`."""

    def __len__(self) -> int:
        """Return how many samples wait for their outcome."""
        return sum(len(c.customers) for c in self._waiting)

    def choose(
        self,
        at: int,
        sweep: int,
        keys: NDArray[np.uint64],
        last_activity: NDArray[np.int64],
        closed_at: NDArray[np.int64],
        keep: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """Return the customers, (k,), whose decision instant is the sweep at `at`, in learning order.

        `sweep` numbers the sweeps without gaps. `keys` (`customer_keys`), `last_activity` and `closed_at` are
        (c,), the smallest integer standing for never. In the population are customers active
        in (at - learn_within_us, at) without a closure since. Learning order is that of a hash, anew at
        each sweep: it does not depend on who became known first, and no kind of customer always comes last.
        Those in `keep` (c,) are chosen beyond `max_samples`, too.
        """
        due = keys % np.uint64(self.decide_every) == np.uint64(sweep % self.decide_every)
        rows = np.flatnonzero(
            due & (last_activity > at - self.learn_within_us) & (closed_at <= last_activity)
        )
        rows = rows[np.argsort(_mixed(keys[rows], sweep), kind="stable")]
        kept = np.arange(len(rows)) < self.max_samples
        if keep is not None:
            kept |= keep[rows]
        self.thinned += int(np.count_nonzero(~kept))
        return rows[kept]

    def decide(
        self,
        at: int,
        customers: NDArray[np.integer[Any]],
        x: NDArray[np.floating[Any]],
        p: NDArray[np.float64],
        logit: NDArray[np.float64] | None = None,
        full: float = 0.0,
        warnings: WarningsThen | None = None,
    ) -> None:
        """Freeze the inputs `x` (k, m) and probabilities `p` (k,) of `customers` (k,) as they are at `at`.

        `logit` (k,) and `full` are what the level is learned from, as in `LabelledSamples`; `warnings` those
        that are open.
        """
        if self._waiting and at <= self._waiting[-1].at:
            msg = f"decision at {at} after one at {self._waiting[-1].at}"
            raise ValueError(msg)
        if x.shape != (len(customers), len(self.inputs)) or p.shape != (len(customers),):
            msg = f"{len(customers)} customers and {len(self.inputs)} inputs, but x {x.shape} and p {p.shape}"
            raise ValueError(msg)
        if len(customers):
            log_odds = np.full(len(p), np.nan) if logit is None else logit.astype(np.float64)
            then = warnings or WarningsThen.none(len(p))
            rows, given = customers.astype(np.int64), p.astype(np.float64)
            self._waiting.append(_PendingSamples(at, rows, _single(x), given, log_odds, full, then))

    def next_due(self) -> int | None:
        """Return the instant at which the next outcomes are known, `None` if none is awaited."""
        return self._waiting[0].at + self.horizon_us if self._waiting else None

    def mature(
        self,
        at: int,
        last_activity: NDArray[np.int64],
        closed_at: NDArray[np.int64],
        exclude: NDArray[np.bool_] | None = None,
        treated: NDArray[np.integer[Any]] | None = None,
    ) -> LabelledSamples | None:
        """Return the samples whose outcome is known at `at`, or `None`; each is returned once.

        To be called when all events before `next_due()` were applied and none of its instant: all arguments
        are (c,) as of then. `exclude` marks customers not to be learned from, `treated` are those
        who were treated since a horizon before the decision.
        """
        due = self.next_due()
        if due is None or at < due:
            return None
        if at > due:
            msg = f"outcomes due at {due} asked for at {at}: they would be read from the future"
            raise ValueError(msg)
        cohort = self._waiting.popleft()
        rows = cohort.customers
        y = (last_activity[rows] < cohort.at) | (closed_at[rows] >= cohort.at)
        excluded = np.zeros(len(rows), dtype=np.bool_) if exclude is None else exclude[rows]
        acted = np.zeros(len(rows), dtype=np.bool_) if treated is None else np.isin(rows, treated)
        weight = cohort.warnings.weights(acted)
        learned = ~(excluded | acted)
        self.counts += Counter(
            learned=int(np.count_nonzero(learned)),
            weighted=int(np.count_nonzero(learned & (weight > 1))),
            treated=int(np.count_nonzero(acted & ~excluded)),
            excluded=int(np.count_nonzero(excluded)),
        )
        return LabelledSamples(
            cohort.at,
            rows,
            cohort.x,
            cohort.p,
            cohort.logit,
            cohort.full,
            y,
            excluded,
            acted,
            weight,
            self.inputs,
        )

    def waited_for(self) -> Iterator[NDArray[np.int64]]:
        """Yield the customers, (k,) each, whose outcome is awaited."""
        for cohort in self._waiting:
            yield cohort.customers

    def renumber(self, to: Renumbering) -> None:
        """Give customers their new rows; nobody leaves whose outcome is awaited."""
        for place, cohort in enumerate(self._waiting):
            assert to.mask(cohort.customers).all(), "a sample waits for a customer who leaves"
            rows = to.place[cohort.customers].astype(np.int64)
            self._waiting[place] = replace(cohort, customers=rows)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that waits as arrays: samples one cohort after the other."""
        waiting = self._waiting
        return {
            "at": np.array([c.at for c in waiting], dtype=np.int64),
            "size": np.array([len(c.customers) for c in waiting], dtype=np.int64),
            "customers": np.concatenate([c.customers for c in waiting] or [np.empty(0, dtype=np.int64)]),
            "x": np.concatenate(
                [c.x for c in waiting] or [np.empty((0, len(self.inputs)), dtype=np.float32)]
            ),
            "p": np.concatenate([c.p for c in waiting] or [np.empty(0)]),
            "logit": np.concatenate([c.logit for c in waiting] or [np.empty(0)]),
            "full": np.array([c.full for c in waiting], dtype=np.float64),
            "tier": np.concatenate([c.warnings.tier for c in waiting] or [np.empty(0, dtype=np.int8)]),
            "verdict": np.concatenate([c.warnings.verdict for c in waiting] or [np.empty(0, dtype=np.int8)]),
            "holdout": np.concatenate([c.warnings.holdout for c in waiting] or [np.empty(0, dtype=np.bool_)]),
            "inputs": np.array(self.inputs, dtype=np.str_),
        }

    def restore(self, state: Mapping[str, NDArray[Any]], counts: Mapping[str, int] | None = None) -> None:
        """Go on from what `state` returned, and from `counts`.

        Inputs are matched by name: one that the state does not know is missing in its samples.
        """
        known = state["inputs"].tolist()
        source = [known.index(name) if name in known else -1 for name in self.inputs]
        x = np.column_stack([state["x"], np.full(len(state["x"]), np.nan, dtype=np.float32)])[:, source]
        self._waiting.clear()
        self.counts = Counter(counts or {})
        stop = 0
        sizes = (state[name].tolist() for name in ("at", "size", "full"))
        for at, size, full in zip(*sizes, strict=True):
            start, stop = stop, stop + size
            part = slice(start, stop)
            p, logit = state["p"][part], state["logit"][part]
            then = WarningsThen(state["tier"][part], state["verdict"][part], state["holdout"][part])
            self._waiting.append(_PendingSamples(at, state["customers"][part], x[part], p, logit, full, then))


def _mixed(keys: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """Return `keys` hashed anew with `salt` (the finaliser of SplitMix64)."""
    z = keys + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _single(x: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return `x` in single precision; what does not fit or is infinite is missing."""
    with np.errstate(over="ignore"):
        single = x.astype(np.float32)
    single[~np.isfinite(single)] = np.nan
    return single
