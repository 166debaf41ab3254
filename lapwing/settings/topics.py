"""Settings of the names of topics."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from lapwing.settings.values import TopicName
from streams.core.events.topics import Topic


class TopicSettings(BaseModel):
    """What `Settings` has of them."""

    heading: ClassVar[str] = "Topics"

    app: TopicName = Field(
        "lapwing",
        max_length=200,
        description="Names this installation: its consumer groups, its own topics and its warnings' source.",
    )
    actions: TopicName = Field(
        "actions", description="Topic of what the retention team did (optional topic)."
    )
    closures: TopicName = Field(
        "closures", description="Topic of customers who left expressly (optional topic)."
    )
    complaints: TopicName = Field("complaints", description="Topic of complaints.")
    feedback: TopicName = Field("feedback", description="Topic of survey answers (optional topic).")
    logins: TopicName = Field("logins", description="Topic of logins.")
    orders: TopicName = Field("orders", description="Topic of orders.")
    profiles: TopicName = Field(
        "profiles", description="Topic of customers' profiles (optional, compacted topic)."
    )
    warnings_topic: TopicName = Field("churn-warnings", description="Topic that warnings are sent to.")
    control_topic: TopicName = Field(
        "lapwing-control", description="Topic of notices to operations, such as a source that has gone quiet."
    )
    audit_topic: TopicName = Field(
        "lapwing-audit", description="Topic of every change of the rules that a partition runs."
    )
    segment_warnings_topic: TopicName = Field("segment-warnings", description="Topic of segments' warnings.")
    outcomes_topic: TopicName = Field(
        "churn-outcomes",
        description="Topic of what became of customers, causes and warnings (optional topic).",
    )
    census_topic: TopicName = Field(
        "churn-census", description="Topic of the monthly census (optional topic)."
    )
    scores_topic: TopicName = Field(
        "churn-scores", description="Topic of customers' scores (optional, compacted topic)."
    )
    score_step: float | None = Field(
        None,
        ge=0,
        le=1,
        description="A churn probability that has moved by more than this is sent to `scores_topic` at a "
        "sweep; without it none is.",
    )

    @property
    def topics(self) -> dict[Topic, str]:
        """Return the name on the broker of every inbound topic."""
        return {topic: getattr(self, topic.label) for topic in Topic}

    @property
    def samples_topic(self) -> str:
        """Return the name of the topic of what a shared learner learns from."""
        return f"{self.app}-samples"

    @property
    def models_topic(self) -> str:
        """Return the name of the topic of a shared learner's models."""
        return f"{self.app}-models"

    @property
    def erasures_topic(self) -> str:
        """Return the name of the topic of the hashes of erased customers."""
        return f"{self.app}.erasures"
