"""Follows the database while the desk runs, and puts on the feed what has changed."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from consumers.desk.clock import DeskClock
from consumers.desk.live.feed import Feed
from consumers.desk.live.presence import Presence
from consumers.desk.queue.board import Board
from consumers.desk.queue.reader import Changes
from consumers.loop import Backoff
from streams.errors import StoreError
from streams.telemetry.health import Heartbeat

log = logging.getLogger(__name__)

STUCK_S: Final = 300.0
"""Reading a hundred thousand open warnings at first takes a while."""
LOOK_S: Final = 0.3
"""How often it looks: what a colleague does shows within a second."""


class Follower:
    """A thread that keeps the board up to date."""

    def __init__(self, board: Board, feed: Feed, presence: Presence, clock: DeskClock) -> None:
        self._board = board
        self._feed = feed
        self._presence = presence
        self._clock = clock
        self.heartbeat = Heartbeat("the thread that follows the database", STUCK_S)
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        board.reader.on_changes.append(self._on_changes)

    def start(self) -> None:
        """Follow in a thread of its own until `stop`."""
        self._board.is_followed = True
        self._thread = threading.Thread(target=self._run, name="desk follower")
        self._thread.start()

    def stop(self) -> None:
        """End the thread and all streams."""
        self._stopped = True
        self._wake.set()
        self._feed.close()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    def look(self) -> None:
        """Look once. Raises `StoreError`."""
        self._board.refresh()
        if self._presence.exchange(self._clock.wall()):
            looking = {customer: list(names) for customer, names in self._presence.looking().items()}
            self._feed.publish("presence", {"looking": looking})

    def _run(self) -> None:
        backoff, failures, wait = Backoff(first_s=LOOK_S, limit_s=10.0), 0, 0.0
        began = time.monotonic()
        loading = True
        while not self._waited(wait):
            self.heartbeat.beat()
            try:
                self.look()
            except StoreError as error:
                failures += 1
                wait = backoff.delay(failures)
                log.warning("the queue cannot be read: %s; trying again in %.1f s", error, wait)
                continue
            except Exception:
                # Without the thread the page would stand still and nobody would know.
                failures += 1
                wait = backoff.delay(failures)
                log.exception("the queue cannot be brought up to date; trying again in %.1f s", wait)
                continue
            if loading:
                log.info("%d open warnings are read after %.1f s", len(self._board), time.monotonic() - began)
            loading, failures, wait = False, 0, LOOK_S

    def _waited(self, seconds: float) -> bool:
        """Wait, or until something wakes it; return whether it shall end."""
        self._wake.wait(seconds)
        self._wake.clear()
        return self._stopped

    def _on_changes(self, changes: Changes) -> None:
        self._feed.publish(
            "queue",
            {
                "version": self._board.version,
                "changed": sorted(changes.warnings),
                "gone": sorted(each for each, held_out in changes.gone.items() if not held_out),
                "gone_held_out": sorted(each for each, held_out in changes.gone.items() if held_out),
            },
        )
