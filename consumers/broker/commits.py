"""What a member of a consumer group is done with, and commits when it can."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import GroupSource, Record

log = logging.getLogger(__name__)


class Commits:
    """Offsets that are not committed yet."""

    def __init__(self, source: GroupSource) -> None:
        self._source = source
        self._offsets: dict[tuple[str, int], int] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._offsets)

    def done(self, records: Iterable[Record]) -> None:
        """Take in records that need not come again, in the order of each partition."""
        for record in records:
            self._offsets[record.topic, record.partition] = record.offset + 1

    def commit(self) -> None:
        """Commit what there is; where that fails the records come again, which must change nothing."""
        if not self._offsets:
            return
        try:
            self._source.commit(self._offsets)
        except BrokerAway as error:
            log.warning("offsets are not committed yet: %s", error)
        except GroupChanged as error:
            log.info("%s", error)
            self._offsets.clear()
        else:
            self._offsets.clear()
