"""`lapwing learn`: learn from the customers of all partitions and publish models."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

from lapwing.monitoring import endpoint
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from lapwing.wiring import learner_settings
from streams.core.model.logistic import inputs_with
from streams.duration import UNITS
from streams.errors import SettingsError
from streams.learning.shared import SharedLearner
from streams.telemetry.snapshots import as_json
from streams.trainer.metrics import trainer_snapshots
from streams.trainer.run import TrainerStats, run_learner
from streams.trainer.settings import TrainerSettings

log = logging.getLogger(__name__)


def run(settings: Settings, stats: Path | None) -> None:
    """Learn from the customers of all partitions and publish models."""
    if not settings.shares_learner:
        message = (
            'each partition learns for itself: set `learner = "shared"` (and `model_enabled`) for workers, '
            "then start the learner"
        )
        raise SettingsError(message)
    ours = TrainerSettings(
        broker=settings.broker,
        app=settings.app,
        samples_topic=settings.samples_topic,
        models_topic=settings.models_topic,
        control_topic=settings.control_topic,
        checkpoints="" if settings.checkpoints == NO_CHECKPOINTS else settings.checkpoints,
        security=settings.kafka_security,
        session_timeout_s=settings.session_timeout / UNITS["s"],
        checkpoint_every_s=settings.checkpoint_every / UNITS["s"],
    )
    inputs = inputs_with(settings.model_attributes)
    to_file = _to(stats)
    snapshots = trainer_snapshots(settings.samples_topic)

    def report(found: TrainerStats) -> None:
        snapshots.take(found)
        to_file(found)

    with endpoint(settings, snapshots):
        run_learner(ours, lambda: SharedLearner(learner_settings(settings), inputs), report)


def _to(path: Path | None) -> Callable[[TrainerStats], None]:
    if path is None:
        return lambda stats: None
    try:
        path.touch()
    except OSError as error:
        message = f"--stats {path}: {error.strerror}"
        raise SettingsError(message) from error

    def report(stats: TrainerStats) -> None:
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(as_json(stats)) + "\n")
        except OSError as error:
            log.warning("the statistics cannot be written: %s: %s", path, error.strerror)

    return report
