"""From the settings to the settings of each part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lapwing.settings.settings import Settings
from lapwing.settings.values import TierWord
from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.value import ValueTerms
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.erasures import ErasureKey
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import Priors
from streams.core.model.logistic import inputs_with
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.engine import SegmentEngine, SegmentSettings
from streams.core.segments.rules import SegmentRules
from streams.core.steps import Tier
from streams.core.warnings.acknowledgement import AcknowledgementTerms
from streams.learning.learner import LearnerSettings, RiverLearner

BEGINNING: Final = 20
"""Events that a partition waits for before its event time begins, unless nothing more comes."""


def engine_settings(
    settings: Settings,
    *,
    segments: bool = False,
    outcomes: bool = False,
    desk: bool = False,
    shared: bool = False,
    samples: bool = False,
) -> EngineSettings:
    """Return what the engine needs of the settings.

    `segments` where there are rules of segments, `outcomes` where somebody takes them and the census,
    `desk` where somebody takes the days of customers and their scores, `shared` where all partitions share a
    learner, `samples` where somebody takes what a partition's own model learns from.
    """
    return EngineSettings(
        app=settings.app,
        time_zone=settings.time_zone,
        sweep_every_us=settings.sweep_every,
        reorder_us=settings.reorder,
        beginning=BEGINNING,
        repeat_window_us=settings.repeat_window,
        forget_after_us=settings.forget_after or None,
        currency=settings.currency,
        max_words=settings.max_words,
        quiet_after_us={Topic[label.upper()]: after for label, after in settings.quiet_after.items()},
        priors=Priors(settings.complaint_prior_orders, settings.complaint_prior_rate),
        value=_value_terms(settings),
        labour_rate=settings.labour_rate,
        holdout=HoldoutTerms(
            {Tier[word.upper()]: share for word, share in settings.holdout_share.items()},
            settings.holdout_salt,
            settings.holdout_exempt,
        ),
        horizon_us=settings.horizon,
        activity=tuple(Topic[label.upper()] for label in settings.activity),
        active_within_us=settings.active_within or settings.horizon,
        learn_within_us=settings.learn_within or 2 * settings.horizon,
        model_attributes=settings.model_attributes,
        decide_every=max(1, round(settings.decide_every / settings.sweep_every)),
        acknowledgement=AcknowledgementTerms(
            # A tier that is not named keeps the default.
            acknowledge_for={**AcknowledgementTerms().acknowledge_for, **_by_tier(settings.acknowledge_for)},
            snooze_for=settings.snooze_for,
            acknowledge_within=_by_tier(settings.acknowledge_within),
            expire_after=settings.expire_after,
        ),
        segments=segments,
        outcomes=outcomes,
        customer_days=desk,
        score_step=settings.score_step if desk else None,
        shared_learner=shared,
        samples=samples,
        erasure_key=erasure_key(settings),
    )


def erasure_key(settings: Settings) -> ErasureKey | None:
    """Return what the ids of erased customers are hashed with, where there is a key."""
    key = settings.erasure_key
    return None if key is None else ErasureKey(key.get_secret_value().encode())


def _value_terms(settings: Settings) -> ValueTerms:
    margins = {str(name): margin for name, margin in settings.margin.items()}
    return ValueTerms(
        horizon_days=settings.value_horizon / DAY,
        prior_orders=settings.value_prior_orders,
        unknown_margin=margins.pop("unknown", 1.0),
        margins=margins,
        referral=settings.referral,
    )


def _by_tier(intervals: Mapping[TierWord, int]) -> dict[Tier, int]:
    return {Tier[word.upper()]: us for word, us in intervals.items()}


def learner(settings: Settings) -> RiverLearner | None:
    """Return a new learner, or `None` where the settings want no model."""
    if not settings.model_enabled:
        return None
    return RiverLearner(learner_settings(settings), inputs_with(settings.model_attributes))


def learner_settings(settings: Settings) -> LearnerSettings:
    """Return what a learner needs of the settings."""
    # Below the same number of either outcome a model has seen too little of it to tell them apart.
    return LearnerSettings(settings.min_positives, settings.min_positives)


def engine(
    settings: Settings,
    rules: RuleSet,
    partition: int = 0,
    *,
    segments: bool = False,
    outcomes: bool = False,
    desk: bool = False,
    shared: bool = False,
    samples: bool = False,
) -> Engine:
    """Return the engine of one partition, with a model of its own where the settings want one."""
    own = engine_settings(
        settings, segments=segments, outcomes=outcomes, desk=desk, shared=shared, samples=samples
    )
    return Engine(own, rules, learner(settings), partition)


def segment_engine(
    settings: Settings, rules: SegmentRules, partitions: int, grace_days: int | None = None
) -> SegmentEngine:
    """Return what judges the sums of so many partitions of the input."""
    grace = settings.segment_grace // DAY if grace_days is None else grace_days
    return SegmentEngine(SegmentSettings(settings.app, settings.time_zone, partitions, grace), rules)
