"""Which actions have been corrected, recounted from all events of a customer in the order they were taken."""

from __future__ import annotations

from collections.abc import Sequence

from streams.core.events.batch import ActionRecord
from tests.oracle.history import Event


def struck(events: Sequence[Event], keeps_us: int) -> dict[int, int]:
    """Return the places of corrected actions, each with that of its correction.

    A correction takes back the newest action before it that has its id and actor, was not taken back before
    and was done no longer than `keeps_us` before the correction is taken.
    """
    found: dict[int, int] = {}
    for place, event in enumerate(events):
        if not isinstance(event.record, ActionRecord) or event.record.corrects is None:
            continue
        for earlier in range(place - 1, -1, -1):
            other = events[earlier]
            if (
                isinstance(other.record, ActionRecord)
                and other.event_id == event.record.corrects
                and other.record.actor == event.record.actor
                and other.at >= event.judged_at - keeps_us
                and earlier not in found
            ):
                found[earlier] = place
                break
    return found


def struck_by(events: Sequence[Event], correction: Event, keeps_us: int) -> bool:
    """Say whether the last of a customer's events, a correction, takes anything back."""
    assert events[-1] is correction
    return len(events) - 1 in struck(events, keeps_us).values()


def standing(events: Sequence[Event], keeps_us: int) -> list[Event]:
    """Return the actions that have not been taken back."""
    gone = struck(events, keeps_us)
    return [e for i, e in enumerate(events) if isinstance(e.record, ActionRecord) and i not in gone]
