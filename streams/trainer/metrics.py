"""The metrics of a learner, made from its statistics, and whether it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from streams.telemetry.metric import Labels, Metric, Readings, Value, absent_or, counter, gauge, info
from streams.telemetry.process_metrics import LAG, SILENCE
from streams.telemetry.snapshots import Snapshots
from streams.trainer.run import TrainerStats

STUCK_S: Final = 300.0
SILENT_S: Final = 30.0
"""For so long the broker may answer no fetch; it answers several a second."""

ACTIVE = gauge("learner_active", "1 where this learner learns; of several one does, the others wait.")
OFFSET = gauge("learner_offset", "The offset on the samples topic up to which it has learned.")
SAMPLES = counter("model_samples", "Labelled samples that came, by all learners that went on from another.")
LEFT_OUT = counter(
    "model_samples_left_out", "Of these, those that nothing was learned from, and repeats.", "reason"
)
REFUSED = counter("samples_refused", "Records that hold no samples.")
MODEL = info("model", "The champion's model.", "version", "candidate")
READY = gauge("model_ready", "1 where it has learned enough to score.")
QUALITY = gauge(
    "model_quality", "How good the probabilities were that it gave before the outcome was known.", "measure"
)
PUBLISHED = counter("models_published", "Models that were published.")
PUBLISHED_AT = gauge("model_published_timestamp_seconds", "When this learner last published one.")

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


def trainer_snapshots(samples_topic: str) -> Snapshots[TrainerStats]:
    """Return what keeps a learner's newest statistics for its endpoint."""
    return Snapshots(
        "learner", METRICS, lambda stats: readings(stats, samples_topic), not_ready, stuck_s=STUCK_S
    )


def not_ready(stats: TrainerStats) -> Sequence[str]:
    """Return why a learner does no work now; one that waits for another to end is ready."""
    if stats.broker_silent_s is not None and stats.broker_silent_s > SILENT_S:
        return (f"the broker has not answered for {stats.broker_silent_s:.0f} s",)
    return ()


def readings(stats: TrainerStats, samples_topic: str) -> Readings:
    """Return the values of all metrics; of what is learned, only where it is learned here."""
    found: dict[Metric, dict[Labels, Value]] = {
        ACTIVE: {(): float(stats.active)},
        REFUSED: {(): stats.refused},
        PUBLISHED: {(): stats.published},
        PUBLISHED_AT: absent_or(stats.published_at),
        SILENCE: absent_or(stats.broker_silent_s),
        LAG: {} if stats.lag is None else {(samples_topic, "0"): stats.lag},
    }
    if stats.active:
        found |= {
            OFFSET: {(): stats.offset},
            SAMPLES: {(): stats.samples},
            LEFT_OUT: {
                ("excluded",): stats.excluded,
                ("treated",): stats.treated,
                ("repeat",): stats.repeats,
            },
            MODEL: {} if stats.version is None else {(stats.version, stats.champion): 1.0},
            READY: {(): float(stats.ready)},
            QUALITY: {(name,): value for name, value in stats.quality.items()},
        }
    return found
