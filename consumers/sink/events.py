"""Outcomes, the census, customers' days and adoptions of rules as rows."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from consumers.broker.records import Record
from consumers.sink.reading import Entry, Row, digest, document, place
from streams.contract.audit import parse_adopted
from streams.contract.census import parse_census
from streams.contract.customer_days import parse_customer_days
from streams.contract.outcomes import parse_outcome

_OF_A_CHANGE: Final = ("app", "judges", "partition", "offsets", "at", "rule_set_before", "rule_set")
"""What makes a change of rules another one; the rest says who made it when."""


def outcome(record: Record, value: bytes) -> Entry:
    """Return an outcome of a customer, a cause or a warning.

    `tier`, `rule` and `opened_at` are those of what matured; `warned` of the others is in `data`.
    """
    event = parse_outcome(value)
    # The six types share few fields: what a type has not is null.
    data: Any = event.data
    is_matured = event.type in ("churn.cause.matured", "churn.warning.matured")
    about = data if is_matured else getattr(data, "warned", None)
    own: Row = {
        "customer_id": data.customer_id,
        "warning_id": about.warning_id if about is not None else None,
        "rule": getattr(data, "rule", None),
        "tier": data.tier if is_matured else None,
        "opened_at": data.opened_at if is_matured else None,
        "churned": data.churned if is_matured else None,
        "holdout": data.holdout,
    }
    return _cloud_event(record, value, event, own, "an outcome")


def census(record: Record, value: bytes) -> Entry:
    """Return a cell or the summary of a census."""
    event = parse_census(value)
    own = {"partition": event.data.partition, "by": getattr(event.data, "by", None)}
    return _cloud_event(record, value, event, own, "a message of the census")


def customer_days(record: Record, value: bytes) -> Entry:
    """Return days of a customer who is warned of."""
    event = parse_customer_days(value)
    data = event.data
    own = {
        "customer_id": data.customer_id,
        "warning_id": data.warning_id,
        "first_day": data.first_day,
        "last_day": data.last_day,
        "churn_probability": data.churn_probability,
        "value": data.value,
        "net": data.decision.net if data.decision else None,
        "verdict": data.decision.verdict if data.decision else None,
    }
    return _cloud_event(record, value, event, own, "a customer's days")


def _cloud_event(record: Record, value: bytes, event: Any, own: Row, what: str) -> Entry:
    content, content_digest = document(value, what)
    row = {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        **own,
        "data": content["data"],
        "digest": content_digest,
        **place(record),
    }
    return Entry(record, row)


def adoption(record: Record, value: bytes) -> Entry:
    """Return a partition's change from one rule set to another.

    After a crash the same change is sent again, by another worker or at another time: that is a repeat.
    """
    adopted = parse_adopted(value)
    content, _ = document(value, "a change of rules")
    change = {name: content.get(name) for name in _OF_A_CHANGE}
    row = {
        "id": adopted.id,
        "adopted_at": adopted.adopted_at,
        "at": adopted.at,
        "partition": adopted.partition,
        "judges": adopted.judges,
        "rule_set_before": adopted.rule_set_before,
        "rule_set": adopted.rule_set,
        "author": adopted.author,
        "data": content,
        "digest": digest(msgspec.json.encode(change, order="sorted")),
        **place(record),
    }
    return Entry(record, row)
