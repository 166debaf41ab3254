"""What time it is at the desk: by the wall clock, or where the newest events stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

HISTORY_AFTER: Final = timedelta(days=7)
"""Where the newest event is older, the events are a history: an action of today would wait for ever."""


ASKED_EVERY: Final = timedelta(seconds=1)
"""How often the newest event is asked for."""


def wall_clock() -> datetime:
    """Return the time of the machine."""
    return datetime.now(UTC)


class DeskClock:
    """The time of the business: that of the machine, or of the newest event of a history that is played."""

    def __init__(
        self, newest: Callable[[], datetime | None], wall: Callable[[], datetime] = wall_clock
    ) -> None:
        self._newest = newest
        self._wall = wall
        self._asked: tuple[datetime, datetime | None] | None = None
        """When the newest event was asked for, and what it was."""

    def now(self) -> datetime:
        """Return the time by which deadlines, ages and actions are dated."""
        wall, asked = self._wall(), self._asked
        if asked is None or abs(wall - asked[0]) >= ASKED_EVERY:
            asked = self._asked = (wall, self._newest())
        newest = asked[1]
        return newest if newest is not None and wall - newest > HISTORY_AFTER else wall

    def wall(self) -> datetime:
        """Return the time of the machine, for sessions and the ten seconds in which one can undo."""
        return self._wall()
