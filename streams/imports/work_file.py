"""What an import has read so far, in a file that is whole whenever the process is killed.

It is a SQLite database beside the output. The events stand in it in the order of their time, so that a
history larger than memory comes out sorted; and with each block of rows stands how far the files were read,
in one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streams.core.events.topics import Topic
from streams.errors import EventFileError

FORMAT: Final = 1
_AT_A_TIME: Final = 20_000
_TOPICS: Final = {int(topic): topic for topic in Topic}

_TABLES: Final = """
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (at INTEGER, number INTEGER, topic INTEGER NOT NULL, customer TEXT NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (at, number)) WITHOUT ROWID;
CREATE TABLE lines (source TEXT, part INTEGER, key BLOB, number INTEGER, file INTEGER NOT NULL,
    line INTEGER NOT NULL, customer TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (source, part, key, number)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class ImportProgress:
    """How far an import is."""

    now_us: int
    """The time of the run that began it: what happened too long after it is refused."""
    stage: str = "reading"
    """`reading`, `grouping` or `writing`."""
    file: int = 0
    """The file that is read, counted from 0."""
    blocks: int = 0
    """How many of its blocks are done."""
    number: int = 0
    """What numbers of events begin with: those of rows that were read have smaller ones."""
    rows: int = 0
    passed: int = 0
    """Rows that no filter took."""
    accepted_of_file: int = 0
    refused_of_file: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    """By reason, of all files."""
    events: dict[str, int] = field(default_factory=dict)
    """By the topic's label."""
    sent: tuple[int, int] | None = None
    """Time and number of the last event that a broker has acknowledged."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event in the work file."""

    at: int
    """Microseconds since the epoch, UTC."""
    number: int
    topic: Topic
    customer: str
    value: bytes
    """The contract's JSON."""


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line that is to be grouped."""

    source: str
    part: int
    key: bytes
    number: int
    file: int
    line: int
    customer: str
    value: bytes


class WorkFile:
    """The work file of one import."""

    def __init__(self, path: Path, what: Mapping[str, Any]) -> None:
        """Open the file or make it; `what` names the import, and another one's file is refused."""
        self.path = path
        with _named(path):
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
            made = self._database.execute("SELECT name FROM sqlite_master WHERE name = 'state'").fetchone()
            if made is None:
                self._database.executescript(f"BEGIN; {_TABLES} COMMIT;")
                self._put("what", {"format": FORMAT, **what})
            known = self._get("what")
        if known != {"format": FORMAT, **json.loads(json.dumps(what))}:
            self.close()
            differing = _differing(known, {"format": FORMAT, **what})
            msg = f"{path} belongs to another import ({differing} differs): delete it, or end that one"
            raise EventFileError(msg)

    def progress(self, now_us: int) -> ImportProgress:
        """Return how far the import is; `now_us` is the time of one that begins."""
        with _named(self.path):
            known = self._get("progress")
        if known is None:
            return ImportProgress(now_us)
        progress = ImportProgress(**known)
        progress.sent = tuple(known["sent"]) if known["sent"] is not None else None
        return progress

    @contextmanager
    def changing(self, progress: ImportProgress) -> Iterator[None]:
        """Keep what the block adds together with how far the import is then, or nothing of it."""
        with _named(self.path):
            self._database.execute("BEGIN")
            try:
                yield
                self._put("progress", {name: getattr(progress, name) for name in ImportProgress.__slots__})
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def add_events(self, events: Iterable[tuple[int, int, int, str, bytes]]) -> None:
        """Add rows of time, number, topic, customer and value."""
        self._database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events)

    def add_lines(self, lines: Iterable[tuple[str, int, bytes, int, int, int, str, bytes]]) -> None:
        """Add lines that are to be grouped: the fields of `KeptLine`."""
        self._database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", lines)

    def drop_lines(self) -> None:
        """Forget the lines, once they are grouped."""
        self._database.execute("DELETE FROM lines")

    def lines(self, source: str, part: int) -> Iterator[list[KeptLine]]:
        """Yield the lines of one part, those of some groups at a time, none of which is cut."""
        waiting: list[KeptLine] = []
        query = "SELECT * FROM lines WHERE source = ? AND part = ? ORDER BY key, number"
        with _named(self.path):
            for row in self._database.execute(query, (source, part)):
                line = KeptLine(*row)
                if len(waiting) >= _AT_A_TIME and line.key != waiting[-1].key:
                    yield waiting
                    waiting = []
                waiting.append(line)
        if waiting:
            yield waiting

    def events(self, after: tuple[int, int] | None = None) -> Iterator[list[KeptEvent]]:
        """Yield the events in the order of their time, some at a time, those after a place."""
        at = after or (-(1 << 62), 0)
        query = "SELECT * FROM events WHERE (at, number) > (?, ?) ORDER BY at, number LIMIT ?"
        while True:
            with _named(self.path):
                rows = self._database.execute(query, (*at, _AT_A_TIME)).fetchall()
            if not rows:
                return
            found = [KeptEvent(row[0], row[1], _TOPICS[row[2]], row[3], row[4]) for row in rows]
            yield found
            at = (found[-1].at, found[-1].number)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def remove(self) -> None:
        """Close the file and take it away."""
        self.close()
        remove_work_file(self.path)

    def _put(self, name: str, value: Any) -> None:
        self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, json.dumps(value)))

    def _get(self, name: str) -> Any:
        row = self._database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])


def remove_work_file(path: Path) -> None:
    """Take a work file away with what SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _differing(known: Any, what: Mapping[str, Any]) -> str:
    if not isinstance(known, dict):
        return "everything"
    given = json.loads(json.dumps(what))
    return ", ".join(name for name in {**known, **given} if known.get(name) != given.get(name))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what can go wrong with the database into an error that names it."""
    try:
        yield
    except sqlite3.Error as error:
        msg = f"{path}: the import's work file cannot be used: {error}"
        raise EventFileError(msg) from error
