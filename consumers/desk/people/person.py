"""Somebody at the desk, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final


class Role(IntEnum):
    """What somebody may do; a higher role may all that a lower one may."""

    VIEWER = 1
    """Look."""
    AGENT = 2
    """Act on warnings."""
    OPERATOR = 3
    """See customers in the holdout too, set silences, and read the audit log."""


@dataclass(frozen=True, slots=True)
class Team:
    """People who share a queue."""

    name: str
    capacity: int | None = None
    """Customers that they can attend to in a local day; `None` is no limit."""
    time_zone: str | None = None
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Which warnings are the team's, by the names of the queue's filters (`segment`, `region`, `class`, ...);
    all where it is empty."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the desk."""

    name: str
    """Stands in actions as their actor."""
    role: Role
    team: Team | None = None
    time_zone: str | None = None
    """By whose clock they read times; by default the team's, then the business's."""
    language: str | None = None

    def may(self, role: Role) -> bool:
        """Return whether they have the role or a higher one."""
        return self.role >= role


LOCAL: Final = Person("you", Role.OPERATOR)
"""Whoever opens a desk that only listens on the machine's own address, where no people are named."""
