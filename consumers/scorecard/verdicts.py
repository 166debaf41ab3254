"""What the team found out about a warning: that it was right, or that it was a false alarm."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from consumers.actions import Action, standing

CONFIRM: Final = "confirm"
FALSE_ALARM: Final = "false_alarm"
LEAVING: Final = frozenset({"moved_away", "other_branch", "uses_competitor", "need_gone"})
"""Results by which a customer has left, or is about to."""


class TeamVerdict(StrEnum):
    """The team's word on a warning."""

    RIGHT = "right"
    FALSE_ALARM = "false_alarm"


def verdict_of(action: Action) -> TeamVerdict | None:
    """Return what an action says of its warning; most say nothing."""
    if action.result == FALSE_ALARM:
        return TeamVerdict.FALSE_ALARM
    if action.kind == CONFIRM or action.result in LEAVING:
        return TeamVerdict.RIGHT
    return None


def verdicts(actions: Iterable[Action]) -> dict[str, TeamVerdict]:
    """Return by warning the newest verdict that was not taken back."""
    found: dict[str, TeamVerdict] = {}
    for action in standing(actions):
        if action.warning_id is not None and (verdict := verdict_of(action)) is not None:
            found[action.warning_id] = verdict
    return found
