"""The shipped rules as Python functions, and the states of their causes, one evaluation after the other.

A missing feature is NaN, so that whatever compares it is false: it neither opens nor clears. The conditions
are those of `warning_rules/` as they were when this was last measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.peers.customer import DAY, Customer, Features

Warned = dict[str, Any]
TIERS: Final = {"low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; durations in days."""

    id: str
    tier: str
    when: Callable[[Features], bool]
    clear: Callable[[Features], bool]
    for_days: float
    keep_open_days: float
    cooldown_days: float


def _regular(f: Features) -> bool:
    return f["orders_total"] >= 4 and f["tenure_days"] >= 90


def _in_danger(f: Features) -> bool:
    """Unless the model says otherwise."""
    return not f["churn_probability"] < 0.5


def _away(f: Features, days: float) -> bool:
    return f["logins_total"] == 0 or f["days_since_login"] >= days


def _back(f: Features) -> bool:
    return f["overdue"] < 1


def _ordered_since(f: Features) -> bool:
    return f["days_since_order"] < f["days_since_complaint"]


def _bad_handling(f: Features) -> bool:
    return (
        f["orders_total"] >= 3
        and f["handling_satisfaction_90d"] <= 2
        and f["days_since_order"] > f["days_since_complaint"]
        and f["overdue"] >= 1
        and not f["churn_probability"] < 0.4
    )


def _complaint_rate_up(f: Features) -> bool:
    return (
        f["orders_total"] >= 3
        and f["complaints_90d"] >= 1
        and f["complaint_rate_90d"] >= 0.15
        and f["complaint_rate_90d"] * f["orders_total"] >= f["complaints_total"]
        and f["overdue"] >= 1.5
        and f["days_since_order"] >= 30
        and _in_danger(f)
    )


def _complaint_then_silence(f: Features) -> bool:
    return (
        10 <= f["days_since_complaint"] <= 90
        and f["days_since_order"] > f["days_since_complaint"]
        and f["days_since_order"] >= 45
        and not f["overdue"] < 2
        and _away(f, 14)
        and _in_danger(f)
    )


def _complaint_unresolved(f: Features) -> bool:
    return (
        14 <= f["oldest_open_complaint_days"] <= 60
        and f["days_since_order"] > f["oldest_open_complaint_days"]
        and f["days_since_order"] >= 30
    )


def _complaint_answered(f: Features) -> bool:
    return f["open_complaints"] == 0 or f["days_since_order"] < f["oldest_open_complaint_days"]


def _login_drop(f: Features) -> bool:
    return (
        _regular(f)
        and f["logins_total"] >= 10
        and f["logins_30d"] * f["tenure_days"] < 6 * f["logins_total"]
        and f["overdue"] >= 1.5
        and f["orders_90d"] >= 1
        and _in_danger(f)
    )


def _model_big_spender(f: Features) -> bool:
    return (
        f["spend_total"] >= 3000
        and _regular(f)
        and f["churn_probability"] >= 0.5
        and f["overdue"] >= 1.5
        and f["orders_90d"] >= 1
    )


def _model_high(f: Features) -> bool:
    return (
        f["orders_total"] >= 3
        and f["tenure_days"] >= 60
        and f["churn_probability"] >= 0.7
        and f["orders_90d"] >= 1
    )


def _one_order_only(f: Features) -> bool:
    return (
        f["tenure_days"] - f["days_since_order"] < 7
        and f["orders_total"] == 1
        and f["days_since_order"] >= 45
        and _away(f, 30)
    )


def _order_collapse(f: Features) -> bool:
    return (
        _regular(f)
        and f["orders_90d"] * f["order_gap_mean"] < 45
        and f["overdue"] >= 2
        and (f["logins_total"] == 0 or f["logins_30d"] * f["tenure_days"] < 15 * f["logins_total"])
        and _in_danger(f)
    )


def _overdue(f: Features) -> bool:
    return (
        _regular(f) and f["overdue"] >= 3 and f["days_since_order"] >= 45 and _away(f, 30) and _in_danger(f)
    )


def _returns_high(f: Features) -> bool:
    return (
        _regular(f)
        and f["returns_90d"] >= 1
        and f["return_rate_90d"] >= 0.3
        and f["overdue"] >= 1.5
        and f["days_since_order"] >= 30
        and _away(f, 14)
        and f["churn_probability"] >= 0.5
    )


def _spend_collapse(f: Features) -> bool:
    return (
        _regular(f)
        and f["orders_90d"] >= 1
        and f["spend_90d"] * f["orders_total"] < 0.7 * f["spend_total"] * f["orders_90d"]
        and f["overdue"] >= 1
        and f["churn_probability"] >= 0.5
    )


def _unknown(f: Features) -> bool:
    """Return what conditions on the profile say, of which there is none in this stream."""
    return False


RULES: Final = (
    Rule(
        "bad-handling",
        "high",
        _bad_handling,
        lambda f: f["handling_satisfaction_90d"] > 3 or _ordered_since(f),
        1,
        0,
        30,
    ),
    Rule("complaint-rate-up", "medium", _complaint_rate_up, _back, 1, 3, 30),
    Rule("complaint-then-silence", "high", _complaint_then_silence, _ordered_since, 1, 0, 30),
    Rule("complaint-unresolved", "high", _complaint_unresolved, _complaint_answered, 1, 0, 30),
    Rule("contract-end-fading", "high", _unknown, _unknown, 2, 3, 30),
    Rule("key-customer-slowing", "medium", _unknown, _unknown, 1, 0, 30),
    Rule("login-drop", "low", _login_drop, lambda f: _back(f) or f["logins_30d"] >= 8, 3, 3, 30),
    Rule(
        "model-big-spender",
        "medium",
        _model_big_spender,
        lambda f: f["churn_probability"] < 0.35 or _back(f),
        3,
        3,
        30,
    ),
    Rule("model-high", "high", _model_high, lambda f: f["churn_probability"] < 0.5, 7, 3, 30),
    Rule("one-order-only", "medium", _one_order_only, lambda f: f["orders_total"] > 1, 0, 0, 0),
    Rule("order-collapse", "low", _order_collapse, _back, 3, 3, 30),
    Rule("overdue", "high", _overdue, _back, 1, 0, 14),
    Rule("returns-high", "low", _returns_high, _back, 1, 3, 45),
    Rule("spend-collapse", "low", _spend_collapse, _back, 3, 3, 45),
)


def judge(customer_id: str, customer: Customer, f: Features, at: float) -> Warned | None:
    """Move a customer's causes on and return the step that this makes of the warning, if any."""
    causes: dict[str, dict[str, Any]] = customer["causes"]
    joined, left = [], []
    for rule in RULES:
        cause = causes.get(rule.id)
        if cause is None or cause["phase"] == "cooling":
            if not rule.when(f) or (cause is not None and at < cause["until"]):
                continue
            cause = causes[rule.id] = {"phase": "pending", "since": at}
        elif cause["phase"] == "pending" and not rule.when(f):
            del causes[rule.id]
            continue
        if cause["phase"] == "pending":
            if at - cause["since"] >= rule.for_days * DAY:
                cause["phase"], cause["clearing"] = "open", None
                joined.append(rule)
        elif not rule.clear(f):
            cause["clearing"] = None
        else:
            if cause["clearing"] is None:
                cause["clearing"] = at
            if at - cause["clearing"] >= rule.keep_open_days * DAY:
                left.append(rule)
                causes[rule.id] = {"phase": "cooling", "until": at + rule.cooldown_days * DAY}
    return _step(customer_id, customer, f, at, left) if joined or left else None


def _step(customer_id: str, customer: Customer, f: Features, at: float, left: list[Rule]) -> Warned:
    """Return the step of a customer's warning, which is open as long as a cause is."""
    causes = customer["causes"]
    open_rules = [rule for rule in RULES if causes.get(rule.id, {}).get("phase") == "open"]
    warning = customer["warning"]
    tier = max((rule.tier for rule in open_rules), key=TIERS.__getitem__, default=None)
    if warning is None:
        kind = "opened"
        warning = customer["warning"] = {"id": f"{customer_id}/{at:.6f}", "step": 0, "tier": tier}
    elif tier is None:
        kind = "resolved"
        customer["warning"] = None
    else:
        kind = "escalated" if TIERS[tier] > TIERS[warning["tier"]] else "updated"
    warning["step"] += 1
    warning["tier"] = tier or warning["tier"]
    return {
        "id": f"{warning['id']}/{warning['step']}",
        "type": f"churn.warning.{kind}",
        "customer_id": customer_id,
        "at": at,
        "tier": warning["tier"],
        "causes": [rule.id for rule in open_rules or left],
        "values": f,
    }
