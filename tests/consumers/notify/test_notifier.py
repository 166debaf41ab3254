from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from consumers.database.database import Database
from consumers.database.notices import OutboxRow
from consumers.database.warnings import WarningStepRow
from consumers.loop import Backoff
from consumers.muting.notice import Limits
from consumers.notify.attempt import ReceiverGone, SendFailed
from consumers.notify.channels import Channel
from consumers.notify.message import Message
from consumers.notify.notifier import Notifier, NotifierTotals
from consumers.notify.outbox import LEASE, Delivery, Outbox
from tests.consumers.engine_warnings import attended
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW, Clock, Waits
from tests.consumers.warning_events import attended_life, life, records, warning_id

DESK = Channel("desk", "json://127.0.0.1/desk")
MAIL = Channel("mail", "json://127.0.0.1/mail")


class Receiver:
    """Takes messages, or refuses those that `refuses` says."""

    def __init__(self, refuses: Callable[[Channel, Message], bool] = lambda channel, message: False) -> None:
        self.taken: list[tuple[str, str]] = []
        self.tried = 0
        self.refuses = refuses
        self.before: Callable[[], None] = lambda: None

    def __call__(self, channel: Channel, message: Message) -> None:
        self.tried += 1
        self.before()
        if self.refuses(channel, message):
            msg = "error=503"
            raise SendFailed(msg)
        self.taken.append((channel.name, message.body.splitlines()[-1]))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    opened.prepare()
    yield opened
    opened.close()


def store(database: Database, *customers: str) -> None:
    contents: list[bytes | None] = [content for customer in customers for content in life(customer)]
    store_records(database, records(contents))


def expected(channel: Channel, *customers: str) -> list[tuple[str, str]]:
    """Return what the channel should get: of each life the opening and the escalation."""
    return [
        (channel.name, f"Warning: {warning_id(customer)}, step {number}")
        for customer in customers
        for number in (1, 3)
    ]


def notifier(
    database: Database,
    receiver: Receiver,
    *channels: Channel,
    clock: Clock | None = None,
    owner: str = "one",
    stop_at: int = 1,
    give_up_after: timedelta = timedelta(days=3),
    from_now: bool = False,
) -> Notifier:
    box = Outbox(database, owner)
    clock = clock or Clock()
    box.add_channels([channel.name for channel in channels], clock(), from_now=from_now)
    return Notifier(
        box,
        channels,
        receiver,
        Waits(stop_at, clock),
        backoff=Backoff(2, 300),
        give_up_after=give_up_after,
        clock=clock,
    )


def states(database: Database) -> dict[str, dict[str, int]]:
    return Outbox(database, "").counts()


def test_opened_and_escalated_steps_go_to_every_channel_once(database: Database) -> None:
    store(database, "c1", "c2")
    receiver = Receiver()
    tally = notifier(database, receiver, DESK, MAIL).run()
    assert receiver.taken == expected(DESK, "c1", "c2") + expected(MAIL, "c1", "c2")
    assert tally == NotifierTotals(entered=8, sent=8)
    assert notifier(database, receiver, DESK, MAIL).run() == NotifierTotals()
    store(database, "c1", "c2", "c3")
    assert notifier(database, receiver, DESK, MAIL).run().sent == 4
    assert states(database)["desk"] == {"pending": 0, "sent": 6, "given_up": 0, "muted": 0}


def test_a_new_channel_gets_what_is_stored_unless_asked_otherwise(database: Database) -> None:
    store(database, "c1")
    receiver = Receiver()
    box = Outbox(database, "x")
    assert box.add_channels(["desk"], NOW, from_now=False) == {"desk": 2}
    assert box.add_channels(["desk", "mail"], NOW, from_now=True) == {"mail": 0}
    store(database, "c2")
    notifier(database, receiver, DESK, MAIL).run()
    assert receiver.taken == expected(DESK, "c1", "c2") + expected(MAIL, "c2")


def test_more_steps_than_one_filling_takes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.notify.outbox.FILL", 3)
    store(database, *(f"c{n}" for n in range(10)))
    assert notifier(database, Receiver(), DESK, stop_at=1).run() == NotifierTotals(entered=20, sent=20)


def test_while_a_receiver_is_down_one_message_is_tried_with_longer_waits_and_no_other_held_up(
    database: Database,
) -> None:
    store(database, "c1", "c2", "c3")
    clock = Clock()
    back_at = clock() + timedelta(seconds=60)
    receiver = Receiver(lambda channel, _: channel is DESK and clock() < back_at)
    tally = notifier(database, receiver, DESK, MAIL, clock=clock, stop_at=200).run()
    assert receiver.taken[:6] == expected(MAIL, "c1", "c2", "c3")
    assert sorted(receiver.taken[6:]) == sorted(expected(DESK, "c1", "c2", "c3"))
    assert tally == NotifierTotals(
        entered=12, sent=12, failed=5
    )  # at 0, 2, 6, 14, 30 seconds, then it is back at 62


def test_a_message_that_a_receiver_refuses_does_not_hold_up_the_others(database: Database) -> None:
    store(database, "c1", "c2", "c3")
    receiver = Receiver(lambda _, message: "Customer: c2" in message.body)
    tally = notifier(database, receiver, DESK, stop_at=100).run()
    assert receiver.taken[:2] == expected(DESK, "c1")
    assert sorted(receiver.taken) == sorted(expected(DESK, "c1", "c3"))
    assert tally.sent == 4
    assert states(database)["desk"] == {"pending": 2, "sent": 4, "given_up": 0, "muted": 0}


def test_a_message_is_given_up_aloud_and_can_be_tried_again(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store(database, "c1")
    receiver = Receiver(lambda channel, message: True)
    clock = Clock()
    with caplog.at_level(logging.ERROR):
        tally = notifier(
            database, receiver, DESK, clock=clock, stop_at=1200, give_up_after=timedelta(minutes=5)
        ).run()
    assert tally.given_up == 2
    assert f"gave up sending {warning_id('c1')}/1 to desk after" in caplog.text
    assert states(database)["desk"] == {"pending": 0, "sent": 0, "given_up": 2, "muted": 0}
    with database.reading() as connection:
        row = connection.execute(select(OutboxRow.__table__)).first()
    assert row is not None
    assert row.last_error == "error=503"
    assert 5 <= row.attempts < 30
    assert Outbox(database, "x").retry_given_up(clock()) == 2
    receiver.refuses = lambda channel, message: False
    assert notifier(database, receiver, DESK, clock=clock).run().sent == 2


def test_nothing_is_given_up_before_it_was_tried_often_enough(database: Database) -> None:
    store(database, "c1")
    clock = Clock()
    Outbox(database, "x").add_channels(["desk"], clock(), from_now=False)
    Outbox(database, "x").fill(["desk"], clock())
    clock.push(30 * 86_400)
    receiver = Receiver(lambda channel, message: receiver.tried < 4)
    tally = notifier(database, receiver, DESK, clock=clock, stop_at=100).run()
    assert (tally.given_up, tally.sent) == (0, 2)


def test_two_notifiers_side_by_side_send_nothing_twice(database: Database) -> None:
    store(database, *(f"c{n}" for n in range(30)))
    clock = Clock()
    first, second = Receiver(), Receiver()
    other = notifier(database, second, DESK, clock=clock, owner="two")

    def between() -> None:
        # The other one runs through while the first is in the midst of a batch.
        first.before = lambda: None
        other.run()

    first.before = between
    notifier(database, first, DESK, clock=clock, owner="one").run()
    assert len(first.taken) == 20
    assert len(second.taken) == 40
    assert sorted(first.taken + second.taken) == sorted(expected(DESK, *(f"c{n}" for n in range(30))))


def test_a_notifier_that_died_gives_its_messages_back_after_the_lease(database: Database) -> None:
    store(database, "c1")
    clock = Clock()
    dead = Outbox(database, "dead")
    dead.add_channels(["desk"], clock(), from_now=False)
    dead.fill(["desk"], clock())
    assert len(dead.claim("desk", 10, clock())) == 2
    receiver = Receiver()
    assert notifier(database, receiver, DESK, clock=clock).run().sent == 0
    clock.push(LEASE.total_seconds())
    assert notifier(database, receiver, DESK, clock=clock).run().sent == 2


def test_a_slow_receiver_does_not_outlast_the_lease(database: Database) -> None:
    store(database, *(f"c{n}" for n in range(10)))
    clock = Clock()
    receiver = Receiver()
    claimed: list[int] = []

    def slowly() -> None:
        clock.push(19)
        thief = Outbox(database, "thief")
        claimed.append(len(thief.claim("desk", 100, clock())))
        thief.release([])

    receiver.before = slowly
    notifier(database, receiver, DESK, clock=clock).run()
    # What the first one holds is never taken from it; what it gave back may be.
    assert claimed[:4] == [0, 0, 0, 0]
    assert len(set(receiver.taken)) == len(receiver.taken)


def test_what_another_has_taken_over_is_not_settled_by_the_first(database: Database) -> None:
    store(database, "c1")
    clock = Clock()
    slow = Outbox(database, "slow")
    slow.add_channels(["desk"], clock(), from_now=False)
    slow.fill(["desk"], clock())
    mine = slow.claim("desk", 1, clock())[0]
    clock.push(LEASE.total_seconds() + 1)
    other = Outbox(database, "other")
    theirs = other.claim("desk", 1, clock())[0]
    assert isinstance(mine, Delivery)
    assert theirs.seq == mine.seq
    slow.failed(mine, "late", clock())
    other.sent(theirs, clock())
    assert states(database)["desk"]["sent"] == 1


def test_a_step_of_which_no_message_can_be_written_is_given_up(database: Database) -> None:
    store(database, "c1", "c2")
    with database.writing() as connection:
        broken = update(WarningStepRow).where(WarningStepRow.id == f"{warning_id('c1')}/1")
        connection.execute(broken.values(data={"tier": "high"}))
    receiver = Receiver()
    tally = notifier(database, receiver, DESK).run()
    assert (tally.sent, tally.given_up) == (3, 1)


def test_a_stop_in_the_midst_of_a_batch_gives_the_rest_back(database: Database) -> None:
    store(database, *(f"c{n}" for n in range(5)))
    receiver = Receiver()
    one = notifier(database, receiver, DESK)

    def stop() -> None:
        if receiver.tried == 3:
            one._stop.stopped = True  # type: ignore[attr-defined]  # the stub's

    receiver.before = stop
    assert one.run().sent == 3
    assert notifier(database, receiver, DESK, owner="two").run().sent == 7


def test_the_team_hears_of_a_lapse_and_a_deadline_but_not_of_who_took_it(database: Database) -> None:
    store_records(database, records(list(attended_life("c1"))))
    receiver = Receiver()
    notifier(database, receiver, DESK).run()
    assert receiver.taken == [
        (DESK.name, f"Warning: {warning_id('c1')}, step {number}") for number in (1, 3, 5)
    ]


def test_rises_and_deadlines_pass_the_cap_which_counts_warnings(database: Database) -> None:
    """As the engine makes them: opened, escalated, acknowledged, lapsed and overdue within a week."""
    kinds = [json.loads(content)["type"].rpartition(".")[2] for content in attended()]
    assert kinds == ["opened", "escalated", "acknowledged", "updated", "escalated"]
    store_records(database, records(list(attended())))
    box = Outbox(database, "one", Limits(at_most=3, period=timedelta(days=7), flapping_after=2))
    box.add_channels(["desk"], NOW, from_now=False)
    receiver = Receiver()
    Notifier(box, [DESK], receiver, Waits(1, Clock()), clock=Clock()).run()
    warning = json.loads(attended()[0])["data"]["warning_id"]
    assert receiver.taken == [(DESK.name, f"Warning: {warning}, step {number}") for number in (1, 2, 4, 5)]


def test_what_came_of_attempts_is_counted_by_channel_and_what_waits_can_be_asked(database: Database) -> None:
    store(database, "c1", "c2")
    refusing: set[str] = {"mail"}
    receiver = Receiver(lambda channel, message: channel.name in refusing)
    clock = Clock()
    one = notifier(database, receiver, DESK, MAIL, clock=clock)
    tally = one.run()
    assert one.deliveries == {("desk", "sent"): 4, ("mail", "failed"): 1}
    assert (tally.sent, tally.failed) == (4, 1)
    assert one.paused() == ["mail"]
    box = Outbox(database, "x")
    count, oldest = box.backlog(clock())
    assert count == 4
    assert oldest is not None
    assert oldest <= clock()

    def gone(channel: Channel, message: Message) -> None:
        msg = "410"
        raise ReceiverGone(msg)

    clock.now += timedelta(hours=1)
    assert one.paused() == []
    other = notifier(database, receiver, DESK, MAIL, clock=clock)
    other._sender = gone
    other.run()
    assert other.deliveries == {("mail", "gone"): 1}
    assert box.backlog(clock()) == (0, None)  # of channels that are sent to
    assert box.disabled() == ["mail"]


def test_steps_that_are_not_in_the_outbox_are_counted(database: Database) -> None:
    clock = Clock()
    box = Outbox(database, "x")
    box.add_channels(["desk", "mail"], clock(), from_now=False)
    assert box.lag(["desk", "mail"]) == (0, None)
    store(database, "c1", "c2")
    assert box.lag(["desk", "mail"]) == (2 * len(life("c1")), NOW)
    box.fill(["desk"], clock())
    assert box.lag(["desk", "mail"]) == (4, clock())  # judged, and not entered for the other channel
    assert box.lag(["desk"]) == (0, None)
    box.fill(["mail"], clock())
    assert box.lag(["desk", "mail"]) == (0, None)
