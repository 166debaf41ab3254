"""From changes to steps, with the customers' scores, profiles and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streams.core.features.catalogue import Features
from streams.core.model import logistic as models
from streams.core.steps import TRAITS, Scoring, Step, StepKind, Traits
from streams.core.warnings.decisions import Circumstances, DecisionMaker
from streams.core.warnings.episodes import WarningChange

HoldOut = Callable[[WarningChange, str | None], bool]
"""(a warning's opening, the customer's class) -> whether the warning is held out."""


def scorings(
    model: models.Model | None, features: Features, rows: NDArray[np.int64], top_reasons: int
) -> list[Scoring]:
    """Return, for each of the (k,) rows, the churn probability, what raises it most, and the profile."""
    traits = [Traits(*(features.word(name, row) for name in TRAITS)) for row in rows.tolist()]
    if model is None or not model.ready:
        return [Scoring(traits=each) for each in traits]
    design = models.design(features.at(rows), model.inputs)
    known = features.knows("churn_probability")
    score = features["churn_probability"][rows] if known else model.score(design)
    places = rows.tolist()
    reasons = model.reasons(design, lambda name, row: features.value(name, places[row]), top_reasons)
    return [
        Scoring(probability, model.version, because, profile)
        for probability, because, profile in zip(score.tolist(), reasons, traits, strict=True)
    ]


def compose_steps(
    changes: Sequence[WarningChange],
    scorings: Sequence[tuple[Scoring, Circumstances]],
    ids: Sequence[str],
    horizon_days: int,
    rule_set: str,
    maker: DecisionMaker,
    hold_out: HoldOut,
) -> Iterator[Step]:
    """Yield the steps of changes in their order; `scorings` are those of the judged ones.

    What people and time do says nothing new about the customer: there the last scoring stands, and so does
    the decision.
    """
    fresh = iter(scorings)
    for change in changes:
        warning = change.warning
        if change.judged:
            scoring, known = next(fresh)
            decision = maker.decide(change.causes, scoring.probability, known)
            warning.scoring = replace(scoring, decision=decision)
            if change.kind is StepKind.OPENED:
                warning.holdout = hold_out(change, known.customer_class)
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
            decision=warning.scoring.decision,
            holdout=warning.holdout,
        )
