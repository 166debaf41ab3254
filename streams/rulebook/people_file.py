"""people.yaml: who works at the desk, in which teams, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from streams.core.conditions.parser import closest
from streams.rulebook.fields import (
    choice,
    language_field,
    parsed,
    slug,
    text,
    version,
    whole_number,
    zone_field,
)
from streams.rulebook.reader import Document, FileModel, WrongValueError
from streams.rulebook.routes_file import CustomerLabels

ROLES: Final = ("viewer", "agent", "operator")
TOKEN_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_IDENTITIES: Final = ("name", "token", "email", "subject")
"""The fields by which a person is found: two people with the same would be one."""


def person_name(given: str) -> str:
    """Take a name that can stand in a line."""
    if not given or len(given) > 64 or not given.isprintable():
        msg = "must be a name of at most 64 characters, in one line"
        raise WrongValueError(msg)
    return given


def _token(given: str) -> str:
    if TOKEN_HASH.fullmatch(given) is None:
        msg = "must be the hash that `lapwing desk token` prints, sha256:... (never the token itself)"
        raise WrongValueError(msg)
    return given


def _email(given: str) -> str:
    if len(given) > 254 or _EMAIL.fullmatch(given) is None:
        msg = f"is no address: {given!r}"
        raise WrongValueError(msg)
    return given.casefold()


class TakesEntry(CustomerLabels):
    """Which warnings are a team's: every label given must hold, and holds if one of its words does."""

    shape: ClassVar[str] = "`takes` holds labels, each `label: word` or `label: [word, word]`"


class TeamEntry(FileModel):
    """People who share a queue."""

    shape: ClassVar[str] = "a team is a list of fields, each `name: value`"

    name: Annotated[str, slug]
    """The name by which people are put into it."""
    capacity: Annotated[int | None, whole_number(0, 1_000_000)] = None
    """Customers that it can attend to in a local day; by default there is no line in its queue."""
    time_zone: Annotated[str | None, zone_field] = None
    """Where it works; by default the setting `time_zone`."""
    takes: TakesEntry = Field(default_factory=lambda: TakesEntry.model_validate({}))
    """Which warnings are its; by default all."""


class PersonEntry(FileModel):
    """Somebody who works at the desk."""

    shape: ClassVar[str] = "a person is a list of fields, each `name: value`"

    name: Annotated[str, parsed(person_name, {"type": "string", "minLength": 1, "maxLength": 64})]
    """Stands in what they do as its actor."""
    role: Annotated[str, choice({role: role for role in ROLES})]
    """What they may do: a viewer looks, an agent acts too, an operator does everything."""
    team: Annotated[str | None, slug] = None
    """The team they are in."""
    time_zone: Annotated[str | None, zone_field] = None
    """By whose clock they read times; by default the team's."""
    language: Annotated[str | None, language_field] = None
    """In which they read; by default their browser's."""
    token: Annotated[str | None, parsed(_token, {"type": "string", "pattern": f"^{TOKEN_HASH.pattern}$"})] = (
        None
    )
    """The hash of the token they sign in with, as `lapwing desk token NAME` prints it."""
    email: Annotated[str | None, parsed(_email, {"type": "string", "pattern": "^[^@ ]+@[^@ ]+$"})] = None
    """By which an OpenID provider or a reverse proxy knows them."""
    subject: Annotated[str | None, text(255)] = None
    """The same where they are known by something else than an address."""


class PeopleFile(Document):
    """Who works at the desk."""

    title: ClassVar[str] = "Lapwing people"
    shape: ClassVar[str] = "a file of people holds `version: 1`, `teams:` and `people:`"
    named: ClassVar[Mapping[str, tuple[str, str]]] = {
        "teams": ("team", "name"),
        "people": ("person", "name"),
    }

    version: Annotated[int, version]
    """Of the format."""
    teams: list[TeamEntry] = Field(default_factory=list, max_length=500)
    """The teams."""
    people: Annotated[list[PersonEntry], Field(min_length=1, max_length=10_000)]
    """The people."""

    @classmethod
    def among_fields(cls, given: Mapping[str, Any]) -> Iterator[WrongValueError]:
        """Refuse what two share and teams that there are not."""
        teams = _dicts(given.get("teams"))
        yield from _twice(teams, "teams", "name")
        known = [each["name"] for each in teams if isinstance(each.get("name"), str)]
        people = _dicts(given.get("people"))
        for field in _IDENTITIES:
            yield from _twice(people, "people", field)
        for i, each in enumerate(people):
            team = each.get("team")
            if isinstance(team, str) and team not in known:
                msg = f": there is no team {team!r}"
                yield WrongValueError(msg, closest(team, known), ("people", i, "team"))


def _dicts(given: Any) -> list[dict[str, Any]]:
    """Return a list of mappings, an empty one in place of what is none."""
    return [each if isinstance(each, dict) else {} for each in given] if isinstance(given, list) else []


def _twice(entries: list[dict[str, Any]], where: str, field: str) -> Iterator[WrongValueError]:
    seen: set[str] = set()
    for i, each in enumerate(entries):
        value = each.get(field)
        if isinstance(value, str):
            plain = value.strip().casefold()
            if plain in seen:
                yield WrongValueError(f": {value!r} is given twice", None, (where, i, field))
            seen.add(plain)
