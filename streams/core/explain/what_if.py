"""What a customer could do now that would end a cause: orders, logins, or complaints that are settled."""

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
    engine: Engine, customer_id: str, sight: CustomerSnapshot, heard: Set[Topic]
) -> dict[int, tuple[Ending, ...]]:
    """Return for each rule, by its place, what would make its clear condition true at once, each kind alone.

    Orders are of the customer's mean amount; only events of the topics in `heard` are tried. They are laid
    out as the engine does it, and forgotten.
    """
    found: dict[int, list[Ending]] = {}
    for events in _tried(engine, customer_id, sight):
        topic = Topic(int(events.topic[0]))
        if topic not in heard:
            continue
        clear = _clears(engine, sight, events)
        for rule in range(len(clear)):
            after = np.flatnonzero(clear[rule] == 1)
            if len(after):
                found.setdefault(rule, []).append(Ending(topic, int(after[0]) + 1))
    return {rule: tuple(several) for rule, several in found.items()}


def _tried(engine: Engine, customer_id: str, sight: CustomerSnapshot) -> Iterator[Batch]:
    at, orders = sight.at, sight.values["orders_total"]
    event: dict[str, Any] = {"at": at, "customer_id": customer_id}
    spend = sight.values["spend_total"]
    amount = spend / orders if isinstance(orders, int) and orders and isinstance(spend, float) else 0.0
    order = event | {"topic": Topic.ORDERS, "amount": round(max(amount, 0.0) * 1e6)}
    yield Batch.of([order] * MOST)
    yield Batch.of([event | {"topic": Topic.LOGINS}] * MOST)
    book = engine.customers.books.get(sight.row)
    unsettled = (
        [] if book is None else [name for name, known in book.known.items() if known.since is not None]
    )
    settled = event | {"topic": Topic.COMPLAINTS, "status": ComplaintStatus.RESOLVED}
    if unsettled:
        yield Batch.of([settled | {"complaint_id": name} for name in unsettled])


def _clears(engine: Engine, sight: CustomerSnapshot, events: Batch) -> Any:
    """Return what every rule's clear condition says after each of the events, (rules, events)."""
    customers, n = engine.customers, len(events)
    rows = np.full(n, sight.row, dtype=np.int32)
    taken = OrderedEvents(events, np.full(n, sight.at, dtype=np.int64), rows)
    topic = int(events.topic[0])
    quiet = {t: np.full(n, is_quiet and t != topic) for t, is_quiet in quiet_at(engine, sight.at).items()}
    book = copy.deepcopy(customers.books.get(sight.row))
    try:
        applied = apply_events(taken, customers, engine.calendar, quiet, engine.source_guard.observe(taken))
    finally:
        if book is not None:
            customers.books[sight.row] = book
    features = Features(applied.view, engine.settings.priors)
    if engine.model is not None and engine.model.ready:
        design = models.design(features, engine.model.inputs)
        features.put("churn_probability", engine.model.score(design))
    return engine.rules.verdicts(features.frame(engine.rules.columns)).clear
