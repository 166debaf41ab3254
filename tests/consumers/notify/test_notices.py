"""Stored steps become notices: deferred, sent late, muted for good, by event time and by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select

from consumers.database.database import Database
from consumers.database.migrations.runner import newest_version
from consumers.database.notices import ChannelRow, OutboxRow
from consumers.database.warnings import WarningStepRow
from consumers.muting.counts import muted_by_reason, muted_by_silence
from consumers.muting.notes import DeferredNote, FlappingNote, decode_notes
from consumers.muting.notice import Limits
from consumers.notify import notices as module
from consumers.notify.notices import NoticeCounts, Notices
from consumers.notify.outbox import Outbox
from streams.core.steps import Tier
from tests.consumers.notify.notice_shop import (
    BEGIN,
    DAY,
    HOUR,
    LIMITS,
    Shop,
    decided,
    opened,
    put,
    rows,
    silence,
    store,
)
from tests.consumers.stubs import later_columns

LIMITS_OF_CAP = Limits(at_most=3, period=7 * DAY)


@pytest.fixture
def shop() -> Shop:
    return Shop([], {})


@pytest.fixture
def database() -> Iterator[Database]:
    found = opened()
    yield found
    found.close()


def test_a_deferred_notice_is_sent_when_event_time_has_passed_the_silence(
    database: Database, shop: Shop
) -> None:
    put(database, silence("s", BEGIN - DAY, BEGIN + DAY))
    shop.step("c1", BEGIN, "opened")
    shop.step("c2", BEGIN, "opened")
    shop.step("c2", BEGIN + HOUR, "resolved")
    shop.step("c3", BEGIN + 2 * DAY, "opened")
    store(database, shop, BEGIN + 3 * DAY)
    assert Notices(database).judge(BEGIN + 3 * DAY) == NoticeCounts(sent=2, muted=2)
    assert decided(database) == [
        ("c1-1/1", "muted", "silence"),
        ("c2-1/1", "muted", "silence"),
        ("c1-1/1", "told", None),
        ("c3-1/1", "told", None),
    ]
    late = rows(database)[2]
    assert late.at == BEGIN + DAY
    assert decode_notes(late.note) == (DeferredNote(BEGIN, "silence", "why"),)
    assert muted_by_silence(database) == {"s": 2}
    assert muted_by_reason(database) == {"silence": {"held": 0, "muted": 2}}


def test_a_held_out_warning_is_recorded_and_sent_to_nobody(database: Database, shop: Shop) -> None:
    for number, kind in enumerate(("opened", "escalated", "resolved")):
        shop.step("c1", BEGIN + number * HOUR, kind, holdout=True)
    shop.step("c2", BEGIN, "opened")
    store(database, shop)
    Notices(database, LIMITS).judge(BEGIN + 9 * DAY)
    assert decided(database) == [
        ("c1-1/1", "muted", "holdout"),
        ("c1-1/2", "muted", "holdout"),
        ("c2-1/1", "told", None),
    ]


def test_while_no_steps_come_the_wall_clock_ends_a_silence(database: Database, shop: Shop) -> None:
    put(database, silence("s", BEGIN - DAY, BEGIN + DAY))
    shop.step("c1", BEGIN, "opened")
    store(database, shop)
    judge = Notices(database).judge
    assert judge(BEGIN) == NoticeCounts(muted=1)
    assert judge(BEGIN + DAY - HOUR) == NoticeCounts()
    assert judge(BEGIN + DAY) == NoticeCounts(sent=1)
    assert judge(BEGIN + 9 * DAY) == NoticeCounts()


def test_the_newest_step_of_a_warning_is_what_is_sent_late_and_once(database: Database, shop: Shop) -> None:
    put(database, silence("s", BEGIN - DAY, BEGIN + DAY))
    shop.step("c1", BEGIN, "opened", Tier.LOW)
    shop.step("c1", BEGIN + HOUR, "escalated", Tier.HIGH)
    shop.step("c1", BEGIN + 2 * HOUR, "updated", Tier.MEDIUM)
    store(database, shop)
    Notices(database).judge(BEGIN)
    Notices(database).judge(BEGIN + 2 * DAY)
    assert decided(database) == [
        ("c1-1/1", "muted", "silence"),
        ("c1-1/2", "muted", "silence"),
        ("c1-1/3", "told", None),
    ]


def test_what_joins_and_is_not_silenced_is_sent_with_the_update(database: Database, shop: Shop) -> None:
    put(database, silence("s", BEGIN - DAY, BEGIN + DAY, matchers={"rules": ["login-drop"]}))
    shop.step("c1", BEGIN, "opened", rule="login-drop")
    shop.step("c1", BEGIN + HOUR, "updated", rule="overdue")
    store(database, shop)
    Notices(database).judge(BEGIN)
    assert decided(database) == [("c1-1/1", "muted", "silence"), ("c1-1/2", "told", None)]


def test_an_acknowledged_warning_is_not_sent_late(database: Database, shop: Shop) -> None:
    put(database, silence("s", BEGIN - DAY, BEGIN + DAY))
    shop.step("c1", BEGIN, "opened")
    shop.step("c1", BEGIN + HOUR, "acknowledged")
    store(database, shop)
    Notices(database).judge(BEGIN + 2 * DAY)
    assert decided(database) == [("c1-1/1", "muted", "silence")]


def test_a_changed_silence_is_looked_at_at_once(database: Database, shop: Shop) -> None:
    first = silence("s", BEGIN - DAY, BEGIN + 9 * DAY)
    assert put(database, first) == 1
    shop.step("c1", BEGIN, "opened")
    store(database, shop)
    Notices(database).judge(BEGIN)
    assert put(database, first) == 0
    assert Notices(database).judge(BEGIN + HOUR) == NoticeCounts()
    ended = first.model_copy(update={"revision": 2, "expired_at": BEGIN + HOUR})
    assert put(database, ended, first, now=BEGIN + HOUR) == 1
    assert Notices(database).judge(BEGIN + HOUR) == NoticeCounts(sent=1)


def test_two_silences_in_turn_count_for_each(database: Database, shop: Shop) -> None:
    put(database, silence("a", BEGIN - DAY, BEGIN + DAY), silence("b", BEGIN + DAY, BEGIN + 2 * DAY))
    shop.step("c1", BEGIN, "opened")
    store(database, shop)
    for hours in range(0, 72, 6):
        Notices(database).judge(BEGIN + hours * HOUR)
    assert [(row.verdict, row.silence_id) for row in rows(database)] == [
        ("muted", "a"),
        ("muted", "b"),
        ("told", None),
    ]
    assert muted_by_silence(database) == {"a": 1, "b": 1}


def test_quiet_hours_delay_to_the_morning(database: Database, shop: Shop) -> None:
    hours = {"begins": "20:00", "ends": "08:00"}
    put(database, silence("q", BEGIN - 9 * DAY, None, recurring=hours))
    shop.step("c1", BEGIN, "opened")
    store(database, shop)
    night = BEGIN.replace(hour=23)
    judge = Notices(database).judge
    assert judge(night) == NoticeCounts(muted=1)
    assert judge(night + 8 * HOUR) == NoticeCounts()
    assert judge(night + 9 * HOUR) == NoticeCounts(sent=1)
    assert [row.why for row in rows(database)] == ["quiet_hours", None]


@pytest.mark.parametrize("is_overdue", [True, False])
@pytest.mark.parametrize("muted_by", ["quiet_hours", "silence"])
@pytest.mark.parametrize("later", ["updated", "no step"])
def test_a_deadline_or_rise_of_the_night_passes_the_cap_in_the_morning_whatever_comes_after(
    database: Database, shop: Shop, is_overdue: bool, muted_by: str, later: str
) -> None:
    night = BEGIN.replace(hour=23)
    if muted_by == "quiet_hours":
        put(database, silence("q", BEGIN - 9 * DAY, None, recurring={"begins": "20:00", "ends": "08:00"}))
    else:
        put(database, silence("s", BEGIN + 6 * HOUR, night + 9 * HOUR))
    for warning in (1, 2, 3):
        shop.step("c1", BEGIN, "opened", warning=warning)
    shop.step("c1", BEGIN + HOUR, "opened", Tier.LOW, warning=4)
    store(database, shop)
    judge = Notices(database, LIMITS_OF_CAP).judge
    assert judge(BEGIN + 2 * HOUR) == NoticeCounts(sent=3, muted=1)
    assert rows(database)[-1].why == "fatigue"
    shop.step("c1", night, "escalated", Tier.MEDIUM, warning=4, is_overdue=is_overdue)
    store(database, shop, night)
    assert judge(night) == NoticeCounts(muted=1)
    assert rows(database)[-1].why == muted_by
    if later == "updated":
        shop.step("c1", night + HOUR, "updated", Tier.MEDIUM, rule="login-drop", warning=4)
        store(database, shop, night + HOUR)
        judge(night + HOUR)
    assert judge(night + 9 * HOUR) == NoticeCounts(sent=1)
    assert rows(database)[-1].verdict == "told"


def flapping_shop(shop: Shop, days: int = 40) -> None:
    for day in range(days):
        shop.step("c1", BEGIN + day * DAY, "opened", warning=day)
        shop.step("c1", BEGIN + day * DAY + HOUR, "resolved", warning=day)


def test_flapping_gives_few_notices_and_none_is_lost(database: Database, shop: Shop) -> None:
    flapping_shop(shop)
    shop.step("c1", BEGIN + 60 * DAY, "opened", warning=60)
    store(database, shop)
    Notices(database, LIMITS).judge(BEGIN)
    sent = [row for row in rows(database) if row.verdict == "told"]
    assert [(row.step_id, row.why) for row in sent] == [
        ("c1-0/1", None),
        ("c1-1/1", None),
        ("c1-2/1", "flapping"),
        ("c1-60/1", None),  # it has been stable for long enough
    ]
    assert decode_notes(sent[2].note) == (FlappingNote(3, 10.0),)
    assert muted_by_reason(database) == {"flapping": {"held": 0, "muted": 37}}


def test_what_flapped_and_stays_open_is_sent_when_it_has_been_stable(database: Database, shop: Shop) -> None:
    flapping_shop(shop, 6)
    shop.step("c1", BEGIN + 6 * DAY, "opened", warning=6)
    store(database, shop)
    Notices(database, LIMITS).judge(BEGIN + 6 * DAY)
    Notices(database, LIMITS).judge(BEGIN + 16 * DAY - HOUR)
    assert [row.verdict for row in rows(database)][-1] == "held"
    Notices(database, LIMITS).judge(BEGIN + 16 * DAY)
    assert decided(database)[-2:] == [("c1-6/1", "muted", "flapping"), ("c1-6/1", "told", None)]


def test_what_channels_had_before_there_were_notices_stands(tmp_path: Any, shop: Shop) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    old = Database(url)
    old.prepare(to=3)
    for number in range(4):
        shop.step("c1", BEGIN + number * DAY, "opened", warning=number)
        shop.step("c1", BEGIN + number * DAY, "resolved", warning=number)
    with later_columns(old):
        store(old, shop)
    with old.writing() as connection:
        for name, place in (("new", 0), ("slow", 4), ("desk", 6)):
            connection.execute(insert(ChannelRow).values(name=name, filled_to=place, added_at=BEGIN))
        step = connection.scalar(select(WarningStepRow.id).where(WarningStepRow.seq == 1))
        entered = {"step_id": step, "channel": "desk", "state": "sent", "attempts": 1, "created_at": BEGIN}
        connection.execute(insert(OutboxRow).values(due_at=BEGIN, **entered))
    old.close()
    database = Database(url)
    assert database.prepare() == (3, newest_version())
    assert Outbox(database, "x").fill(["new", "slow", "desk"], BEGIN + DAY) == 4 + 2 + 1
    assert [row.verdict for row in rows(database)] == ["told"] * 4
    assert Outbox(database, "x").fill(["new", "slow", "desk"], BEGIN + DAY) == 0
    database.close()


def test_more_steps_than_one_turn_takes(
    database: Database, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    for number in range(10):
        shop.step(f"c{number}", BEGIN, "opened")
    store(database, shop)
    assert Notices(database).judge(BEGIN) == NoticeCounts(sent=10)
