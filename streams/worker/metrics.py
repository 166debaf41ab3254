"""The metrics of a worker, made from its statistics, and whether it is ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from streams.contract.rejected import RefusalReason
from streams.telemetry.metric import (
    MOST_VALUES,
    OTHERS,
    Labels,
    Metric,
    Readings,
    Value,
    absent_or,
    counter,
    flags,
    gauge,
    histogram,
    info,
)
from streams.telemetry.process_metrics import ASSIGNED, LAG, OUTBOX, OUTBOX_SINCE, PLACE, SILENCE
from streams.telemetry.snapshots import Snapshots
from streams.worker.stats import Stats

STUCK_S: Final = 300.0
"""The loop waits while an engine steps: a backlog of months makes it pass many sweeps at once."""
SILENT_S: Final = 30.0
"""For so long the broker may answer no fetch; it answers several a second."""


EVENTS = counter("events", "Events that were taken, what is read again after a crash included.", "topic")
LATE = counter("events_late", "Of these, those older than the watermark.", "topic")
REPEATED = counter("events_repeated", "Events whose id came before; they are dropped.", "topic")
ERASED = counter("events_erased", "Events of erased customers dated before the erasure; they are dropped.")
REFUSED = counter("events_refused", "Records that were refused, by the reason.", "topic", "reason")
IGNORED = counter("actions_ignored", "Actions on warnings that had no effect.")
FORGOTTEN = counter("customers_forgotten", "Customers who left the state, by `forget_after`.")
WORDS = counter(
    "words_unknown",
    "Events with a word beyond the bound of its field, `max_words`: it counts as none.",
    "field",
)
REREAD = counter("polls_reread", "Times that polls were missing and had to be read again.")
STEPS = counter("steps", "Steps of warnings: opened, escalated, updated, resolved.")
AWAITED = gauge("awaited", "1 where other topics of the partition wait for this one.", *PLACE)
TRANSACTIONS = gauge(
    "open_transactions", "1 where a transaction is neither committed nor aborted and blocks reading.", *PLACE
)
SCHEMA_WAIT = gauge(
    "schema_wait", "1 where records wait for a schema that is being fetched from the registry.", *PLACE
)
STALLED = gauge("stalled", "1 where a partition has lag and has not moved for 30 seconds.", "partition")
DELAY = gauge("event_time_delay_seconds", "How far event time is behind the clock.", "partition")
TOPIC_DELAY = gauge(
    "topic_event_time_delay_seconds", "How far the newest event of a topic is behind the clock.", *PLACE
)
LATENCY = histogram(
    "produce_to_warning_seconds",
    "From Kafka's timestamp of the record that made a step of a warning until the broker had the step.",
)
OPENINGS = counter("rule_openings", "Causes that opened since the worker started.", "rule", "tier", "status")
LIFETIME_OPENINGS = gauge(
    "rule_lifetime_openings",
    "Causes that opened since the assigned partitions began: part of their states.",
    *("rule", "status"),
)
WARNINGS_OPEN = gauge("warnings_open", "Warnings that are open in the assigned partitions.", "tier")
CUSTOMERS = gauge("customers", "Customers that are known in the assigned partitions.")
SWEEPS = counter("sweeps", "Looks at every customer, at local midnight or each `sweep_every`.")
SWEEP_SECONDS = histogram(
    "sweep_seconds", "How long a call of the engine lasted that passed sweeps, by sweep, its events included."
)
CHECKPOINTS = counter("checkpoints", "Checkpoints that were written and committed.")
CHECKPOINT_FAILURES = counter("checkpoint_failures", "Checkpoints that could not be made.")
CHECKPOINT_AT = gauge(
    "checkpoint_timestamp_seconds", "When the state was last known to be saved.", "partition"
)
CHECKPOINT_SECONDS = histogram("checkpoint_seconds", "How long writing a checkpoint took, beside the work.")
CHECKPOINT_BYTES = gauge("checkpoint_size_bytes", "The size of the newest checkpoint.", "partition")
CHECKPOINT_PAUSE = gauge(
    "checkpoint_pause_max_seconds", "The longest time that a partition's work stopped for a checkpoint."
)
RULE_FILES = info("rule_files", "The rule set that the worker's files say.", "rule_set")
RULE_SET = info("rule_set", "The rule set that a partition runs.", "partition", "rule_set")
RULES_DIFFER = gauge(
    "rule_set_differs", "1 where a partition runs other rules than the worker's files say.", "partition"
)
ADOPTED = counter("rule_sets_adopted", "Changes of a partition's rules.")
SETS_REFUSED = counter("rule_sets_refused", "Rule sets in the files that were refused.")
FILES_REFUSED = gauge("rule_files_refused", "1 while the rule files hold a mistake.")
PASSED = counter("records_passed", "Records of a source's topic that none of its events took.", "topic")
INPUTS_FILE = info("inputs_file", "What the worker's file of inputs says.", "inputs")
INPUTS = info("inputs", "The inputs by which a partition's records are mapped.", "partition", "inputs")
INPUTS_ADOPTED = counter("inputs_adopted", "Changes of a partition's inputs.")
INPUTS_REFUSED_COUNT = counter("inputs_refused", "Contents of the file of inputs that were refused.")
INPUTS_REFUSED = gauge("inputs_file_refused", "1 while the file of inputs holds a mistake.")
INPUTS_RESTART = gauge(
    "inputs_restart_needed", "1 while a change in the file of inputs waits for a restart of the worker."
)
MODEL = info("model", "The model by which a partition scores.", "partition", "version")
MODEL_READY = gauge("model_ready", "1 where the model has learned enough to score.", "partition")
MODEL_QUALITY = gauge(
    "model_quality",
    "How good the probabilities were that a partition's own model gave before the outcome was known.",
    *("partition", "measure"),
)
QUIET = gauge(
    "source_quiet",
    "1 where a topic has been without events for longer than `quiet_after`.",
    *("source", "partition"),
)
LOADING = gauge("partitions_loading", "Of these, those whose state is being loaded.")
METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


def worker_snapshots(
    wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Snapshots[Stats]:
    """Return what keeps a worker's newest statistics for its endpoint."""
    return Snapshots(
        "worker",
        METRICS,
        lambda stats: readings(stats, wall()),
        not_ready,
        stuck_s=STUCK_S,
        clock=clock,
    )


def not_ready(stats: Stats) -> Sequence[str]:
    """Return why a worker does no work now; one that waits for partitions as a standby is ready."""
    reasons = []
    if stats.assigned is None:
        reasons.append("the group has not assigned partitions yet")
    if stats.loading:
        numbers = sorted({int(place.rpartition("/")[2]) for place in stats.loading})
        reasons.append(f"the states of {len(numbers)} partitions are being loaded")
    if stats.broker_silent_s is not None and stats.broker_silent_s > SILENT_S:
        reasons.append(f"the broker has not answered for {stats.broker_silent_s:.0f} s")
    return reasons


def readings(stats: Stats, now: float) -> Readings:
    """Return the values of all metrics, at a time of the clock, seconds since the epoch."""
    places = [_place(place) for place in stats.lag]
    numbers = {str(number) for number in stats.assigned or ()}
    behind, blocked = map(set, (stats.behind, stats.open_transactions))
    wanted = set(stats.schema_wait)
    found: dict[Metric, dict[Labels, Value]] = {
        EVENTS: _by_topic(stats.events_by_topic),
        LATE: _by_topic(stats.late_by_topic),
        REPEATED: _by_topic(stats.repeats_by_topic),
        ERASED: {(): stats.erased},
        REFUSED: {
            (topic, reason.value): stats.refused_by_topic.get(topic, {}).get(reason.value, 0)
            for topic in sorted({*stats.events_by_topic, *stats.refused_by_topic})
            for reason in RefusalReason
        },
        IGNORED: {(): stats.ignored_actions},
        FORGOTTEN: {(): stats.forgotten},
        WORDS: {(field,): count for field, count in stats.unknown_words.items()},
        REREAD: {(): stats.reread},
        STEPS: {(): stats.steps},
        LAG: {_place(place): lag for place, lag in stats.lag.items()},
        AWAITED: flags([*places, *map(_place, behind)], {_place(place) for place in behind}),
        SCHEMA_WAIT: flags([*places, *map(_place, wanted)], {_place(place) for place in wanted}),
        TRANSACTIONS: flags([*places, *map(_place, blocked)], {_place(place) for place in blocked}),
        STALLED: flags(
            [(number,) for number in sorted(numbers)], {(_place(place)[1],) for place in stats.stalled}
        ),
        DELAY: {(number,): now - at for number, at in stats.event_time.items()},
        TOPIC_DELAY: {_place(place): now - at for place, at in stats.event_time_by_topic.items()},
        LATENCY: {(): stats.produce_to_warning_seconds},
        OPENINGS: _bounded(((rule, tier, status), count) for rule, tier, status, count in stats.openings),
        LIFETIME_OPENINGS: _bounded(
            ((rule, status), count)
            for rule, by_status in stats.opened.items()
            for status, count in by_status.items()
        ),
        WARNINGS_OPEN: {(tier,): count for tier, count in stats.open_warnings.items()},
        CUSTOMERS: {(): stats.customers},
        SWEEPS: {(): stats.sweeps},
        SWEEP_SECONDS: {(): stats.sweep_seconds},
        CHECKPOINTS: {(): stats.checkpoints},
        CHECKPOINT_FAILURES: {(): stats.checkpoints_failed},
        CHECKPOINT_AT: {(number,): at for number, at in stats.checkpoint_at.items()},
        CHECKPOINT_SECONDS: {(): stats.checkpoint_seconds},
        CHECKPOINT_BYTES: {(number,): size for number, size in stats.checkpoint_bytes.items()},
        CHECKPOINT_PAUSE: {(): stats.checkpoint_pause_s},
        RULE_FILES: {(stats.rule_set,): 1.0} if stats.rule_set is not None else {},
        RULE_SET: dict.fromkeys(stats.rule_sets.items(), 1.0),
        RULES_DIFFER: flags(
            [(number,) for number in (*stats.rule_sets, *stats.rules_differ)],
            {(number,) for number in stats.rules_differ},
        ),
        ADOPTED: {(): stats.rules_adopted},
        SETS_REFUSED: {(): stats.rules_refused},
        FILES_REFUSED: {(): float(bool(stats.rule_mistakes))},
        PASSED: _by_topic(stats.passed_by_topic),
        INPUTS_FILE: {(stats.inputs,): 1.0} if stats.inputs is not None else {},
        INPUTS: dict.fromkeys(stats.inputs_by_partition.items(), 1.0),
        INPUTS_ADOPTED: {(): stats.inputs_adopted},
        INPUTS_REFUSED_COUNT: {(): stats.inputs_refused},
        INPUTS_REFUSED: {(): float(bool(stats.input_mistakes))},
        INPUTS_RESTART: {(): float(bool(stats.inputs_restart))},
        MODEL: dict.fromkeys(stats.models.items(), 1.0),
        MODEL_READY: {(number,): float(ready) for number, ready in stats.models_ready.items()},
        MODEL_QUALITY: {
            (number, measure): value
            for number, measures in stats.model_quality.items()
            for measure, value in measures.items()
        },
        QUIET: {_place(place): float(quiet) for place, quiet in stats.quiet.items()},
        OUTBOX: {(): stats.outgoing},
        OUTBOX_SINCE: absent_or(stats.outgoing_since),
        ASSIGNED: {(): len(numbers)},
        LOADING: {(): len({_place(place)[1] for place in stats.loading})},
        SILENCE: absent_or(stats.broker_silent_s),
    }
    return found


def _place(text: str) -> tuple[str, str]:
    topic, _, partition = text.rpartition("/")
    return topic, partition


def _by_topic(counts: dict[str, int]) -> dict[Labels, Value]:
    return {(topic,): count for topic, count in counts.items()}


def _bounded(counts: Iterable[tuple[Labels, int]], most: int = MOST_VALUES) -> dict[Labels, Value]:
    """Return counts by labels, the first of which is a rule's id: of very many rules some go together."""
    given = list(counts)
    kept = set(sorted({labels[0] for labels, _ in given})[:most])
    found: dict[Labels, float] = {}
    for labels, count in given:
        place = labels if labels[0] in kept else (OTHERS, *labels[1:])
        found[place] = found.get(place, 0) + count
    return dict(found)
