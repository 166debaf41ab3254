"""Which steps of a warning the team is told of."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_

from consumers.database.schema import warning_steps

NOTIFIED: Final = ("churn.warning.opened", "churn.warning.escalated")
"""Told always; a tier that rose and a deadline that passed both escalate."""


def told() -> ColumnElement[bool]:
    """Return whether the team is told of a row of `warning_steps`.

    A warning also speaks again where an acknowledgement or a snooze lapsed by that very step.
    """
    attention = warning_steps.c.data["attention"]
    lapsed = attention["state"].as_string() == "lapsed"
    news = attention["step"].as_integer() == warning_steps.c.step
    return or_(warning_steps.c.type.in_(NOTIFIED), func.coalesce(and_(lapsed, news), False))
