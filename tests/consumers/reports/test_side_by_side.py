"""Parts made at the same time see one state of the database, and one that fails ends the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, func, select, text

from consumers.database.database import Database, snapshot_of
from consumers.database.outcomes import OutcomeRow
from consumers.reports import report as module
from consumers.reports.knowledge import Knowledge
from consumers.reports.report import LONGEST, MAKERS, make_report
from consumers.reports.side_by_side import PartQueue, side_by_side
from tests.consumers.reports.test_report import HORIZON, LATER, PERIOD, TERMS, store_half
from tests.consumers.shop_records import NOW

KNOWN = Knowledge("UTC", HORIZON, HORIZON)
COUNT = select(func.count()).select_from(OutcomeRow)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    with closing(Database(postgres_url)) as made:
        made.prepare()
        store_half(made, False, NOW)
        yield made


def hear_nothing(name: str, number: int, count: int) -> None:
    """Hear of a part and do nothing."""


def test_parts_made_at_the_same_time_are_those_made_one_by_one(database: Database) -> None:
    store_half(database, True, LATER)
    heard: list[tuple[str, int]] = []
    both = [
        make_report(
            database,
            PERIOD,
            KNOWN,
            TERMS,
            on_part=lambda name, number, count: heard.append((name, number)),
            at_once=at_once,
        )
        for at_once in (1, 4)
    ]
    alone, together = (msgspec.json.encode(each.as_dict()) for each in both)
    assert alone == together
    assert list(both[1].parts) == list(MAKERS)
    order = [*LONGEST, *(name for name in MAKERS if name not in LONGEST)]
    assert heard == [(name, number) for number, name in enumerate(order, start=1)] * 2


def test_every_connection_sees_what_the_first_one_saw(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Count:
        def __init__(self, n: int) -> None:
            self.n = n

        def as_dict(self) -> dict[str, Any]:
            return {"n": self.n}

    stored = threading.Lock()

    def counted(connection: Connection, *given: object) -> Count:
        found = connection.scalar(COUNT) or 0
        with stored:
            if not later:  # the sink goes on while parts are made
                later.append(True)
                store_half(database, True, LATER)
        return Count(found)

    later: list[bool] = []
    monkeypatch.setattr(module, "MAKERS", {str(number): counted for number in range(6)})
    with database.reading() as connection:
        before = connection.scalar(COUNT)
    report = make_report(database, PERIOD, KNOWN, TERMS, wanted=list("012345"))
    with database.reading() as connection:
        assert connection.scalar(COUNT) != before
    assert {part.as_dict()["n"] for part in report.parts.values()} == {before}


def test_a_part_that_fails_ends_the_queries_of_the_others(database: Database) -> None:
    begun = threading.Event()

    def work(connection: Connection) -> None:
        for name in queue:
            if name == "slow":
                begun.set()
                connection.execute(text("SELECT pg_sleep(60)"))
            else:
                begun.wait(10)
                msg = f"no {name}"
                raise LookupError(msg)

    queue = PartQueue(["slow", "broken", "never"], hear_nothing)
    began = time.monotonic()
    with (
        database.reading() as connection,
        pytest.raises(LookupError, match="no broken"),
    ):
        side_by_side(database, snapshot_of(connection) or "", queue, work, 2)
    assert time.monotonic() - began < 30
    assert not list(queue)


def test_a_file_has_no_snapshot_and_makes_its_parts_one_by_one() -> None:
    with closing(Database("sqlite://")) as made:
        made.prepare()
        with made.reading() as connection:
            assert snapshot_of(connection) is None
        assert list(make_report(made, PERIOD, KNOWN, TERMS).parts) == list(MAKERS)
