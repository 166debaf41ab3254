"""The shipped rules as Python functions, and the life of their causes, an evaluation at a time.

A condition that a missing value decides is `None`, as in `warning_rules/`: it neither opens nor clears.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.peers.customer import DAY, Customer, Features

Condition = Callable[[Any], bool | None]
Warned = dict[str, Any]
TIERS: Final = {"low": 1, "medium": 2, "high": 3}


def known(*names: str) -> Callable[[Condition], Condition]:
    """Let a condition be `None` where one of the features `names` is missing."""

    def decorate(condition: Condition) -> Condition:
        def decided(f: Features) -> bool | None:
            for name in names:
                if f[name] is None:
                    return None
            return condition(f)

        return decided

    return decorate


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; durations in days."""

    id: str
    tier: str
    when: Condition
    clear: Condition
    for_days: float = 0.0
    keep_open_days: float = 0.0
    cooldown_days: float = 0.0


def _silent_since_complaint(f: Any) -> bool:
    overdue = 1.5 if f["overdue"] is None else f["overdue"]
    return (
        10 <= f["days_since_complaint"] <= 90
        and f["days_since_order"] > f["days_since_complaint"]
        and overdue >= 1.5
    )


def _collapse_is_over(f: Any) -> bool | None:
    if f["orders_30d"] >= 3:
        return True
    return None if f["order_trend"] is None else f["order_trend"] > 0.6


def _visits_are_back(f: Any) -> bool | None:
    if f["logins_30d"] >= 8:
        return True
    return None if f["login_trend"] is None else f["login_trend"] > 0.5


def _spend_is_back(f: Any) -> bool | None:
    if f["spend_30d"] >= 300:
        return True
    return None if f["spend_trend"] is None else f["spend_trend"] > 0.6


def _handled_better(f: Any) -> bool | None:
    satisfaction = f["handling_satisfaction_90d"]
    if satisfaction is not None and satisfaction > 3:
        return True
    if f["days_since_order"] is None or f["days_since_complaint"] is None:
        return None
    return True if f["days_since_order"] < f["days_since_complaint"] else None


def _answered(f: Any) -> bool | None:
    if f["open_complaints"] == 0:
        return True
    return bool(f["oldest_open_complaint_days"] > 90)


def _fewer_returns(f: Any) -> bool | None:
    if f["returns_90d"] <= 1:
        return True
    return None if f["return_rate_90d"] is None else f["return_rate_90d"] < 0.3


def _never(f: Any) -> None:
    """Profiles are not part of this stream: whatever reads one is missing."""


RULES: Final = (
    Rule(
        "bad-handling",
        "medium",
        known("handling_satisfaction_90d", "days_since_order", "days_since_complaint")(
            lambda f: (
                f["handling_satisfaction_90d"] <= 2 and f["days_since_order"] > f["days_since_complaint"]
            )
        ),
        _handled_better,
        cooldown_days=30,
    ),
    Rule(
        "complaint-rate-up",
        "low",
        lambda f: (
            f["complaints_30d"] >= 2
            and f["complaints_30d"] >= 2 * f["complaints_prev_30d"]
            and f["complaint_rate_90d"] > 0.15
        ),
        lambda f: f["complaints_30d"] == 0 or f["complaint_rate_90d"] < 0.1,
        keep_open_days=7,
        cooldown_days=30,
    ),
    Rule(
        "complaint-then-silence",
        "high",
        known("days_since_complaint", "days_since_order")(_silent_since_complaint),
        known("days_since_complaint", "days_since_order")(
            lambda f: f["days_since_order"] < f["days_since_complaint"]
        ),
        for_days=1,
        cooldown_days=30,
    ),
    Rule(
        "complaint-unresolved",
        "medium",
        known("oldest_open_complaint_days")(lambda f: 7 <= f["oldest_open_complaint_days"] <= 60),
        _answered,
    ),
    Rule("contract-end-fading", "high", _never, _never, 2, 3, 30),
    Rule("key-customer-slowing", "high", _never, _never, 1, 0, 14),
    Rule(
        "login-drop",
        "medium",
        known("login_trend")(lambda f: f["logins_prev_30d"] >= 8 and f["login_trend"] < 0.25),
        _visits_are_back,
        7,
        3,
        30,
    ),
    Rule(
        "model-big-spender",
        "medium",
        known("churn_probability")(
            lambda f: f["spend_total"] >= 5000 and f["churn_probability"] >= 0.5 and f["orders_90d"] >= 1
        ),
        known("churn_probability")(lambda f: f["spend_total"] < 5000 or f["churn_probability"] < 0.4),
        1,
        3,
        30,
    ),
    Rule(
        "model-high",
        "high",
        known("churn_probability")(
            lambda f: f["orders_total"] >= 3 and f["churn_probability"] >= 0.7 and f["orders_90d"] >= 1
        ),
        known("churn_probability")(lambda f: f["orders_total"] < 3 or f["churn_probability"] < 0.55),
        1,
        3,
        30,
    ),
    Rule(
        "one-order-only",
        "low",
        known("days_since_order")(
            lambda f: f["orders_total"] == 1 and f["days_since_order"] >= 45 and f["tenure_days"] < 180
        ),
        lambda f: f["orders_total"] > 1,
    ),
    Rule(
        "order-collapse",
        "medium",
        known("order_trend", "order_gap_mean")(
            lambda f: (
                f["orders_prev_30d"] >= 3
                and f["order_trend"] < 0.34
                and f["orders_30d"] * f["order_gap_mean"] < 10
            )
        ),
        _collapse_is_over,
        7,
        3,
        45,
    ),
    Rule(
        "overdue",
        "high",
        known("overdue")(
            lambda f: f["orders_total"] >= 5 and f["days_since_order"] >= 21 and f["overdue"] >= 3
        ),
        known("overdue")(lambda f: f["overdue"] < 1.5),
        for_days=1,
        cooldown_days=14,
    ),
    Rule(
        "returns-high",
        "low",
        known("return_rate_90d")(lambda f: f["returns_90d"] >= 3 and f["return_rate_90d"] >= 0.5),
        _fewer_returns,
        keep_open_days=7,
        cooldown_days=60,
    ),
    Rule(
        "spend-collapse",
        "low",
        known("spend_trend")(
            lambda f: (
                f["spend_prev_30d"] >= 300
                and f["spend_trend"] < 0.3
                and f["orders_30d"] >= 1
                and f["orders_prev_30d"] >= 2
            )
        ),
        _spend_is_back,
        7,
        7,
        45,
    ),
)


def judge(customer_id: str, customer: Customer, f: Features, at: float) -> Warned | None:
    """Move a customer's causes on and return the step that this makes of the warning, if any."""
    causes: dict[str, dict[str, Any]] = customer["causes"]
    joined, left = [], []
    for rule in RULES:
        cause = causes.get(rule.id)
        if cause is None or cause["phase"] == "cooling":
            if rule.when(f) and (cause is None or at >= cause["until"]):
                cause = causes[rule.id] = {"phase": "pending", "since": at}
            else:
                continue
        if cause["phase"] == "pending":
            when = rule.when(f)
            if when is False:
                del causes[rule.id]
            elif when and at - cause["since"] >= rule.for_days * DAY:
                cause["phase"], cause["clearing"] = "open", None
                joined.append(rule)
            continue
        clear = rule.clear(f)
        if clear:
            if cause["clearing"] is None:
                cause["clearing"] = at
            if at - cause["clearing"] >= rule.keep_open_days * DAY:
                left.append(rule)
                if rule.cooldown_days:
                    causes[rule.id] = {"phase": "cooling", "until": at + rule.cooldown_days * DAY}
                else:
                    del causes[rule.id]
        elif clear is False:
            cause["clearing"] = None
    return _step(customer_id, customer, f, at, joined, left) if joined or left else None


def _step(
    customer_id: str, customer: Customer, f: Features, at: float, joined: list[Rule], left: list[Rule]
) -> Warned:
    open_rules = [
        rule for rule in RULES if customer["causes"].get(rule.id, {"phase": None})["phase"] == "open"
    ]
    warning = customer["warning"]
    tier = max((rule.tier for rule in open_rules), key=TIERS.__getitem__, default=None)
    if warning is None:
        kind = "opened"
        warning = customer["warning"] = {"id": f"{customer_id}/{at:.6f}", "step": 0, "tier": tier}
    elif not open_rules:
        kind = "resolved"
    else:
        kind = "escalated" if TIERS[tier or "low"] > TIERS[warning["tier"]] else "updated"
    warning["step"] += 1
    warning["tier"] = tier or warning["tier"]
    if not open_rules:
        customer["warning"] = None
    return {
        "id": f"{warning['id']}/{warning['step']}",
        "type": f"churn.warning.{kind}",
        "customer_id": customer_id,
        "at": at,
        "tier": warning["tier"],
        "causes": [rule.id for rule in open_rules or left],
        "values": f,
    }
