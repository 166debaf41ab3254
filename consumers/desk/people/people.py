"""All people who work at the desk, and how each is found."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from consumers.desk.people.person import Person

TOKEN_PREFIX: Final = "lapwing_"
"""By which a token is known as one, to people and to tools that look for secrets in the wrong place."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the people file, and how they are known."""

    person: Person
    token_hash: str | None = None
    """As `token_hash` returns it."""
    email: str | None = None
    """In lower case."""
    subject: str | None = None


class People:
    """All people of the people file."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = tuple(members)
        self._by_name = {each.person.name: each for each in self.members}
        self._by_token = {each.token_hash: each for each in self.members if each.token_hash}
        self._by_email = {each.email: each for each in self.members if each.email}
        self._by_subject = {each.subject: each for each in self.members if each.subject}

    def named(self, name: str) -> Member | None:
        """Return who has this name."""
        return self._by_name.get(name)

    def with_token(self, token: str) -> Member | None:
        """Return whose token this is. Only hashes are compared: the time it takes gives nothing away."""
        return self._by_token.get(token_hash(token))

    def with_email(self, email: str) -> Member | None:
        """Return who has this address."""
        return self._by_email.get(email.strip().casefold())

    def with_subject(self, subject: str) -> Member | None:
        """Return whom another system knows by this."""
        return self._by_subject.get(subject)

    def known_as(self, identity: str) -> Member | None:
        """Return whom a reverse proxy means: by the address, the subject or the name."""
        return self.with_email(identity) or self.with_subject(identity) or self.named(identity)


class PeopleSource(Protocol):
    """The people file, read again when it has changed."""

    def current(self) -> People:
        """Return who works at the desk now."""


def new_token() -> str:
    """Return a token that nobody guesses."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what the people file has of a token.

    >>> token_hash("a")[:20]
    'sha256:ca978112ca1bb'
    """
    return f"sha256:{hashlib.sha256(token.strip().encode()).hexdigest()}"
