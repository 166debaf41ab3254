"""Deliveries in threads of their own, each with a deadline that the receiver cannot stretch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from consumers.loop import Waiter

DELIVERY_S: Final = 20.0
"""The deadline of a delivery, from connecting to the last byte of the answer."""
STOP_S: Final = 5.0
"""How long a delivery in progress may go on after a stop was asked for."""
MOST_UNFINISHED: Final = 3
"""Deliveries of a channel that went over their deadline and have not ended; then none is begun."""
_LOOK_S: Final = 0.1


class SendFailed(Exception):
    """The receiver did not take the message; the text says why and holds no secret."""

    def __init__(
        self, text: str, *, summary: str | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(text)
        self.summary = text if summary is None else summary
        """What the log has of it: nothing that the receiver answered, which may quote the message."""
        self.retry_after = retry_after
        """How long the receiver asks to be left alone."""


class SendTimedOut(SendFailed):
    """The receiver did not answer in time: it may have taken the message."""


class ReceiverGone(SendFailed):
    """The receiver says that it wants no more messages, now or later."""


class SendStopped(Exception):
    """A stop was asked for before the receiver answered."""


@dataclass(slots=True)
class _Attempt:
    """One delivery in a thread of its own, which the end of the process does not wait for."""

    done: threading.Event = field(default_factory=threading.Event)
    error: SendFailed | None = None


class Attempts:
    """Begins deliveries and waits for them, one channel at a time."""

    def __init__(
        self,
        stop: Waiter,
        *,
        deadline_s: float = DELIVERY_S,
        stop_s: float = STOP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.deadline_s = deadline_s
        self.stop_s = stop_s
        self._stop = stop
        self._clock = clock
        self._unfinished: dict[str, list[_Attempt]] = {}

    def run(self, channel: str, deliver: Callable[[], None]) -> None:
        """Deliver, or raise `SendFailed`, or `SendStopped`; what `deliver` raises else is a failure too."""
        unfinished = [each for each in self._unfinished.get(channel, []) if not each.done.is_set()]
        self._unfinished[channel] = unfinished
        if len(unfinished) >= MOST_UNFINISHED:
            msg = f"{len(unfinished)} earlier deliveries have not ended"
            raise SendFailed(msg)
        attempt = _Attempt()
        threading.Thread(target=_deliver, args=(attempt, deliver), daemon=True).start()
        try:
            self._wait(attempt)
        except (SendTimedOut, SendStopped):
            unfinished.append(attempt)
            raise
        if attempt.error is not None:
            raise attempt.error

    def _wait(self, attempt: _Attempt) -> None:
        begun = self._clock()
        last = begun + self.deadline_s
        stopped_at: float | None = None
        while not attempt.done.wait(_LOOK_S):
            now = self._clock()
            if self._stop.asked:
                stopped_at = now if stopped_at is None else stopped_at
                if now >= stopped_at + self.stop_s:
                    raise SendStopped
            if now >= last:
                msg = f"no answer within {self.deadline_s:g} s; the message may have arrived"
                raise SendTimedOut(msg)


def _deliver(attempt: _Attempt, deliver: Callable[[], None]) -> None:
    try:
        deliver()
    except SendFailed as error:
        attempt.error = error
    except Exception as error:  # whatever a channel's library raises is a failed delivery
        attempt.error = SendFailed(f"{type(error).__name__}: {error}", summary=type(error).__name__)
    finally:
        attempt.done.set()
