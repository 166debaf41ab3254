"""Events that a partition refuses for what it knows already, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic


class EventRefusalReason(StrEnum):
    """Why an event that is right in itself does not count."""

    OTHER_CURRENCY = "other_currency"
    """An order in another currency than the customer's, or than the setting's."""
    SUM_TOO_LARGE = "sum_too_large"
    """An order with which the customer's amounts would add up to more than can be kept."""
    ID_REUSED = "id_reused"
    """Its id was given before, within `repeat_window`, for something else: what was taken first counts."""
    PAST_TIME = "past_time"
    """One of few events that lie years before all others of a file, or of those a partition begins with."""


DETAILS = {
    EventRefusalReason.OTHER_CURRENCY: "currency: amounts of two currencies are not added",
    EventRefusalReason.SUM_TOO_LARGE: "amount: the customer's amounts add up to more than 9,000,000,000,000",
    EventRefusalReason.PAST_TIME: "occurred_at: Time lies more than five years before all other events",
    EventRefusalReason.ID_REUSED: "event_id: the same customer has used it before, for another event",
}
"""What each reason means, for people; it never shows what a field holds."""


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that does not count."""

    reason: EventRefusalReason
    topic: Topic
    offset: int
    """Where it stood in its topic and partition; -1 where that is not known, as in files."""
    at: int
    customer_id: str
    event_id: str

    @property
    def detail(self) -> str:
        """What is wrong, in one line."""
        return DETAILS[self.reason]


FAR_US: Final = 5 * 365 * DAY
UNSET_US: Final = 2 * 365 * DAY
"""Before 1972: no shop's events are so old, but an unset time is."""


def stragglers(topic: NDArray[np.int8], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the few events that lie years before all others; (n,) topics and times.

    A clock that was reset, or an unset time, dates an event to 1970 or 2000: one such event would begin the
    history there. Few are no more than a tenth, or any number before 1972; years are five without any. A
    profile may be as old as it is, and an action moves no clock.
    """
    rows = np.flatnonzero((topic != Topic.PROFILES) & (topic != Topic.ACTIONS))
    rows = rows[np.argsort(at[rows], kind="stable")]
    times = at[rows]
    early = np.flatnonzero(np.diff(times) > FAR_US) + 1
    early = early[(early * 10 <= len(rows)) | (times[early - 1] < UNSET_US)]
    return np.sort(rows[: early[-1]]) if len(early) else early


def refused_events(events: Batch, rows: NDArray[np.int64], reason: EventRefusalReason) -> list[RefusedEvent]:
    """Return the events at the positions `rows`, (k,), as refused for `reason`."""
    return [
        RefusedEvent(
            reason,
            Topic(events.topic[row]),
            int(events.offset[row]),
            int(events.at[row]),
            events.customer_id[row],
            events.event_id[row],
        )
        for row in rows.tolist()
    ]
