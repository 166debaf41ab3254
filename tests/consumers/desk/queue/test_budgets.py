"""The budgets of a past instant, from the changes that workers note, against those that were set."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.desk.queue.budgets import budgets_at
from consumers.desk.queue.filter import QueueFilter
from consumers.sink.kinds import ADOPTIONS
from streams.contract.audit import encode_adopted
from streams.contract.instants import EPOCH
from streams.core.decision.plays import Play, Plays
from streams.core.events.calendar import NEVER
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from streams.rulebook.revisions import RuleRevision
from streams.worker.rule_notices import adoption
from tests.consumers.desk.desks import NOW, browser, desk_over
from tests.consumers.desk.queue.test_board import OPERATOR
from tests.consumers.stored import store_records
from tests.streams.simulate.test_helped_shop import PLAYS, RULES

DAY_US = 86_400_000_000
T0_US = 1_300_000_000_000_000
Budget = Mapping[str, float]


def rule_set(budgets: Budget, *names: str) -> RuleSet:
    one: Play = next(iter(PLAYS.by_id.values()))
    plays = [replace(one, id=name, title=name, budget_month=budgets.get(name)) for name in names]
    # A rule names its play; which one it is does not matter here.
    return RuleSet(tuple(replace(rule, play=None) for rule in RULES), DTYPES, Plays(plays))


def note(database: Database, *sets: RuleSet) -> None:
    """Note that two partitions went from one set to the next, a day after another."""
    records: list[Record] = []
    for number, (before, after) in enumerate(zip((None, *sets), sets, strict=False)):
        for partition in range(2):
            wall = T0_US + number * DAY_US
            at, revision = NEVER if before is None else wall, RuleRevision(after, {}, 0)
            made: Mapping[str, Any] = adoption(
                "shop", "w", partition, {"orders": number}, at, before, revision, wall
            )
            records.append(Record("audit", 0, len(records), 0, None, encode_adopted(made)))
    assert store_records(database, records, NOW, ADOPTIONS).stored == len(records)


@pytest.mark.parametrize("seed", range(5))
def test_each_day_has_the_budgets_of_then(database: Database, seed: int) -> None:
    draw = random.Random(seed)
    names = ("call", "letter", "visit")
    history: list[Budget] = []
    while len(history) < 6:
        made = {name: float(draw.randrange(1, 99)) for name in names if draw.random() < 0.6}
        if not history or made != history[-1]:
            history.append(made)
    note(database, *(rule_set(each, *names) for each in history))
    for number, budgets in enumerate(history):
        noon = EPOCH + timedelta(microseconds=T0_US + number * DAY_US + DAY_US // 2)
        found = budgets_at(database, history[-1], noon)
        assert (found.by_play, found.are_known) == (budgets, True), number


def test_where_the_rules_before_could_not_be_read_the_budgets_are_not_known(database: Database) -> None:
    note(database, rule_set({"a": 5.0}, "a"))
    made = adoption("shop", "w", 0, {}, T0_US + DAY_US, "0123", RuleRevision(rule_set({}, "a"), {}, 0), T0_US)
    assert store_records(
        database, [Record("audit", 0, 99, 0, None, encode_adopted(made))], NOW, ADOPTIONS
    ).stored
    assert not budgets_at(database, {}, EPOCH + timedelta(microseconds=T0_US)).are_known


def test_a_play_that_is_new_had_no_budget_and_one_that_is_gone_is_not_known(database: Database) -> None:
    note(database, rule_set({"a": 5.0}, "a", "b"), rule_set({"b": 7.0, "c": 9.0}, "b", "c"))
    begin = EPOCH + timedelta(microseconds=T0_US)
    found = budgets_at(database, {"b": 7.0, "c": 9.0}, begin)
    assert (found.by_play, found.are_known) == ({}, False)
    assert budgets_at(database, {"b": 7.0}, begin + timedelta(days=2)).are_known


def test_without_a_history_those_of_today_stand_for_them_and_the_page_says_so(database: Database) -> None:
    found = budgets_at(database, {"a": 5.0}, NOW)
    assert (found.by_play, found.are_known) == ({"a": 5.0}, False)
    client = browser(desk_over(database))
    text = client.get("/?at=2011-03-01").text
    assert "budgets of then are not all known" in text
    note(database, rule_set({}, "a"))
    assert "not all known" not in client.get("/?at=2011-03-15").text


def test_the_queue_of_a_past_day_has_the_budgets_of_then(database: Database) -> None:
    desk = desk_over(database)
    plays = desk.rulebook.current().plays
    shipped = RuleSet(RULES, DTYPES, PLAYS)
    assert plays
    play = replace(next(iter(PLAYS.by_id.values())), id=plays[0].id)
    before = RuleSet(shipped.rules, DTYPES, Plays([*PLAYS.by_id.values(), replace(play, budget_month=40.0)]))
    after = RuleSet(shipped.rules, DTYPES, Plays([*PLAYS.by_id.values(), play]))
    note(database, before, after)
    past = desk.past.at(EPOCH + timedelta(microseconds=T0_US + DAY_US // 2))
    assert past.page(QueueFilter(), OPERATOR).spent == {plays[0].id: (0.0, 40.0)}
    assert desk.board.page(QueueFilter(), OPERATOR).spent == {}
