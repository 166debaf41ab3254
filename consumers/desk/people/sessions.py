"""Sessions: who has signed in in which browser, until when."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from consumers.database.database import Database
from consumers.database.desk import SessionRow

SEEN_EVERY: Final = timedelta(minutes=1)
"""How often it is written down that a session is in use."""
_TOKEN_LENGTH: Final = 64
"""Of a SHA-256 as text."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    person: str
    content: Mapping[str, Any]
    """How they signed in: `by`, and the hash of the `token`."""


def new_secret() -> str:
    """Return what a browser is known by; a cookie holds it."""
    return secrets.token_urlsafe(32)


def csrf_token(secret: str) -> str:
    """Return what forms of this browser carry; a page elsewhere cannot know it."""
    return hashlib.sha256(f"csrf:{secret}".encode()).hexdigest()


def masked(token: str) -> str:
    """Return a token that looks different each time.

    Pages are compressed: of one that repeats what its address holds, and a token that is always the same, the
    length would show how much of the token somebody has guessed (BREACH).
    """
    mask = secrets.token_bytes(len(token) // 2)
    return (mask + _xor(mask, bytes.fromhex(token))).hex()


def unmasked(text: str) -> str:
    """Return the token of a masked one; another text as it is.

    >>> token = csrf_token("secret")
    >>> unmasked(masked(token)) == token, unmasked(token) == token, unmasked("é" * 128) == "é" * 128
    (True, True, True)
    """
    if len(text) != 2 * _TOKEN_LENGTH:
        return text
    try:
        both = bytes.fromhex(text)
    except ValueError:
        return text
    return _xor(both[: len(both) // 2], both[len(both) // 2 :]).hex()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


class Sessions:
    """The sessions of all browsers, in the database: all desk processes share them."""

    def __init__(
        self, database: Database, wall: Callable[[], datetime], lasts: timedelta, idle: timedelta
    ) -> None:
        self._database = database
        self._wall = wall
        self._lasts = lasts
        self._idle = idle

    def begin(self, person: str, **content: Any) -> str:
        """Return the secret of a new session; those that have ended are removed."""
        secret, now = new_secret(), self._wall()
        with self._database.writing() as connection:
            ended = (SessionRow.ends_at <= now) | (SessionRow.seen_at <= now - self._idle)
            connection.execute(delete(SessionRow).where(ended))
            connection.execute(
                insert(SessionRow).values(
                    id_hash=_hash(secret),
                    person=person,
                    content=content,
                    began_at=now,
                    seen_at=now,
                    ends_at=now + self._lasts,
                )
            )
        return secret

    def find(self, secret: str) -> Session | None:
        """Return the session of a secret, unless it has ended, and keep it from becoming idle."""
        now = self._wall()
        key = _hash(secret)
        columns = (SessionRow.person, SessionRow.content, SessionRow.seen_at, SessionRow.ends_at)
        with self._database.reading() as connection:
            row = connection.execute(select(*columns).where(SessionRow.id_hash == key)).first()
        if row is None or now >= row.ends_at or now >= row.seen_at + self._idle:
            return None
        if now - row.seen_at >= SEEN_EVERY:
            with self._database.writing() as connection:
                connection.execute(update(SessionRow).where(SessionRow.id_hash == key).values(seen_at=now))
        return Session(row.person, row.content)

    def end(self, secret: str) -> None:
        """End a session."""
        with self._database.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.id_hash == _hash(secret)))

    def end_all(self, person: str) -> None:
        """End all sessions of somebody."""
        with self._database.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.person == person))

    def keep_only(self, people: Collection[str]) -> None:
        """End the sessions of all who are not among these."""
        with self._database.reading() as connection:
            there = set(connection.scalars(select(SessionRow.person).distinct()))
        if gone := there - set(people):
            with self._database.writing() as connection:
                connection.execute(delete(SessionRow).where(SessionRow.person.in_(sorted(gone))))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
