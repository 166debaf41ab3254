"""Saved views: filters of the queue with a name, one's own, a team's or everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from urllib.parse import parse_qsl

from sqlalchemy import delete, insert, select, update

from consumers.database.database import Database
from consumers.database.desk import ViewRow
from consumers.desk.people.person import Person, Role
from consumers.desk.queue.filter import QueueFilter
from streams.errors import DeskError

Sharing = Literal["me", "team", "all"]
LONGEST_NAME: Final = 80


class ViewRefused(DeskError):
    """A view that cannot be saved or deleted, and why."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A filter with a name."""

    seq: int
    name: str
    shared_with: str
    query: str
    author: str

    @property
    def filter(self) -> QueueFilter:
        """Return the filter."""
        return QueueFilter.from_query(parse_qsl(self.query))

    def may_be_changed_by(self, person: Person) -> bool:
        """Return whether somebody may change it: who saved it, or an operator."""
        return person.name == self.author or person.may(Role.OPERATOR)


def _readers(person: Person) -> dict[Sharing, str]:
    found: dict[Sharing, str] = {"me": f"person:{person.name}", "all": "all"}
    if person.team is not None:
        found["team"] = f"team:{person.team.name}"
    return found


def views_of(database: Database, person: Person) -> Sequence[SavedView]:
    """Return the views that somebody sees, by name."""
    query = select(ViewRow.seq, ViewRow.name, ViewRow.shared_with, ViewRow.query, ViewRow.author)
    query = query.where(ViewRow.shared_with.in_(_readers(person).values())).order_by(
        ViewRow.name, ViewRow.seq
    )
    with database.reading() as connection:
        return [SavedView(*row) for row in connection.execute(query)]


def save_view(
    database: Database, person: Person, name: str, sharing: Sharing, wanted: QueueFilter, wall: datetime
) -> SavedView:
    """Save a view, in place of the one of the same name that the same people see, and return it.

    Raises `ViewRefused`.
    """
    name = " ".join("".join(each if each.isprintable() else " " for each in name).split())
    readers = _readers(person).get(sharing)
    if not name or len(name) > LONGEST_NAME or readers is None:
        msg = "a view needs a name, and somebody who sees it"
        raise ViewRefused(msg)
    if sharing != "me" and not person.may(Role.AGENT):
        msg = f"{person.name} may look: a view of theirs is for themselves"
        raise ViewRefused(msg)
    same = (ViewRow.name == name, ViewRow.shared_with == readers)
    with database.writing() as connection:
        found = connection.execute(select(ViewRow.author).where(*same)).first()
        if found is None:
            row = {"name": name, "shared_with": readers, "query": wanted.to_query(), "author": person.name}
            connection.execute(insert(ViewRow), [row | {"created_at": wall, "updated_at": wall}])
        elif found.author != person.name and not person.may(Role.OPERATOR):
            msg = f"{found.author} has a view of this name: choose another"
            raise ViewRefused(msg)
        else:
            change = update(ViewRow).where(*same)
            connection.execute(change.values(query=wanted.to_query(), updated_at=wall))
    return next(
        each for each in views_of(database, person) if (each.name, each.shared_with) == (name, readers)
    )


def delete_view(database: Database, person: Person, seq: int) -> None:
    """Delete a view. Raises `ViewRefused`."""
    found = next((each for each in views_of(database, person) if each.seq == seq), None)
    if found is None or not found.may_be_changed_by(person):
        msg = "this view is not yours"
        raise ViewRefused(msg)
    with database.writing() as connection:
        connection.execute(delete(ViewRow).where(ViewRow.seq == seq))
