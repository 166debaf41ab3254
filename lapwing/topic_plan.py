"""The topics that a deployment needs, by its settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from consumers.broker import topics
from lapwing.settings.settings import Settings
from streams.core.events.topics import REQUIRED, Topic


def of_customers(settings: Settings) -> list[str]:
    """Return the topics whose records are customers', under their ids."""
    optional = () if settings.score_step is None else (settings.scores_topic,)
    own = (settings.warnings_topic, settings.outcomes_topic, f"{settings.app}.customer-days", *optional)
    return [*settings.topics.values(), *own, f"{settings.app}.rejected"]


def planned(
    settings: Settings, mapped: Mapping[str, Collection[Topic]] | None = None
) -> list[topics.TopicSpec]:
    """Return what topics these settings ask for.

    `mapped` are those whose records the file of inputs maps, each with the topics of the contract that it
    brings events of. One with a name of the contract's takes its place.
    """
    mapped = mapped or {}
    names = {topic: name for topic, name in settings.topics.items() if name not in mapped}
    brought = {topic for each in mapped.values() for topic in each}
    required = [name for topic, name in names.items() if topic in REQUIRED and topic not in brought]
    return topics.plan(
        required=required,
        optional=[name for name in names.values() if name not in required],
        compacted=[names[Topic.PROFILES]] if Topic.PROFILES in names else [],
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
        mapped=sorted(mapped),
    )
