"""From changes to steps, with the customers' scores and profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from streams.core.features.catalogue import Features
from streams.core.model import logistic as models
from streams.core.steps import TRAITS, Scoring, Step, Traits
from streams.core.warnings.episodes import WarningChange


def scorings(
    model: models.Model | None, features: Features, rows: NDArray[np.int64], top_reasons: int
) -> list[Scoring]:
    """Return, for each of the (k,) rows, the churn probability, what raises it most, and the profile."""
    traits = [Traits(*(features.word(name, row) for name in TRAITS)) for row in rows.tolist()]
    if model is None or not model.ready:
        return [Scoring(traits=each) for each in traits]
    design = models.design(features.at(rows), model.inputs)
    result = []
    for i, (probability, row) in enumerate(zip(model.score(design).tolist(), rows.tolist(), strict=True)):
        reasons = model.reasons(design[i], partial(features.value, row=row), top_reasons)
        result.append(Scoring(probability, model.version, reasons, traits[i]))
    return result


def compose_steps(
    changes: Sequence[WarningChange],
    scorings: Sequence[Scoring],
    ids: Sequence[str],
    horizon_days: int,
    rule_set: str,
) -> Iterator[Step]:
    """Yield the steps of changes in their order; `scorings` are those of the judged ones.

    What people and time do says nothing new about the customer: there the last scoring stands.
    """
    fresh = iter(scorings)
    for change in changes:
        warning = change.warning
        if change.judged:
            warning.scoring = next(fresh)
        yield Step(
            kind=change.kind,
            customer_id=ids[change.customer],
            at=change.at,
            warning_id=warning.id,
            number=change.number,
            tier=change.tier,
            opened_at=warning.opened_at,
            causes=change.causes,
            churn_probability=warning.scoring.probability,
            horizon_days=horizon_days,
            model_version=warning.scoring.model_version,
            reasons=warning.scoring.reasons,
            rule_set=rule_set,
            acknowledgement=change.acknowledgement,
            traits=warning.scoring.traits,
        )
