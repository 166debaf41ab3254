"""A shop's own records: what it sends to a topic of its own in place of orders and logins of the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from streams.contract.instants import read_instant, to_us
from streams.core.events.topics import Topic
from tests.faults.history import History, Record

MAPPED: Final = (Topic.LOGINS, Topic.ORDERS)
"""What the shop sends in its own form."""

INPUTS: Final = """\
version: 1
# {remark}
sources:
  shop:
    topic: {topic}
    events:
      - to: orders
        where: {{kind: [sale]}}
        fields:
          event_id: id
          customer_id: buyer.number
          occurred_at: {{path: at_ms, time: epoch_ms}}
          order_id: sale.number
          amount: {{path: sale.cents, minor_units: EUR}}
          currency: sale.currency
          status: {{path: sale.state, map: {{bought: placed, cancelled: cancelled, sent back: returned}}}}
      - to: logins
        where: {{kind: visit}}
        fields:
          event_id: id
          customer_id: buyer.number
          occurred_at: {{path: at_ms, time: epoch_ms}}
          channel: where
"""
_STATES: Final = {"placed": "bought", "cancelled": "cancelled", "returned": "sent back"}


def foreign(record: Record) -> Record:
    """Return a record as the shop sends it itself; what is no JSON, and other events, stay as they are."""
    if record.topic not in MAPPED:
        return record
    try:
        event = json.loads(record.value)
    except ValueError:
        return replace(record, mapped=True)
    made = {
        "id": event["event_id"],
        "kind": "sale" if record.topic is Topic.ORDERS else "visit",
        "buyer": {"number": event["customer_id"], "name": "somebody"},
    }
    if "occurred_at" in event:
        made["at_ms"] = to_us(read_instant(event["occurred_at"])) // 1_000
    if "channel" in event:
        made["where"] = event["channel"]
    if record.topic is Topic.ORDERS:
        made["sale"] = {
            "number": event["order_id"],
            "cents": round(event["amount"] * 100),
            "currency": event["currency"],
            "state": _STATES[event["status"]],
        }
    return replace(record, value=json.dumps(made).encode(), mapped=True)


def in_own_form(history: History) -> History:
    """Return a history whose orders and logins are sent in the shop's own form."""
    bad = history.garbage
    sent = [*history.backlog, *(record for chunk in history.chunks for record in chunk)]
    return replace(
        history,
        backlog=[foreign(record) for record in history.backlog],
        chunks=[[foreign(record) for record in chunk] for chunk in history.chunks],
        closing=[foreign(record) for record in history.closing],
        garbage=frozenset(foreign(record).value for record in sent if record.value in bad),
    )
