"""Drift: whether the champion's loss, its scores or an input have moved away from what they were.

Each is looked at once a decision instant, by its mean over the samples, with river's Page-Hinkley test. The
mean and scatter of the first instants are the measure: a mean that moves by four standard deviations for
good is found within eleven instants, and one that stays where it is sets off nothing for years. After that
the measure is taken anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.model.logistic import Input, sigmoid

if TYPE_CHECKING:
    from river.drift import PageHinkley

REFERENCE: Final = 28
"""Instants whose mean and scatter are the measure."""
KEPT: Final = 400
"""Instants after which the older half of a series is forgotten."""
LEAST_SAMPLES: Final = 30
"""Of fewer samples the mean says little: they count with the instant that follows."""
SLACK: Final = 0.75
"""Standard deviations by which a mean may be off for good."""
THRESHOLD: Final = 14.0
"""What may add up beyond that."""
LEAST_SCATTER: Final = 0.005
"""Of loss and score: no series is taken for steadier than this."""
LEAST_INPUT_SCATTER: Final = 0.02
"""The same of an input, as a part of its range: on real customers means wander by hundredths all the time."""

LOSS: Final = "loss"
SCORE: Final = "score"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """A series whose mean has moved."""

    series: str
    at: int
    """The decision instant at which it was found."""
    before: float
    """The mean that was the measure."""
    now: float
    """The mean of the newest instants."""


@dataclass(slots=True)
class _Series:
    """The values of a series since it last moved, and the test that has seen them."""

    mode: str
    least: float = LEAST_SCATTER
    values: list[float] = field(default_factory=list)
    test: PageHinkley | None = None
    mean: float = 0.0
    scatter: float = 1.0

    def add(self, value: float) -> bool:
        """Take a value; return whether the series has moved."""
        self.values.append(value)
        if len(self.values) > KEPT:
            del self.values[: KEPT // 2]
            self.test = None
        if len(self.values) < REFERENCE:
            return False
        if self.test is None:
            return self._begin()
        self.test.update((value - self.mean) / self.scatter)  # type: ignore[no-untyped-call]  # river's
        return bool(self.test.drift_detected)

    def _begin(self) -> bool:
        """Measure the first values, and let a new test see all."""
        # Importing river takes as long as a replay of a small shop.
        from river.drift import PageHinkley

        first = np.array(self.values[:REFERENCE])
        self.mean, self.scatter = float(first.mean()), max(float(first.std(ddof=1)), self.least)
        self.test = PageHinkley(REFERENCE, SLACK, THRESHOLD, 1.0, self.mode)
        for value in self.values:
            self.test.update((value - self.mean) / self.scatter)  # type: ignore[no-untyped-call]  # river's
            if self.test.drift_detected:
                return True
        return False


class DriftWatch:
    """Follows loss, score and inputs from decision instant to decision instant."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._inputs = tuple(inputs)
        self._low = np.array([each.low for each in self._inputs])
        self._range = np.array([each.high - each.low for each in self._inputs])
        self._series = {LOSS: _Series("up"), SCORE: _Series("both")}
        self._series |= {each.name: _Series("both", LEAST_INPUT_SCATTER) for each in self._inputs}
        self._at: int | None = None
        self._count = 0
        """Samples of the instant that is being added up."""
        self._sums = np.zeros((len(self._series), 2))
        """Of each series, weight and weighted sum at that instant."""

    def take(
        self,
        at: int,
        x: Floats,
        logit: Floats,
        y: NDArray[np.bool_],
        weight: Floats,
        *,
        scored: bool,
    ) -> list[Drift]:
        """Take samples (k, m) and the log odds (k,) that the champion gave before it learned them.

        Loss and score count where it was ready, `scored`. Returns what has moved up to the instant before.
        """
        found = []
        if self._at is not None and at > self._at and self._count >= LEAST_SAMPLES:
            found = list(self._close())
        self._at = at if self._at is None else max(self._at, at)
        self._count += len(y)
        if scored:
            loss = np.logaddexp(0.0, np.where(y, -1.0, 1.0) * logit)
            for place, values in enumerate((loss, sigmoid(logit))):
                self._sums[place] += weight.sum(), (weight * values).sum()
        place = (x - self._low) / self._range
        known = np.isfinite(place)
        where = np.clip(np.where(known, place, 0.0), 0.0, 1.0)
        self._sums[2:, 0] += weight @ known
        self._sums[2:, 1] += weight @ where
        return found

    def champion_changed(self) -> None:
        """Measure loss and score anew."""
        for name in (LOSS, SCORE):
            self._series[name] = _Series(self._series[name].mode)

    def _close(self) -> Iterator[Drift]:
        """Give every series its mean of the instant that is over."""
        assert self._at is not None
        for (name, series), (weight, total) in zip(self._series.items(), self._sums.tolist(), strict=True):
            if weight and series.add(total / weight):
                newest = series.values[-7:]
                yield Drift(name, self._at, series.mean, sum(newest) / len(newest))
                self._series[name] = _Series(series.mode, series.least)
        self._count = 0
        self._sums[:] = 0.0

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values; the tests are made anew from the values."""
        return {
            "at": self._at,
            "count": self._count,
            "sums": dict(zip(self._series, self._sums.tolist(), strict=True)),
            "values": {name: list(series.values) for name, series in self._series.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned; a series that it does not know begins anew."""
        self._at, self._count = state["at"], state["count"]
        for place, (name, series) in enumerate(self._series.items()):
            series.values = list(state["values"].get(name, ()))
            self._sums[place] = state["sums"].get(name, (0.0, 0.0))
            if len(series.values) >= REFERENCE:
                series._begin()
