"""A decision for people, line by line with its arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.decision import decision_words
from streams.contract.warnings import decision_data
from streams.core.decision.decision import Decision
from streams.core.features.value import ValueParts


def decision_lines(decision: Decision, parts: ValueParts | None) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the amount and the arithmetic of each number of a decision."""
    named, made = decision.play or "none", decision.arithmetic()
    yield "decision", "", decision_words(decision_data(decision), in_full=True)
    yield "play", named, "" if decision.basis.known or decision.play is None else "not among the plays"
    yield "value", _amount(decision.value), _value(parts)
    at_risk = f"churn probability {_number(decision.probability)} x value"
    yield "value at risk", _amount(decision.value_at_risk), at_risk
    if not decision.basis.known:
        return
    success = f"success {_number(decision.basis.success)} ({decision.basis.success_source}) x value at risk"
    yield "gain", _amount(made.gain), success
    items = " + ".join(f"{item} {_amount(amount)}" for item, amount in made.cost.items())
    yield "cost", _amount(made.total_cost), items or "no item"
    least = made.break_even
    worth = "" if least is None else f"; worth it from a success of {least:.3g} on"
    yield "net", _amount(made.net), f"gain - cost{worth}"


def _value(parts: ValueParts | None) -> str:
    if parts is None:
        return "no order yet, no fit of the buying model yet, or its source is quiet"
    text = (
        f"{parts.order_days_a_day:.4g} order days a day x {parts.horizon_days:g} days"
        f" x {parts.order_day_spend:,.2f} an order day"
    )
    text += f" x margin {parts.margin:g}" if parts.margin != 1 else " (revenue: the margin is 1)"
    return text + (f" x {1 + parts.referral:g} with referrals" if parts.referral else "")


def _amount(number: float | None) -> str:
    return "missing" if number is None else f"{number:,.2f}"


def _number(number: float | None) -> str:
    return "missing" if number is None else f"{number:.3g}"
