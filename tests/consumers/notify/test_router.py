"""Which receiver gets which message, and when: routes, quiet hours, escalation, rate limits, segments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from consumers.database.database import Database
from consumers.database.notices import JudgingRow, MessageRow, OutboxRow
from consumers.database.outcomes import CustomerDaysRow
from consumers.notify.attempt import ReceiverGone, SendTimedOut
from consumers.notify.channels import Channel
from consumers.notify.message import Message
from consumers.notify.notifier import Notifier
from consumers.notify.outbox import Outbox
from consumers.notify.router import Router
from consumers.notify.routes import everything_to
from streams.core.steps import StepKind, Tier
from tests.consumers.notify.notice_shop import BEGIN, DAY, HOUR, put, silence
from tests.consumers.notify.routed_shop import RoutedShop, tree
from tests.consumers.segment_events import value as segment_value
from tests.consumers.segment_events import warning_id as segment_id
from tests.consumers.stubs import Waits

TEXT = """\
version: 1
receivers:
  - {name: team, channels: desk, time_zone: Asia/Shanghai}
  - {name: lead, channels: [mail, desk]}
  - {name: boss, channels: phone}
route:
  receiver: team
  routes:
    - {name: north, match: {region: north}, receiver: lead, language: zh}
    - name: east
      match: {region: east}
      quiet_hours: {begins: '20:00', ends: '08:00'}
    - {name: west, match: {region: west}, escalate_to: [lead, boss]}
    - {name: both, match: {tier: low}, continue: true}
    - {name: also, match: {tier: low}, receiver: boss}
"""
CHANNELS = ("desk", "mail", "phone")


@pytest.fixture
def database() -> Iterator[Database]:
    opened = Database("sqlite://")
    opened.prepare()
    yield opened
    opened.close()


@pytest.fixture
def shop(database: Database) -> RoutedShop:
    return RoutedShop(database, tree(TEXT), CHANNELS)


def test_each_notice_goes_to_the_channels_of_its_receivers_once(shop: RoutedShop) -> None:
    shop.step("a", region="north")
    shop.step("b")
    shop.step("c", tier=Tier.LOW)
    shop.run()
    assert shop.steps_of("desk") == ["a-1/1", "b-1/1", "c-1/1"]
    assert shop.steps_of("mail") == ["a-1/1"]
    assert shop.steps_of("phone") == ["c-1/1"]
    assert shop.run() == []
    # A receiver's language is that of the route.
    assert shop.got["mail"][0].message.title.startswith("【高】客户流失预警")
    assert shop.got["phone"][0].message.title.startswith("[low] Churn warning")


def test_quiet_hours_are_those_of_the_receivers_clock_and_send_the_warning_as_it_is_then(
    shop: RoutedShop,
) -> None:
    assert datetime(2026, 3, 2, 12, tzinfo=UTC) == BEGIN  # 20:00 in Shanghai
    for customer in ("stays", "rises", "ends", "taken"):
        shop.step(customer, tier=Tier.MEDIUM, region="east")
    assert shop.run() == []
    shop.clock.push(3600)
    shop.step("rises", "escalated", region="east")
    shop.step("ends", "resolved", Tier.MEDIUM, region="east")
    shop.step("taken", "acknowledged", Tier.MEDIUM, region="east", by="ann")
    assert shop.run() == []
    shop.clock.push(11 * 3600 - 1)
    assert shop.run() == []
    shop.clock.push(1)
    shop.run()
    assert sorted(shop.steps_of("desk")) == ["rises-1/2", "stays-1/1"]
    assert "Deferred since 2026-03-02 20:00 Asia/Shanghai: quiet hours" in shop.got["desk"][0].message.body
    assert shop.run() == []


def test_a_late_message_says_why_in_the_language_of_its_route(database: Database) -> None:
    text = TEXT.replace("quiet_hours:", "language: zh\n      quiet_hours:", 1)
    shop = RoutedShop(database, tree(text), CHANNELS)
    put(database, silence("s", BEGIN - HOUR, BEGIN + HOUR, matchers={"customers": ["a"]}))
    shop.step("a", tier=Tier.MEDIUM, region="east")
    for _ in range(3):
        shop.run()
        shop.clock.push(6 * 3600)
    (found,) = shop.got["desk"]
    assert "自 2026年3月2日 20:00（Asia/Shanghai） 起推迟：已静默（why）" in found.message.body
    assert "免打扰时段" in found.message.body
    assert "Deferred" not in found.message.body
    assert json.loads(found.message.payload)["lapwingnote"] in found.message.body


def test_a_passed_deadline_goes_to_the_team_and_to_the_next_one(shop: RoutedShop) -> None:
    shop.step("a", tier=Tier.MEDIUM, region="west")
    shop.run()
    assert shop.steps_of("mail") == []
    shop.step("a", "escalated", Tier.MEDIUM, region="west", is_overdue=True)
    shop.run()
    assert shop.steps_of("desk") == ["a-1/1", "a-1/2"]  # once, although both receivers have this channel
    assert shop.steps_of("mail") == ["a-1/2"]
    assert shop.steps_of("phone") == []


def test_what_is_held_out_or_must_not_be_contacted_goes_nowhere(shop: RoutedShop) -> None:
    barred: list[dict[str, Any]] = [{"holdout": True}, {"do_not_contact": True}]
    for number, more in enumerate(barred):
        for region in (None, "north", "east", "west"):
            customer = f"c{number}{region}"
            shop.step(customer, tier=Tier.MEDIUM, region=region, **more)
            shop.step(customer, "escalated", Tier.MEDIUM, region=region, is_overdue=True, **more)
    for _ in range(3):
        assert shop.run() == []
        shop.clock.push(12 * 3600)


def test_who_is_barred_while_a_message_waits_is_left_out_of_it(shop: RoutedShop, database: Database) -> None:
    """The profile of a later day: no step says so, the customer's days do."""
    for customer in ("a", "b"):
        shop.step(customer, tier=Tier.MEDIUM, region="east")
    shop.run()
    days: dict[str, Any] = {
        "id": "d", "time": BEGIN + HOUR, "customer_id": "a", "warning_id": "a-1",
        "first_day": BEGIN.date(), "last_day": BEGIN.date(), "digest": "", "source_topic": "t",
        "source_partition": 0, "source_offset": 0, "stored_at": BEGIN,
        "data": {"decision": {"verdict": "dont", "why": "do_not_contact"}},
    }  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(CustomerDaysRow).values(days))
    shop.clock.push(13 * 3600)
    shop.run()
    assert shop.steps_of("desk") == ["b-1/1"]


def test_a_segments_warning_goes_to_its_route_and_not_once_it_is_over(shop: RoutedShop) -> None:
    shop.segment(segment_value("north"))
    shop.segment(segment_value("south"))
    shop.segment(segment_value("gone"))
    shop.segment(segment_value("gone", 2, StepKind.RESOLVED))
    shop.run()
    assert shop.steps_of("mail") == [f"{segment_id('north')}/1"]
    assert sorted(shop.steps_of("desk")) == sorted(f"{segment_id(name)}/1" for name in ("north", "south"))
    shop.segment(segment_value("south", 2, StepKind.UPDATED))
    assert shop.run() == []
    shop.segment(segment_value("south", 3, StepKind.ESCALATED, Tier.HIGH))
    (found,) = shop.run()
    assert found.message.title == "[high] Churn warning of region south escalated: Complaints up" or (
        found.message.title.startswith("[high] Churn warning of region south escalated: ")
    )


def test_a_segments_warning_waits_for_the_end_of_a_silence(shop: RoutedShop, database: Database) -> None:
    put(database, silence("s", BEGIN - DAY, BEGIN + 3 * HOUR))
    shop.segment(segment_value("south"))
    assert shop.run() == []
    shop.clock.push(3 * 3600)
    assert [each.steps for each in shop.run()] == [[f"{segment_id('south')}/1"]]


def test_without_routes_segments_go_to_every_channel_and_customers_as_before(database: Database) -> None:
    shop = RoutedShop(database, everything_to(CHANNELS), CHANNELS, routes_customers=False)
    shop.segment(segment_value("south"))
    shop.step("a")
    shop.run()
    for channel in CHANNELS:
        assert sorted(shop.steps_of(channel)) == sorted(["a-1/1", f"{segment_id('south')}/1"])
    with database.reading() as connection:
        kinds = connection.scalars(select(MessageRow.kind)).all()
    assert kinds == ["segment"]


def test_routes_that_come_and_go_repeat_nothing_and_lose_nothing(database: Database) -> None:
    plain = RoutedShop(database, everything_to(CHANNELS), CHANNELS, routes_customers=False)
    routed = RoutedShop(database, tree(TEXT), CHANNELS, clock=plain.clock, got=plain.got, shop=plain.shop)
    for number, shop in enumerate((plain, routed, plain, routed)):
        shop.step(f"c{number}")
        shop.run()
    assert plain.steps_of("desk") == [f"c{number}-1/1" for number in range(4)]
    assert plain.steps_of("mail") == ["c0-1/1", "c2-1/1"]


def test_a_first_start_from_now_sends_nothing_of_before(shop: RoutedShop) -> None:
    shop.step("a")
    shop.segment(segment_value("south"))
    assert shop.run(from_now=True) == []
    shop.step("b")
    assert [each.steps for each in shop.run()] == [["b-1/1"]]


def test_a_step_of_an_older_sink_that_cannot_be_read_stops_no_other(
    shop: RoutedShop, database: Database
) -> None:
    for customer in ("a", "b"):
        shop.step(customer)
    with database.writing() as connection:
        connection.exec_driver_sql("""UPDATE warning_steps SET data = '{"tier": "high"}' WHERE seq = 1""")
    shop.run()
    assert shop.steps_of("desk") == ["b-1/1"]
    assert shop.outbox().counts()["desk"]["given_up"] == 1


LIMITED = """\
version: 1
receivers: [{name: team, channels: desk, rate_limit: {messages: %d, per: 1h}}]
route: {receiver: team}
"""


def test_what_waits_for_its_time_is_counted_by_receiver(database: Database) -> None:
    shop = RoutedShop(database, tree(LIMITED % 1), ("desk",))
    box = shop.outbox()
    assert box.add_channels(["desk"], shop.clock(), from_now=False) == {"desk": None}
    for customer in ("a", "b", "c"):
        shop.step(customer)
    assert [each.steps for each in shop.run()] == [["a-1/1"]]
    assert shop.outbox().waiting() == {"team": 1}  # one message with two notices
    shop.clock.push(3600)
    assert [each.steps for each in shop.run()] == [["b-1/1", "c-1/1"]]
    assert shop.outbox().waiting() == {}


@settings(max_examples=10, deadline=None)
@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 4)), min_size=1, max_size=9),
)
def test_no_hour_has_more_messages_than_the_limit_and_every_notice_arrives_once(
    limit: int, arrivals: list[tuple[int, int]]
) -> None:
    database = Database("sqlite://")
    database.prepare()
    shop = RoutedShop(database, tree(LIMITED % limit), ("desk",))
    expected: list[str] = []
    for minutes, count in arrivals:
        shop.clock.push(60 * minutes)
        for _ in range(count):
            shop.step(f"c{len(expected)}")
            expected.append(f"c{len(expected)}-1/1")
        shop.run()
    for _ in range(40):
        shop.clock.push(900)
        shop.run()
    assert Counter(shop.steps_of("desk")) == Counter(expected)
    times = [each.at for each in shop.got["desk"]]
    for at in times:
        assert sum(at - timedelta(hours=1) < each <= at for each in times) <= limit
    database.close()


def test_what_is_gathered_is_one_message_that_names_all(database: Database) -> None:
    shop = RoutedShop(database, tree(LIMITED % 1), ("desk",))
    for number in range(4):
        shop.step(f"c{number}", rule="overdue")
    shop.run()
    assert [each.kind for each in shop.got["desk"]] == ["notice"]
    shop.clock.push(3600)
    (found,) = shop.run()
    assert (found.kind, found.steps) == ("gathered", ["c1-1/1", "c2-1/1", "c3-1/1"])
    assert found.message.title.startswith("3 notices in one")
    assert all(f"c{number}" in found.message.body for number in (1, 2, 3))


def test_a_channel_whose_receiver_is_gone_is_left_alone_until_it_is_enabled(
    shop: RoutedShop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.step("a")
    shop.step("b")
    tried: list[str] = []

    def gone(channel: Channel, message: Message) -> None:
        tried.append(message.id)
        msg = "HTTP 410"
        raise ReceiverGone(msg)

    def notify(send: Any) -> None:
        box = shop.outbox()
        box.add_channels(CHANNELS, shop.clock(), from_now=False)
        Notifier(box, [Channel("desk", "")], send, Waits(1, shop.clock), clock=shop.clock).run(follow=False)

    notify(gone)
    notify(gone)
    assert tried == ["a-1/1:desk"]
    assert "nothing more is sent to it until `lapwing notify --enable desk`" in caplog.text
    assert shop.outbox().disabled() == ["desk"]
    assert shop.outbox().enable(["desk", "mail"]) == ["desk"]
    shop.run()
    assert shop.steps_of("desk") == ["a-1/1", "b-1/1"]


def test_a_message_that_may_have_arrived_says_so_when_it_is_sent_again(shop: RoutedShop) -> None:
    shop.step("a")

    def slow(channel: Channel, message: Message) -> None:
        msg = "no answer"
        raise SendTimedOut(msg)

    box = shop.outbox()
    box.add_channels(CHANNELS, shop.clock(), from_now=False)
    Notifier(box, [Channel("desk", "")], slow, Waits(1, shop.clock), clock=shop.clock).run(follow=False)
    shop.clock.push(300)
    (found,) = shop.run()
    assert "Sent again: an earlier attempt may have arrived." in found.message.body
    assert b'"lapwingrepeated":true' in found.message.payload
    # A notifier that died between sending and recording may have sent it as well.
    shop.step("b")
    dead = shop.outbox("dead")
    dead.fill(CHANNELS, shop.clock())
    assert [each.again for each in dead.claim("desk", 9, shop.clock())] == [False]
    shop.clock.push(90)
    (found,) = shop.run()
    assert "Sent again" in found.message.body


def test_places_and_rows_are_kept_as_they_are_named(shop: RoutedShop, database: Database) -> None:
    shop.step("a")
    shop.run()
    with database.reading() as connection:
        places = dict(connection.execute(select(JudgingRow.name, JudgingRow.judged_to)).all())
        rows = connection.execute(select(OutboxRow.step_id, OutboxRow.message_seq)).all()
    assert places == {"notices": 1, "routes": 1, "segments": 0}
    assert rows == [("a-1/1", 1)]


def test_what_no_message_is_made_of_yet_is_counted(shop: RoutedShop, database: Database) -> None:
    box = shop.outbox("x")
    box.add_channels(CHANNELS, shop.clock(), from_now=False)
    shop.step("a")
    shop.segment(segment_value("south"))
    assert box.lag(CHANNELS) == (2, BEGIN)
    Outbox(database, "y", router=Router(database, shop.tree, routes_customers=False)).fill([], BEGIN)
    assert box.lag(CHANNELS) == (1, BEGIN)  # the segment's step is a message, the customer's is judged
    shop.run()
    assert box.lag(CHANNELS) == (0, None)
