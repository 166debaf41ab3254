"""The learner: a logistic regression of river that sees each matured sample once, in event-time order.

Two things were tried on real histories and left out. A Platt calibration learned on the probabilities given
at decision time: when its outcome is known a probability is a horizon old, so the correction came too late,
spoiled the ranking and mostly the log loss too; slow steps on the log loss are better calibrated as they are.
And fast steps: outcomes of neighbouring sweeps share the same weeks, so the model would follow the season
and then be too sure of it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from river import base, linear_model, optim, preprocessing
from river.utils import VectorDict

from streams.core.model.logistic import INPUTS, Input, Model
from streams.core.model.prequential import Prequential

Row = dict[str, float]
"""One sample for river: inputs by name, those that are missing left out."""

_LONGEST: Final = 5.0
"""How many times longer than at even outcomes a step may be."""


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """How the learner learns."""

    min_churned: int = 50
    """Samples of those who left that it must have seen before it is ready."""
    min_kept: int = 50
    """The same of those who stayed."""
    learning_rate: float = 0.005
    """Step at the first sample; it falls with the square root of the samples seen."""
    slow_after: int = 2000
    """Samples after which it has begun to fall: at three times as many it is half."""
    slowest: float = 0.0005
    """The step never falls below this, so that the model goes on following the business."""
    l2: float = 0.001
    """Pull of the weights towards 0, which keeps inputs that say the same from growing against each other."""
    limit: float = 8.0
    """Standardised inputs are cut at this size either way, so that no odd customer can throw the model."""


class Decay(optim.base.Scheduler):
    """A step that falls with the square root of time down to a floor."""

    def __init__(self, start: float, slow_after: int, floor: float) -> None:
        self.start = start
        self.slow_after = slow_after
        self.floor = floor

    def get(self, t: int) -> float:
        """Return the step after `t` samples."""
        return max(self.floor, self.start / math.sqrt(1.0 + t / self.slow_after))


class Cut(base.Transformer):
    """Cuts every value at a limit either way."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def transform_one(self, x: dict[Any, Any]) -> dict[Any, Any]:
        """Return the values of `x`, cut."""
        return {name: max(-self.limit, min(self.limit, value)) for name, value in x.items()}


class RiverLearner:
    """Implements `core.model.Learner` with `StandardScaler | Cut | LogisticRegression`.

    While it warms up, the intercept follows the log odds of the outcomes seen instead of creeping there from
    0. Where outcomes are uneven all steps are longer, for either outcome alike, so that a business that loses
    few learns as fast as one that loses many; weighting the outcomes against each other, the common remedy,
    would spoil the probabilities.
    """

    def __init__(self, settings: LearnerSettings | None = None, inputs: Sequence[Input] = INPUTS) -> None:
        self.settings = settings or LearnerSettings()
        self.inputs = tuple(inputs)
        self.churned = 0
        """Samples learned from of those who left."""
        self.kept = 0
        """Samples learned from of those who stayed."""
        self.quality = Prequential()
        self._names = [i.name for i in self.inputs]
        step = Decay(self.settings.learning_rate, self.settings.slow_after, self.settings.slowest)
        self.scaler = preprocessing.StandardScaler()
        self.regression = linear_model.LogisticRegression(
            optimizer=optim.SGD(step), intercept_lr=step, l2=self.settings.l2
        )
        self.pipeline = self.scaler | Cut(self.settings.limit) | self.regression

    @property
    def ready(self) -> bool:
        """Whether enough of both outcomes were seen."""
        return self.churned >= self.settings.min_churned and self.kept >= self.settings.min_kept

    def learn(self, x: NDArray[np.floating[Any]], y: NDArray[np.bool_], p: NDArray[np.float64]) -> None:
        """Judge the probabilities `p` (k,), then learn (k, m) inputs and (k,) outcomes, row by row."""
        self.quality.add(p, y)
        for row, churned in zip(self.rows(x), y.tolist(), strict=True):
            self._learn_one(row, churned)

    def rows(self, x: NDArray[np.floating[Any]]) -> list[Row]:
        """Return (k, m) inputs as river reads them; one NaN or infinity would poison its sums for good."""
        known = np.isfinite(x)
        if known.all():
            return [dict(zip(self._names, row, strict=True)) for row in x.tolist()]
        return [
            {name: value for name, value, is_known in zip(self._names, row, flags, strict=True) if is_known}
            for row, flags in zip(x.tolist(), known.tolist(), strict=True)
        ]

    def _learn_one(self, row: Row, churned: bool) -> None:
        self.churned += churned
        self.kept += not churned
        warming_up = not self.ready
        rate = (self.churned + 0.5) / (self.churned + self.kept + 1)
        self.pipeline.learn_one(row, churned, w=min(_LONGEST, 0.25 / (rate * (1 - rate))))
        if warming_up:
            self.regression.intercept = math.log(rate / (1 - rate))

    def snapshot(self) -> Model:
        """Return the model as it is now; equal content has an equal version."""
        variance = np.array([self.scaler.vars.get(name, 0.0) for name in self._names])
        varies = variance > 0
        weights = self.regression.weights
        mean = np.array([self.scaler.means.get(name, 0.0) for name in self._names])
        scale = np.where(varies, np.sqrt(variance), 1.0)
        weight = np.where(varies, np.array([weights.get(name, 0.0) for name in self._names]), 0.0)
        bias = float(self.regression.intercept)
        content = np.concatenate([mean, scale, weight, [bias]]).astype("<f8").tobytes()
        digest = hashlib.sha256(json.dumps(self._names).encode() + content).hexdigest()
        return Model(
            version=f"{self.churned + self.kept}-{digest[:8]}",
            ready=self.ready,
            inputs=self.inputs,
            mean=mean,
            scale=scale,
            weight=weight,
            bias=bias,
            limit=self.settings.limit,
        )

    def metrics(self) -> dict[str, Any]:
        """Return what was learned, and how good the probabilities given before the outcome were."""
        return {
            "ready": self.ready,
            "learned": self.churned + self.kept,
            "learned_churned": self.churned,
            "prequential": self.quality.summary(),
        }

    def state(self) -> dict[str, Any]:
        """Return everything learned as plain JSON values."""
        return {
            "churned": self.churned,
            "kept": self.kept,
            "counts": list(self.scaler.counts.items()),
            "means": list(self.scaler.means.items()),
            "vars": list(self.scaler.vars.items()),
            "weights": list(self.regression.weights.items()),
            "intercept": self.regression.intercept,
            "iterations": self.regression.optimizer.n_iterations,
            "quality": self.quality.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned, bit for bit.

        Inputs are kept by name: one that is new starts from nothing, one that is gone is not read any more.
        """
        self.churned = state["churned"]
        self.kept = state["kept"]
        for name in ("counts", "means", "vars"):
            held = getattr(self.scaler, name)
            held.clear()
            held.update(dict(state[name]))
        self.regression._weights = VectorDict(dict(state["weights"]))
        self.regression.intercept = state["intercept"]
        self.regression.optimizer.n_iterations = state["iterations"]
        self.quality.restore(state["quality"])
