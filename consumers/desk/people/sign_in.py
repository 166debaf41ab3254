"""The right that a page needs: a parameter of its function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from consumers.desk.people.person import Person, Role


@dataclass(frozen=True, slots=True)
class Needs:
    """Refuses who has not signed in, and who has a lower role."""

    role: Role

    def __call__(self, request: Request) -> Person:
        """Return who asks."""
        person: Person | None = request.state.person
        if person is None:
            raise HTTPException(401)
        if not person.may(self.role):
            raise HTTPException(403)
        return person


Viewer = Annotated[Person, Depends(Needs(Role.VIEWER))]
Agent = Annotated[Person, Depends(Needs(Role.AGENT))]
Operator = Annotated[Person, Depends(Needs(Role.OPERATOR))]
