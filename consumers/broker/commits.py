"""What a member of a consumer group is done with, and commits when it can."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import Record

log = logging.getLogger(__name__)


AGAIN_S: Final = 60.0
"""How long a group may take to come together again."""


class Member(Protocol):
    """A member of a consumer group."""

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit the offset of the next record to read of each (topic, partition)."""


class Commits:
    """Offsets that are not committed yet."""

    def __init__(self, source: Member, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._offsets: dict[tuple[str, int], int] = {}
        self._changed_at: float | None = None
        """Since when the group has been taking no commit of this member, as it comes together again."""

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._offsets)

    def done(self, records: Iterable[Record]) -> None:
        """Take in records that need not come again, in the order of each partition."""
        for record in records:
            self._offsets[record.topic, record.partition] = record.offset + 1

    def leave(self, number: int) -> None:
        """Forget what was read of partitions of this number: other members have them now."""
        self._offsets = {at: offset for at, offset in self._offsets.items() if at[1] != number}
        if not self._offsets:
            self._changed_at = None

    def commit(self) -> None:
        """Commit what there is; where that fails the records come again, which must change nothing.

        A group that comes together again takes no commit. Afterwards a partition may still be this member's,
        and what it has read of that does not come again: so the commit is tried for a while.
        """
        if not self._offsets:
            return
        try:
            self._source.commit(self._offsets)
        except BrokerAway as error:
            log.warning("offsets are not committed yet: %s", error)
        except GroupChanged as error:
            if self._changed_at is None:
                self._changed_at = self._clock()
                log.info("%s", error)
            elif self._clock() - self._changed_at > AGAIN_S:
                self._forget()
        else:
            self._forget()

    def _forget(self) -> None:
        self._offsets.clear()
        self._changed_at = None
