"""What the desk needs of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class DeskConfig:
    """What the desk needs of the settings; durations are microseconds."""

    app: str
    time_zone: str
    """The business's."""
    horizon: int
    actions_topic: str
    silences_topic: str
    currency: str | None = None
    base_url: str | None = None
    """Where people see the desk, for permalinks; by default where the request came to."""
    capacity: int | None = None
    """Of those who are in no team."""
    acknowledge_for: Mapping[str, int] = field(default_factory=dict)
    """When an acknowledgement lapses, by tier."""
    snooze_for: int = DAY_US
    active_within: int = 0
    """0 for the horizon."""
    answer_within: int = 0
    """By when a complaint should be answered; 0 for no limit."""
    solve_within: int = 0
    min_holdout: int = 20
    """How many of the held out must have churned before a play is claimed to do anything."""
    holdout_exempt: tuple[str, ...] = ()
    """Classes of customers that are never held out."""
