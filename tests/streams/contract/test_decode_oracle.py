"""The fast decoder against the models: the same records accepted, with the same values."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.contract.columns import millionths
from streams.contract.decode import decode_lines, decode_poll
from streams.contract.events import EVENTS, Action, Closure, Complaint, Event, Feedback, Order, Profile
from streams.contract.instants import to_us
from streams.contract.structs import ROWS, EventRow
from streams.contract.validate import judge_line
from streams.core.events import batch as columns_of
from streams.core.events.batch import COLUMNS, Batch
from streams.core.events.topics import Topic

from .generated import records

topics_and_records = st.sampled_from(Topic).flatmap(
    lambda topic: st.tuples(st.just(topic), st.lists(records(topic), max_size=6))
)


def _us(instant: datetime | None) -> int | None:
    return None if instant is None else to_us(instant)


def _millionths(number: float) -> int:
    return round(Decimal(repr(number)) * 1_000_000)


def _as_row(event: Event) -> dict[str, Any]:
    """Return the column values of an event: the specification of what a batch says of it."""
    row: dict[str, Any] = {
        "topic": event.topic,
        "at": to_us(event.occurred_at),
        "customer_id": event.customer_id,
        "event_id": event.event_id,
    }
    match event:
        case Order():
            row["amount"] = _millionths(event.amount)
            row["status"] = {"placed": 0, "cancelled": 1, "returned": 2}[str(event.status)]
            currency = (event.currency or "").strip().upper() or None
            if not event.channel is event.category is currency is None:
                row["record"] = columns_of.LabelsRecord(event.channel, event.category, currency)
        case Complaint():
            row["status"] = {"opened": 0, "resolved": 1, "reopened": 2, "answered": 3}[str(event.status)]
            row["complaint_id"] = event.complaint_id
            row["satisfaction"] = (event.satisfaction or 0) if event.status == "resolved" else 0
            if event.category is not None:
                row["record"] = columns_of.LabelsRecord(None, event.category)
        case Feedback():
            row["amount"] = round(event.score / event.scale * 1_000_000)
        case Profile():
            row["record"] = columns_of.ProfileRecord(
                event.customer_class,
                event.segment,
                event.region,
                event.origin,
                _us(event.signed_up_at),
                _us(event.contract_ends_at),
                bool(event.do_not_contact),
                event.account_owner,
            )
        case Action():
            items = sorted((event.cost or {}).items())
            cost = tuple((item, _millionths(amount)) for item, amount in items if amount is not None)
            row["record"] = columns_of.ActionRecord(
                event.warning_id,
                event.kind,
                event.result,
                event.reasons or (),
                cost,
                event.actor,
                _us(event.until),
                event.play,
                event.corrects,
            )
        case Closure():
            row["record"] = columns_of.ClosureRecord(event.reason, event.churn_type)
    return row


def _rows(batch: Batch) -> list[tuple[Any, ...]]:
    return [tuple(getattr(batch, name)[i] for name in COLUMNS) for i in range(len(batch))]


def _differs_in_the_last_place(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Tell whether amounts differ by one millionth, as those with more than six decimals may."""
    at = list(COLUMNS).index("amount")
    record = list(COLUMNS).index("record")
    if isinstance(act := a[record], columns_of.ActionRecord) and isinstance(
        b[record], columns_of.ActionRecord
    ):
        other = b[record].cost
        near = [abs(x - y) <= 1 for (_, x), (_, y) in zip(act.cost, other, strict=True)]
        same = replace(act, cost=other) == b[record]
        return same and all(near) and a[:record] == b[:record] and a[record + 1 :] == b[record + 1 :]
    return a[:at] + a[at + 1 :] == b[:at] + b[at + 1 :] and abs(int(a[at]) - int(b[at])) <= 1


@settings(max_examples=200, deadline=None)
@given(topics_and_records)
def test_the_decoder_and_the_models_accept_the_same_records_and_read_the_same_values(
    case: tuple[Topic, list[bytes]],
) -> None:
    topic, values = case
    accepted: list[int] = []
    rows: list[dict[str, Any]] = []
    for i, value in enumerate(values):
        try:
            rows.append(_as_row(EVENTS[topic].model_validate_json(value)))
        except ValidationError:
            continue
        accepted.append(i)

    decoded = decode_poll(topic, values, None, None, max_skew_us=0)

    assert decoded.index.tolist() == accepted
    assert [refused.index for refused in decoded.refused] == [
        i for i in range(len(values)) if i not in accepted
    ]
    for got, due in zip(_rows(decoded.batch), _rows(Batch.of(rows)), strict=True):
        assert got == due or _differs_in_the_last_place(got, due)


@settings(max_examples=100, deadline=None)
@given(topics_and_records, st.data())
def test_a_line_of_a_file_is_read_as_the_models_read_the_record_of_its_type(
    case: tuple[Topic, list[bytes]], data: st.DataObject
) -> None:
    topic, values = case
    types = st.sampled_from([EVENTS[topic].type_word] * 4 + ["order", "orders", ""]).map(
        '"type":"{}",'.format
    )
    lines = [
        value.replace(b'"occurred_at"', data.draw(types).encode() + b'"occurred_at"', 1) for value in values
    ]
    decoded = decode_lines(lines, latest_us=None)
    accepted = []
    for i, line in enumerate(lines):
        verdict = judge_line(line)
        if isinstance(verdict, EventRow):
            accepted.append(i)
            due = decode_poll(verdict.topic, [line], None, None, max_skew_us=0).batch
            assert _rows(decoded.batch.take(decoded.index == i)) == _rows(due)
    assert decoded.index.tolist() == accepted


@pytest.mark.parametrize("topic", Topic)
def test_structs_and_models_have_the_same_fields(topic: Topic) -> None:
    fields = {field.name: field.required for field in msgspec.structs.fields(ROWS[topic])}
    assert fields == {name: field.is_required() for name, field in EVENTS[topic].model_fields.items()}


@given(st.decimals(0, 10**9, places=6) | st.decimals(0, 10**12, places=2))
def test_millionths_are_exact_for_decimals_of_up_to_six_places_and_fifteen_digits(amount: Decimal) -> None:
    assert millionths(np.array([float(amount)])).tolist() == [int(amount * 1_000_000)]
