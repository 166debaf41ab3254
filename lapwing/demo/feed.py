"""The live stream: a thread that plays a source to the broker at a pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from lapwing.demo.source import EventSource
from streams.core.events.topics import Topic
from streams.simulate.pace import DAY_US, SimulatedPace
from streams.simulate.send import RecordProducer, send_slice

HOLD_S: Final = 0.05


class Feed:
    """Plays a source in the background; its counters may be read at any time.

    While the worker is `full` the simulated clock stands still: a slow machine plays the same stream slower.
    """

    def __init__(
        self,
        source: EventSource,
        producer: RecordProducer,
        topics: Mapping[Topic, str],
        days_a_second: float,
        full: Callable[[], bool],
    ) -> None:
        self.sent = 0
        """Events handed over so far."""
        self.at: int | None = None
        """The simulated instant reached, microseconds since the epoch."""
        self.part = 0.0
        """How much of the stream has been played, 0 to 1."""
        self._source = source
        self._producer = producer
        self._topics = topics
        self._stop = threading.Event()
        self._full = full
        self._held_s = 0.0
        self._pace = SimulatedPace(days_a_second, lambda: time.monotonic() - self._held_s, self._stop.wait)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all was played, or the feed was stopped; raise what made it fail."""
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Play no further, and wait until what was played has been sent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(15)

    def _hold(self) -> None:
        """Wait while the worker is full, outside the simulated time."""
        began = time.monotonic()
        while self._full() and not self._stop.wait(HOLD_S):
            pass
        self._held_s += time.monotonic() - began

    def _run(self) -> None:
        first = 0
        try:
            for part in self._pace.play(self._source.parts()):
                self._hold()
                if self._stop.is_set():
                    break
                self.sent += send_slice(self._producer, part, self._topics)
                first = int(part.records.at[part.begin]) if self.at is None else first
                self.at = part.at
                self.part = (part.at - first) / DAY_US / self._source.days if self._source.days else 1.0
            self._producer.flush()
        except Exception as error:  # raised by `done`, in the thread that can act on it
            self._error = error
