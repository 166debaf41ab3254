"""Who is gone, kept so that pages can filter without reading the store again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from consumers.lapsed.win_back import Departed, WinBackFilter, WinBackList, chosen

KEPT: Final = 16
"""Lists that are kept, one for each filter that was asked for last."""


class LapsedList:
    """The customers who are gone, as of one moment."""

    def __init__(self, departed: Departed) -> None:
        self._departed = departed
        self._lock = threading.Lock()
        self._lists: OrderedDict[WinBackFilter, WinBackList] = OrderedDict()
        shown = [each for each, is_barred in departed.customers if not each.holdout and not is_barred]
        self.segments = _words([each.segment for each in shown])
        self.regions = _words([each.region for each in shown])
        self.owners = _words([each.account_owner for each in shown])

    def choose(self, wanted: WinBackFilter) -> WinBackList:
        """Return who matches."""
        with self._lock:
            if wanted in self._lists:
                self._lists.move_to_end(wanted)
                return self._lists[wanted]
        found = chosen(self._departed, wanted)
        with self._lock:
            self._lists[wanted] = found
            while len(self._lists) > KEPT:
                self._lists.popitem(last=False)
        return found


def _words(found: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(sorted({each for each in found if each is not None}))
