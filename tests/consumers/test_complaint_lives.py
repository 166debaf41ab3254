"""The life of a complaint, against a plain recount and against the engine's own book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from consumers.complaint_lives import (
    ComplaintEvent,
    ComplaintLife,
    ComplaintState,
    complaint_lives,
    find_complaint_lives,
)
from streams.core.events.batch import ComplaintStatus
from streams.core.events.calendar import ALWAYS
from streams.core.features.complaints import CustomerComplaints
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import empty_database, store_records

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(hour: int, status: str, number: int = 0, complaint: str = "x", **more: object) -> ComplaintEvent:
    return ComplaintEvent("c1", complaint, T0 + hour * HOUR, f"e{number:03}", status, **more)  # type: ignore[arg-type]  # a category, a satisfaction


def test_a_life_says_when_it_was_opened_answered_resolved_and_opened_again() -> None:
    events = [
        event(0, "opened", category="delivery"),
        event(5, "answered"),
        event(6, "answered"),
        event(20, "resolved", satisfaction=2),
        event(30, "reopened", category="service"),
        event(34, "answered"),
        event(40, "resolved", satisfaction=4),
    ]
    assert list(complaint_lives(events[::-1])) == [
        ComplaintLife(
            customer_id="c1",
            complaint_id="x",
            state=ComplaintState.RESOLVED,
            opened_at=T0,
            first_answered_at=T0 + 5 * HOUR,
            first_response=5 * HOUR,
            first_resolved_at=T0 + 20 * HOUR,
            resolved_at=T0 + 40 * HOUR,
            reopened_at=(T0 + 30 * HOUR,),
            category="service",
            satisfaction=4,
        )
    ]
    (open_again,) = complaint_lives(events[:5])
    assert (open_again.state, open_again.open_since) == (ComplaintState.OPEN, T0 + 30 * HOUR)
    assert (open_again.resolved_at, open_again.satisfaction) == (T0 + 20 * HOUR, 2)


def test_what_is_not_known_is_not_made_up() -> None:
    (answered,) = complaint_lives([event(1, "answered")])
    assert (answered.state, answered.first_answered_at) == (ComplaintState.UNKNOWN, None)
    (resolved,) = complaint_lives([event(1, "resolved", satisfaction=5)])
    assert (resolved.state, resolved.opened_at, resolved.first_response) == (
        ComplaintState.RESOLVED,
        None,
        None,
    )
    (again,) = complaint_lives([event(1, "resolved"), event(2, "opened"), event(4, "answered")])
    assert (again.opened_at, again.reopened_at, again.first_response) == (None, (T0 + 2 * HOUR,), 2 * HOUR)


STATUSES = ("opened", "answered", "resolved", "reopened")
EVENTS = st.lists(
    st.builds(
        lambda hour, status, complaint, satisfaction, category: (
            hour,
            status,
            complaint,
            satisfaction,
            category,
        ),
        st.integers(0, 12),
        st.sampled_from(STATUSES),
        st.sampled_from("abc"),
        st.sampled_from([None, 1, 5]),
        st.sampled_from([None, "price", "other"]),
    ),
    max_size=30,
).map(
    lambda rows: [
        event(hour, status, number, complaint, satisfaction=satisfaction, category=category)
        for number, (hour, status, complaint, satisfaction, category) in enumerate(rows)
    ]
)


def together(events: Sequence[ComplaintEvent]) -> list[ComplaintEvent]:
    return sorted(events, key=lambda each: each.complaint_id)


def recounted(events: Sequence[ComplaintEvent], complaint: str) -> dict[str, object]:
    """Return a complaint's life from its list of rounds, each from an opening to a resolution."""
    own = sorted((e for e in events if e.complaint_id == complaint), key=lambda e: (e.time, e.event_id))
    rounds: list[list[ComplaintEvent]] = [[]]
    for each in own:
        rounds[-1].append(each)
        if each.status == "resolved":
            rounds.append([])
    openings = [[e.time for e in each if e.status in ("opened", "reopened")] for each in rounds]
    begins = [times[0] if times else None for times in openings]
    resolutions = [e for e in own if e.status == "resolved"]
    first = begins[0] if begins[0] is not None else None
    return {
        "opened_at": first,
        "reopened_at": tuple(begin for begin in begins[1:] if begin is not None),
        "resolved_at": resolutions[-1].time if resolutions else None,
        "open_since": begins[-1],
        "category": next((e.category for e in reversed(own) if e.category), None),
        "satisfaction": next((e.satisfaction for e in reversed(resolutions) if e.satisfaction), None),
    }


@given(EVENTS)
def test_a_life_is_what_a_plain_recount_of_its_rounds_gives(events: list[ComplaintEvent]) -> None:
    for life in complaint_lives(together(events)):
        expected = recounted(events, life.complaint_id)
        assert {name: getattr(life, name) for name in expected} == expected


@given(EVENTS)
def test_lives_agree_with_the_engines_book_of_the_customer(events: list[ComplaintEvent]) -> None:
    book = CustomerComplaints()
    responses: dict[str, list[timedelta]] = {}
    for each in sorted(events, key=lambda e: (e.time, e.event_id)):
        at = (each.time - T0) // timedelta(microseconds=1)
        took = book.apply(each.complaint_id, ComplaintStatus[each.status.upper()], at)
        if took is not None and each.status == "answered":
            responses.setdefault(each.complaint_id, []).append(timedelta(microseconds=took))
    lives = list(complaint_lives(together(events)))
    since = {life.complaint_id: life.open_since for life in lives if life.open_since is not None}
    assert book.open == len(since)
    oldest = min(((time - T0) // timedelta(microseconds=1) for time in since.values()), default=ALWAYS)
    assert book.oldest == oldest
    assert {life.complaint_id: life.first_response for life in lives if life.first_response is not None} == {
        complaint: found[0] for complaint, found in responses.items()
    }


@given(EVENTS, st.randoms())
def test_the_order_of_a_complaints_events_does_not_matter(
    events: list[ComplaintEvent], chance: object
) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert list(complaint_lives(together(shuffled))) == list(complaint_lives(together(events)))


def test_the_lives_in_the_database_are_those_of_its_events() -> None:
    database = empty_database()
    found = [record for record in shop_records() if record.topic == "complaints"]
    late = found[-3:]
    store_records(database, found[:-3], NOW, KINDS["complaints"])
    store_records(database, late, NOW + HOUR, KINDS["complaints"])
    of_file = [json.loads(record.value or b"") for record in found]
    events = [
        ComplaintEvent(
            each["customer_id"],
            each["complaint_id"],
            datetime.fromisoformat(each["occurred_at"]),
            each["event_id"],
            each.get("status", "opened"),
            each.get("category"),
            each.get("satisfaction"),
        )
        for each in of_file
    ]

    def lives(chosen: list[ComplaintEvent]) -> list[ComplaintLife]:
        return list(complaint_lives(sorted(chosen, key=lambda e: (e.customer_id, e.complaint_id))))

    assert find_complaint_lives(database) == lives(events)
    assert find_complaint_lives(database, as_of=NOW) == lives(events[:-3])
    customer = events[0].customer_id
    own = [each for each in events if each.customer_id == customer]
    assert find_complaint_lives(database, [customer]) == lives(own) != []
    database.close()
