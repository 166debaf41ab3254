"""The queue by its definition: the records of the topics, read one by one, without columns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

TIERS = ("high", "medium", "low")


@dataclass
class Open:
    data: dict[str, Any]
    decision: dict[str, Any]
    decided_at: datetime
    attention_at: datetime
    """When a step last was about who takes care of it, or raised its tier."""


@dataclass
class Expected:
    """The queue that somebody sees: ids in order."""

    today: list[str] = field(default_factory=list)
    unserved: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    attended: set[str] = field(default_factory=set)
    dont: set[str] = field(default_factory=set)
    held_out: set[str] = field(default_factory=set)
    unserved_net: float = 0.0


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def standing_actions(actions: Iterable[Mapping[str, Any]], until: datetime) -> list[Mapping[str, Any]]:
    done = sorted(
        (a for a in actions if instant(a["occurred_at"]) <= until),
        key=lambda a: (instant(a["occurred_at"]), a["event_id"]),
    )
    struck = set()
    for position, action in enumerate(done):
        named = action.get("corrects")
        for earlier in done[:position]:
            if (
                named is not None
                and earlier["event_id"] == named
                and earlier["customer_id"] == action["customer_id"]
                and earlier.get("actor") == action.get("actor")
            ):
                struck.add(id(earlier))
    return [action for action in done if id(action) not in struck]


def open_warnings(
    steps: Iterable[dict[str, Any]], days: Iterable[dict[str, Any]], until: datetime
) -> dict[str, Open]:
    """Return the warnings that are open, each with the newest decision that a step or a sweep made."""
    found: dict[str, Open] = {}
    for event in sorted(steps, key=lambda e: e["data"]["step"]):
        data, at = event["data"], instant(event["time"])
        if at > until:
            continue
        before = found.get(data["warning_id"])
        decision = data["decision"] or {"verdict": "unknown"}
        if before is None:
            found[data["warning_id"]] = Open(data, decision, at, at)
            continue
        attention = data["attention"]
        alone = attention is not None and attention["step"] == data["step"]
        if alone or event["type"].endswith(".escalated") or attention != before.data["attention"]:
            before.attention_at = at
        if not (alone and decision == (before.data["decision"] or {"verdict": "unknown"})):
            before.decision, before.decided_at = decision, at
        before.data = data
    for event in sorted(days, key=lambda e: e["time"]):
        data, at = event["data"], instant(event["time"])
        own = found.get(data["warning_id"])
        if own is not None and at <= until and data["decision"] is not None and at >= own.decided_at:
            own.decision, own.decided_at = data["decision"], at
    return {id_: own for id_, own in found.items() if own.data["state"] == "open"}


def queue(
    steps: Iterable[dict[str, Any]],
    days: Iterable[dict[str, Any]],
    actions: Iterable[dict[str, Any]],
    now: datetime,
    *,
    capacity: int | None = None,
    budgets: Mapping[str, float] | None = None,
    zone: str = "UTC",
    team: set[str] | None = None,
) -> Expected:
    """Return the queue at `now`; `team` are the people whose first attendances count for the capacity."""
    expected = Expected()
    done = standing_actions(actions, now)
    today = now.astimezone(ZoneInfo(zone)).date()
    lasts = {"acknowledge": timedelta(days=7), "snooze": timedelta(days=1)}
    waiting = []
    found = open_warnings(steps, days, now)
    for warning_id, own in found.items():
        data, attention = own.data, own.data["attention"]
        opened_at = instant(data["opened_at"])
        contacted = any(
            a["kind"] in ("contact", "offer")
            and a["customer_id"] == data["customer_id"]
            and instant(a["occurred_at"]) >= opened_at
            for a in done
        )
        put_off = (
            attention is not None
            and attention["state"] in ("acknowledged", "snoozed")
            and instant(attention["until"]) > now
        )
        # What the engine has not taken up yet.
        waits = [
            a
            for a in done
            if a["kind"] in lasts
            and a.get("warning_id") == warning_id
            and instant(a["occurred_at"]) > own.attention_at
        ]
        if waits:
            until = waits[-1].get("until")
            ends = instant(until) if until else instant(waits[-1]["occurred_at"]) + lasts[waits[-1]["kind"]]
            put_off = put_off or ends > now
        closing = any(a["kind"] == "expire" and a.get("warning_id") == warning_id for a in done)
        if data["holdout"]:
            expected.held_out.add(warning_id)
        elif own.decision["verdict"] == "dont":
            expected.dont.add(warning_id)
        elif contacted or put_off or closing:
            expected.attended.add(warning_id)
        else:
            waiting.append((warning_id, own))
    if capacity is not None:
        capacity -= len(_attended_today(found, done, today, zone, team))
    left = dict(budgets or {})
    month = now.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
    for action in done:
        local = instant(action["occurred_at"]).astimezone(ZoneInfo(zone))
        if (
            action["kind"] in ("contact", "offer")
            and action.get("play") in left
            and f"{local:%Y-%m}" == month
        ):
            left[action["play"]] -= _sum(action.get("cost"))

    def late(pair: tuple[str, Open]) -> tuple[datetime, str]:
        return instant(pair[1].data["opened_at"]), pair[1].data["customer_id"]

    rescues = [pair for pair in waiting if pair[1].decision["verdict"] == "rescue"]
    for warning_id, own in sorted(rescues, key=lambda pair: (-pair[1].decision["net"], *late(pair))):
        play, cost = own.decision["play"], _sum(own.decision["cost"])
        room = capacity is None or len(expected.today) < capacity
        if room and (play not in left or cost <= left[play]):
            if play in left:
                left[play] -= cost
            expected.today.append(warning_id)
        else:
            expected.unserved.append(warning_id)
            expected.unserved_net += own.decision["net"]

    def worth(pair: tuple[str, Open]) -> tuple[int, float, datetime, str]:
        p, v = pair[1].decision.get("probability"), pair[1].decision.get("value")
        at_risk = math.inf if p is None or v is None else -p * v
        return TIERS.index(pair[1].data["tier"]), at_risk, *late(pair)

    unknowns = [pair for pair in waiting if pair[1].decision["verdict"] == "unknown"]
    expected.unknown = [warning_id for warning_id, _own in sorted(unknowns, key=worth)]
    return expected


def _attended_today(
    found: Mapping[str, Open], done: list[Mapping[str, Any]], today: Any, zone: str, team: set[str] | None
) -> set[str]:
    """Return the customers one of whose warnings somebody of the team attended to first today."""
    first: dict[str, Mapping[str, Any]] = {}
    of_customer = {own.data["customer_id"]: (id_, own) for id_, own in found.items()}
    for action in done:
        if action["kind"] not in ("acknowledge", "snooze", "contact", "offer"):
            continue
        warning_id = action.get("warning_id")
        open_id, own = of_customer.get(action["customer_id"], (None, None))
        treats = action["kind"] in ("contact", "offer")
        if own is not None and treats and instant(action["occurred_at"]) >= instant(own.data["opened_at"]):
            first.setdefault(str(open_id), action)
        if warning_id is not None and (warning_id != open_id or not treats):
            first.setdefault(warning_id, action)
    return {
        a["customer_id"]
        for a in first.values()
        if instant(a["occurred_at"]).astimezone(ZoneInfo(zone)).date() == today
        and (team is None or a.get("actor") in team)
    }


def _sum(cost: Any) -> float:
    return math.fsum(cost.values()) if isinstance(cost, dict) else float(cost or 0)


def events(values: Iterable[bytes | None]) -> list[dict[str, Any]]:
    return [json.loads(value or b"") for value in values]
