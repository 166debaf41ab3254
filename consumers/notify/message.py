"""What the team reads about a warning: plain text, which Apprise turns into what each channel shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from consumers.decision import decision_words

MOST_CAUSES: Final = 8
MOST_REASONS: Final = 5


@dataclass(frozen=True, slots=True)
class Message:
    """A title and a body."""

    title: str
    body: str
    urgent: bool


def write_message(kind: str, data: Mapping[str, Any], note: str | None = None) -> Message:
    """Return the message on a step: `kind` is its CloudEvent's type, `data` its CloudEvent's data.

    Causes that a worse one hides are counted, not listed.
    """
    causes = [cause for cause in data["causes"] if cause.get("inhibited_by") is None]
    hidden = len(data["causes"]) - len(causes)
    tier = data["tier"]
    verb = _verb(kind, data)
    first = _line(causes[0]["title"] or causes[0]["rule"]) if causes else "no cause given"
    more = f" (+{len(causes) - 1})" if len(causes) > 1 else ""
    # A deferred notice is sent with the newest step, which may be an update of what nobody knows yet.
    known = verb != "opened" and not (note and verb == "updated")
    title = f"[{tier}] {f'Churn warning {verb}' if known else 'Churn warning'}: {first}{more}"
    lines = [f"Customer: {_line(data['customer_id'])}", f"Tier: {tier} ({verb})"]
    if note:
        lines.append(_line(note))
    for cause in causes[:MOST_CAUSES]:
        lines.append(f"- {_line(cause['title'] or cause['rule'])}")
        if cause.get("message"):
            lines.append(f"  {_line(cause['message'])}")
        lines.append(f"  since {_day(cause['since'])}; rule {cause['rule']}, tier {cause['tier']}")
    if len(causes) > MOST_CAUSES:
        lines.append(f"- and {len(causes) - MOST_CAUSES} more")
    if hidden:
        lines.append(f"- {hidden} milder {'rule' if hidden == 1 else 'rules'} hidden by these")
    if data.get("churn_probability") is not None:
        lines.append(
            f"Churn probability: {data['churn_probability']:.0%} within {data.get('horizon_days')} days"
        )
    for reason in (data.get("reasons") or [])[:MOST_REASONS]:
        direction = "raises" if reason["contribution"] > 0 else "lowers"
        # Workers of earlier versions gave no words.
        what = reason.get("text") or f"{reason['feature']} = {_number(reason['value'])}"
        lines.append(f"- {_line(what)} {direction} it")
    if data.get("play"):
        lines.append(f"Play: {_line(data['play'])}")
    if decision := decision_words(data.get("decision")):
        lines.append(f"Decision: {_line(decision)}")
    lines.append(f"Open since: {_day(data['opened_at'])}")
    lines.append(f"Warning: {data['warning_id']}, step {data['step']}")
    return Message(title[:200], "\n".join(lines), urgent=tier == "high")


def _verb(kind: str, data: Mapping[str, Any]) -> str:
    """Return what happened in a few words."""
    acknowledgement = data.get("attention") or {}
    if acknowledgement.get("step") == data["step"]:
        if acknowledgement["state"] == "overdue":
            return "escalated, as nobody acknowledged it in time"
        if acknowledgement["state"] == "lapsed":
            who = acknowledgement["by"]
            return f"needs somebody again{f'; {_line(who)} had acknowledged or snoozed it' if who else ''}"
    return kind.rpartition(".")[2]


def _line(text: object) -> str:
    """Return the text without line breaks and control characters, which a customer id might bring in."""
    return "".join(c if c.isprintable() else " " for c in str(text))[:300]


def _day(instant: str) -> str:
    at = datetime.fromisoformat(instant).astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "missing" if value is None else _line(value)
