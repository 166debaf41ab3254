"""Stand-ins that go in by the constructor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from consumers.broker.records import Record
from consumers.database.database import Database
from tests.consumers.warning_events import TOPIC, record

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@contextmanager
def later_columns(database: Database) -> Iterator[None]:
    """Let today's sink write to a database of before: the columns that came later are there meanwhile."""
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE warnings ADD COLUMN net FLOAT"))
    yield
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE warnings DROP COLUMN net"))


class Clock:
    """A clock that is pushed by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def push(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Waits:
    """A stop that is asked for at the n-th wait; a wait pushes the clock instead of sleeping."""

    def __init__(self, stop_at: int = 1_000, clock: Clock | None = None) -> None:
        self.waits: list[float] = []
        self.stopped = False
        self._stop_at = stop_at
        self._clock = clock

    @property
    def asked(self) -> bool:
        return self.stopped or len(self.waits) >= self._stop_at

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if self._clock:
            self._clock.push(seconds)
        return self.asked


class Topic:
    """A topic's partition as a subscription gives it: polls of a fixed size, and the offset committed."""

    def __init__(self, contents: Sequence[bytes | None], size: int, log: list[str] | None = None) -> None:
        self.contents = list(contents)
        self.size = size
        self.position = 0
        self.commits: list[int] = []
        self.log = log if log is not None else []
        self.before_commit: Callable[[], None] = lambda: None

    def poll(self, timeout_s: float) -> list[Record]:
        here = self.contents[self.position : self.position + self.size]
        found = [record(content, self.position + n) for n, content in enumerate(here)]
        self.position += len(found)
        return found

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.before_commit()
        self.log.append("commit")
        self.commits += offsets.values()

    def lags(self) -> dict[str, int]:
        return {TOPIC: len(self.contents) - self.position}

    def at_end(self) -> bool:
        return self.position == len(self.contents)


def refuse_rows(database: Database, table: str, where: str) -> None:
    """Let SQLite refuse the new rows of a table for which `where` is true."""
    with database.writing() as connection:
        trigger = f"BEFORE INSERT ON {table} WHEN NEW.{where} BEGIN SELECT RAISE(ABORT, 'no room'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER refuse_rows {trigger}")
