"""The model of one partition: what scores, how it is calibrated, and what it learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.features.catalogue import Features
from streams.core.features.customers import Customers
from streams.core.model import logistic as models
from streams.core.model.calibration import Calibration
from streams.core.model.delayed_labels import DelayedLabels, LabelledSamples
from streams.core.model.treatment import WarningsThen
from streams.core.model.warm_up import WarmUp

_LEVELS_KEPT: Final = 50
"""Models whose level is remembered, should one come into force again."""


class Scorer:
    """Gives customers their churn probability, by a model of its own `learner` or by one that is adopted."""

    def __init__(
        self,
        learner: models.Learner | None,
        *,
        shared: bool,
        attributes: Sequence[str],
        horizon_us: int,
        learn_within_us: int,
        decide_every: int,
        max_samples: int,
    ) -> None:
        """Begin without a sample; `shared` is whether another process learns for all partitions."""
        self.learner = learner
        self._shared = shared
        self._horizon_us = horizon_us
        self._decide_every = decide_every
        self.inputs = models.inputs_with(attributes)
        """What a model of this partition may read."""
        self.delayed_labels = DelayedLabels(
            [i.name for i in self.inputs],
            horizon_us=horizon_us,
            learn_within_us=learn_within_us,
            decide_every=decide_every,
            max_samples=max_samples,
        )
        self.calibration = Calibration(horizon_us)
        self._learned = learner.snapshot() if learner is not None else None
        """The newest model as it was learned."""
        self.model = self._learned
        """The same as its probabilities are given: at the level of now, and blended."""
        self._calibrations: dict[str, dict[str, Any]] = {}
        """By version, the calibration of models that were in force before, the newest last."""

    def score(self, features: Features) -> None:
        """Put `churn_probability` to features where it is not there yet, if the model is ready."""
        if self.model is not None and self.model.ready and not features.knows("churn_probability"):
            features.put("churn_probability", self.model.score_columns(features, len(features)))

    # -- learning ---------------------------------------------------------------------------------

    def decide(
        self,
        at: int,
        sweep: int,
        features: Features,
        customers: Customers,
        held_out: NDArray[np.bool_] | None,
        warnings_of: Callable[[NDArray[np.int64]], WarningsThen],
    ) -> None:
        """Freeze the features of the customers whose decision instant the sweep number `sweep` is.

        `held_out` are those whose warnings nobody sees, (c,) as the customers; `None` where none is treated.
        """
        chosen = self.delayed_labels.choose(
            at,
            sweep,
            customers.hashes[: customers.count],
            customers.last_activity(),
            customers.state["closed_at"][: customers.count],
            held_out,
        )
        if len(chosen) and self.model is not None and self._learned is not None:
            of_chosen = features.at(chosen)
            design = read = models.design(of_chosen, self.inputs)
            if self._learned.inputs != self.inputs:
                read = models.design(of_chosen, self._learned.inputs)
            if not self.model.ready:
                score = np.full(len(chosen), np.nan)
            elif features.knows("churn_probability"):
                score = features["churn_probability"][chosen]
            else:
                score = self.model.score(read)
            logit = self._learned.logit(read)
            full = self.calibration.level.full
            self.delayed_labels.decide(at, chosen, design, score, logit, full, warnings_of(chosen))
            self.calibration.decided(logit, design, self._decide_every)
            self._calibrate()

    def learn(
        self, at: int, customers: Customers, treated: NDArray[np.integer[Any]], *, blind: bool
    ) -> LabelledSamples | None:
        """Learn from the samples whose horizon has passed, score by what was learned, and return them.

        Those of the `treated` are left out. All are left out where activity could not be seen (`blind`).
        Where all partitions share a learner, it has the samples to learn from, and only the level changes.
        """
        samples = self.delayed_labels.mature(
            at,
            customers.last_activity(),
            customers.state["closed_at"][: customers.count],
            np.full(customers.count, blind),
            treated,
        )
        if samples is None or self.learner is None:
            return None
        plain = samples.plain()
        x = plain.x.astype(np.float64)
        self.calibration.matured(plain.at, plain.logit, plain.p, plain.full, x, plain.y, plain.weight)
        if self._shared:
            self._calibrate()
        else:
            self.learner.learn(x, plain.y, plain.p, plain.weight)
            self._use_learned()
        return samples

    def warm_up(self, at: int) -> WarmUp | None:
        """Return how far the partition's own model is at an event time; `None` where it has none."""
        if self.learner is None or self._shared:
            return None
        level = self.calibration.level
        first_due = self.delayed_labels.next_due() if level.first is None else level.first + self._horizon_us
        treated = self.delayed_labels.counts["treated"]
        return WarmUp(at, self.learner.progress(), level.calibrated, first_due, treated)

    # -- the model in force -----------------------------------------------------------------------

    def use(self, model: models.Model | None) -> None:
        """Score by `model` from now on, until the learner has learned something new."""
        self.model = model

    def knows_inputs(self, model: models.Model) -> bool:
        """Return whether a model reads nothing but what it may read here."""
        return models.knows_inputs((i.name for i in model.inputs), self.inputs)

    def adopt(self, model: models.Model) -> None:
        """Score by a model that was learned outside, calibrated as now.

        A model that is in force again gets the calibration that it had: it gives the same probabilities.
        """
        if self.model is not None and self.model.version != model.version:
            kept = self._calibrations
            kept.pop(self.model.version, None)
            kept[self.model.version] = self.calibration.state()
            for version in list(kept)[:-_LEVELS_KEPT]:
                del kept[version]
            if (state := kept.get(model.version)) is not None:
                self.calibration.restore(state)
        self._learned = model
        self._calibrate()

    def _use_learned(self) -> None:
        """Score by what the learner knows now."""
        if self.learner is not None:
            learned = self.learner.snapshot()
            self._learned = replace(learned, ready=learned.ready and self.calibration.level.calibrated)
            self._calibrate()

    def _calibrate(self) -> None:
        """Score by the newest model, at the level of now and blended."""
        if self._learned is not None:
            self.use(self.calibration.apply(self._learned))

    # -- what a checkpoint keeps ------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the model in force, as it was learned, and all calibrations as plain JSON values."""
        model = self._learned.to_dict() if self._learned is not None else None
        return {"model": model, "level": self.calibration.state(), "levels": dict(self._calibrations)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned; a model of inputs that are not known is left out."""
        self.calibration.restore(state["level"])
        self._calibrations = dict(state["levels"])
        if state["model"] is not None and models.knows_inputs(state["model"]["inputs"], self.inputs):
            # States of before there was a blend hold the model with its level.
            self._learned = replace(models.Model.from_dict(state["model"]), level=0.0)
            self._calibrate()

    def restore_learner(self, state: dict[str, Any], calibration: dict[str, Any] | None) -> None:
        """Go on from what the learner's and the calibration's `state` returned."""
        if calibration is not None:
            self.calibration.restore(calibration)
        if self.learner is not None:
            self.learner.restore(state)
            self._use_learned()
