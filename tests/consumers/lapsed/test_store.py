"""The win-back list from the store is the one from the lines, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.database.database import Database
from consumers.lapsed import store as lapsed_store
from consumers.lapsed.facts import facts_of
from consumers.lapsed.store import stored_facts
from consumers.lapsed.win_back import WinBackFilter, win_back_list
from streams.contract.instants import format_instant
from tests.consumers.lapsed.test_win_back import attempts
from tests.consumers.scorecard.made import Made, events, made
from tests.consumers.scorecard.stored import NOW, store


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}" if sqlite else request.getfixturevalue("postgres_url"))
    opened.prepare()
    yield opened
    opened.close()


def test_the_store_gives_the_list_of_the_lines(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lapsed_store, "_ASKED", 3)
    given = made(1)
    given.actions.extend(attempts(given))
    store(database, given)
    facts = facts_of(events(given.outcomes), given.actions, events(given.steps))
    expected = win_back_list(facts, WinBackFilter()).as_dict()
    assert len(expected["customers"]) > 5
    found = stored_facts(database)
    assert found.departures.keys() == facts.departures.keys()
    # Steps of customers who came back are not read, so less may be known than the lines know.
    assert found.known_to is not None
    assert facts.known_to is not None
    assert found.known_to <= facts.known_to
    assert win_back_list(found, WinBackFilter(), facts.known_to).as_dict() == expected | {
        "known_to": format_instant(found.known_to)
    }


def test_an_empty_store_gives_an_empty_list(database: Database) -> None:
    found = win_back_list(stored_facts(database), WinBackFilter())
    assert (found.customers, found.gone, found.known_to) == ((), 0, None)


def test_an_old_list_made_again_knows_what_the_store_knew_then(database: Database) -> None:
    given = made(1)
    given.actions.extend(attempts(given))
    middle = sorted(event["time"] for event in events(given.outcomes))[len(given.outcomes) // 2]
    action_middle = sorted(each.at for each in given.actions)[len(given.actions) // 2]

    def part(*, early: bool) -> Made:
        def of(lines: list[bytes]) -> list[bytes]:
            times = zip(lines, (event["time"] for event in events(lines)), strict=True)
            return [line for line, time in times if (time < middle) is early]

        done = [each for each in given.actions if (each.at < action_middle) is early]
        return Made(of(given.outcomes), of(given.steps), done, given.backtest)

    before = part(early=True)
    store(database, before, NOW)
    expected = stored_facts(database)
    assert len(expected.departures) > 2
    store(database, part(early=False), NOW + timedelta(seconds=7))
    found = stored_facts(database, NOW)
    assert found.departures == expected.departures
    assert found.warnings == expected.warnings
    assert found.actions == expected.actions
    assert stored_facts(database).departures != expected.departures
    assert stored_facts(database, NOW - timedelta(seconds=1)).departures == {}
