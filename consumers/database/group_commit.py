"""Many who write at once: those who wait while a transaction runs share the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from consumers.database.database import Database, StoreAway, store_error
from consumers.database.many_rows import RowRefused

T = TypeVar("T")


class GroupCommit:
    """Runs what several threads write in shared transactions, each in a savepoint of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._waiting: list[_Write] = []
        self._running = False

    def run(self, write: Callable[[Connection], T], after: Callable[[], None] | None = None) -> T:
        """Return what `write` returns, once that is committed and `after` has run.

        What `write` raises undoes its own changes only. An `after` that several bring runs once for all.
        """
        own = _Write(write, after)
        with self._changed:
            self._waiting.append(own)
            while self._running and not own.done:
                self._changed.wait()
            if not own.done:
                self._running = True
                group, self._waiting = self._waiting, []
        if not own.done:
            try:
                self._commit(group)
            finally:
                with self._changed:
                    self._running = False
                    for each in group:
                        each.done = True
                    self._changed.notify_all()
        result: T = own.outcome()
        return result

    def _commit(self, group: Sequence[_Write]) -> None:
        for each in group:
            each.error = StoreAway("the thread that wrote for several has ended")
        try:
            with self._database.writing() as connection:
                for each in group:
                    self._write(connection, each)
        except Exception as error:
            for each in group:
                each.error = error
            return
        written = [each for each in group if each.error is None and each.after is not None]
        for after in dict.fromkeys(each.after for each in written):
            assert after is not None
            try:
                after()
            except Exception as error:
                for each in written:
                    if each.after == after:
                        each.error = error

    def _write(self, connection: Connection, each: _Write) -> None:
        try:
            with connection.begin_nested():
                each.value = each.write(connection)
            each.error = None
        except (SQLAlchemyError, OverflowError, UnicodeError) as error:
            each.error = store_error(error, self._database.place)
            if not isinstance(each.error, RowRefused):  # the others cannot go on either
                raise
        except Exception as error:
            each.error = error


class _Write:
    """What one thread writes, and what came of it."""

    def __init__(self, write: Callable[[Connection], Any], after: Callable[[], None] | None) -> None:
        self.write, self.after = write, after
        self.done = False
        self.value: Any = None
        self.error: Exception | None = None

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value
