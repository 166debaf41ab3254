"""The explaining driver: an engine brought to an instant, from events or from a worker's checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from streams.checkpoints.store import Checkpoint, CheckpointStore
from streams.contract.instants import format_instant
from streams.core.engine import Engine
from streams.core.events.batch import Batch
from streams.core.events.calendar import NEVER
from streams.core.events.partitioner import partitions
from streams.core.events.reorder import last_reached
from streams.core.events.topics import Topic
from streams.core.explain.explain import Explanation, explain
from streams.core.explain.snapshot import CustomerSnapshot, find_customer, take_snapshot
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import StateMismatch, Tables, restore
from streams.core.steps import Step
from streams.errors import ExplanationError, LapwingError, StateError
from streams.inputs.load import topics_brought
from streams.offline.replay import replay
from streams.rulebook.load import parse_rulebook

Engines = Callable[[int], Engine]
"""Makes the engine of a partition."""
Progress = Callable[[int, int], None]


def explain_events(
    events: Batch,
    engines: Engines,
    count: int,
    customer_id: str,
    *,
    at: int | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain a customer from a history in the order of `Batch.order`, on one of `count` partitions.

    What is seen is what a sweep at `at` would see: where one is due then, events of that very instant come
    after it. By default `at` is the instant of the last event of the customer's partition, that event
    included. Raises `ExplanationError` for a customer or an instant of which the history knows nothing.
    """
    own = np.flatnonzero(events.customer_id == customer_id)
    if not len(own):
        msg = f"customer {customer_id!r} is unknown: no event in the files is of this customer"
        raise ExplanationError(msg)
    first = int(events.at[own[0]])
    if at is not None and at < first:
        msg = f"--at {format_instant(at)} lies before the customer's first event, {format_instant(first)}"
        raise ExplanationError(msg)
    of = partitions(events.customer_id, count)
    number = int(of[own[0]])
    part = events.take(of == number)
    engine = engines(number)
    until = max(first, last_reached(part)) if at is None else at - 1
    heard = {Topic(code) for code in np.unique(events.topic[events.at <= until]).tolist()}
    steps: list[Step] = []

    def on_steps(new: list[Step]) -> None:
        steps.extend(step for step in new if step.customer_id == customer_id)

    replay(part, [engine], until=until, on_steps=on_steps, progress=progress)
    if at is not None and engine.place[1] != at:
        # No sweep is due at `at`: what happened at that very instant is seen, too.
        for output in (engine.step(part.take(part.at == at)), engine.flush()):
            on_steps(output.steps)
    seen, more = _stand(engine, customer_id, until if at is None else at)
    on_steps(more)
    return explain(engine, customer_id, seen, source="events", topics_seen=heard, history=tuple(steps))


def explain_checkpoint(
    store: CheckpointStore,
    engines: Callable[[int, RuleSet], Engine],
    rules: Callable[[Checkpoint], RuleSet],
    customer_id: str,
    topics: Mapping[str, Topic],
    *,
    at: int | None = None,
    count: int | None = None,
) -> Explanation:
    """Explain a customer from the newest whole checkpoint of the customer's partition.

    `at` is as in `explain_events`, and not before the checkpoint's clock, which it is by default. `rules`
    says by which rules to judge, `topics` are those of the contract by their names on the broker (the
    checkpoint itself says what its mapped topics bring), and `count` is how many partitions they have, by
    default as many as the store shows. Raises `ExplanationError` where nothing
    is known, `StateError` where nothing can be read.
    """
    number, checkpoint, tables = _holding(store, customer_id, count)
    engine = engines(number, rules(checkpoint))
    try:
        restore(engine, tables)
    except StateMismatch as error:
        msg = f"{checkpoint.path}: {error}"
        raise StateError(msg) from error
    # Sweeps wait for the event that passes them: the checkpoint may stand before those due by its clock.
    midnight, next_sweep, _ = engine.place
    begun = None if midnight is None else min(engine.reorder.watermark, next_sweep)
    steps = [*engine.adopt().steps, *engine.flush().steps]
    clock = engine.reorder.watermark
    if at is not None and at < clock:
        msg = (
            f"--at {format_instant(at)} lies before what the checkpoint stands for, {format_instant(clock)}: "
            "an earlier instant can be explained from event files only"
        )
        raise ExplanationError(msg)
    seen, more = _stand(engine, customer_id, clock if at is None else at)
    own = tuple(step for step in (*steps, *more) if step.customer_id == customer_id)
    heard = _heard(engine, checkpoint, topics)
    source = f"checkpoint {checkpoint.sequence} of partition {number}"
    return explain(
        engine, customer_id, seen, source=source, topics_seen=heard, history=own, history_from=begun
    )


def _heard(engine: Engine, checkpoint: Checkpoint, topics: Mapping[str, Topic]) -> set[Topic]:
    """Return the topics of the contract that an event of any customer of the partition has come of."""
    kept = checkpoint.content.inputs
    brought = {name: frozenset((topic,)) for name, topic in topics.items()}
    brought |= {} if kept is None else topics_brought(kept.text.encode())
    reached = [
        brought.get(name, frozenset())
        for name, at in checkpoint.content.topics.items()
        if at.reached is not None
    ]
    # A mapped topic may bring events of several: whether of each, the engine knows of those that it watches.
    newest = engine.source_guard.newest
    return {topic for each in reached for topic in each if len(each) == 1 or newest.get(topic) != NEVER}


def kept_rules(checkpoint: Checkpoint) -> RuleSet | None:
    """Return the rules that a checkpoint says are in force, `None` where it says nothing.

    Raises `StateError` where they cannot be read any more.
    """
    kept = checkpoint.content.rules
    if kept is None:
        return None
    try:
        return parse_rulebook(kept.files).rules
    except LapwingError as error:
        msg = f"{checkpoint.path}: its rules cannot be read by this version; give others with --rules"
        raise StateError(msg) from error


def _stand(engine: Engine, customer_id: str, at: int) -> tuple[CustomerSnapshot, list[Step]]:
    """Let an engine reach `at`, and return what it sees there and the steps on the way.

    A sweep due at `at` is taken, but what is seen is what it saw: the day that ended at that instant.
    """
    steps = engine.advance(at - 1).steps
    row = find_customer(engine, customer_id)
    if row is None:
        msg = f"customer {customer_id!r} is unknown at {format_instant(at)}: no event of this customer yet"
        raise ExplanationError(msg)
    due = engine.place[1] == at
    seen = take_snapshot(engine, row, at)
    steps += engine.advance(at).steps
    return (seen if due else take_snapshot(engine, row, at)), steps


def _holding(store: CheckpointStore, customer_id: str, count: int | None) -> tuple[int, Checkpoint, Tables]:
    """Return the partition whose newest whole checkpoint knows the customer."""
    numbers = store.partitions()
    if not numbers:
        msg = f"{store.place}: there are no checkpoints of this application"
        raise StateError(msg)
    likely = _partition(customer_id, count or max(numbers) + 1)
    # How many partitions there are is a guess unless it was given: some may have no checkpoint yet.
    tried = [likely] if count else sorted(numbers, key=lambda number: number != likely)
    readable = False
    for number in tried:
        newest = store.newest(number)
        readable = readable or newest is not None
        if newest is not None and _knows(newest[1], customer_id):
            return number, *newest
    if not readable:
        which = f"partition {likely}" if count else "this application"
        msg = f"{store.place}: no checkpoint of {which} can be read"
        raise StateError(msg)
    msg = f"customer {customer_id!r} is unknown: no event of this customer is in a checkpoint"
    raise ExplanationError(msg)


def _partition(customer_id: str, count: int) -> int:
    ids = np.array([customer_id], dtype=np.object_)
    return int(partitions(ids, count)[0])


def _knows(tables: Tables, customer_id: str) -> bool:
    """Tell whether a customer is in a state, if only in an event that waits to be put in order."""
    return any((tables[name]["customer_id"] == customer_id).any() for name in ("customers", "held"))
