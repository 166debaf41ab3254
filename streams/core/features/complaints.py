"""The life of complaints by their id: which are open, and since when."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import Final

from streams.core.events.batch import ComplaintStatus
from streams.core.events.calendar import ALWAYS, NEVER

OPEN_SLOTS: Final = 8
"""Complaints of a customer that are followed one by one while open; more are only counted."""


Rows = tuple[tuple[int, str | None, int | None, int | None, int, int | None], ...]
"""Customer, complaint, one of its openings, its resolution, how many are not counted one by one, and the
complaint's answer."""


@dataclass(slots=True)
class TrackedComplaint:
    """A complaint that is followed, or remembered."""

    openings: list[int]
    """When it was opened and reopened since the newest resolution, in order; none where it is closed."""
    resolved_at: int
    """The newest resolution; an opening dated before it changes nothing."""
    answered_at: int = NEVER
    """The newest answer that was the first one since the complaint was opened."""

    @property
    def since(self) -> int | None:
        """When it last went from closed to open, where it is open."""
        return self.openings[0] if self.openings else None


@dataclass(slots=True)
class CustomerComplaints:
    """The complaints of one customer: exact for up to `OPEN_SLOTS` open at once.

    Resolved ones are remembered, as many again, for an opening that arrives after its resolution.
    """

    known: dict[str, TrackedComplaint] = field(default_factory=dict)
    uncounted: int = 0
    """Open complaints beyond the slots, known by number only."""

    def apply(self, complaint_id: str, status: int, at: int) -> int | None:
        """Take in one event of a complaint.

        Return how long it took since the complaint was opened, where this is the first answer since then or
        its resolution, and it is followed one by one.
        """
        entry = self.known.get(complaint_id)
        since = None if entry is None else entry.since
        if status == ComplaintStatus.RESOLVED:
            self._resolve(complaint_id, entry, at)
            return None if since is None or at < since else at - since
        if status == ComplaintStatus.ANSWERED:
            if entry is None or since is None or at < since or entry.answered_at >= since:
                return None
            entry.answered_at = at
            return at - since
        self._open_one(complaint_id, entry, at)
        return None

    def _open_one(self, complaint_id: str, entry: TrackedComplaint | None, at: int) -> None:
        if entry is None:
            if self._open() >= OPEN_SLOTS:
                self.uncounted += 1
            else:
                self.known[complaint_id] = TrackedComplaint([at], NEVER)
        elif at >= entry.resolved_at:
            if entry.openings:
                insort(entry.openings, at)
                # The oldest says since when, the newest outlives a late resolution.
                del entry.openings[1:-OPEN_SLOTS]
            elif self._open() >= OPEN_SLOTS:
                del self.known[complaint_id]
                self.uncounted += 1
            else:
                entry.openings = [at]

    def _resolve(self, complaint_id: str, entry: TrackedComplaint | None, at: int) -> None:
        if entry is None:
            # It may be one of those that found no slot; else it is remembered for an opening yet to come.
            if self.uncounted:
                self.uncounted -= 1
            entry = self.known[complaint_id] = TrackedComplaint([], at)
        entry.resolved_at = max(entry.resolved_at, at)
        entry.openings = [opened for opened in entry.openings if opened > at]
        resolved = [i for i, c in self.known.items() if c.since is None]
        for oldest in sorted(resolved, key=lambda i: self.known[i].resolved_at)[:-OPEN_SLOTS]:
            del self.known[oldest]

    def rows(self, customer: int) -> Rows:
        """Return what there is to keep of the book, its number of uncounted complaints first."""
        entries = [
            (customer, complaint_id, opened_at, known.resolved_at, 0, known.answered_at)
            for complaint_id, known in self.known.items()
            for opened_at in (known.openings or (None,))
        ]
        return ((customer, None, None, None, self.uncounted, None), *entries)

    def _open(self) -> int:
        return sum(c.since is not None for c in self.known.values())

    @property
    def open(self) -> int:
        """How many complaints are open."""
        return self._open() + self.uncounted

    @property
    def oldest(self) -> int:
        """When the oldest open complaint was opened, `ALWAYS` where none is open."""
        return min((c.since for c in self.known.values() if c.since is not None), default=ALWAYS)
