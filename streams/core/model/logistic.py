"""The churn model as a frozen snapshot: its inputs, its score as a column, and each input's share in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.core.conditions.columns import is_same_everywhere
from streams.core.features.customers import ATTRIBUTES
from streams.core.features.words import CLASSES, word_columns
from streams.core.model.reasons import Group, reasons
from streams.core.model.warm_up import Progress
from streams.core.steps import Reason, Value

SIZE_LIMIT: Final = 1e12
"""Counts, money and days are cut at this size either way; the contract knows no larger amount."""

LEAST_CHANCE: Final = 1e-4
"""Probabilities are cut at this distance from 0 and 1."""

KNOTS: Final = CLASSES
"""Points, evenly spread over an input's range, between which its share of the logit is linear."""

SLOTS: Final = KNOTS + 1
"""Weights of an input: one for each knot, and one for a value that is missing."""

_AT_ONCE: Final = 65_536
"""Numbers worked on at once, so that intermediate results stay in the processor's cache."""
_FEW: Final = 256
"""For so many rows looking counts up in tables costs more than it saves."""


Floats = NDArray[np.float64]


class Transform(StrEnum):
    """How a feature becomes a model input."""

    LOG = "log"
    """Logarithm of 1 + size with the sign kept (net spend may be negative): counts, money, days, ratios."""
    LOGIT = "logit"
    """Log odds of a probability."""
    CLASS = "class"
    """The class of a word: it is the number of a knot already."""

    def apply(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the transformed values, NaN where a value is missing or infinite."""
        x = values.astype(np.float64)
        self.apply_to(x)
        return x

    def apply_to(self, x: Floats) -> None:
        """Transform values in their place."""
        if self is Transform.CLASS:
            return
        infinite = np.isinf(x)
        if infinite.any():
            np.putmask(x, infinite, np.nan)
        if self is Transform.LOG:
            size = np.abs(x)
            np.clip(size, 0.0, SIZE_LIMIT, out=size)
            np.copysign(np.log1p(size, out=size), x, out=x)
        else:
            np.maximum(x, LEAST_CHANCE, out=x)
            np.minimum(x, 1 - LEAST_CHANCE, out=x)
            np.divide(x, 1 - x, out=x)
            np.log(x, out=x)


@dataclass(frozen=True, slots=True)
class Input:
    """One column of the model's matrix."""

    name: str
    feature: str
    """Name in the catalogue, and among the columns that it is made from unless `classes` is given."""
    transform: Transform
    low: float
    """The transformed value at the first knot; what is less counts as this."""
    high: float
    """The same at the last knot."""
    group: Group
    needs: str | None = None
    """A feature that must be more than 0 for this one to be given as a reason."""
    classes: str | None = None
    """Of a word: the column of its classes."""

    @property
    def column(self) -> str:
        """The name of the column that it is made from."""
        return self.classes or self.feature


def _inputs() -> Iterator[Input]:
    counts, money, days, ratios = (0.0, 5.0), (0.0, 11.0), (0.0, 7.0), (0.0, 2.4)
    for scale, group, needs, features in (
        (counts, Group.ACTIVITY, None, ("orders_7d", "orders_30d", "orders_90d", "orders_prev_30d")),
        (counts, Group.TENURE, None, ("orders_total",)),
        (counts, Group.ACTIVITY, "logins_total", ("logins_7d", "logins_30d", "logins_90d")),
        (counts, Group.ACTIVITY, "logins_total", ("logins_prev_30d", "logins_total")),
        (counts, Group.SERVICE, "complaints_90d", ("complaints_90d",)),
        (counts, Group.SERVICE, "complaints_total", ("complaints_total",)),
        (counts, Group.SERVICE, "open_complaints", ("open_complaints",)),
        (counts, Group.RETURNS, "returns_90d", ("returns_90d",)),
        (counts, Group.RHYTHM, None, ("active_weeks_12", "active_weeks_26")),
        (money, Group.SPEND, None, ("spend_30d", "spend_90d", "spend_prev_30d", "spend_total")),
        (days, Group.TENURE, None, ("tenure_days",)),
        (days, Group.ACTIVITY, None, ("days_since_order", "days_since_login")),
        (days, Group.SERVICE, None, ("days_since_complaint",)),
        (days, Group.RHYTHM, None, ("order_gap_mean", "order_gap_std", "last_gap")),
        (ratios, Group.RHYTHM, None, ("overdue",)),
        (ratios, Group.ACTIVITY, None, ("order_trend", "login_trend")),
        (ratios, Group.SPEND, None, ("spend_trend",)),
        (ratios, Group.SERVICE, "complaints_90d", ("complaint_rate_90d",)),
        (ratios, Group.RETURNS, "returns_90d", ("return_rate_90d",)),
        (ratios, Group.SERVICE, None, ("handling_satisfaction_90d", "feedback_mean_90d")),
        ((-7.0, 7.0), Group.CONTRACT, None, ("days_to_contract_end",)),
    ):
        for feature in features:
            yield Input(f"log({feature})", feature, Transform.LOG, *scale, group, needs)
    for feature in ("p_alive", "p_silent"):
        yield Input(f"logit({feature})", feature, Transform.LOGIT, -5.0, 5.0, Group.RHYTHM)


INPUTS: Final[tuple[Input, ...]] = tuple(_inputs())
"""What customers did. What they are (class, segment, region, origin) is read only where a setting says so."""


def inputs_with(attributes: Collection[str]) -> tuple[Input, ...]:
    """Return `INPUTS` and after them those of some profile attributes, in an order of their own.

    A word is three inputs, each with a weight for each of seven classes: so there are few weights, however
    many words a business uses, and two words share all three classes once in 343 times.
    """
    return INPUTS + tuple(
        Input(f"class{digit}({name})", name, Transform.CLASS, 0.0, KNOTS - 1.0, Group.PROFILE, None, column)
        for name in ATTRIBUTES
        if name in attributes
        for digit, column in enumerate(word_columns(name), start=1)
    )


ALL_INPUTS: Final = inputs_with(ATTRIBUTES)
"""Every input that there can be."""

SILENCE: Final = [i.feature for i in INPUTS].index("p_silent")
"""The place of the buying model's probability of silence among the inputs."""


def knows_inputs(names: Iterable[str], inputs: Iterable[Input] = ALL_INPUTS) -> bool:
    """Return whether all inputs of a model are among `inputs`."""
    return set(names) <= {i.name for i in inputs}


class Columns(Protocol):
    """Features by name: `core.features.Features`, or a dict of arrays."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """Return a feature's column, (n,): integers, or floats with NaN for missing."""
        ...


def design(columns: Columns, inputs: Sequence[Input] = INPUTS) -> NDArray[np.float64]:
    """Return the model's matrix, (n, m), NaN for missing; its columns lie together in memory."""
    read = [columns[each.column] for each in inputs]
    return _transformed(read, [each.transform for each in inputs]).T


def _transformed(columns: Sequence[NDArray[Any]], transforms: Sequence[Transform]) -> Floats:
    """Return (k, n) columns as inputs; those that follow each other with the same transform go together."""
    x = np.empty((len(columns), len(columns[0]) if columns else 0))
    for row, column in zip(x, columns, strict=True):
        row[:] = column
    begin = 0
    for transform, run in groupby(transforms):
        end = begin + len(list(run))
        transform.apply_to(x[begin:end])
        begin = end
    return x


def places(
    x: NDArray[np.floating[Any]], low: Floats | float, high: Floats | float
) -> tuple[NDArray[np.intp], Floats]:
    """Return for each value the knot below it, and how far it is on the way to the next, from 0 to 1.

    `low` and `high` are those of its input, or (m,) where `x` is (n, m). A missing value is at the knot after
    the last, which stands for it.
    """
    way = x.astype(np.float64) - low
    way *= (KNOTS - 1) / (np.asarray(high) - low)
    missing = ~np.isfinite(way)
    np.putmask(way, missing, 0.0)
    np.clip(way, 0.0, KNOTS - 1, out=way)
    knot = way.astype(np.intp)
    np.minimum(knot, KNOTS - 2, out=knot)
    way -= knot
    np.putmask(knot, missing, KNOTS)
    return knot, way


def sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities of log odds, without overflow and without losing the small side."""
    small = np.exp(-np.abs(logit))
    return np.where(logit >= 0, 1.0, small) / (1.0 + small)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A logistic regression on piecewise-linear inputs, as it was at one moment of its learning.

    Shares are added up column by column, not by a matrix product: BLAS may sum a row differently in a batch
    of one and of a thousand, and a warning's bytes must not depend on how events were batched.
    """

    version: str
    ready: bool
    """Whether it has seen enough of both outcomes for its score to be shown."""
    inputs: tuple[Input, ...]
    weight: NDArray[np.float64]
    """(m, `SLOTS`) an input's share of the logit at each knot and where it is missing, less its mean."""
    bias: float
    """Log odds of a customer whose inputs all have their mean share."""
    level: float = 0.0
    """Added to all log odds alike: what the season, or the business, has moved since the labels."""
    tables: dict[str, Floats] = field(default_factory=dict, repr=False)
    """By input, the shares of counts from 0 on that were looked up; the last is that of all larger ones."""
    _low: Floats = field(init=False, repr=False)
    """(m, 1) what is at the first knot."""
    _scale: Floats = field(init=False, repr=False)
    """(m, 1) knots in a unit of the input."""
    _first: Floats = field(init=False, repr=False)
    """(m, 1) the place of the first knot's weight among all."""
    _steps: Floats = field(init=False, repr=False)
    """(m, `SLOTS`) from each knot's weight to the next's."""

    def __post_init__(self) -> None:
        """Look up what every score needs."""
        ranges = np.array([(i.low, i.high) for i in self.inputs]).reshape(-1, 2)
        steps = np.zeros_like(self.weight)
        steps[:, : KNOTS - 1] = self.weight[:, 1:KNOTS] - self.weight[:, : KNOTS - 1]
        object.__setattr__(self, "_low", ranges[:, :1])
        object.__setattr__(self, "_scale", (KNOTS - 1) / (ranges[:, 1:] - ranges[:, :1]))
        object.__setattr__(self, "_first", np.arange(len(ranges))[:, np.newaxis] * float(SLOTS))
        object.__setattr__(self, "_steps", steps)

    def score_columns(self, columns: Columns, rows: int) -> Floats:
        """Return the probability of churn for each of the `rows`, (n,), as `score` does of their matrix.

        Many inputs are small counts, whose logarithms and shares need not be computed again for each row, and
        those of a topic without events are the same for everybody.
        """
        if rows <= _FEW:
            return self.score(design(columns, self.inputs))
        read = [columns[each.column] for each in self.inputs]
        counts = [
            values.dtype.kind == "i" and each.transform is Transform.LOG and each.low == 0
            for each, values in zip(self.inputs, read, strict=True)
        ]
        alike = [place for place, values in enumerate(read) if is_same_everywhere(values)]
        others = [place for place, is_count in enumerate(counts) if not is_count and place not in alike]
        logit = np.empty(rows)
        step = max(_FEW, _AT_ONCE // len(self.inputs))
        shares = np.empty((len(self.inputs), min(step, rows)))
        if alike:
            shares[alike] = self._share_rows([read[place][:1] for place in alike], alike)
        for start in range(0, rows, step):
            part = slice(start, start + step)
            own = shares[:, : len(logit[part])]
            if others:
                own[others] = self._share_rows([read[place][part] for place in others], others)
            for place, is_count in enumerate(counts):
                if is_count and place not in alike:
                    self._table(place).take(read[place][part], mode="clip", out=own[place])
            logit[part] = self._added_up(own)
        return sigmoid(logit)

    def _share_rows(self, columns: Sequence[NDArray[Any]], places: Sequence[int]) -> Floats:
        """Return the shares of the inputs at some places, (k, n), made from their columns."""
        return self._shares(_transformed(columns, [self.inputs[place].transform for place in places]), places)

    def _table(self, place: int) -> Floats:
        """Return the shares of an input's counts, up to the last knot, after which they are the same.

        Those of all inputs with the same knots are looked up at once.
        """
        each = self.inputs[place]
        if each.name not in self.tables:
            alike = [
                n
                for n, other in enumerate(self.inputs)
                if (other.transform, other.low, other.high) == (each.transform, each.low, each.high)
            ]
            counts = each.transform.apply(np.arange(int(np.ceil(np.expm1(each.high))) + 1))
            for n, shares in zip(alike, self._shares(np.tile(counts, (len(alike), 1)), alike), strict=True):
                self.tables[self.inputs[n].name] = shares
        return self.tables[each.name]

    def score(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the probability of churn for each row of `x` (n, m), (n,); never NaN."""
        return sigmoid(self.logit(x))

    def logit(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the log odds of churn for each row of `x` (n, m), (n,)."""
        logit = np.empty(len(x))
        step = max(_FEW, _AT_ONCE // max(len(self.inputs), 1))
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            logit[part] = self._added_up(self._shares(np.array(x[part].T, dtype=np.float64, order="C")))
        return logit

    def _added_up(self, shares: Floats) -> Floats:
        """Return the log odds of (m, n) shares, added up from the first to the last in every case."""
        if shares.shape[1] == 1:  # NumPy would add up a single row in another order
            return np.cumsum(np.append(self.base, shares[:, 0]))[-1:]
        logit: Floats = np.add.reduce(shares, axis=0, initial=self.base)
        return logit

    @property
    def base(self) -> float:
        """Log odds before any input's share is added."""
        return self.bias + self.level

    def contributions(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return each input's share of the logit, less its mean, (n, m).

        Added to `base` from left to right they give `logit` to the last bit.
        """
        return self._shares(np.array(x.T, dtype=np.float64, order="C")).T

    def _shares(self, x: Floats, places: Sequence[int] | slice = slice(None)) -> Floats:
        """Return the shares of the inputs at some places, (k, n), given their values, which it overwrites."""
        x -= self._low[places]
        x *= self._scale[places]
        missing = ~np.isfinite(x)
        np.putmask(x, missing, 0.0)
        np.clip(x, 0.0, KNOTS - 1, out=x)
        below = np.floor(x)
        np.clip(below, 0.0, KNOTS - 2, out=below)
        x -= below
        np.putmask(below, missing, KNOTS)
        below += self._first[places]
        knot = below.astype(np.intp)
        x *= self._steps.take(knot)
        x += self.weight.take(knot)
        return x

    def logit_between(self, knot: NDArray[np.integer[Any]], way: Floats) -> Floats:
        """Return what `logit` does, given what `places` returned of the rows, (n, m)."""
        at = knot.T.astype(np.intp, order="C")
        at += self._first.astype(np.intp)
        shares = np.array(way.T, order="C")
        shares *= self._steps.take(at)
        shares += self.weight.take(at)
        return self._added_up(shares)

    def reasons(
        self, x: NDArray[np.floating[Any]], value: Callable[[str, int], Value], limit: int = 3
    ) -> list[tuple[Reason, ...]]:
        """Return what raises the score of each row of `x` (n, m) above the mean most, largest first.

        `value` gives a feature by its name and the row.
        """
        return reasons(self.inputs, self.contributions(x), value, limit)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain JSON values; floats survive the round trip exactly."""
        return {
            "version": self.version,
            "ready": self.ready,
            "inputs": [i.name for i in self.inputs],
            "weight": self.weight.tolist(),
            "bias": self.bias,
            "level": self.level,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Model:
        """Return the model that `to_dict` described; its inputs must be among `ALL_INPUTS`."""
        known = {i.name: i for i in ALL_INPUTS}
        return cls(
            version=values["version"],
            ready=values["ready"],
            inputs=tuple(known[name] for name in values["inputs"]),
            weight=np.array(values["weight"], dtype=np.float64).reshape(-1, SLOTS),
            bias=values["bias"],
            level=values["level"],
        )


class Learner(Protocol):
    """Whatever turns labelled samples into a model; it sees each sample once, in event-time order."""

    def learn(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.bool_],
        p: NDArray[np.float64],
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        """Learn (k, m) inputs with NaN for missing and (k,) outcomes, true for churned.

        `p` (k,) is the probability given when the inputs were frozen, NaN if there was none. A sample counts
        `weight` (k,) times; 1 where there is none.
        """
        ...

    def snapshot(self) -> Model:
        """Return the model as it is now."""
        ...

    def progress(self) -> Progress:
        """Return how many samples of each outcome were learned from, and how many it takes."""
        ...

    def metrics(self) -> dict[str, Any]:
        """Return how good the probabilities given so far were, as plain JSON values."""
        ...

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned, bit for bit."""
        ...
