"""A desk over a database in memory, a clock that stands still, and a sender that keeps what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.clock import DeskClock
from consumers.desk.config import DAY_US, DeskConfig
from consumers.desk.desk import Desk
from consumers.desk.installation import Installation, Unknown
from consumers.desk.people.access import Access, AccessTerms
from consumers.desk.people.attempts import AttemptLimits
from consumers.desk.people.people import Member, People, token_hash
from consumers.desk.people.person import Person, Role, Team
from consumers.desk.people.sessions import csrf_token, new_secret
from consumers.desk.rulebook import CauseView, RulebookView
from lapwing.desk import cause_view, rulebook_view
from streams.rulebook.load import Rulebook, load_rulebook
from tests.paths import ROOT

NOW = datetime(2011, 3, 20, 9, 0, tzinfo=UTC)
"""Some days after `warning_events.T0`, where the steps that tests store lie."""
CONFIG = DeskConfig("lapwing", "UTC", 90 * DAY_US, "actions", "lapwing-silences", currency="EUR")
ADDRESS = "http://127.0.0.1:8085"


@dataclass
class Sent:
    """What was sent, by topic."""

    records: list[tuple[str, bytes | None, bytes | None]] = field(default_factory=list)

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self.records.append((topic, key, value))

    def flush(self) -> None:
        """Nothing is on its way."""


class ShippedRules:
    """The rules that come with Lapwing."""

    def current(self) -> RulebookView:
        return rulebook_view(_shipped())

    def explain(self, rule_id: str, version: str, values: Mapping[str, Any]) -> CauseView | None:
        return cause_view(_shipped().rules, rule_id, version, values)


@cache
def _shipped() -> Rulebook:
    return load_rulebook(ROOT / "warning_rules")


NORTH = Team("north", capacity=2, time_zone="Europe/Berlin", takes={"region": ("North",)})
SOUTH = Team("south", capacity=2)
TOKENS = {name: f"lapwing_token-of-{name}" for name in ("vic", "ann", "bob", "olga")}
STAFF: Final = (
    Person("vic", Role.VIEWER),
    Person("ann", Role.AGENT, NORTH),
    Person("bob", Role.AGENT, SOUTH, language="zh"),
    Person("olga", Role.OPERATOR, time_zone="Asia/Shanghai"),
)
"""People of a desk where one signs in: a viewer, agents of two teams, an operator."""


def member(person: Person, **changes: Any) -> Member:
    """Return somebody who signs in with the token of their name, or an address."""
    return replace(Member(person, token_hash(TOKENS[person.name]), f"{person.name}@shop.example"), **changes)


class Staff:
    """People who can change while the desk runs."""

    def __init__(self, *members: Member) -> None:
        self.people = People(members or map(member, STAFF))

    def current(self) -> People:
        return self.people

    def become(self, *members: Member) -> None:
        self.people = People(members)


def desk_over(
    database: Database,
    now: datetime = NOW,
    *,
    staff: Staff | None = None,
    terms: AccessTerms | None = None,
    limits: AttemptLimits | None = None,
    installation: Installation | None = None,
    **changes: Any,
) -> Desk:
    """Return a desk; `changes` are of its configuration. Without `staff` it is local: nobody signs in."""
    clock = DeskClock(lambda: now, lambda: now)
    return Desk(
        config=replace(CONFIG, **changes),
        database=database,
        clock=clock,
        rulebook=ShippedRules(),
        sender=Sent(),
        access=Access(database, clock.wall, terms, staff, limits),
        installation=installation or Unknown(),
    )


def browser(
    desk: Desk,
    headers: Mapping[str, str] | None = None,
    *,
    as_: str | Person | None = None,
    address: str = ADDRESS,
) -> TestClient:
    """Return what asks the desk as a browser does that shows a page of it; `as_` has signed in there.

    Who is given as a `Person` is the only one who works at the desk from then on.
    """
    if isinstance(as_, Person):
        only = Staff(Member(as_, token_hash(as_.name)))
        desk.access = Access(desk.database, desk.clock.wall, people=only)
        as_ = as_.name
    client = TestClient(create_app(desk), base_url=address, headers=dict(headers or {}))
    secret = new_secret()
    if as_ is not None:
        found = desk.access.people.named(as_)
        assert found is not None
        secret = desk.access.sessions.begin(as_, by="token", token=found.token_hash)
    client.cookies.set("__Host-lapwing_desk" if address.startswith("https") else "lapwing_desk", secret)
    client.headers["X-CSRF-Token"] = csrf_token(secret)
    return client
