"""The topics that a deployment needs, by its settings."""

from __future__ import annotations

from consumers.broker import topics
from lapwing.settings.settings import Settings
from streams.core.events.topics import REQUIRED, Topic


def of_customers(settings: Settings) -> list[str]:
    """Return the topics whose records are customers', under their ids."""
    optional = () if settings.score_step is None else (settings.scores_topic,)
    own = (settings.warnings_topic, settings.outcomes_topic, f"{settings.app}.customer-days", *optional)
    return [*settings.topics.values(), *own, f"{settings.app}.rejected"]


def planned(settings: Settings) -> list[topics.TopicSpec]:
    """Return what topics these settings ask for."""
    names = settings.topics
    return topics.plan(
        required=[names[topic] for topic in REQUIRED],
        optional=[name for topic, name in names.items() if topic not in REQUIRED],
        compacted=[names[Topic.PROFILES]],
        warnings=settings.warnings_topic,
        control=settings.control_topic,
        audit=settings.audit_topic,
        rejected=f"{settings.app}.rejected",
        silences=settings.silences_topic,
        segment_warnings=settings.segment_warnings_topic,
        segment_days=f"{settings.app}.segment-days",
        outcomes=settings.outcomes_topic,
        census=settings.census_topic,
        customer_days=f"{settings.app}.customer-days",
        scores="" if settings.score_step is None else settings.scores_topic,
        samples=settings.samples_topic,
        models=settings.models_topic,
        erasures=settings.erasures_topic,
        shared_learner=settings.shares_learner,
        max_skew_ms=settings.max_skew // 1_000,
    )
