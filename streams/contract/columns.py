"""Rows of one topic become the columns of a `Batch`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from streams.contract.instants import InstantOutOfRange, NotAnInstant, read_instant, read_instants, to_us
from streams.contract.structs import (
    ActionRow,
    ClosureRow,
    ComplaintRow,
    EventRow,
    FeedbackRow,
    OrderRow,
    ProfileRow,
)
from streams.core.events.action_words import WARNING_KINDS
from streams.core.events.batch import (
    COLUMNS,
    MILLION,
    ActionRecord,
    Batch,
    ClosureRecord,
    ComplaintStatus,
    LabelsRecord,
    OrderStatus,
    ProfileRecord,
)
from streams.core.events.topics import Topic

ORDER_CODES: Final = {status.name.lower(): status.value for status in OrderStatus} | {None: 0}
COMPLAINT_CODES: Final = {status.name.lower(): status.value for status in ComplaintStatus} | {None: 0}
"""Codes of the words of `status`; `null` is the default, which is 0."""

_EXACT_BELOW: Final = 2.0**32
"""Below this, a binary number times a million lies within half of one of the decimal that was written."""


def millionths(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return `numbers` (n,) in whole millionths, exact for decimals of up to 6 places and 15 digits."""
    whole = np.rint(numbers * MILLION).astype(np.int64)
    for i in np.flatnonzero(np.abs(numbers) >= _EXACT_BELOW).tolist():
        # The shortest decimal that reads as this number is what was written, if that had 15 digits or less.
        written = Decimal(repr(float(numbers[i])))
        whole[i] = int((written * MILLION).to_integral_value(ROUND_HALF_EVEN))
    return whole


def columns(topic: Topic, rows: Sequence[EventRow]) -> tuple[Batch, NDArray[np.bool_]]:
    """Return `rows` as a batch, and where (n,) it holds: elsewhere an instant or the score is not right."""
    n = len(rows)
    at, good = read_instants([row.occurred_at for row in rows])
    made: dict[str, NDArray[Any]] = {
        "topic": np.full(n, topic, dtype=np.int8),
        "at": at,
        "customer_id": _objects([row.customer_id for row in rows]),
        "event_id": _objects([row.event_id for row in rows]),
    }
    match topic:
        case Topic.ORDERS:
            orders = cast("Sequence[OrderRow]", rows)
            made["amount"] = millionths(np.array([row.amount for row in orders], dtype=np.float64))
            made["status"] = np.array([ORDER_CODES[row.status] for row in orders], dtype=np.int8)
            made |= labels([(row.channel, row.category, row.currency) for row in orders])
        case Topic.COMPLAINTS:
            made |= _complaints(cast("Sequence[ComplaintRow]", rows))
        case Topic.FEEDBACK:
            made["amount"], right = _scores(cast("Sequence[FeedbackRow]", rows))
            good &= right
        case Topic.PROFILES:
            profiles = [_profile(row) for row in cast("Sequence[ProfileRow]", rows)]
            made["record"] = _objects(profiles)
            good &= np.array([profile is not None for profile in profiles], dtype=np.bool_)
        case Topic.ACTIONS:
            actions = [_action(row) for row in cast("Sequence[ActionRow]", rows)]
            made["record"] = _objects(actions)
            good &= np.array([action is not None for action in actions], dtype=np.bool_)
        case Topic.CLOSURES:
            closures = cast("Sequence[ClosureRow]", rows)
            made["record"] = _objects([ClosureRecord(row.reason, row.churn_type) for row in closures])
    for name, (dtype, neutral) in COLUMNS.items():
        if name not in made:
            made[name] = np.full(n, neutral, dtype=dtype)
    return Batch(**made), good


def _objects(values: Sequence[object]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


def labels(triples: Sequence[tuple[str | None, str | None, str | None]]) -> dict[str, NDArray[Any]]:
    """Return the records of channels, categories and currencies, equal ones once; no column for none."""
    known = {triple: _label(*triple) for triple in set(triples)}
    return {"record": _objects([known[triple] for triple in triples])} if any(known.values()) else {}


def _label(channel: str | None, category: str | None, currency: str | None) -> LabelsRecord | None:
    """Return a record of what is given; currencies are compared without regard to case and blanks."""
    currency = (currency or "").strip().upper() or None
    given = channel is not None or category is not None or currency is not None
    return LabelsRecord(channel, category, currency) if given else None


def _complaints(rows: Sequence[ComplaintRow]) -> dict[str, NDArray[Any]]:
    status = np.array([COMPLAINT_CODES[row.status] for row in rows], dtype=np.int8)
    satisfaction = np.array([row.satisfaction or 0 for row in rows], dtype=np.int8)
    return {
        "status": status,
        "complaint_id": _objects([row.complaint_id for row in rows]),
        "satisfaction": np.where(status == ComplaintStatus.RESOLVED, satisfaction, np.int8(0)),
        **labels([(None, row.category, None) for row in rows]),
    }


def _scores(rows: Sequence[FeedbackRow]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each score over its scale in millionths (n,), and where the score lies within the scale (n,)."""
    score = np.array([row.score for row in rows], dtype=np.float64)
    scale = np.array([row.scale for row in rows], dtype=np.float64)
    right = score <= scale
    return np.rint(np.where(right, score, 0.0) / scale * MILLION).astype(np.int64), right


def _profile(row: ProfileRow) -> ProfileRecord | None:
    """Return the profile, or `None` where one of its instants is not right."""
    try:
        signed_up_at = None if row.signed_up_at is None else to_us(read_instant(row.signed_up_at))
        contract_ends_at = None if row.contract_ends_at is None else to_us(read_instant(row.contract_ends_at))
    except (NotAnInstant, InstantOutOfRange):
        return None
    return ProfileRecord(
        row.customer_class,
        row.segment,
        row.region,
        row.origin,
        signed_up_at,
        contract_ends_at,
        bool(row.do_not_contact),
        row.account_owner,
    )


def _action(row: ActionRow) -> ActionRecord | None:
    """Return the action, or `None` where its `until` or its warning is not right."""
    if row.warning_id is None and row.kind in WARNING_KINDS:
        return None
    try:
        until = None if row.until is None else to_us(read_instant(row.until))
    except (NotAnInstant, InstantOutOfRange):
        return None
    return ActionRecord(
        row.warning_id,
        row.kind,
        row.result,
        row.reasons or (),
        _cost(row.cost),
        row.actor,
        until,
        row.play,
        row.corrects,
    )


def _cost(cost: float | dict[str, float | None] | None) -> tuple[tuple[str, int], ...]:
    """Return the items of a cost by name, in millionths; a number is the one item `other`."""
    if cost is None:
        return ()
    given = cost if isinstance(cost, dict) else {"other": cost}
    items = {item: amount for item, amount in sorted(given.items()) if amount is not None}
    amounts = millionths(np.array(list(items.values()), dtype=np.float64))
    return tuple(zip(items, amounts.tolist(), strict=True))
