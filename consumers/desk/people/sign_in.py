"""Who asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from consumers.desk.people.person import LOCAL, Person, Role


def identify(request: Request) -> Person | None:
    """Return who asks; `None` where nobody is signed in."""
    return LOCAL


def _with(role: Role) -> object:
    def check(request: Request) -> Person:
        person: Person | None = request.state.person
        if person is None:
            raise HTTPException(401)
        if not person.may(role):
            raise HTTPException(403)
        return person

    return Depends(check)


Viewer = Annotated[Person, _with(Role.VIEWER)]
Agent = Annotated[Person, _with(Role.AGENT)]
Operator = Annotated[Person, _with(Role.OPERATOR)]
