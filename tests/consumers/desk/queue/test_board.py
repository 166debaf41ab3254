"""The board: its order is that of the definition, recomputed from the topics' records, at any instant."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.desk.clock import DeskClock
from consumers.desk.config import DAY_US
from consumers.desk.people.person import Person, Role
from consumers.desk.queue.board import Board
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.open_warnings import TIERS
from consumers.desk.queue.order import Section
from consumers.desk.rulebook import PlayView, RulebookView
from tests.consumers.desk.desks import CONFIG
from tests.consumers.desk.queue.acted_shop import BUDGETS, acted_records
from tests.consumers.shop_records import KINDS, NOW
from tests.consumers.stored import store_records
from tests.oracle import queue as oracle

AGENT = Person("ann", Role.AGENT)
OPERATOR = Person("oz", Role.OPERATOR)
TOPICS = ("churn-warnings", "shop.customer-days", "actions")


@functools.cache
def events() -> dict[str, list[dict[str, Any]]]:
    return {
        topic: oracle.events(record.value for record in acted_records() if record.topic == topic)
        for topic in TOPICS
    }


def at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event.get("time") or event["occurred_at"])


@functools.cache
def instants() -> list[datetime]:
    """Return some instants of the shop's history: at and between its records."""
    times = sorted({at(event) for found in events().values() for event in found})
    chosen = times[:: max(1, len(times) // 7)]
    return [*chosen, *(time + timedelta(hours=5) for time in chosen[::3]), times[-1]]


class Plays:
    def __init__(self, budgets: dict[str, float]) -> None:
        self._view = RulebookView(
            plays=tuple(PlayView(play, play, budget_month=amount) for play, amount in budgets.items())
        )

    def current(self) -> RulebookView:
        return self._view

    def explain(self, rule_id: str, version: str, values: object) -> None:
        """Nobody asks."""


def board_at(
    database: Database, now: datetime, budgets: dict[str, float] | None = None, **changes: Any
) -> Board:
    config = replace(CONFIG, app="shop", acknowledge_for=dict.fromkeys(TIERS, 7 * DAY_US), **changes)
    return Board(database, DeskClock(lambda: now, lambda: now), config, Plays(budgets or {}))


def filled(database: Database, until: datetime) -> None:
    """Store the records up to an instant."""
    for topic in TOPICS:
        found = [r for r, e in zip(of_topic(topic), events()[topic], strict=True) if at(e) <= until]
        store_records(database, found, NOW, KINDS[topic])


@functools.cache
def of_topic(topic: str) -> tuple[Any, ...]:
    return tuple(record for record in acted_records() if record.topic == topic)


def of_section(board: Board, section: Section, person: Person = OPERATOR) -> list[str]:
    return board.ids(QueueFilter(show=(section,)), person)


def check(
    board: Board, now: datetime, capacity: int | None, budgets: dict[str, float] | None
) -> oracle.Expected:
    steps, days, actions = (events()[topic] for topic in TOPICS)
    expected = oracle.queue(steps, days, actions, now, capacity=capacity, budgets=budgets)
    assert of_section(board, Section.TODAY) == expected.today
    assert of_section(board, Section.UNSERVED) == expected.unserved
    assert of_section(board, Section.UNKNOWN) == expected.unknown
    assert set(of_section(board, Section.ATTENDED)) == expected.attended
    assert set(of_section(board, Section.DONT)) == expected.dont
    assert set(of_section(board, Section.HELD_OUT)) == expected.held_out
    whole = board.page(QueueFilter(), OPERATOR)
    assert whole.sections[Section.UNSERVED].net == pytest.approx(expected.unserved_net)
    assert [row.warning_id for row in whole.rows] == (expected.today + expected.unserved + expected.unknown)[
        :50
    ]
    return expected


@pytest.mark.parametrize("capacity", [None, 3])
def test_the_order_is_that_of_the_definition_at_every_instant(
    database: Database, capacity: int | None
) -> None:
    """The store grows as the shop's history goes on, and the board follows it."""
    seen = oracle.Expected()
    board = board_at(database, instants()[0])
    for now in sorted(instants()):
        filled(database, now)
        budgets = BUDGETS
        fresh = board_at(database, now, budgets, capacity=capacity)
        expected = check(fresh, now, capacity, budgets)
        board._clock = DeskClock(lambda now=now: now, lambda now=now: now)  # type: ignore[misc]  # its default
        board._config, board._rulebook = fresh._config, fresh._rulebook
        board.refresh()
        check(board, now, capacity, budgets)
        seen.today += expected.today
        seen.unserved += expected.unserved
        seen.unknown += expected.unknown
        seen.attended |= expected.attended
        seen.dont |= expected.dont
        seen.held_out |= expected.held_out
    for name in ("today", "unknown", "attended", "dont", "held_out"):
        assert getattr(seen, name), name
    assert capacity is None or seen.unserved


def test_the_queue_of_a_past_instant_is_made_from_what_the_store_has(database: Database) -> None:
    last = max(instants())
    filled(database, last)
    for now in instants():
        config = replace(CONFIG, app="shop", capacity=3)
        clock = DeskClock(lambda: last, lambda: last)
        check(Board(database, clock, config, Plays({}), as_of=now), now, 3, None)
