"""Who asks: by the session of their browser, by what a reverse proxy says, or by a token of the API."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from consumers.database.database import Database
from consumers.desk.people.attempts import AttemptLimits, Attempts
from consumers.desk.people.audit import AuditLog
from consumers.desk.people.oidc import OidcProvider, SignInRefused
from consumers.desk.people.people import Member, People, PeopleSource, token_hash
from consumers.desk.people.person import LOCAL, Person, Role
from consumers.desk.people.proxy import Proxies, is_address, is_loopback
from consumers.desk.people.sessions import Session, Sessions, csrf_token, new_secret
from streams.summed_log import SummedLog

log = logging.getLogger(__name__)

API: Final = "/api/"
REFUSALS: Final = ("bearer", "token", "oidc", "too_many")
"""Why an attempt to sign in is refused: by how it was made, or that there were too many."""
_COOKIE: Final = "lapwing_desk"
_LONGEST_COOKIE: Final = 200
_FOREIGN: Final = ("cross-site", "same-site")


@dataclass(frozen=True, slots=True)
class AccessTerms:
    """What the settings have on who may come in."""

    base_url: str | None = None
    session_lasts: timedelta = timedelta(hours=12)
    session_idle: timedelta = timedelta(hours=4)
    proxy_header: str | None = None
    """In which a reverse proxy names who asks."""
    proxies: Proxies = field(default_factory=Proxies)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, before anything is done about it."""

    person: Person | None
    by: str | None
    """`local`, `proxy`, `bearer`, `session`; `None` where nobody has signed in."""
    secret: str
    """By which the browser is known."""
    is_new: bool
    """Whether the browser has to be given the secret first."""
    address: str
    """Where the request comes from."""
    secure: bool
    """Whether it came by https."""
    unknown: str | None = None
    """Whom a proxy names, where the people file has nobody of that name."""

    @property
    def csrf(self) -> str:
        """What forms of this browser carry."""
        return csrf_token(self.secret)

    @property
    def cookie(self) -> str:
        """The name of the cookie; by https no page of another host can set one of this name."""
        return f"__Host-{_COOKIE}" if self.secure else _COOKIE


class Access:
    """Finds who asks; one for a process."""

    def __init__(
        self,
        database: Database,
        wall: Callable[[], datetime],
        terms: AccessTerms | None = None,
        people: PeopleSource | None = None,
        limits: AttemptLimits | None = None,
        oidc: OidcProvider | None = None,
    ) -> None:
        self.terms = terms or AccessTerms()
        self.sessions = Sessions(database, wall, self.terms.session_lasts, self.terms.session_idle)
        self.audit = AuditLog(database, wall)
        self.attempts = Attempts(limits)
        self.refused: Counter[str] = Counter()
        """Attempts to sign in that were refused, by what is in `REFUSALS`."""
        self.oidc = oidc
        self._source = people
        self._people: People | None = None
        self._ignored = SummedLog[str](_log_ignored)

    @property
    def is_local(self) -> bool:
        """Whether nobody signs in: whoever reaches the desk on its own machine is its one operator."""
        return self._source is None

    @property
    def people(self) -> People:
        """Who works here now; the sessions of those who have left are ended."""
        if self._source is None:
            return People(())
        found = self._source.current()
        if found is not self._people:
            self.sessions.keep_only({each.person.name for each in found.members})
            self._people = found
        return found

    @property
    def agents(self) -> list[str]:
        """Who can be given a warning, by name; nobody where nobody signs in."""
        return sorted(each.person.name for each in self.people.members if each.person.may(Role.AGENT))

    def visit(self, request: HTTPConnection) -> Visit:
        """Return who asks; raises `HTTPException` for a wrong token and too many of them."""
        secure = self._is_secure(request)
        names = (f"__Host-{_COOKIE}",) if secure else (_COOKIE,)
        given = next((request.cookies[name] for name in names if name in request.cookies), "")
        known = 0 < len(given) <= _LONGEST_COOKIE
        secret = given if known else new_secret()
        person, by, unknown = self._who(request, secret if known else None)
        address = self.terms.proxies.client(request)
        return Visit(person, by, secret, not known, address, secure, unknown)

    def _who(
        self, request: HTTPConnection, secret: str | None
    ) -> tuple[Person | None, str | None, str | None]:
        if self._source is None:
            return LOCAL, "local", None
        people = self.people
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if request.url.path.startswith(API) and scheme.lower() == "bearer":
            return self._bearer(request, people, token), "bearer", None
        if (header := self.terms.proxy_header) is not None and header in request.headers:
            identity = self.terms.proxies.identity(request, header)
            if identity is not None:
                found = people.known_as(identity)
                return (found.person, "proxy", None) if found is not None else (None, None, identity)
            peer = request.client.host if request.client is not None else "?"
            self._ignored.note(peer, lambda: header)
        session = self.sessions.find(secret) if secret is not None else None
        if session is not None and secret is not None:
            member = people.named(session.person)
            if member is not None and _is_still(member, session):
                return member.person, "session", None
            self.sessions.end(secret)
        return None, None, None

    def _bearer(self, request: HTTPConnection, people: People, token: str) -> Person:
        address = self.terms.proxies.client(request)
        if not self.attempts.may_sign_in(address):
            self.refused["too_many"] += 1
            raise HTTPException(429)
        member = people.with_token(token)
        if member is None:
            self.attempts.failed(address)
            self.refused["bearer"] += 1
            self.audit.write(None, "session.refuse", by="bearer", address=address)
            raise HTTPException(401, "this token is nobody's")
        return member.person

    def sign_in_with_token(self, visit: Visit, name: str, token: str) -> str | None:
        """Return the secret of a new session, or `None` where the token is not the person's.

        Raises `HTTPException` after too many failed attempts.
        """
        name = name.strip()
        member = self.people.named(name)
        # Only names that there are: whoever types a token into the wrong field must not find it in a log.
        tried = name if member is not None else ""
        if not self.attempts.may_sign_in(visit.address, tried):
            self.refused["too_many"] += 1
            raise HTTPException(429)
        found = self.people.with_token(token)
        if found is None or found is not member:
            self.attempts.failed(visit.address, tried)
            self.refused["token"] += 1
            self.audit.write(None, "session.refuse", by="token", name=tried or None, address=visit.address)
            return None
        return self.begin(visit, found, "token", token=token_hash(token))

    def sign_in_with_answer(self, visit: Visit, attempt: str, answer: Mapping[str, str]) -> str:
        """Return the secret of a new session of whom an OpenID provider names in its answer.

        `attempt` is the secret of the browser's attempt; raises `SignInRefused`, and `HTTPException` after
        too many failed attempts.
        """
        if self.oidc is None:
            raise HTTPException(404)
        if not self.attempts.may_sign_in(visit.address):
            self.refused["too_many"] += 1
            raise HTTPException(429)
        try:
            identity = self.oidc.identity(attempt, answer)
            people = self.people
            by_email = identity.kind == "email"
            found = people.with_email(identity.value) if by_email else people.with_subject(identity.value)
            if found is None:
                self.refused["oidc"] += 1
                self.audit.write(
                    None, "session.refuse", by="oidc", name=identity.value, address=visit.address
                )
                msg = (
                    f"{identity.value} does not work at this desk: an operator can add you to the people file"
                )
                raise SignInRefused(msg)
        except SignInRefused:
            self.attempts.failed(visit.address)
            raise
        return self.begin(visit, found, "oidc", **{identity.kind: identity.value})

    def begin(self, visit: Visit, member: Member, by: str, **identity: str) -> str:
        """Return the secret of a new session of somebody who has shown who they are.

        It is never one that the browser had before: whoever planted that would be signed in too.
        """
        secret = self.sessions.begin(member.person.name, by=by, **identity)
        self.audit.write(member.person, "session.begin", by=by, address=visit.address)
        return secret

    def sign_out(self, visit: Visit, *, everywhere: bool) -> None:
        """End the session of a browser, or all of the person."""
        if visit.person is None:
            return
        if everywhere:
            self.sessions.end_all(visit.person.name)
        else:
            self.sessions.end(visit.secret)
        self.audit.write(visit.person, "session.end", everywhere=everywhere, address=visit.address)

    def knows_host(self, host: str) -> bool:
        """Return whether a request's `Host` can be meant for this desk.

        A page elsewhere may let its own name lead to this machine (DNS rebinding). Where people sign in it
        gets nothing by that, as their cookies are not for its name.
        """
        name = urlsplit(f"//{host}").hostname or ""
        own = urlsplit(self.terms.base_url).hostname if self.terms.base_url else None
        if self.is_local:
            return is_loopback(name) or name == own
        return own is None or name == own or is_loopback(name) or is_address(name)

    def is_own_page(self, request: HTTPConnection) -> bool:
        """Return whether a request comes from a page of the desk, as far as the browser says."""
        if request.headers.get("sec-fetch-site") in _FOREIGN:
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        own = urlsplit(self.terms.base_url).netloc if self.terms.base_url else None
        return urlsplit(origin).netloc in (request.headers.get("host"), own)

    def _is_secure(self, request: HTTPConnection) -> bool:
        base = self.terms.base_url or ""
        return self.terms.proxies.scheme(request) == "https" or (
            base.startswith("https://") and request.headers.get("host") == urlsplit(base).netloc
        )


def _is_still(member: Member, session: Session) -> bool:
    """Return whether what somebody showed at their sign-in is still theirs."""
    shown = session.content
    return (
        ("token" in shown and shown["token"] == member.token_hash)
        or ("email" in shown and shown["email"] == member.email)
        or ("subject" in shown and shown["subject"] == member.subject)
    )


def _log_ignored(peer: str, count: int, header: str) -> None:
    log.warning("%d requests from %s with %s, which desk_proxies does not list: ignored", count, peer, header)
