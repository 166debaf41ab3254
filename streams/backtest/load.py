"""Alarms a day and a working day, compared with what a team can do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import Calendar

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING: Final = WEEKDAYS[:5]
_EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True)
class Team:
    """Who works off the warnings."""

    capacity: float | None = None
    """Warnings that the team can take up on a working day."""
    working_days: tuple[str, ...] = WORKING


@dataclass(frozen=True, slots=True)
class Load:
    """How many alarms opened on each local day of a period."""

    first_day: int
    """Counted from 1970-01-01."""
    daily: NDArray[np.int64]
    """(days,) alarms by the local day of their opening."""
    team: Team

    @classmethod
    def of(cls, opened_at: NDArray[np.int64], since: int, until: int, calendar: Calendar, team: Team) -> Load:
        """Return the load of alarms that opened at (n,) instants in [since, until]."""
        first = calendar.day(since)
        days = calendar.days(opened_at) - first
        return cls(first, np.bincount(days, minlength=calendar.day(until) - first + 1), team)

    @property
    def weekday(self) -> NDArray[np.int64]:
        """The weekday of each day, (days,), Monday being 0."""
        return (np.arange(len(self.daily)) + self.first_day + _EPOCH_WEEKDAY) % 7

    @property
    def working(self) -> NDArray[np.bool_]:
        """Whether the team works on each day, (days,)."""
        return np.isin(self.weekday, [WEEKDAYS.index(day) for day in self.team.working_days])

    @property
    def by_working_day(self) -> NDArray[np.int64]:
        """The alarms that wait for the team on each working day: its own and the days off's before."""
        turn: NDArray[np.int64] = (
            np.cumsum(self.working) - self.working
        )  # a day off belongs to the working day that follows
        return np.bincount(turn, weights=self.daily, minlength=self.working_days).astype(np.int64)[
            : self.working_days
        ]

    @property
    def working_days(self) -> int:
        """How many working days there are."""
        return int(np.count_nonzero(self.working))

    @property
    def over(self) -> int | None:
        """On how many working days there were more alarms than the team can take up."""
        if self.team.capacity is None:
            return None
        return int(np.count_nonzero(self.by_working_day > self.team.capacity))

    def as_dict(self) -> dict[str, Any]:
        """Return the load as plain JSON values."""
        by_working_day = self.by_working_day
        total, days, working_days = int(self.daily.sum()), len(self.daily), self.working_days
        met = int(by_working_day.sum())
        return {
            "per_day": {"part": total, "whole": days, "value": total / days},
            "per_working_day": {
                "part": met,
                "whole": working_days,
                "value": met / working_days if working_days else None,
                "most": int(by_working_day.max(initial=0)),
                "after_the_last": total - met,
            },
            "capacity": self.team.capacity,
            "over_capacity": self.over,
        }

    def by_weekday(self) -> list[dict[str, Any]]:
        """Return for each weekday its alarms, how many such days there were, and their mean."""
        weekday = self.weekday
        result = []
        for number, name in enumerate(WEEKDAYS):
            days = int(np.count_nonzero(weekday == number))
            alarms = int(self.daily[weekday == number].sum())
            result.append(
                {"weekday": name, "part": alarms, "whole": days, "value": alarms / days if days else None}
            )
        return result


def weekdays(names: Collection[str]) -> tuple[str, ...]:
    """Return the weekdays named, in their order; raise `ValueError` for what is none."""
    unknown = sorted(set(names) - set(WEEKDAYS))
    if unknown or not names:
        msg = f"{unknown[0]!r} is no weekday" if unknown else "no weekday is given"
        msg += f": write {', '.join(WEEKDAYS)}, or some of them"
        raise ValueError(msg)
    return tuple(day for day in WEEKDAYS if day in names)
