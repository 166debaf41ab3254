"""A silence stops what waits in the outbox already."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consumers.database.database import Database
from consumers.muting.counts import muted_by_silence
from consumers.notify.outbox import Outbox
from tests.consumers.notify.notice_shop import BEGIN, DAY, HOUR, Shop, opened, put, silence, store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def waiting() -> Database:
    """Return a database whose channel is still to get 30 warnings."""
    database, shop = opened(), Shop([], {})
    for number in range(30):
        shop.step(f"c{number}", BEGIN - HOUR, "opened")
    store(database, shop)
    box = Outbox(database, "one")
    box.add_channels(["desk"], BEGIN, from_now=False)
    assert box.fill(["desk"], BEGIN) == 30
    return database


def claimed(database: Database, now: object) -> list[str]:
    return sorted(delivery.step_id for delivery in Outbox(database, "two").claim("desk", 20, now))  # type: ignore[arg-type]


def test_the_kill_switch_stops_what_waits_and_counts_it(waiting: Database) -> None:
    put(waiting, silence("stop", BEGIN, BEGIN + DAY))
    assert claimed(waiting, BEGIN) == []
    assert claimed(waiting, BEGIN + MINUTE) == []
    assert muted_by_silence(waiting) == {"stop": 30}
    assert Outbox(waiting, "").counts()["desk"]["pending"] == 30


def test_others_are_not_held_up(waiting: Database) -> None:
    muted = [f"c{number}" for number in range(29)]
    put(waiting, silence("some", BEGIN, BEGIN + DAY, matchers={"customers": muted}))
    assert claimed(waiting, BEGIN) == ["c29-1/1"]


def test_what_is_open_at_the_silences_end_is_sent_and_what_has_ended_is_not(waiting: Database) -> None:
    put(waiting, silence("stop", BEGIN, BEGIN + DAY))
    assert claimed(waiting, BEGIN) == []
    shop = Shop([], {f"c{number}-1": 1 for number in range(28)})
    for number in range(28):
        shop.step(f"c{number}", BEGIN + HOUR, "resolved")
    store(waiting, shop)
    assert claimed(waiting, BEGIN + DAY) == ["c28-1/1", "c29-1/1"]
    counts = Outbox(waiting, "").counts()["desk"]
    assert (counts["pending"], counts["muted"]) == (2, 28)


def test_an_expired_silence_lets_it_go_within_a_minute(waiting: Database) -> None:
    stop = silence("stop", BEGIN, BEGIN + DAY)
    put(waiting, stop)
    assert claimed(waiting, BEGIN) == []
    put(waiting, stop.model_copy(update={"revision": 2, "expired_at": BEGIN + MINUTE}))
    assert len(claimed(waiting, BEGIN + MINUTE)) == 20


def test_what_a_silence_defers_is_not_overdue_until_the_silence_has_ended(waiting: Database) -> None:
    box = Outbox(waiting, "two")
    assert box.backlog(BEGIN + MINUTE) == (30, BEGIN)
    stop = silence("stop", BEGIN, BEGIN + DAY)
    put(waiting, stop)
    assert claimed(waiting, BEGIN + MINUTE) == []
    assert box.backlog(BEGIN + MINUTE) == (30, None)
    # Nobody has looked since: then it counts from when it was to be looked at again.
    assert box.backlog(BEGIN + HOUR) == (30, BEGIN + 2 * MINUTE)
    assert claimed(waiting, BEGIN + HOUR) == []
    assert box.backlog(BEGIN + HOUR) == (30, None)
    put(waiting, stop.model_copy(update={"revision": 2, "expired_at": BEGIN + HOUR}))
    first, *_ = box.claim("desk", 20, BEGIN + 2 * HOUR)
    assert box.backlog(BEGIN + 2 * HOUR) == (30, BEGIN + HOUR + MINUTE)
    box.failed(first, "503", BEGIN + 3 * HOUR)
    assert box.backlog(BEGIN + 2 * HOUR) == (30, BEGIN)  # a failure is due all the while
