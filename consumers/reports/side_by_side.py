"""Parts of a report that are made at the same time, by connections that see the same state of a database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection

from consumers.database.database import Database

CANCEL_S: Final = 5
"""How long a query that nobody waits for any more may take to end."""


class PartQueue:
    """The names of the parts, handed out one by one, whoever asks; nobody gets any once it is closed."""

    def __init__(self, names: Sequence[str], on_part: Callable[[str, int, int], None]) -> None:
        """`on_part` hears of each part as it begins, with its number of how many."""
        self._names = tuple(names)
        self._on_part = on_part
        self._begun = 0
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[str]:
        """Yield names until all are handed out."""
        while (name := self._next()) is not None:
            yield name

    def _next(self) -> str | None:
        with self._lock:
            if self._begun >= len(self._names):
                return None
            name = self._names[self._begun]
            self._begun += 1
            self._on_part(name, self._begun, len(self._names))
            return name

    def close(self) -> None:
        """Hand out no more."""
        with self._lock:
            self._begun = len(self._names)


def side_by_side(
    database: Database, snapshot: str, queue: PartQueue, work: Callable[[Connection], None], count: int
) -> None:
    """Let so many threads work at the queue, each with a connection that sees the snapshot.

    Raises what the first of them raises, and ends the queries of the others.
    """
    running: set[Any] = set()

    def one() -> None:
        with database.reading_same(snapshot) as connection:
            driver = connection.connection.driver_connection
            running.add(driver)
            try:
                work(connection)
            finally:
                running.discard(driver)

    with ThreadPoolExecutor(count, "report") as threads:
        futures = [threads.submit(one) for _ in range(count)]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            for future in futures:
                if future.done():
                    future.result()
        except BaseException:  # Ctrl-C too: a query may take long
            queue.close()
            for driver in tuple(running):
                with suppress(Exception):
                    driver.cancel_safe(timeout=CANCEL_S)
            raise
