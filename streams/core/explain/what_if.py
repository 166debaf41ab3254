"""What a customer could do now that would end a cause: orders, logins, or resolved complaints."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from streams.core.engine import Engine
from streams.core.events.batch import Batch, ComplaintStatus
from streams.core.events.topics import Topic
from streams.core.explain.snapshot import CustomerSnapshot, quiet_at
from streams.core.features.apply import OrderedEvents, apply_events
from streams.core.features.catalogue import Features
from streams.core.model import logistic as models

MOST: Final = 10
"""Orders or logins that are tried."""


@dataclass(frozen=True, slots=True)
class Ending:
    """So many events of one kind, at once, after which a rule's clear condition is true."""

    topic: Topic
    count: int


def endings(
    engine: Engine, customer_id: str, snapshot: CustomerSnapshot, topics_seen: Set[Topic]
) -> dict[int, tuple[Ending, ...]]:
    """Return for each rule, by its place, the events of one kind that would make its clear condition true.

    Orders are of the customer's mean amount; only events of the topics in `topics_seen` are tried. They are
    applied as the engine applies them, and the engine's state stays as it is.
    """
    found: dict[int, list[Ending]] = {}
    for events in _tried(engine, customer_id, snapshot):
        topic = Topic(int(events.topic[0]))
        if topic not in topics_seen:
            continue
        clear = _clears(engine, snapshot, events)
        for rule in range(len(clear)):
            after = np.flatnonzero(clear[rule] == 1)
            if len(after):
                found.setdefault(rule, []).append(Ending(topic, int(after[0]) + 1))
    return {rule: tuple(several) for rule, several in found.items()}


def _tried(engine: Engine, customer_id: str, snapshot: CustomerSnapshot) -> Iterator[Batch]:
    at, orders = snapshot.at, snapshot.values["orders_total"]
    event: dict[str, Any] = {"at": at, "customer_id": customer_id}
    spend = snapshot.values["spend_total"]
    amount = spend / orders if isinstance(orders, int) and orders and isinstance(spend, float) else 0.0
    order = event | {"topic": Topic.ORDERS, "amount": round(max(amount, 0.0) * 1e6)}
    yield Batch.of([order] * MOST)
    yield Batch.of([event | {"topic": Topic.LOGINS}] * MOST)
    complaints = engine.customers.books.get(snapshot.row)
    unsettled = (
        []
        if complaints is None
        else [name for name, known in complaints.known.items() if known.since is not None]
    )
    settled = event | {"topic": Topic.COMPLAINTS, "status": ComplaintStatus.RESOLVED}
    if unsettled:
        yield Batch.of([settled | {"complaint_id": name} for name in unsettled])


def _clears(engine: Engine, snapshot: CustomerSnapshot, events: Batch) -> Any:
    """Return the verdict of every rule's clear condition after each of the events, (rules, events)."""
    customers, n = engine.customers, len(events)
    rows = np.full(n, snapshot.row, dtype=np.int32)
    ordered = OrderedEvents(events, np.full(n, snapshot.at, dtype=np.int64), rows)
    topic = int(events.topic[0])
    quiet = {t: np.full(n, is_quiet and t != topic) for t, is_quiet in quiet_at(engine, snapshot.at).items()}
    complaints = copy.deepcopy(customers.books.get(snapshot.row))
    try:
        applied = apply_events(
            ordered, customers, engine.calendar, quiet, engine.source_guard.observe(ordered)
        )
    finally:
        if complaints is not None:
            customers.books[snapshot.row] = complaints
    features = Features(applied.view, engine.settings.priors)
    if engine.scorer.model is not None and engine.scorer.model.ready:
        design = models.design(features, engine.scorer.model.inputs)
        features.put("churn_probability", engine.scorer.model.score(design))
    return engine.rules.verdicts(features.frame(engine.rules.columns)).clear
