"""The life of one customer's complaints; the twin recounts it on generated histories."""

from __future__ import annotations

import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch, ComplaintStatus
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.features.complaints import OPEN_SLOTS, CustomerComplaints
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables

OPENED, ANSWERED = ComplaintStatus.OPENED, ComplaintStatus.ANSWERED
RESOLVED, REOPENED = ComplaintStatus.RESOLVED, ComplaintStatus.REOPENED


@pytest.mark.parametrize(
    ("events", "days"),
    [
        ([(OPENED, 1), (ANSWERED, 3), (ANSWERED, 4), (RESOLVED, 8)], [None, 2, None, 7]),
        (
            [(ANSWERED, 1), (OPENED, 2), (RESOLVED, 1), (RESOLVED, 5), (RESOLVED, 6)],
            [None, None, None, 3, None],
        ),
        ([(OPENED, 1), (ANSWERED, 2), (RESOLVED, 3), (REOPENED, 5), (ANSWERED, 9)], [None, 1, 2, None, 4]),
        ([(OPENED, 2), (ANSWERED, 5), (OPENED, 1), (ANSWERED, 6)], [None, 3, None, None]),
        ([(OPENED, 4), (REOPENED, 9), (RESOLVED, 6), (ANSWERED, 10)], [None, None, 2, 1]),
    ],
    ids=["once", "only what is open", "again when reopened", "no second one", "a late resolution"],
)
def test_how_long_the_handling_of_a_complaint_took(
    events: list[tuple[ComplaintStatus, int]], days: list[int | None]
) -> None:
    book = CustomerComplaints()
    assert [book.apply("k", status, at) for status, at in events] == days


def engine() -> Engine:
    return Engine(EngineSettings(), compile_rules([], DTYPES))


def complaint(status: ComplaintStatus, day: int) -> Batch:
    row = {"topic": Topic.COMPLAINTS, "at": day * DAY, "customer_id": "c", "event_id": f"{day}"}
    return Batch.of([row | {"status": int(status), "complaint_id": "k"}])


def test_a_state_from_before_complaints_could_be_answered_is_gone_on_from() -> None:
    former = engine()
    former.step(complaint(OPENED, 20_000))
    former.flush()
    saved = tables(former)
    saved["complaints"] = saved["complaints"].drop("answered_at")
    added = ("first_answers_90d", "answer_time_90d", "solutions_90d", "solution_time_90d", "account_owner")
    saved["customers"] = saved["customers"].drop(added)
    made = engine()
    restore(made, saved)
    made.step(complaint(ANSWERED, 20_002))
    made.flush()
    again = engine()
    restore(again, tables(made))
    again.step(complaint(ANSWERED, 20_003))  # the first answer is remembered
    again.flush()
    customer = tables(again)["customers"].select(
        days=pl.col("answer_time_90d") / DAY, count=pl.col("first_answers_90d")
    )
    assert customer.row(0) == (2.0, 1)


@pytest.mark.parametrize("closing", [None, RESOLVED])
def test_a_flood_of_complaints_of_one_customer_takes_little_room(closing: ComplaintStatus | None) -> None:
    count, flooded = 100_000, engine()
    for begin in range(0, count, 5000):
        rows = [
            {
                "topic": Topic.COMPLAINTS,
                "at": 20_000 * DAY + n,
                "customer_id": "c",
                "event_id": f"{n}",
                "status": int(closing if closing is not None and n % 2 else OPENED),
                "complaint_id": f"k{n // 2 if closing is not None else n}",
            }
            for n in range(begin, begin + 5000)
        ]
        flooded.step(Batch.of(rows))
    flooded.flush()
    state = tables(flooded)
    assert len(state["complaints"]) <= 1 + 2 * OPEN_SLOTS
    assert state["customers"]["open_complaints"].to_list() == [0 if closing is not None else count]


def test_a_complaint_that_is_reopened_without_end_takes_little_room() -> None:
    book = CustomerComplaints()
    for at in range(10_000):
        book.apply("k", REOPENED, at)
    assert len(book.rows(0)) <= 1 + 1 + OPEN_SLOTS
    assert book.oldest == 0
