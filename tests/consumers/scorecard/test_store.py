"""A scorecard from the store is the one from the lines, on both databases; and as the store stood before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.database.database import Database
from consumers.scorecard.facts import facts_of
from consumers.scorecard.scorecard import scorecard
from consumers.scorecard.store import stored_facts
from tests.consumers.scorecard.made import Made, events, made
from tests.consumers.scorecard.stored import NOW, store
from tests.streams.backtest.histories import HORIZON

SPAN = timedelta(microseconds=HORIZON)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}" if sqlite else request.getfixturevalue("postgres_url"))
    opened.prepare()
    yield opened
    opened.close()


def from_lines(given: Made) -> dict[str, object]:
    facts = facts_of(events(given.outcomes), given.actions, events(given.steps))
    return scorecard(facts, HORIZON).as_dict(100)


def test_the_store_gives_the_card_of_the_lines(database: Database) -> None:
    given = made(1)
    store(database, given)
    assert scorecard(stored_facts(database, SPAN), HORIZON).as_dict(100) == from_lines(given)


def test_a_card_of_a_past_instant_leaves_out_what_was_stored_later(database: Database) -> None:
    given = made(2)
    half = len(given.outcomes) // 2
    before = replace(given, outcomes=given.outcomes[:half], actions=given.actions[::2])
    store(database, before, NOW)
    later = replace(given, outcomes=given.outcomes[half:], steps=[], actions=given.actions[1::2])
    store(database, later, NOW + timedelta(seconds=1))
    found = scorecard(stored_facts(database, SPAN, NOW), HORIZON).as_dict(100)
    assert found == from_lines(before)
    assert found != from_lines(given)
    assert scorecard(stored_facts(database, SPAN), HORIZON).as_dict(100) == from_lines(given)


def test_an_empty_store_gives_an_empty_card(database: Database) -> None:
    found = scorecard(stored_facts(database, SPAN), HORIZON)
    assert (found.losses, found.rules, found.known_to) == (0, (), None)
