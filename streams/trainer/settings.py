"""What the learner's process needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.kafka.security import Security


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """Where the learner reads and writes, and how."""

    broker: str
    app: str
    samples_topic: str
    models_topic: str
    control_topic: str
    checkpoints: str
    """A directory or `fsspec` URL; without one the whole samples topic is learned again at each start."""
    security: Security = field(default_factory=dict, repr=False)
    session_timeout_s: float = 45.0
    checkpoint_every_s: float = 30.0
    publish_every_s: float = 5.0
    """A model is published when all samples there are were learned, but no more often than this."""

    @property
    def group(self) -> str:
        """Return the consumer group: of several learners one learns and the others wait."""
        return f"{self.app}-learner"
