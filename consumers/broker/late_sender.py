"""A producer that connects when something is to be sent: who serves pages starts without a broker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from consumers.broker.records import RecordSender


class ClosingSender(RecordSender, Protocol):
    """Sends records until it is closed."""

    def close(self) -> None:
        """Close; what was not flushed is sent if it can be soon."""


class LateSender:
    """Sends through what `connect` returns, which is asked at the first record, and again where it failed."""

    def __init__(self, connect: Callable[[], ClosingSender]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._sender: ClosingSender | None = None

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Send a record soon. Raises `BrokerError`, also where there is no connection."""
        with self._lock:
            if self._sender is None:
                self._sender = self._connect()
        self._sender.send(topic, key, value)

    def flush(self) -> None:
        """Wait until the broker has acknowledged all records."""
        if self._sender is not None:
            self._sender.flush()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._sender is not None:
            self._sender.close()
