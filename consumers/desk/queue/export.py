"""The queue as a table for spreadsheets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from consumers.desk.queue.row import QueueRow
from streams.contract.instants import format_instant, to_us

COLUMNS: Final = (
    *("part", "customer_id", "warning_id", "tier", "verdict", "why", "probability", "value", "value_at_risk"),
    *("play", "cost", "gain", "net", "break_even", "over_budget", "rules", "messages", "opened_at"),
    *("customer_class", "segment", "region", "account_owner", "assignee", "attention", "attended_by"),
    *("attended_until", "deadline"),
)


def cells(row: QueueRow) -> tuple[Any, ...]:
    """Return the values of a row, in the order of the columns; numbers are not rounded."""
    decision, attended = row.decision, row.attended
    return (
        *(row.section.word, row.customer_id, row.warning_id, row.tier, decision.verdict, decision.why),
        *(row.probability, decision.value, row.value_at_risk, decision.play, decision.total_cost),
        *(decision.gain, decision.net, decision.break_even, "yes" if row.over_budget else "no"),
        tuple(each.rule for each in row.causes),
        tuple(each.message or each.title for each in row.causes),
        *(_time(row.opened_at), row.customer_class, row.segment, row.region, row.account_owner),
        *(row.assignee, attended.state if attended else None, attended.by if attended else None),
        *(_time(attended.until) if attended else None, _time(row.deadline)),
    )


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(to_us(instant))
