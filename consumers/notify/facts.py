"""What a template may print about a warning: plain values, in one line each, without control characters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from consumers.muting.notice import ATTENDED

MOST_CAUSES: Final = 8
MOST_REASONS: Final = 5
LONGEST: Final = 300
"""Characters of any text that a message takes from a warning."""

Facts = dict[str, Any]

ONLY_OF_CUSTOMERS: Final = (
    *("by", "attended", "until", "customer_class", "segment", "region", "account_owner"),
    *("probability", "horizon_days", "value_at_risk", "play", "decision", "link"),
)


def warning_facts(kind: str, data: Mapping[str, Any], desk_url: str | None = None) -> Facts:
    """Return the facts of a customer's warning: `kind` is its step's CloudEvent's type, `data` its data.

    Causes that a worse one hides are counted, not listed.
    """
    acknowledgement = data.get("attention") or {}
    customer = str(data["customer_id"])
    play = data.get("play")
    return {
        **_of_any_warning(kind, data),
        "customer": line(customer),
        "event": event_of(kind, data),
        "by": line(acknowledgement["by"]) if acknowledgement.get("by") else None,
        "attended": acknowledgement.get("state") if acknowledgement.get("state") in ATTENDED else None,
        "until": instant(acknowledgement["until"]) if acknowledgement.get("until") else None,
        "customer_class": _word(data.get("customer_class")),
        "segment": _word(data.get("segment")),
        "region": _word(data.get("region")),
        "account_owner": _word(data.get("account_owner")),
        "probability": data.get("churn_probability"),
        "horizon_days": data.get("horizon_days"),
        "value_at_risk": data.get("value_at_risk"),
        "reasons": [_reason(each) for each in (data.get("reasons") or [])[:MOST_REASONS]],
        "play": line(play) if play else None,
        "decision": data.get("decision"),
        "link": desk_link(desk_url, customer),
    }


def segment_facts(kind: str, data: Mapping[str, Any]) -> Facts:
    """Return the facts of a segment's warning; those that only a customer's has are `None`.

    In a digest and among gathered ones the segment stands where a customer stands.
    """
    return {
        **_of_any_warning(kind, data),
        **dict.fromkeys(ONLY_OF_CUSTOMERS),
        "customer": line(f"{data['dimension']} {data['value']}"),
        "reasons": [],
        "dimension": line(data["dimension"]),
        "value": line(data["value"]),
        "event": kind.rpartition(".")[2],
    }


def _of_any_warning(kind: str, data: Mapping[str, Any]) -> Facts:
    causes = [cause for cause in data["causes"] if cause.get("inhibited_by") is None]
    return {
        "warning_id": line(data["warning_id"]),
        "step": data["step"],
        "tier": line(data["tier"]),
        "headline": line(causes[0]["title"] or causes[0]["rule"]) if causes else None,
        "causes": [_cause(cause) for cause in causes[:MOST_CAUSES]],
        "more_causes": max(0, len(causes) - 1),
        "unlisted_causes": max(0, len(causes) - MOST_CAUSES),
        "hidden_causes": len(data["causes"]) - len(causes),
        "opened_at": instant(data["opened_at"]),
        "over": data.get("state", "open") != "open",
    }


def _cause(cause: Mapping[str, Any]) -> Facts:
    return {
        "title": line(cause["title"] or cause["rule"]),
        "message": line(cause["message"]) if cause.get("message") else None,
        "since": instant(cause["since"]),
        "rule": line(cause["rule"]),
        "reason": line(cause["reason"]),
        "tier": line(cause["tier"]),
    }


def _reason(reason: Mapping[str, Any]) -> Facts:
    value = reason["value"]
    return {
        # Workers of earlier versions gave no words.
        "text": line(reason["text"]) if reason.get("text") else None,
        "feature": line(reason["feature"]),
        "value": line(value) if isinstance(value, str) else value,
        "raises": reason["contribution"] > 0,
    }


def event_of(kind: str, data: Mapping[str, Any]) -> str:
    """Return what a step is about, such as `opened`; `overdue` or `lapsed` where that brought it about."""
    acknowledgement = data.get("attention") or {}
    if acknowledgement.get("step") == data["step"] and acknowledgement["state"] in ("overdue", "lapsed"):
        return str(acknowledgement["state"])
    return kind.rpartition(".")[2]


def desk_link(desk_url: str | None, customer: str) -> str | None:
    """Return where the desk shows a customer, `None` where there is no desk.

    >>> desk_link("https://desk.example/", "a/b c")
    'https://desk.example/customers/a%2Fb%20c'
    """
    return None if desk_url is None else f"{desk_url.rstrip('/')}/customers/{quote(customer, safe='')}"


def instant(text: str) -> datetime:
    """Return the instant of a text on the wire."""
    return datetime.fromisoformat(text)


def line(text: object) -> str:
    """Return the text without line breaks and control characters, which a customer id might bring in."""
    return "".join(c if c.isprintable() else " " for c in str(text))[:LONGEST]


def _word(text: object) -> str | None:
    return line(text) if text else None
