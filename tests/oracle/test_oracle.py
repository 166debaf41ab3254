"""The twin itself, against numbers worked out by hand."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.core.events.batch import MILLION, ComplaintStatus, OrderStatus, ProfileRecord
from streams.core.events.topics import Topic
from tests.oracle.days import DAY, HOUR, instant, local_day, midnight, sweep_instants
from tests.oracle.history import Event, Value, features

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")
OPENED, RESOLVED, REOPENED = ComplaintStatus.OPENED, ComplaintStatus.RESOLVED, ComplaintStatus.REOPENED


def at(text: str) -> int:
    return instant(text, UTC)


def event(topic: Topic, when: str, event_id: str = "e", **more: Any) -> Event:
    return Event(topic, at(when), "c", event_id, **more)


def order(when: str, amount: float = 1, status: OrderStatus = OrderStatus.PLACED, **more: Any) -> Event:
    return event(Topic.ORDERS, when, status=status, amount=round(amount * MILLION), **more)


def complaint(when: str, name: str, status: ComplaintStatus, mark: int = 0, **more: Any) -> Event:
    return event(Topic.COMPLAINTS, when, complaint_id=name, status=status, satisfaction=mark, **more)


def recount(events: list[Event], when: str, *, sweep: bool = True, **more: Any) -> dict[str, Value]:
    options: dict[str, Any] = {"zone": UTC, "k": 5.0, "r": 0.02} | more
    return features(events, at(when), sweep=sweep, **options)


# Days


def test_a_day_of_the_clock_change_has_23_or_25_hours() -> None:
    spring, autumn = local_day(at("2024-03-31T12:00"), BERLIN), local_day(at("2024-10-27T12:00"), BERLIN)
    assert midnight(spring + 1, BERLIN) - midnight(spring, BERLIN) == 23 * HOUR
    assert midnight(autumn + 1, BERLIN) - midnight(autumn, BERLIN) == 25 * HOUR


def test_a_day_whose_midnight_is_skipped_begins_at_one() -> None:
    # Havana: on 2024-03-10 the clock went from 00:00 (-05) to 01:00 (-04), at 05:00 UTC
    day = local_day(at("2024-03-10T12:00"), HAVANA)
    assert midnight(day, HAVANA) == at("2024-03-10T05:00")
    assert local_day(at("2024-03-10T04:59:59.999999"), HAVANA) == day - 1


def test_a_day_whose_midnight_comes_twice_begins_at_the_first() -> None:
    # Havana: on 2024-11-03 the clock went from 01:00 (-04, 05:00 UTC) back to 00:00 (-05)
    day = local_day(at("2024-11-03T12:00"), HAVANA)
    assert midnight(day, HAVANA) == at("2024-11-03T04:00")
    assert local_day(at("2024-11-03T05:30"), HAVANA) == day


def test_sweeps_begin_at_the_first_midnight_strictly_after_the_first_event() -> None:
    grid = sweep_instants(at("2024-10-26T00:00"), DAY, UTC)
    assert next(grid) == at("2024-10-27T00:00")
    grid = sweep_instants(at("2024-10-25T23:59"), DAY, BERLIN)  # 01:59 on the 26th in Berlin
    # midnights at +02:00, +02:00 and, after the change, +01:00
    assert [next(grid) for _ in range(3)] == [
        at("2024-10-26T22:00"),
        at("2024-10-27T23:00"),
        at("2024-10-28T23:00"),
    ]


def test_sweeps_below_a_day_begin_anew_at_each_midnight() -> None:
    grid = sweep_instants(at("2024-03-30T12:00"), 12 * HOUR, BERLIN)
    # the 31st of March runs from 23:00 UTC (of the 30th) to 22:00 UTC: 23 hours
    assert [next(grid) for _ in range(4)] == [
        at("2024-03-30T23:00"),
        at("2024-03-31T11:00"),
        at("2024-03-31T22:00"),
        at("2024-04-01T10:00"),
    ]


def test_a_day_that_a_zone_left_out_has_no_sweep() -> None:
    # Samoa had no 30 December 2011: the 29th ended at 10:00 UTC of the 30th, where the 31st began
    grid = sweep_instants(at("2011-12-28T12:00"), DAY, ZoneInfo("Pacific/Apia"))
    assert [next(grid) for _ in range(3)] == [
        at("2011-12-29T10:00"),
        at("2011-12-30T10:00"),
        at("2011-12-31T10:00"),
    ]


# Windows


def test_a_sweep_at_midnight_belongs_to_the_day_that_has_ended() -> None:
    events = [order("2024-01-01T00:00", 10)]
    # at the sweep of the 8th's beginning, the last 7 days are the 1st to the 7th
    assert recount(events, "2024-01-08")["orders_7d"] == 1
    assert recount(events, "2024-01-08T00:00:00.000001")["orders_7d"] == 0  # a sweep within the 8th
    assert recount(events, "2024-01-08", sweep=False)["orders_7d"] == 0  # an event evaluation at midnight


def test_a_sweep_comes_before_the_events_of_its_instant() -> None:
    events = [order("2024-01-01"), order("2024-01-08", event_id="f")]
    assert recount(events, "2024-01-08")["orders_total"] == 1
    assert recount(events, "2024-01-08", sweep=False)["orders_total"] == 2


@pytest.mark.parametrize(
    ("day", "recent", "earlier", "quarter"),
    [
        ("2024-01-31", 1, 0, 1),  # sweep of the 31st: the day that ended is the 30th, the 1st has age 29
        ("2024-02-01", 0, 1, 1),  # age 30
        ("2024-03-01", 0, 1, 1),  # age 59 (2024 has a 29th of February: 1 Jan to 29 Feb)
        ("2024-03-02", 0, 0, 1),  # age 60
        ("2024-03-31", 0, 0, 1),  # age 89
        ("2024-04-01", 0, 0, 0),  # age 90
    ],
)
def test_windows_end_on_the_day(day: str, recent: int, earlier: int, quarter: int) -> None:
    row = recount([order("2024-01-01T15:00", 7.5)], day)
    assert (row["orders_30d"], row["orders_prev_30d"], row["orders_90d"]) == (recent, earlier, quarter)
    assert (row["spend_30d"], row["spend_prev_30d"], row["spend_90d"]) == (
        7.5 * recent,
        7.5 * earlier,
        7.5 * quarter,
    )
    assert (row["orders_total"], row["spend_total"]) == (1, 7.5)


def test_the_day_is_the_local_one() -> None:
    # 23:30 UTC on 1 January is 00:30 on the 2nd in Berlin; the first sweep sees the 2nd to the 8th
    events = [order("2024-01-01T23:30")]
    assert recount(events, "2024-01-08T23:00", zone=BERLIN)["orders_7d"] == 1
    assert recount(events, "2024-01-09T23:00", zone=BERLIN)["orders_7d"] == 0


# Orders


def test_a_cancellation_counts_against_its_own_day_and_is_no_order() -> None:
    events = [
        order("2024-01-01", 30),
        order("2024-02-10", 30, OrderStatus.RETURNED, event_id="f"),
        order("2024-02-11", 4.5, OrderStatus.CANCELLED, event_id="g"),
        order("2024-02-12", 10, event_id="h"),
    ]
    row = recount(events, "2024-02-13")  # the last 30 days are 14 January to 12 February
    assert (row["orders_30d"], row["orders_prev_30d"], row["orders_total"]) == (1, 1, 2)
    assert (row["spend_30d"], row["spend_prev_30d"], row["spend_total"]) == (-24.5, 30.0, 5.5)
    assert row["spend_trend"] == pytest.approx(-24.5 / 30)
    assert (row["returns_90d"], row["return_rate_90d"]) == (2, 1.0)
    assert row["days_since_order"] == 1.0


def test_the_gap_is_between_days_with_an_order() -> None:
    events = [
        order("2024-01-01T08:00"),
        order("2024-01-01T20:00", event_id="f"),
        order("2024-01-02T01:00", event_id="g"),
        order("2024-01-11T23:00", event_id="h"),
        order("2024-01-15", status=OrderStatus.RETURNED, event_id="i"),
    ]
    row = recount(events, "2024-01-17T11:00")
    # days 1, 2 and 11: gaps 1 and 9, mean 5; 5.5 days since the 11th at 23:00
    assert (row["order_gap_mean"], row["days_since_order"], row["overdue"]) == (5.0, 5.5, 1.1)


def test_one_day_of_orders_has_no_gap() -> None:
    row = recount([order("2024-01-01T08:00"), order("2024-01-01T20:00", event_id="f")], "2024-01-05")
    assert (row["order_gap_mean"], row["overdue"]) == (None, None)


def test_a_customer_of_one_login_has_no_orders_but_a_row() -> None:
    row = recount([event(Topic.LOGINS, "2024-01-01T12:00")], "2024-01-02")
    assert (row["orders_total"], row["orders_90d"], row["spend_total"]) == (0, 0, 0.0)
    missing = ("days_since_order", "order_trend", "spend_trend", "login_trend", "return_rate_90d", "overdue")
    assert [row[name] for name in missing] == [None] * len(missing)
    assert (row["logins_7d"], row["days_since_login"], row["tenure_days"]) == (1, 0.5, 0.5)
    assert (row["open_complaints"], row["oldest_open_complaint_days"]) == (0, None)


# Complaints


def test_the_complaint_rate_leans_on_the_prior() -> None:
    # (1 + 5 x 0.02) / (1 + 5), then with no orders (1 + 0.1) / 5
    events = [order("2024-01-01"), complaint("2024-01-02", "k", OPENED)]
    assert recount(events, "2024-01-03")["complaint_rate_90d"] == pytest.approx(1.1 / 6)
    assert recount(events, "2024-01-03", k=0.0)["complaint_rate_90d"] == 1.0
    assert recount(events[1:], "2024-01-03", k=0.0)["complaint_rate_90d"] is None
    assert recount(events[1:], "2024-01-03")["complaint_rate_90d"] == pytest.approx(1.1 / 5)


def test_a_complaint_lives_from_opening_to_resolution() -> None:
    events = [
        complaint("2024-01-01", "k", OPENED),
        complaint("2024-01-02", "k", OPENED, event_id="f"),
        complaint("2024-01-03", "m", REOPENED, event_id="g"),
    ]
    row = recount(events, "2024-01-04")
    assert (row["open_complaints"], row["oldest_open_complaint_days"], row["complaints_30d"]) == (2, 3.0, 3)
    events.append(complaint("2024-01-04", "k", RESOLVED, 2, event_id="h"))
    row = recount(events, "2024-01-05")
    assert (row["open_complaints"], row["oldest_open_complaint_days"]) == (1, 2.0)
    assert (row["complaints_30d"], row["handling_satisfaction_90d"]) == (3, 2.0)
    assert row["days_since_complaint"] == 2.0
    events.append(complaint("2024-01-06", "k", REOPENED, event_id="i"))
    events.append(complaint("2024-01-06T01:00", "m", RESOLVED, event_id="j"))  # says nothing of satisfaction
    row = recount(events, "2024-01-07")
    assert (row["open_complaints"], row["oldest_open_complaint_days"]) == (1, 1.0)
    assert row["handling_satisfaction_90d"] == 2.0


def test_an_opening_dated_before_a_known_resolution_does_not_open() -> None:
    late = complaint("2024-01-01", "k", OPENED, event_id="f", clock=at("2024-01-08"))
    row = recount([complaint("2024-01-05", "k", RESOLVED), late], "2024-01-09")
    assert (row["open_complaints"], row["complaints_30d"]) == (0, 1)


def test_a_resolution_of_an_unknown_complaint_does_not_keep_a_later_opening_closed() -> None:
    row = recount(
        [complaint("2024-01-05", "k", RESOLVED), complaint("2024-01-06", "k", OPENED, event_id="f")],
        "2024-01-09",
    )
    assert (row["open_complaints"], row["oldest_open_complaint_days"]) == (1, 3.0)


# Feedback, profile


def test_feedback_is_a_mean_of_shares_and_missing_without_answers() -> None:
    events = [
        event(Topic.FEEDBACK, "2024-01-01", amount=800_000),
        event(Topic.FEEDBACK, "2024-02-10", "f", amount=200_000),
        event(Topic.FEEDBACK, "2024-02-11", "g", amount=400_000),
    ]
    row = recount(events, "2024-02-12")  # the last 30 days begin on 13 January
    assert row["feedback_mean_90d"] == pytest.approx(1.4 / 3)
    assert row["feedback_trend"] == pytest.approx(0.3 / 0.8)
    row = recount(events, "2024-05-12")  # 90 days: 12 February to 11 May
    assert (row["feedback_mean_90d"], row["feedback_trend"]) == (None, None)
    events[0] = event(Topic.FEEDBACK, "2024-01-01", amount=0)
    assert recount(events, "2024-02-12")["feedback_trend"] is None


def test_the_newest_profile_by_event_time_replaces_the_older_whole() -> None:
    newer = event(
        Topic.PROFILES,
        "2024-01-05",
        record=ProfileRecord("key", region="n", contract_ends_at=at("2024-02-01T12:00")),
    )
    older = event(
        Topic.PROFILES, "2024-01-01", "f", record=ProfileRecord("small", segment="s"), clock=at("2024-01-06")
    )
    row = recount([newer, older], "2024-02-01")
    assert (row["customer_class"], row["segment"], row["region"], row["origin"]) == ("key", None, "n", None)
    assert row["days_to_contract_end"] == 0.5


# Lateness, quiet


def test_a_late_event_counts_in_its_own_day() -> None:
    late = order("2024-01-01T12:00", 5, clock=at("2024-01-31T12:00"))
    assert recount([late], "2024-01-31T12:00", sweep=False)["orders_30d"] == 0
    row = recount([late], "2024-01-31T12:00", sweep=False)
    assert (row["orders_prev_30d"], row["days_since_order"]) == (1, 30.0)
    assert row["tenure_days"] == 30.0


@pytest.mark.parametrize(("clock", "held"), [("2024-03-30T23:59", 1), ("2024-03-31", 0)])
def test_an_event_older_than_the_state_counts_in_totals_only(clock: str, held: int) -> None:
    # 1 January has age 89 on 30 March, 90 on the 31st
    late = order("2024-01-01T12:00", 5, clock=at(clock))
    row = recount([late], clock, sweep=False)
    assert (row["orders_90d"], row["orders_total"], row["spend_total"]) == (held, 1, 5.0)
    assert (row["days_since_order"] is None) == (held == 0)


def test_while_a_topic_is_quiet_what_reads_it_is_missing() -> None:
    events = [order("2024-01-01"), event(Topic.LOGINS, "2024-01-01")]
    row = recount(events, "2024-01-03", quiet={Topic.ORDERS})
    gone = {name for name, value in row.items() if value is None}
    assert {"orders_total", "spend_7d", "days_since_order", "complaint_rate_90d", "returns_90d"} <= gone
    assert (row["logins_7d"], row["complaints_90d"], row["open_complaints"], row["tenure_days"]) == (
        1,
        0,
        0,
        2.0,
    )
