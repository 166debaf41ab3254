"""Who looks at which customer, in whatever process of the desk."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from sqlalchemy import delete, insert, select

from consumers.database.database import Database
from consumers.database.desk import PresenceRow

RENEWED_EVERY: Final = timedelta(seconds=10)
LASTS_FOR: Final = timedelta(seconds=25)
"""So long after its last sign a process is taken for dead."""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody who has the page of a customer open."""

    person: str
    customer_id: str


class Presence:
    """Who looks at what; `exchange` writes what this process knows and reads what the others do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._process = secrets.token_hex(8)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._here: dict[int, Look] = {}
        self._all: frozenset[Look] = frozenset()
        self._written: dict[int, Look] = {}
        self._written_at: datetime | None = None

    def enter(self, person: str, customer_id: str) -> int:
        """Note that somebody has opened a customer; return the number by which they leave."""
        number = next(self._numbers)
        with self._lock:
            self._here[number] = Look(person, customer_id)
        return number

    def leave(self, number: int) -> None:
        """Note that somebody has gone."""
        with self._lock:
            self._here.pop(number, None)

    def looking(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of those who look, by customer."""
        with self._lock:
            everybody = self._all | set(self._here.values())
        found: dict[str, set[str]] = {}
        for each in everybody:
            found.setdefault(each.customer_id, set()).add(each.person)
        return {customer: tuple(sorted(names)) for customer, names in found.items()}

    def exchange(self, wall: datetime) -> bool:
        """Write who looks here and read who looks elsewhere; return whether that has changed.

        Raises `StoreError`.
        """
        with self._lock:
            here = dict(self._here)
        old = self._written_at is None or wall - self._written_at >= RENEWED_EVERY
        if here != self._written or (here and old):
            with self._database.writing() as connection:
                own = delete(PresenceRow).where(PresenceRow.process == self._process)
                connection.execute(own)
                connection.execute(delete(PresenceRow).where(PresenceRow.seen_at < wall - 4 * LASTS_FOR))
                if here:
                    rows = [
                        {
                            "process": self._process,
                            "number": number,
                            "person": look.person,
                            "customer_id": look.customer_id,
                            "seen_at": wall,
                        }
                        for number, look in here.items()
                    ]
                    connection.execute(insert(PresenceRow), rows)
            self._written, self._written_at = here, wall
        query = select(PresenceRow.person, PresenceRow.customer_id).where(
            PresenceRow.seen_at >= wall - LASTS_FOR, PresenceRow.process != self._process
        )
        with self._database.reading() as connection:
            others = {Look(*row) for row in connection.execute(query)}
        with self._lock:
            everybody = frozenset(others | set(here.values()))
            changed = everybody != self._all
            self._all = everybody
        return changed
