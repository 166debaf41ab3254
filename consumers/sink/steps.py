"""Steps of the warnings of customers and of segments as rows."""

from __future__ import annotations

from consumers.broker.records import Record
from consumers.sink.reading import Entry, Row, document, place
from streams.contract.segments import SegmentEvent, parse_segment_warning
from streams.contract.warnings import WarningEvent, parse_warning
from streams.errors import ContractError


def customers_step(record: Record, value: bytes) -> Entry:
    """Return a step of a customer's warning, and the warning as it leaves it."""
    event = parse_warning(value)
    data = event.data
    attention = data.attention
    step, warning = _rows(record, value, event, {"customer_id": data.customer_id})
    warning |= {
        "reasons": step["data"]["reasons"],
        "churn_probability": data.churn_probability,
        "horizon_days": data.horizon_days,
        "model_version": data.model_version,
        "value_at_risk": data.value_at_risk,
        "decision": data.decision.verdict if data.decision else None,
        "net": data.decision.net if data.decision else None,
        "play": data.play,
        "holdout": data.holdout,
        "attention": attention.state if attention else None,
        "attended_by": attention.by if attention else None,
        "attended_until": attention.until if attention else None,
        "deadline": attention.deadline if attention else None,
    }
    return Entry(record, step, warning)


def segments_step(record: Record, value: bytes) -> Entry:
    """Return a step of a segment's warning, and the warning as it leaves it."""
    event = parse_segment_warning(value)
    of_segment = {"dimension": event.data.dimension, "value": event.data.value}
    return Entry(record, *_rows(record, value, event, of_segment))


def _rows(record: Record, value: bytes, event: WarningEvent | SegmentEvent, subject: Row) -> tuple[Row, Row]:
    """Return the columns that steps and warnings of customers and segments share."""
    content, content_digest = document(value, "a warning event")
    data = event.data
    # Else the same step under two ids would be two steps, and would be sent twice.
    if event.id != f"{data.warning_id}/{data.step}":
        msg = "not a warning event: its id is not its warning's and step's"
        raise ContractError(msg)
    step = {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "warning_id": data.warning_id,
        "step": data.step,
        **subject,
        "state": data.state,
        "tier": data.tier,
        "data": content["data"],
        "digest": content_digest,
        **place(record),
    }
    warning = {
        "id": data.warning_id,
        **subject,
        "state": data.state,
        "tier": data.tier,
        "opened_at": data.opened_at,
        "updated_at": event.time,
        "closed_at": None if data.state == "open" else event.time,
        "last_step": data.step,
        "last_type": event.type,
        "causes": content["data"]["causes"],
        "rule_set": data.rule_set,
    }
    return step, warning
