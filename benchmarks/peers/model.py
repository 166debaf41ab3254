"""The model as per-event code has it: a river pipeline that scores one dict of features at a time."""

from __future__ import annotations

import math
import random
from typing import Final

from river import compose, linear_model, preprocessing

from benchmarks.peers.customer import Features

LOG: Final = (
    "orders_30d", "orders_90d", "orders_prev_30d", "spend_30d", "spend_90d",
    "logins_30d", "logins_prev_30d", "complaints_90d", "open_complaints",
    "days_since_order", "days_since_login", "tenure_days", "order_gap_mean",
)  # fmt: skip
RATIO: Final = (
    "overdue", "order_trend", "login_trend", "spend_trend", "complaint_rate_90d", "return_rate_90d",
    "handling_satisfaction_90d",
)  # fmt: skip
SAMPLES: Final = 2_000


class Scorer:
    """A model that is ready from the start; what it learned from is chance, which costs the same to score.

    It does not learn while events come, as Lapwing's does: labels that ripen late would need a store of
    their own, and leaving them out favours the peer.
    """

    def __init__(self, seed: int = 1) -> None:
        self._pipeline: compose.Pipeline = preprocessing.StandardScaler() | linear_model.LogisticRegression()
        chance = random.Random(seed)
        for _ in range(SAMPLES):
            features = {name: chance.expovariate(0.5) for name in (*LOG, *RATIO)}
            self._pipeline.learn_one(_inputs(dict(features)), chance.random() < 0.45)

    def score(self, features: Features) -> float:
        """Return the probability that the customer leaves."""
        return float(self._pipeline.predict_proba_one(_inputs(features))[True])


def _inputs(features: Features) -> dict[str, float]:
    """Return what the pipeline reads; a missing feature is left out, which river takes for the mean."""
    x: dict[str, float] = {}
    for name in LOG:
        value = features[name]
        if value == value:
            x[name] = math.copysign(math.log1p(abs(value)), value)
    for name in RATIO:
        value = features[name]
        if value == value:
            x[name] = max(-10.0, min(10.0, value))
    return x
