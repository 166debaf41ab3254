"""Calibration: what is made of the model's log odds before they are given: the level, then the blend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.core.model.blend import Blend
from streams.core.model.level import LevelShift
from streams.core.model.logistic import INPUTS, SILENCE, Model, sigmoid

Floats = NDArray[np.float64]


class Calibration:
    """Level and blend of a partition, learned from the outcomes of its decisions."""

    def __init__(self, horizon_us: int) -> None:
        self.level = LevelShift(horizon_us)
        self.blend = Blend()

    def apply(self, model: Model) -> Model:
        """Return a learner's model, (m,) inputs, as its probabilities are given now."""
        return self.blend.apply(model, self.level.shift)

    def decided(self, logit: Floats, x: NDArray[np.floating[Any]], every: int) -> None:
        """Note the log odds (k,) of a sweep's decisions, as the learner gave them, and their inputs (k, m).

        Each customer has one decision in `every` sweeps.
        """
        self.level.decided(sigmoid(logit), sigmoid(_silence(x)), every)

    def matured(
        self,
        at: int,
        logit: Floats,
        p: Floats,
        full: float,
        x: NDArray[np.floating[Any]],
        y: NDArray[np.bool_],
        weight: Floats,
    ) -> None:
        """Learn from decisions of the instant `at` of which the outcome `y` (k,) is known.

        `logit` (k,) are the learner's log odds of then and `full` what the level would have added to them at
        full strength; `x` (k, m) the inputs of then. Each counts `weight` (k,) times. The blend learns only
        from those to whom a probability `p` (k,) was given: what a model that was not ready gave is no
        measure of the model of now.
        """
        silent = _silence(x)
        own = np.where(np.isnan(p), np.nan, logit + self.level.strength * full)
        self.blend.matured(at, own, silent, y, weight)
        self.level.matured(at, logit, full, sigmoid(silent), y, weight)

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values."""
        return self.level.state() | {"blend": self.blend.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned; one of before there was a blend has none until outcomes come."""
        self.level.restore(state)
        self.blend.restore(state.get("blend"))


def _silence(x: NDArray[np.floating[Any]]) -> Floats:
    """Return the log odds of `p_silent` (k,) among the inputs (k, m), in the range that the model knows."""
    each = INPUTS[SILENCE]
    return np.clip(x[:, SILENCE].astype(np.float64), each.low, each.high)
