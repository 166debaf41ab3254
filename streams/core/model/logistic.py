"""The churn model as a frozen snapshot: its inputs, its score as a column, and each input's share in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.core.steps import Reason, Value

RATIO_LIMIT: Final = 10.0
"""Ratios are cut at this size either way: a pace ten times the usual tells no more than twenty times."""

SIZE_LIMIT: Final = 1e12
"""Counts, money and days are cut at this size either way; the contract knows no larger amount."""

_CHUNK: Final = 4096
"""Rows scored at once, so that intermediate results stay in the processor's cache."""


class Transform(StrEnum):
    """How a feature becomes a model input."""

    LOG = "log"
    """Logarithm of 1 + size with the sign kept (net spend may be negative): counts, money, days."""
    RATIO = "ratio"
    """The value itself, cut at `RATIO_LIMIT`."""

    def apply(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the transformed values, (n,), NaN where a value is missing or infinite."""
        x = values.astype(np.float64)
        infinite = np.isinf(x)
        if infinite.any():
            x[infinite] = np.nan
        if self is Transform.LOG:
            size = np.minimum(np.abs(x), SIZE_LIMIT)
            return np.copysign(np.log1p(size, out=size), x, out=x)
        return np.clip(x, -RATIO_LIMIT, RATIO_LIMIT, out=x)


@dataclass(frozen=True, slots=True)
class Input:
    """One column of the model's matrix."""

    name: str
    feature: str
    """Name in the catalogue."""
    transform: Transform


def _inputs() -> tuple[Input, ...]:
    log = (
        "orders_30d", "orders_90d", "orders_prev_30d", "spend_30d", "spend_90d",
        "logins_30d", "logins_prev_30d", "complaints_90d", "open_complaints",
        "days_since_order", "days_since_login", "tenure_days", "order_gap_mean",
    )  # fmt: skip
    ratio = (
        "overdue", "order_trend", "login_trend", "spend_trend", "complaint_rate_90d", "return_rate_90d",
        "handling_satisfaction_90d",
    )  # fmt: skip
    return tuple(
        Input(f"{transform}({feature})", feature, transform)
        for transform, features in ((Transform.LOG, log), (Transform.RATIO, ratio))
        for feature in features
    )


INPUTS: Final[tuple[Input, ...]] = _inputs()
"""What customers did. What they are (class, segment, region, origin) is left out on purpose."""


class Columns(Protocol):
    """Features by name: `core.features.Features`, or a dict of arrays."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """Return a feature's column, (n,): integers, or floats with NaN for missing."""
        ...


def design(columns: Columns, inputs: Sequence[Input] = INPUTS) -> NDArray[np.float64]:
    """Return the model's matrix, (n, m), NaN for missing; its columns lie together in memory."""
    return np.stack([i.transform.apply(columns[i.feature]) for i in inputs]).T


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A logistic regression on standardised inputs, as it was at one moment of its learning.

    A missing input counts as the mean of those seen, so it moves the score neither way. Shares are added up
    column by column, not by a matrix product: BLAS may sum a row differently in a batch of one and of a
    thousand, and a warning's bytes must not depend on how events were batched.
    """

    version: str
    ready: bool
    """Whether it has seen enough of both outcomes for its score to be shown."""
    inputs: tuple[Input, ...]
    mean: NDArray[np.float64]
    """(m,) mean of each input."""
    scale: NDArray[np.float64]
    """(m,) standard deviation of each input, 1 where it does not vary (its weight is then 0)."""
    weight: NDArray[np.float64]
    """(m,) logit for one standard deviation."""
    bias: float
    limit: float
    """Standardised inputs are cut at this size either way."""

    def score(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the probability of churn for each row of `x` (n, m), (n,); never NaN."""
        logit = self.logit(x)
        small = np.exp(-np.abs(logit))
        return np.where(logit >= 0, 1.0, small) / (1.0 + small)

    def logit(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the log odds of churn for each row of `x` (n, m), (n,)."""
        logit = np.full(len(x), self.bias)
        for start in range(0, len(x), _CHUNK):
            part = slice(start, start + _CHUNK)
            for share in self.contributions(x[part]).T:
                logit[part] += share
        return logit

    def contributions(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return each input's share of the logit, (n, m).

        Added to the bias from left to right they give `logit` to the last bit.
        """
        z = np.clip((x.astype(np.float64) - self.mean) / self.scale, -self.limit, self.limit)
        return np.where(np.isfinite(x), z * self.weight, 0.0)

    def reasons(
        self, row: NDArray[np.floating[Any]], value: Callable[[str], Value], limit: int = 3
    ) -> tuple[Reason, ...]:
        """Return what raises the score of one `row` (m,) most, largest first.

        Inputs that lower it, or are missing, are no reasons. `value` gives the row's feature by its name.
        """
        shares = self.contributions(row[np.newaxis, :])[0]
        order = np.argsort(-shares, kind="stable")[:limit]
        return tuple(
            Reason(self.inputs[j].feature, float(shares[j]), value(self.inputs[j].feature))
            for j in order.tolist()
            if shares[j] > 0
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain JSON values; floats survive the round trip exactly."""
        return {
            "version": self.version,
            "ready": self.ready,
            "inputs": [[i.name, i.feature, i.transform.value] for i in self.inputs],
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "weight": self.weight.tolist(),
            "bias": self.bias,
            "limit": self.limit,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Model:
        """Return the model that `to_dict` described."""
        return cls(
            version=values["version"],
            ready=values["ready"],
            inputs=tuple(Input(name, feature, Transform(t)) for name, feature, t in values["inputs"]),
            mean=np.array(values["mean"], dtype=np.float64),
            scale=np.array(values["scale"], dtype=np.float64),
            weight=np.array(values["weight"], dtype=np.float64),
            bias=values["bias"],
            limit=values["limit"],
        )


class Learner(Protocol):
    """Whatever turns labelled samples into a model; it sees each sample once, in event-time order."""

    def learn(self, x: NDArray[np.float64], y: NDArray[np.bool_], p: NDArray[np.float64]) -> None:
        """Learn (k, m) inputs with NaN for missing and (k,) outcomes, true for churned.

        `p` (k,) is the probability given when the inputs were frozen, NaN if there was none.
        """
        ...

    def snapshot(self) -> Model:
        """Return the model as it is now."""
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
