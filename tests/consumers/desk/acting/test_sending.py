from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from consumers.broker.errors import BrokerAway
from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.database.desk import DeskActionRow
from consumers.desk.acting.action_desk import UNDO_FOR, ActionDesk, Undone
from consumers.desk.acting.sending import CLAIMED_FOR, NO_EFFECT_AFTER, ActionSender
from consumers.desk.clock import DeskClock
from consumers.desk.people.person import Person, Role
from consumers.drafts import Draft
from consumers.sink.kinds import actions as actions_kind
from streams.core.steps import Acknowledgement, AcknowledgementState, StepKind
from streams.errors import BrokerError
from tests.consumers.desk.desks import NOW, Sent
from tests.consumers.stored import store_records
from tests.consumers.warning_events import DAY, T0, records, value, warning_id

ANN = Person("ann", Role.AGENT)


BROKER_AWAY, NO_TOPIC = BrokerAway("no broker"), BrokerError("no topic actions")


class Killed(BaseException):
    """The process ends here."""


class Broker(Sent):
    """A broker that may be away, or end the process that sends."""

    def __init__(self) -> None:
        super().__init__()
        self.before_send: Callable[[], None] = lambda: None
        self.before_flush: Callable[[], None] = lambda: None

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self.before_send()
        super().send(topic, key, value)

    def flush(self) -> None:
        self.before_flush()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(content or b"") for _topic, _key, content in self.records]

    @property
    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events]


class Place:
    """A desk whose wall clock is moved by hand."""

    def __init__(self, database: Database) -> None:
        self.database, self.wall, self.broker = database, NOW, Broker()
        store_records(database, records([value(customer=f"c{n}") for n in range(3)]))
        self.clock = DeskClock(lambda: NOW, lambda: self.wall)
        self.desk = ActionDesk(database, self.clock)

    def sender(self) -> ActionSender:
        return ActionSender(self.database, self.clock, self.broker, "actions")

    def act(self, kind: str, customer: str = "c0", **more: Any) -> str:
        return self.desk.submit(ANN, [Draft(customer, kind, warning_id(customer), **more)])

    def later(self, by: timedelta) -> None:
        self.wall += by

    def store_actions(self) -> None:
        """Store what was sent, as the sink does."""
        at_ms = int(self.wall.timestamp() * 1000)
        sent = [
            Record(topic, 0, n, at_ms, key, value)
            for n, (topic, key, value) in enumerate(self.broker.records)
        ]
        assert store_records(self.database, sent, self.wall, actions_kind(0)).stored == len(sent)

    def states(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.scalars(select(DeskActionRow.state).order_by(DeskActionRow.seq)))


@pytest.fixture
def place(database: Database) -> Place:
    return Place(database)


def die() -> None:
    raise Killed


def away() -> None:
    raise BROKER_AWAY


def refuse() -> None:
    raise NO_TOPIC


def test_what_is_due_is_sent_in_its_order_and_what_is_held_waits(place: Place) -> None:
    sender = place.sender()
    for kind in ("acknowledge", "contact", "assign"):
        place.act(kind)
    assert sender.send_due() == 2
    assert place.broker.kinds == ["acknowledge", "assign"]
    assert place.states() == ["sent", "held", "sent"]
    assert sender.send_due() == 0
    place.later(UNDO_FOR)
    assert sender.send_due() == 1
    assert place.broker.kinds == ["acknowledge", "assign", "contact"]
    assert {(topic, key) for topic, key, _value in place.broker.records} == {("actions", b"c0")}
    assert place.states() == ["sent"] * 3


@pytest.mark.parametrize("point", ["before_send", "before_flush"])
def test_a_process_that_dies_loses_nothing_and_another_repeats_the_same_events(
    place: Place, point: str
) -> None:
    for customer in ("c0", "c1", "c2"):
        place.act("acknowledge", customer)
    setattr(place.broker, point, die)
    first, other = place.sender(), place.sender()
    with pytest.raises(Killed):
        first.send_due()
    setattr(place.broker, point, lambda: None)
    assert place.states() == ["sending"] * 3
    assert other.send_due() == 0  # the first one may still be at it
    place.later(CLAIMED_FOR)
    assert other.send_due() == 3
    ids = [event["event_id"] for event in place.broker.events]
    assert len(set(ids)) == 3
    assert ids[-3:] == sorted(set(ids))
    assert place.states() == ["sent"] * 3


def test_a_process_that_dies_before_it_notes_that_it_has_sent(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.act("offer")
    place.later(UNDO_FOR)
    first = place.sender()
    monkeypatch.setattr(first, "_mark", lambda *given, **values: die())
    with pytest.raises(Killed):
        first.send_due()
    # It may have arrived, and so a correction follows it and does not overtake it.
    (pending,) = place.desk.pending()[warning_id("c0")]
    assert place.desk.undo(ANN, pending.group_id) == Undone(corrected=1)
    other = place.sender()
    assert other.send_due() == 0
    place.later(CLAIMED_FOR)
    assert other.send_due() == 2
    assert place.broker.kinds == ["offer", "offer", "correct"]
    assert place.broker.events[0] == place.broker.events[1]


def test_one_that_wakes_up_after_it_was_taken_for_dead_changes_nothing_more(place: Place) -> None:
    place.act("acknowledge")
    slow, other = place.sender(), place.sender()

    def meanwhile() -> None:
        place.broker.before_flush = lambda: None
        place.later(CLAIMED_FOR)
        assert other.send_due() == 1

    place.broker.before_flush = meanwhile
    slow.send_due()
    assert place.broker.events[0] == place.broker.events[1]
    assert place.states() == ["sent"]


@pytest.mark.parametrize("trouble", [away, refuse])
def test_while_the_broker_is_away_it_stays_and_is_shown_and_is_sent_later(
    place: Place, trouble: Callable[[], None]
) -> None:
    sender = place.sender()
    group = place.act("acknowledge")
    place.broker.before_flush = trouble
    for _ in range(2):
        with pytest.raises(BrokerError):
            sender.send_due()
        (pending,) = place.desk.pending()[warning_id("c0")]
        assert pending.state == "held"
        assert "no " in (pending.error or "")
    # An attempt may have arrived although nobody knows: it is not simply dropped.
    assert place.desk.undo(ANN, group) == Undone(corrected=1)
    place.broker.before_flush = lambda: None
    assert sender.send_due() == 2
    assert place.broker.kinds[-2:] == ["acknowledge", "correct"]
    assert [each.error for each in place.desk.pending()[warning_id("c0")]] == [None, None]


def test_an_action_is_on_its_way_until_the_store_has_it(place: Place) -> None:
    sender = place.sender()
    place.act("assign")
    sender.send_due()
    assert sender.note_arrivals() == 0
    place.store_actions()
    assert place.desk.pending().keys() == {warning_id("c0")}
    assert sender.note_arrivals() == 1
    assert place.desk.pending() == {}
    assert place.states() == ["taken"]


def acknowledged(at: int) -> bytes:
    taken = Acknowledgement(AcknowledgementState.ACKNOWLEDGED, 2, at, "ann", until=at + DAY)
    return value(customer="c0", number=(at - T0) // DAY, kind=StepKind.ACKNOWLEDGED, attention=taken)


def test_an_acknowledgement_is_on_its_way_until_the_engine_has_taken_it_up(place: Place) -> None:
    sender = place.sender()
    long_ago = place.wall - timedelta(minutes=1)
    store_records(place.database, records([acknowledged(T0 + 2 * DAY)]), long_ago)  # an earlier one
    place.act("acknowledge")
    sender.send_due()
    place.store_actions()
    assert sender.note_arrivals() == 0
    store_records(place.database, records([acknowledged(T0 + 9 * DAY)]))
    assert sender.note_arrivals() == 1


def test_a_step_of_a_partition_that_is_behind_the_desks_time_is_its_step_too(place: Place) -> None:
    sender = place.sender()
    long_ago = place.wall - timedelta(minutes=1)
    store_records(place.database, records([acknowledged(T0 + 2 * DAY)]), long_ago)
    place.act("acknowledge")
    sender.send_due()
    place.store_actions()
    assert sender.note_arrivals() == 0
    store_records(place.database, records([acknowledged(T0 + 3 * DAY)]), place.wall)
    assert sender.note_arrivals() == 1


def test_where_it_has_no_effect_it_is_not_on_its_way_for_ever(place: Place) -> None:
    sender = place.sender()
    place.act("snooze")
    sender.send_due()
    place.store_actions()
    assert sender.note_arrivals() == 0
    place.later(NO_EFFECT_AFTER)
    assert sender.note_arrivals() == 1


def test_the_thread_sends_what_it_is_woken_for_and_goes_on_after_trouble(place: Place) -> None:
    troubles = [BrokerAway("no broker")]
    changed: list[str | None] = []

    def once() -> None:
        if troubles:
            raise troubles.pop()

    place.broker.before_flush = once
    sender = ActionSender(
        place.database,
        place.clock,
        place.broker,
        "actions",
        lambda: changed.append(sender.trouble),
    )
    place.desk.on_change.append(sender.wake)
    sender.start()
    try:
        place.act("assign")
        deadline = datetime.now().astimezone() + timedelta(seconds=20)
        while place.states() != ["sent"] and datetime.now().astimezone() < deadline:
            sender.wake()
    finally:
        sender.stop()
    assert place.states() == ["sent"]
    assert changed == ["no broker"]
    assert sender.trouble is None
