"""The feed: what happened at the desk, to everybody who listens, in the order in which it happened."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

KEPT: Final = 2_000
"""Events that who comes back after a while can still be given."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that happened."""

    number: int
    id: str
    kind: str
    """`queue`, `presence` or `reload`: too much was missed."""
    data: dict[str, Any]

    @property
    def text(self) -> str:
        """The data as they are sent."""
        return json.dumps(self.data)


SeenBy = Callable[[LiveEvent], LiveEvent | None]
"""Returns of an event what whoever listens may see; `None` where that is nothing."""


class Feed:
    """Events of this process; threads publish, coroutines listen.

    The id of an event names the process, too: who comes back from another one is asked to read anew.
    """

    def __init__(self) -> None:
        self._process = secrets.token_hex(4)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._events: deque[LiveEvent] = deque(maxlen=KEPT)
        self._last = 0
        self._listeners: set[_Listener] = set()
        self._closed = False

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Hand an event to everybody who listens."""
        with self._lock:
            self._last = next(self._numbers)
            self._events.append(LiveEvent(self._last, f"{self._process}-{self._last}", kind, data))
            listeners = list(self._listeners)
        for each in listeners:
            each.wake()

    @property
    def newest(self) -> str:
        """The id of the newest event: a page that is made from here on has all up to it."""
        return f"{self._process}-{self._last}"

    @property
    def listeners(self) -> int:
        """How many streams there are."""
        return len(self._listeners)

    def close(self) -> None:
        """End all streams, and those that begin later."""
        with self._lock:
            self._closed = True
            listeners = list(self._listeners)
        for each in listeners:
            each.wake()

    async def listen(self, after: str | None, seen_by: SeenBy) -> AsyncIterator[LiveEvent]:
        """Yield what happens from now on, or after the event of an id, until the feed is closed."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
        try:
            at = self._begin(after)
            if at is None:
                at = self._last
                yield LiveEvent(at, f"{self._process}-{at}", "reload", {})
            while not self._closed:
                missed, events = self._after(at)
                if missed:
                    at = self._last
                    yield LiveEvent(at, f"{self._process}-{at}", "reload", {})
                    continue
                for each in events:
                    at = each.number
                    shown = seen_by(each)
                    if shown is not None:
                        yield shown
                if not events:
                    await listener.wait()
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _begin(self, after: str | None) -> int | None:
        """Return the number after which to begin; `None` where it is not known what was missed."""
        if not after:
            return self._last
        process, _, number = after.rpartition("-")
        if process != self._process or not number.isdecimal() or int(number) > self._last:
            return None
        return int(number)

    def _after(self, number: int) -> tuple[bool, list[LiveEvent]]:
        """Return whether events after this one are gone already, and those that are there."""
        with self._lock:
            if number == self._last:
                return False, []
            first = self._events[0].number if self._events else self._last + 1
            return number + 1 < first, [each for each in self._events if each.number > number]


class _Listener:
    """Waits in a loop of its own for what threads publish."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def wait(self) -> None:
        await self._news.wait()
        self._news.clear()
