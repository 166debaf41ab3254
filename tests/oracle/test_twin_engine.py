"""The slow engine's own duties: order, clock, repeats, quiet topics, sweeps."""

from __future__ import annotations

import pytest

from streams.core.events.topics import Topic
from tests.oracle.conditions import Judge, OracleRule
from tests.oracle.days import DAY, HOUR, SECOND, instant
from tests.oracle.engine import OracleEngine, OracleSettings, Run, stamped
from tests.oracle.history import Event
from tests.oracle.life import FALSE, MISSING, TRUE, Terms

START = instant("2024-01-01T00:00:00Z")


def login(at: int, event_id: str = "e", customer: str = "c", topic: Topic = Topic.LOGINS) -> Event:
    return Event(topic, START + at, customer, event_id)


def told(run: Run) -> list[tuple[str, int]]:
    return [(str(made.step.kind), made.step.at - START) for made in run.steps]


def test_a_record_within_reorder_is_judged_at_its_own_time() -> None:
    records = [login(10 * SECOND, "a"), login(9 * SECOND, "b")]
    assert [e.judged_at - START for e in stamped(records, SECOND)] == [9 * SECOND, 10 * SECOND]


def test_a_later_record_is_judged_at_the_clock() -> None:
    records = [login(10 * SECOND, "a"), login(9 * SECOND - 1, "b"), login(11 * SECOND, "c")]
    judged = stamped(records, SECOND)
    assert [(e.event_id, e.judged_at - START) for e in judged] == [
        ("b", 9 * SECOND),
        ("a", 10 * SECOND),
        ("c", 11 * SECOND),
    ]


def test_equal_times_go_by_topic_then_id() -> None:
    records = [login(0, "b"), login(0, "a"), login(0, "z", topic=Topic.COMPLAINTS)]
    assert [e.event_id for e in stamped(records, 0)] == ["z", "a", "b"]


@pytest.mark.parametrize(("distance", "kept"), [(2 * DAY, 1), (2 * DAY + 1, 2)])
def test_a_repeat_within_the_window_changes_nothing(distance: int, kept: int) -> None:
    again = login(distance, topic=Topic.COMPLAINTS)
    run = OracleEngine(OracleSettings(), [OracleRule("a", lambda row: True)]).run([login(0), again])
    assert (run.events, run.repeats) == (kept, 2 - kept)


def test_the_same_id_of_another_customer_is_no_repeat() -> None:
    run = OracleEngine(OracleSettings()).run([login(0), login(1, customer="d")])
    assert (run.events, run.repeats) == (2, 0)


def test_the_window_counts_from_the_first_that_was_kept() -> None:
    run = OracleEngine(OracleSettings()).run([login(0), login(2 * DAY), login(2 * DAY + 1), login(3 * DAY)])
    assert (run.events, run.repeats) == (2, 2)


def test_every_customer_is_swept_at_every_midnight_from_the_first_event_on() -> None:
    run = OracleEngine(OracleSettings()).run([login(0), login(DAY, "f", "d"), login(2 * DAY, "g")])
    assert sorted((at - START, who) for at, who in run.sweeps) == [(DAY, "c"), (2 * DAY, "c"), (2 * DAY, "d")]


def test_until_sweeps_up_to_and_including_it() -> None:
    run = OracleEngine(OracleSettings()).run([login(HOUR)], until=START + 2 * DAY)
    assert sorted(at - START for at, _ in run.sweeps) == [DAY, 2 * DAY]


def test_silence_opens_at_a_sweep_and_the_next_login_closes() -> None:
    rule = OracleRule("silent", "days_since_login >= 3", terms=Terms(for_us=DAY))
    run = OracleEngine(OracleSettings(), [rule]).run([login(12 * HOUR), login(6 * DAY + HOUR, "f")])
    # three days are over at 3.5 d: true first at the sweep of day 4, open at day 5
    assert told(run) == [("opened", 5 * DAY), ("resolved", 6 * DAY + HOUR)]


def test_a_quiet_topic_sets_off_nobody_and_the_limit_itself_is_not_quiet() -> None:
    rule = OracleRule("silent", "days_since_login >= 3")
    settings = OracleSettings(quiet_after_us={Topic.LOGINS: 2 * DAY})
    records = [login(0), login(6 * DAY + HOUR, "f")]
    engine = OracleEngine(settings, [rule])
    run = engine.run(records)
    assert told(run) == []
    assert [run.sweeps[START + n * DAY, "c"]["logins_90d"] for n in (1, 2, 3)] == [1, 1, None]


def test_a_late_login_withdraws_what_would_not_have_opened() -> None:
    rule = OracleRule("silent", "days_since_login >= 3", terms=Terms(keep_open_for_us=DAY, cooldown_us=DAY))
    records = [login(0), login(4 * DAY, "f", "d"), login(2 * DAY, "g")]
    run = OracleEngine(OracleSettings(), [rule]).run(records)
    clock = 4 * DAY - 250_000
    # judged before the login of the other customer, at the clock; the sweep of day 4 comes after that
    assert told(run) == [("opened", 3 * DAY), ("withdrawn", clock)]
    assert run.late == 1


def test_a_late_login_after_the_opening_resolves_by_the_rule() -> None:
    rule = OracleRule("silent", "days_since_login >= 3")
    records = [login(0), login(5 * DAY, "f", "d"), login(3 * DAY + HOUR, "g")]
    run = OracleEngine(OracleSettings(), [rule]).run(records)
    assert told(run) == [("opened", 3 * DAY), ("resolved", 5 * DAY - 250_000)]


def test_conditions_know_missing() -> None:
    rules = [
        OracleRule("plain", "orders_30d > 2"),
        OracleRule("only", "orders_30d > 2", only="customer_class = 'key'"),
        OracleRule("missing", "order_trend < 1 AND orders_30d > 2"),
        OracleRule("false", "order_trend < 1 AND orders_30d > 9"),
        OracleRule("clear", "orders_30d > 2", clear="order_trend > 1"),
    ]
    [verdicts] = Judge(rules).verdicts([{"orders_30d": 3, "order_trend": None, "customer_class": None}])
    assert verdicts == {
        "plain": (TRUE, FALSE),
        "only": (MISSING, MISSING),
        "missing": (MISSING, MISSING),
        "false": (FALSE, TRUE),
        "clear": (TRUE, MISSING),
    }
    [verdicts] = Judge(rules[1:2]).verdicts([{"orders_30d": 3, "customer_class": "small"}])
    assert verdicts == {"only": (FALSE, TRUE)}
