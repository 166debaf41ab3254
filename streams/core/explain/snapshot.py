"""One customer at an instant as the engine sees it: every feature, and the model's score."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from streams.core.engine import Engine
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import CATALOGUE, SCORES, Features
from streams.core.features.value import ValueParts, value_parts
from streams.core.features.view import View
from streams.core.model import logistic as models
from streams.core.steps import Reason, Value
from streams.core.warnings.decisions import Circumstances, circumstances


class MissingReason(StrEnum):
    """Why a feature is missing."""

    QUIET = "source quiet"
    NOT_CONNECTED = "source not connected"
    NO_MODEL = "no model"
    MODEL_NOT_READY = "model not ready"
    NO_HISTORY = "no history"


@dataclass(frozen=True, slots=True)
class MissingFeature:
    """A feature that is missing, and why."""

    feature: str
    why: MissingReason
    detail: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """The model's score of the customer and its reasons."""

    probability: float
    version: str
    horizon_days: int
    bias: float
    """Log odds of churn where every input is at its mean."""
    shares: tuple[Reason, ...]
    """The inputs' shares of the log odds, without those of 0, the largest in size first."""


@dataclass(frozen=True, slots=True)
class CustomerSnapshot:
    """One customer at one instant."""

    row: int
    """The customer's place in the engine."""
    at: int
    values: Mapping[str, Value]
    """Every feature of the catalogue; `None` where it is missing."""
    quiet: Mapping[Topic, int]
    """The topics that are quiet, with the time of their newest event."""
    model: ModelView | None
    learned: str
    """Why there is no score, where there is none."""
    circumstances: Circumstances = Circumstances()  # noqa: RUF009  (frozen)
    """What a decision depends on beside causes and score."""
    value_parts: ValueParts | None = None

    def missing(self, feature: str, topics_seen: Set[Topic]) -> MissingFeature:
        """Return why a feature is missing; `topics_seen` are the topics that ever had an event."""
        reads = CATALOGUE[feature].reads
        for topic in reads:
            if topic in self.quiet:
                return MissingFeature(feature, MissingReason.QUIET, f"{topic.label} are quiet as a whole")
        if feature == "value_at_risk" and self.model is not None:
            return self.missing("value", topics_seen)
        if feature in SCORES:
            why = MissingReason.MODEL_NOT_READY if self.learned else MissingReason.NO_MODEL
            return MissingFeature(feature, why, self.learned or "the model is switched off")
        for topic in reads:
            if topic not in topics_seen:
                return MissingFeature(
                    feature, MissingReason.NOT_CONNECTED, f"no {topic.label} from any customer yet"
                )
        return MissingFeature(feature, MissingReason.NO_HISTORY, CATALOGUE[feature].definition)


def find_customer(engine: Engine, customer_id: str) -> int | None:
    """Return a customer's place in an engine, `None` before the first event."""
    customers = engine.customers
    try:
        row = customers.ids.index(customer_id)
    except ValueError:
        return None
    return row if row < customers.count else None


def take_snapshot(engine: Engine, row: int, at: int) -> CustomerSnapshot:
    """Return what a sweep at `at` would see of a customer, had nothing come since the engine's last event.

    `at` must lie in the day that the engine has reached; the engine is not changed.
    """
    quiet = quiet_at(engine, at)
    rows, instants = np.array([row], dtype=np.int32), np.array([at], dtype=np.int64)
    view = View(engine.customers, rows, instants, quiet, engine.source_guard.newest.__getitem__)
    features = Features(view, engine.settings.priors)
    model = engine.scorer.model
    seen = None
    if model is not None and model.ready:
        seen = _model_view(engine, model, features)
        features.put("churn_probability", np.array([seen.probability]))
        if engine.place[1] == at:
            # A sweep is due: it compares with the probabilities of that very sweep.
            everybody = Features(engine.source_guard.view_at(engine.customers, at), engine.settings.priors)
            ranks = engine.ranks(at, everybody)
            if ranks is not None:
                features.put("churn_lift", ranks.lift(features["churn_probability"]))
                features.put("churn_rank", ranks.rank(features["churn_probability"]))
    learned = ""
    if model is not None and not model.ready:
        learned = f"too few outcomes known yet to learn from: {model.version.partition('-')[0]} in all"
    return CustomerSnapshot(
        row=row,
        at=at,
        values={name: features.value(name, 0) for name in CATALOGUE},
        quiet={topic: engine.source_guard.newest[topic] for topic, is_quiet in quiet.items() if is_quiet},
        model=seen,
        learned=learned,
        circumstances=circumstances(view, np.array([0]))[0],
        value_parts=value_parts(view, 0),
    )


def quiet_at(engine: Engine, at: int) -> dict[Topic, bool]:
    """Return whether each guarded topic is quiet at an instant."""
    return {topic: engine.source_guard.is_quiet(topic, at) for topic in engine.source_guard.after}


def _model_view(engine: Engine, model: models.Model, features: Features) -> ModelView:
    design = models.design(features, model.inputs)
    shares = model.contributions(design)[0]
    of_feature: dict[str, float] = {}  # a word is several inputs
    for each, share in zip(model.inputs, shares.tolist(), strict=True):
        of_feature[each.feature] = of_feature.get(each.feature, 0.0) + share
    reasons = [
        Reason(name, share, features.value(name, 0))
        for name, share in sorted(of_feature.items(), key=lambda pair: -abs(pair[1]))
        if share
    ]
    return ModelView(
        probability=float(model.score(design)[0]),
        version=model.version,
        horizon_days=engine.settings.horizon_us // DAY,
        bias=model.base,
        shares=tuple(reasons),
    )
