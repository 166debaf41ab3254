from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, insert, select

from consumers.database.database import Database, StoreAway
from consumers.database.desk import ViewRow
from consumers.database.group_commit import GroupCommit
from consumers.database.many_rows import RowRefused
from streams.errors import ActError, StoreError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WITHIN_S = 30.0


class Counted(Database):
    """Counts the transactions that write, and lets one of them fail."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.transactions = 0
        self.fails_at: int | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self.transactions += 1
        with super().writing() as connection:
            yield connection
            if self.transactions == self.fails_at:
                msg = "the disk is full"
                raise StoreAway(msg)

    def names(self) -> list[str]:
        with self.reading() as connection:
            return list(connection.scalars(select(ViewRow.name).order_by(ViewRow.name)))


@pytest.fixture
def counted(database_url: str) -> Iterator[Counted]:
    made = Counted(database_url)
    made.prepare()
    yield made
    made.close()


def view(name: str) -> Callable[[Connection], str]:
    """Return what writes a view; of two with the same name the database refuses the second."""

    def write(connection: Connection) -> str:
        row = {"name": name, "shared_with": "all", "query": "", "author": "ann"}
        connection.execute(insert(ViewRow).values(**row, created_at=NOW, updated_at=NOW))
        return name

    return write


class Crowd:
    """Threads that wait while a first transaction runs."""

    def __init__(self, commit: GroupCommit) -> None:
        self.commit = commit
        self.results: dict[int, object] = {}
        self._free = threading.Event()
        self._begun = threading.Event()

    def write(self, *writes: Callable[[Connection], object], after: Callable[[], None] | None = None) -> None:
        """Let all of them wait for one transaction, and all of it end."""
        threads = [threading.Thread(target=self._run, args=(-1, self._first, None))]
        threads += [threading.Thread(target=self._run, args=(n, w, after)) for n, w in enumerate(writes)]
        threads[0].start()
        assert self._begun.wait(WITHIN_S)
        for number, each in enumerate(threads[1:], 1):
            each.start()
            while len(self.commit._waiting) < number:
                self._begun.wait(0)
        self._free.set()
        for each in threads:
            each.join(WITHIN_S)
        assert not any(each.is_alive() for each in threads)

    def _first(self, connection: Connection) -> None:
        self._begun.set()
        assert self._free.wait(WITHIN_S)

    def _run(
        self, number: int, write: Callable[[Connection], object], after: Callable[[], None] | None
    ) -> None:
        try:
            self.results[number] = self.commit.run(write, after)
        except (StoreError, ActError) as error:
            self.results[number] = error


def test_those_who_wait_share_a_transaction_and_what_comes_after_it(counted: Counted) -> None:
    calls: list[list[str]] = []
    crowd = Crowd(GroupCommit(counted))
    crowd.write(*(view(f"v{n}") for n in range(8)), after=lambda: calls.append(counted.names()))
    names = [f"v{n}" for n in range(8)]
    assert counted.transactions == 2
    assert [crowd.results[n] for n in range(8)] == names
    assert calls == [names], "once, when all is committed"


def test_what_one_does_wrong_undoes_its_own_changes_only(counted: Counted) -> None:
    def refuses(connection: Connection) -> None:
        view("never")(connection)
        msg = "the warning has ended"
        raise ActError(msg)

    crowd = Crowd(GroupCommit(counted))
    crowd.write(view("a"), view("a"), refuses, view("b"))
    assert counted.names() == ["a", "b"]
    assert [type(crowd.results[n]) for n in range(4)] == [str, RowRefused, ActError, str]
    assert counted.transactions == 2


def test_a_transaction_that_fails_fails_for_all_of_it_and_the_next_one_goes_on(counted: Counted) -> None:
    counted.fails_at = 2
    commit, calls = GroupCommit(counted), list[str]()
    crowd = Crowd(commit)
    crowd.write(view("a"), view("b"), after=lambda: calls.append("after"))
    assert [str(crowd.results[n]) for n in range(2)] == ["the disk is full"] * 2
    assert (counted.names(), calls) == ([], [])
    assert commit.run(view("c")) == "c"
    assert counted.names() == ["c"]


def test_what_fails_afterwards_is_reported_to_those_who_asked_for_it(counted: Counted) -> None:
    def fails() -> None:
        msg = "the queue cannot be read"
        raise StoreAway(msg)

    commit = GroupCommit(counted)
    with pytest.raises(StoreAway, match="cannot be read"):
        commit.run(view("a"), fails)
    assert counted.names() == ["a"]
