"""Phrases for sequence and absence, and what the rules made of them do."""

from __future__ import annotations

import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.phrases import PhraseError, parse_absence, parse_sequence
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Tier

HOUR = DAY // 24
BEGIN = 19_723 * DAY
ORDER, LOGIN, COMPLAINT = Topic.ORDERS, Topic.LOGINS, Topic.COMPLAINTS


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("complaint, then no order within 10d", "complaint, then no order within 10 days"),
        ("complaint, then no order within 10d", "A complaint then no  orders\n within 10 Days"),
        ("order, then no login within 2w", "order, then no login within 14d"),
        ("complaint, then no login within 1d12h", "complaint, then no login within 36 hours"),
    ],
)
def test_a_sequence_may_be_written_in_more_ways_than_one(written: str, plain: str) -> None:
    assert parse_sequence(written) == parse_sequence(plain)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("no login for 14d though others log in", "no login for 2 weeks, while others log in within 1d"),
        ("no order for 3w though others order", "no orders for 21 days but others do"),
        (
            "no complaint for 9d though others complain",
            "No complaints for 9d although others complain within 24h",
        ),
    ],
)
def test_an_absence_may_be_written_in_more_ways_than_one(written: str, plain: str) -> None:
    assert parse_absence(written) == parse_absence(plain)


@pytest.mark.parametrize(
    "text", ["", "complaint", "order, then no complaint within 3d", "login, then no order within 0d"]
)
def test_what_is_no_sequence_is_refused(text: str) -> None:
    with pytest.raises(PhraseError):
        parse_sequence(text)


@pytest.mark.parametrize(
    "text", ["", "no visit for 3d", "no login for 0d", "no login for 3 months", "login for 3d"]
)
def test_what_is_no_absence_is_refused(text: str) -> None:
    with pytest.raises(PhraseError):
        parse_absence(text)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("3 dayz", "3d"),
        ("10", "10d"),
        ("1.5 days", "1d12h"),
        ("2 months", "60d"),
        ("3d 4 hurs", "3d4h"),
        ("3 quux", None),
    ],
)
def test_a_wrong_time_comes_with_the_likely_right_one(written: str, hint: str | None) -> None:
    for parse, phrase in (
        (parse_sequence, f"complaint, then no order within {written}"),
        (parse_absence, f"no login for {written} though others log in"),
        (parse_absence, f"no login for 90w though others log in within {written}"),
    ):
        with pytest.raises(PhraseError, match=f"'{written}' is not a duration") as refused:
            parse(phrase)
        assert refused.value.hint == hint


def test_the_version_covers_the_phrase() -> None:
    plain = Rule("a", "overdue > 3", Tier.LOW, "test")
    assert plain.version != Rule("a", "overdue > 3", Tier.LOW, "test", sequence="complaint, then ...").version
    assert plain.version != Rule("a", "overdue > 3", Tier.LOW, "test", absence="no login ...").version
    assert plain.version == "8b946fe2a614"


def steps(condition: str, arrivals: list[tuple[str, Topic, int]], until: int) -> list[tuple[str, str, float]]:
    """Return customer, kind and day of every step; each arrival has its time in hours, in the order given."""
    rules = compile_rules([Rule("a", condition, Tier.LOW, "test")], DTYPES)
    engine = Engine(EngineSettings(reorder_us=0), rules)
    outputs = []
    for number, (customer, topic, hours) in enumerate(arrivals):
        at = BEGIN + hours * HOUR
        row = {
            "topic": topic,
            "at": at,
            "customer_id": customer,
            "event_id": f"e{number}",
            "complaint_id": f"k{number}",
        }
        outputs.append(engine.step(Batch.of([row])))
    outputs += [engine.flush(), engine.advance(BEGIN + until * DAY)]
    return [(s.customer_id, s.kind.value, (s.at - BEGIN) / DAY) for output in outputs for s in output.steps]


SEQUENCE = parse_sequence("complaint, then no order within 10d").condition
ABSENCE = parse_absence("no login for 14d though others log in").condition


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ([("c", COMPLAINT, 0)], [("c", "opened", 10.0)]),  # who never ordered has not ordered since
        ([("c", ORDER, 0), ("c", COMPLAINT, 24), ("c", ORDER, 10 * 24)], []),
        ([("c", ORDER, 0), ("c", COMPLAINT, 24), ("c", LOGIN, 48)], [("c", "opened", 11.0)]),
        ([("c", COMPLAINT, 0), ("c", ORDER, 0)], []),  # an order at the very time follows the complaint
        ([("c", COMPLAINT, 0), ("c", COMPLAINT, 5 * 24)], [("c", "opened", 10.0)]),
        ([("c", COMPLAINT, 0), ("c", ORDER, 24), ("c", COMPLAINT, 48)], [("c", "opened", 12.0)]),
        (
            [("c", COMPLAINT, 0), ("c", ORDER, 11 * 24), ("c", COMPLAINT, 12 * 24)],
            [("c", "opened", 10.0), ("c", "resolved", 11.0)],
        ),
        (  # an order of the tenth day that arrives on the eleventh
            [("c", COMPLAINT, 0), ("x", LOGIN, 11 * 24), ("c", ORDER, 9 * 24)],
            [("c", "opened", 10.0), ("c", "withdrawn", 11.0)],
        ),
    ],
)
def test_a_sequence_opens_when_its_time_is_over_without_an_answer(
    arrivals: list[tuple[str, Topic, int]], expected: list[tuple[str, str, float]]
) -> None:
    assert steps(SEQUENCE, arrivals, 20) == expected


def every_day(customer: str, days: range) -> list[tuple[str, Topic, int]]:
    return [(customer, LOGIN, 24 * day + 12) for day in days]


def test_an_absence_opens_while_others_come() -> None:
    arrivals = [("c", LOGIN, 0), *every_day("x", range(20))]
    assert steps(ABSENCE, arrivals, 20) == [("c", "opened", 14.0)]


def test_an_absence_of_everybody_opens_nothing_and_resolves_nothing() -> None:
    assert steps(ABSENCE, [("c", LOGIN, 0), *every_day("x", range(13))], 40) == []
    open_before = [("c", LOGIN, 0), *every_day("x", range(16))]
    assert steps(ABSENCE, open_before, 40) == [("c", "opened", 14.0)]


def test_a_login_ends_an_absence_and_a_late_one_takes_it_back() -> None:
    back = [("c", LOGIN, 0), *every_day("x", range(16)), ("c", LOGIN, 16 * 24)]
    assert steps(ABSENCE, back, 20) == [("c", "opened", 14.0), ("c", "resolved", 16.0)]
    late = [("c", LOGIN, 0), *every_day("x", range(16)), ("c", LOGIN, 10 * 24)]
    assert steps(ABSENCE, late, 20) == [("c", "opened", 14.0), ("c", "withdrawn", 15.5)]
