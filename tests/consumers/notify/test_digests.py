"""The daily digest: each open warning in exactly one a day, whatever stops the notifiers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from consumers.database.database import Database
from consumers.database.notices import MessageRow, MessageStepRow
from streams.core.steps import StepKind, Tier
from tests.consumers.notify.notice_shop import BEGIN, DAY, HOUR, put, silence
from tests.consumers.notify.routed_shop import Killed, RoutedShop, killed_at, tree
from tests.consumers.segment_events import value as segment_value
from tests.consumers.segment_events import warning_id as segment_id

TEXT = """\
version: 1
receivers:
  - {name: team, channels: [desk, mail], time_zone: Europe/Berlin}
  - {name: south, channels: phone, time_zone: America/Sao_Paulo}
route:
  receiver: team
  digest: '08:00'
  routes:
    - {name: south, match: {region: south}, receiver: south, continue: true}
    - {name: chinese, match: {region: [south, china]}, language: zh}
"""
CHANNELS = ("desk", "mail", "phone")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def database() -> Iterator[Database]:
    opened = Database("sqlite://")
    opened.prepare()
    yield opened
    opened.close()


@pytest.fixture
def shop(database: Database) -> RoutedShop:
    made = RoutedShop(database, tree(TEXT), CHANNELS)
    assert made.run() == []  # the digest of this day was due in the morning, and is empty
    return made


def days_of(shop: RoutedShop, channel: str, zone: ZoneInfo) -> dict[date, Counter[str]]:
    """Return how often each warning stood in the digests of each local day."""
    found: dict[date, Counter[str]] = defaultdict(Counter)
    for each in shop.got.get(channel, []):
        if each.kind == "digest":
            found[each.at.astimezone(zone).date()].update(step.partition("/")[0] for step in each.steps)
    return found


def test_medium_and_low_wait_for_the_digest_and_high_does_not(shop: RoutedShop) -> None:
    shop.step("h")
    shop.step("m", tier=Tier.MEDIUM)
    shop.step("l", tier=Tier.LOW, by="ann")
    assert [each.steps for each in shop.run()] == [["h-1/1"], ["h-1/1"]]
    shop.clock.push(19 * 3600 - 1)  # a second before 08:00 in Berlin
    assert shop.run() == []
    shop.clock.push(1)
    desk, mail = shop.run()
    assert desk.steps == mail.steps == ["m-1/1", "l-1/1"]
    assert desk.message.title == "Churn warnings on 2026-03-03: 2"
    assert "acknowledged by ann" in desk.message.body
    shop.step("late", tier=Tier.LOW)
    assert shop.run() == []
    shop.clock.push(86_400)
    assert [each.steps for each in shop.run()] == [["m-1/1", "l-1/1", "late-1/1"]] * 2


def test_a_day_without_open_warnings_has_no_message_and_none_later_that_day(shop: RoutedShop) -> None:
    shop.clock.push(20 * 3600)
    assert shop.run() == []
    shop.step("m", tier=Tier.MEDIUM)
    shop.clock.push(3600)
    assert shop.run() == []


def test_what_rose_or_is_silenced_or_barred_is_in_no_digest(shop: RoutedShop, database: Database) -> None:
    for customer in ("stays", "rose", "silenced"):
        shop.step(customer, tier=Tier.MEDIUM)
    shop.step("held", tier=Tier.MEDIUM, holdout=True)
    shop.step("barred", tier=Tier.MEDIUM, do_not_contact=True)
    shop.step("rose", "escalated")
    put(database, silence("s", BEGIN, BEGIN + 9 * DAY, matchers={"customers": ["silenced"]}))
    shop.run()
    shop.clock.push(20 * 3600)
    assert [each.steps for each in shop.run()] == [["stays-1/1"]] * 2


@pytest.mark.parametrize("kind", ["resolved", "withdrawn", "expired"])
def test_what_opens_and_ends_between_two_digests_is_in_the_next_one_and_in_no_other(
    shop: RoutedShop, kind: str
) -> None:
    shop.step("stays", tier=Tier.LOW)
    shop.step("before", tier=Tier.LOW)
    shop.clock.push(20 * 3600)
    shop.run()
    shop.step("between", tier=Tier.LOW)
    shop.step("held", tier=Tier.LOW, holdout=True)
    shop.clock.push(3600)
    shop.run()
    for customer in ("before", "between"):
        shop.step(customer, kind, Tier.LOW)
    shop.step("held", kind, Tier.LOW, holdout=True)
    shop.clock.push(23 * 3600)
    desk, _ = shop.run()
    assert desk.steps == ["stays-1/1", "between-1/2"]  # the open ones first
    assert desk.message.title == "Churn warnings on 2026-03-04: 2"
    lines = desk.message.body.splitlines()
    assert f"; {kind}" in lines[lines.index("- [low] between: overdue") + 1]
    assert kind not in lines[lines.index("- [low] stays: overdue") + 1]
    shop.clock.push(24 * 3600)
    desk, _ = shop.run()
    assert desk.steps == ["stays-1/1"]


def test_segments_of_medium_and_low_tier_are_in_the_digest_too_and_those_of_high_are_sent_at_once(
    shop: RoutedShop,
) -> None:
    shop.step("a", tier=Tier.LOW)
    for name in ("north", "gone"):
        shop.segment(segment_value(name))
    shop.segment(segment_value("east", 1, tier=Tier.HIGH))
    shop.segment(segment_value("gone", 2, StepKind.RESOLVED))
    assert [each.steps for each in shop.run()] == [[f"{segment_id('east')}/1"]] * 2
    shop.clock.push(20 * 3600)
    desk, _ = shop.run()
    # The event time of the one that ended is long ago: a segment judge that catches up is no news.
    assert sorted(desk.steps) == sorted(["a-1/1", f"{segment_id('north')}/1"])
    assert "- [medium] region north: Title of complaints-up" in desk.message.body
    shop.segment(segment_value("north", 2, StepKind.ESCALATED, Tier.HIGH))
    assert [each.steps for each in shop.run()] == [[f"{segment_id('north')}/2"]] * 2
    shop.clock.push(24 * 3600)
    assert [each.steps for each in shop.run()] == [["a-1/1"]] * 2


def test_a_deadline_that_passes_does_not_wait_for_the_digest(shop: RoutedShop) -> None:
    shop.step("m", tier=Tier.MEDIUM)
    shop.step("m", "escalated", Tier.MEDIUM, is_overdue=True)
    assert [each.steps for each in shop.run()] == [["m-1/2"]] * 2


def test_a_long_digest_has_parts_and_each_warning_is_in_one(shop: RoutedShop) -> None:
    for number in range(120):
        shop.step(f"c{number:03}", tier=Tier.LOW)
    shop.run()
    shop.clock.push(20 * 3600)
    shop.run()
    found = shop.got["desk"]
    assert [len(each.steps) for each in found] == [50, 50, 20]
    assert found[2].message.title.endswith("120 (part 3 of 3)")
    assert len(set(shop.steps_of("desk"))) == 120


def test_two_languages_of_a_receiver_are_two_digests_of_different_warnings(
    shop: RoutedShop, database: Database
) -> None:
    shop.step("a", tier=Tier.LOW)
    shop.step("b", tier=Tier.LOW, region="china")
    shop.run()
    shop.clock.push(20 * 3600)
    shop.run()
    titles = {each.message.title: each.steps for each in shop.got["desk"]}
    assert titles == {
        "Churn warnings on 2026-03-03: 1": ["a-1/1"],
        "2026年3月3日流失预警：1 条": ["b-1/1"],
    }
    with database.reading() as connection:
        rows = connection.execute(select(MessageStepRow.receiver, MessageStepRow.day)).all()
    assert rows == [("team", date(2026, 3, 3))] * 2


STEPS = st.tuples(
    st.sampled_from(["open", "close", "look", "look"]),
    st.integers(0, 5),
    st.sampled_from([None, "south", "china"]),
    st.sampled_from([Tier.MEDIUM, Tier.LOW]),
    st.integers(1, 9),
    st.one_of(st.none(), st.integers(1, 120)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, min_size=6, max_size=24))
def test_each_warning_is_in_exactly_one_digest_a_day_whatever_stops_the_notifiers(
    history: list[tuple[str, int, str | None, Tier, int, int | None]],
) -> None:
    """Two notifiers take turns; either may end at any statement. A slow twin says what had to be reported."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/w.db")
        database.prepare()
        _run(database, history)
        database.close()


def _run(database: Database, history: list[tuple[str, int, str | None, Tier, int, int | None]]) -> None:
    shop = RoutedShop(database, tree(TEXT), CHANNELS)
    shop.run()
    zones = {"team": (BERLIN, "desk"), "south": (ZoneInfo("America/Sao_Paulo"), "phone")}
    is_open: dict[int, tuple[str, str | None, Tier]] = {}
    opened_at: dict[str, datetime] = {}
    ended: list[tuple[str, str | None]] = []
    last = dict.fromkeys(zones, shop.clock())
    expected = {(receiver, shop.clock().date()): set[str]() for receiver in zones}
    number = 0
    for turn, (what, customer, region, tier, hours, kill) in enumerate(history):
        if what == "open" and customer not in is_open:
            number += 1
            shop.step(f"c{customer}", tier=tier, region=region, warning=number)
            is_open[customer] = (f"c{customer}-{number}", region, tier)
            opened_at[f"c{customer}-{number}"] = shop.clock()
        elif what == "close" and customer in is_open:
            warning, where, before = is_open.pop(customer)
            ended.append((warning, where))
            shop.step(
                f"c{customer}", "resolved", before, region=where, warning=int(warning.partition("-")[2])
            )
        shop.clock.push(3600 * hours)
        owner = ("one", "two")[turn % 2]
        killed = False
        if kill is not None:
            with killed_at(database, kill):
                try:
                    shop.run(owner)
                except Killed:
                    killed = True
        if kill is None or killed:
            shop.clock.push(91)  # past the lease of the one that ended
            shop.run(owner)
        for receiver, (zone, _) in zones.items():
            local = shop.clock().astimezone(zone)
            key = (receiver, local.date())
            eight = datetime(local.year, local.month, local.day, 8, tzinfo=zone)
            if local >= eight and key not in expected:
                expected[key] = {
                    warning
                    for warning, where, is_over in [
                        *((warning, where, False) for warning, where, _ in is_open.values()),
                        *((warning, where, True) for warning, where in ended),
                    ]
                    if (receiver == "team" or where == "south")
                    and (not is_over or opened_at[warning] >= last[receiver])
                }
                last[receiver] = shop.clock()
    with database.reading() as connection:
        made: dict[tuple[str, date], list[str]] = defaultdict(list)
        for row in connection.execute(
            select(MessageStepRow.receiver, MessageStepRow.day, MessageStepRow.warning_id)
        ):
            made[row.receiver, row.day].append(row.warning_id)
        states = connection.execute(select(MessageRow.state, MessageRow.day)).all()
    assert {key: sorted(found) for key, found in expected.items() if found} == {
        key: sorted(found) for key, found in made.items()
    }
    assert {state for state, _ in states} <= {"entered", "dropped"}
    # It arrives at least once; where it arrives again it is marked, as the one that ended may have sent it.
    for receiver, (_, channel) in zones.items():
        arrived: Counter[str] = Counter()
        repeated: Counter[str] = Counter()
        for each in shop.got.get(channel, []):
            (
                repeated if "Sent again" in each.message.body or "重复发送" in each.message.body else arrived
            ).update([each.message.id])
        assert all(count == 1 for count in arrived.values())
        reported = {key for key, found in expected.items() if key[0] == receiver and found}
        ids = {identity.split("/")[2] for identity in arrived + repeated}
        assert ids == {str(day) for _, day in reported}


def test_the_digest_of_a_day_is_made_by_one_of_two_notifiers_at_every_point_at_which_the_other_ends(
    tmp_path: Path,
) -> None:
    """Every statement of the turn that makes the digest is a point at which the process ends."""
    database = Database(f"sqlite:///{tmp_path / 'w.db'}")
    database.prepare()
    shop = RoutedShop(database, tree(TEXT), CHANNELS)
    shop.run()
    for customer in ("a", "b"):
        shop.step(customer, tier=Tier.MEDIUM)
    shop.run()
    number, day = 1, 0
    while True:
        shop.clock.now = BEGIN + timedelta(days=day) + 20 * HOUR
        with killed_at(database, number) as seen:
            try:
                shop.run("one")
            except Killed:
                pass
            else:
                break
        assert seen() == number
        shop.clock.push(91)
        shop.run("two")
        number, day = number + 1, day + 1
    assert number > 20
    with database.reading() as connection:
        rows = connection.execute(select(MessageStepRow.day, MessageStepRow.warning_id)).all()
    assert Counter(rows) == Counter(
        (BEGIN.date() + timedelta(days=n + 1), f"{customer}-1") for n in range(day + 1) for customer in "ab"
    )
    found = days_of(shop, "desk", BERLIN)
    assert len(found) == day + 1
    database.close()
