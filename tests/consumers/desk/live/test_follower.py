"""The follower: what is stored, or done in another process, comes to the board and onto the feed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from consumers.database.database import Database, StoreAway
from consumers.desk.live.follower import Follower
from consumers.desk.pages.live import seen_by
from consumers.desk.people.person import LOCAL, Person, Role
from consumers.desk.queue.filter import QueueFilter
from consumers.drafts import Draft
from streams.contract.warnings import encode_step
from tests.consumers.desk.desks import desk_over
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, record, records, step, value, warning_id

AGENT = Person("ann", Role.AGENT)


def test_changes_are_published_with_the_warnings_that_they_are_about(database: Database) -> None:
    desk = desk_over(database)
    follower = Follower(desk.board, desk.live, desk.presence, desk.clock)
    published = desk.live._events
    follower.look()
    assert not published  # the first reading is no news
    store_records(database, records([value(customer="c1"), value(customer="c2")]))
    follower.look()
    assert [(each.kind, each.data["changed"]) for each in published] == [
        ("queue", sorted([warning_id("c1"), warning_id("c2")]))
    ]
    follower.look()
    assert len(published) == 1
    store_records(database, [record(each, 10 + n) for n, each in enumerate(life("c1")[1:])])
    follower.look()
    assert published[-1].data["gone"] == [warning_id("c1")]
    assert desk.board.ids(QueueFilter(), LOCAL) == [warning_id("c2")]


def test_what_is_done_in_another_process_comes_too(database: Database) -> None:
    store_records(database, records([value(customer="c1")]))
    here, there = desk_over(database), desk_over(database)
    follower = Follower(here.board, here.live, here.presence, here.clock)
    follower.look()
    group = there.actions.submit(AGENT, [Draft("c1", "acknowledge", warning_id("c1"))])
    follower.look()
    assert here.live._events[-1].data["changed"] == [warning_id("c1")]
    row = here.board.row(warning_id("c1"), AGENT)
    assert row is not None
    assert row.attended is not None
    assert (row.attended.state, row.attended.by) == ("acknowledged", "ann")
    there.actions.undo(AGENT, group)
    follower.look()
    row = here.board.row(warning_id("c1"), AGENT)
    assert row is not None
    assert row.attended is None


def test_held_out_customers_are_in_no_event_for_agents(database: Database) -> None:
    hidden = replace(step(customer="h1"), holdout=True)
    desk = desk_over(database)
    follower = Follower(desk.board, desk.live, desk.presence, desk.clock)
    follower.look()
    store_records(database, records([encode_step(hidden, "lapwing")]))
    desk.presence.enter("oz", "h1")
    follower.look()
    events = list(desk.live._events)
    assert {each.kind for each in events} == {"queue", "presence"}
    for each in events:
        for_agent, for_operator = seen_by(desk, AGENT, each), seen_by(desk, LOCAL, each)
        assert for_agent is None or "h1" not in for_agent.text
        assert for_agent is None or hidden.warning_id not in for_agent.text
        assert for_operator is not None
        assert "h1" in for_operator.text or hidden.warning_id in for_operator.text


def test_it_follows_in_a_thread_until_it_is_stopped(database: Database) -> None:
    desk = desk_over(database)
    follower = Follower(desk.board, desk.live, desk.presence, desk.clock)
    follower.start()
    try:
        _wait(lambda: desk.board.loading is None)
        store_records(database, records([value(customer="c1")]))
        follower.wake()
        _wait(lambda: len(desk.board) == 1)
    finally:
        follower.stop()
    assert follower._thread is not None
    assert not follower._thread.is_alive()


def _wait(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline


def test_whatever_goes_wrong_it_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_over(database)
    follower = Follower(desk.board, desk.live, desk.presence, desk.clock)
    refresh, failures = desk.board.refresh, iter([StoreAway("locked"), ValueError("a fault of ours")])

    def refresh_or_fail() -> bool:
        for each in failures:
            raise each
        return refresh()

    monkeypatch.setattr(desk.board, "refresh", refresh_or_fail)
    follower.start()
    try:
        _wait(lambda: desk.board.loading is None)
    finally:
        follower.stop()
    assert next(failures, None) is None
