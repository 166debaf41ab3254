"""The brokers that a campaign runs on, each with what can be done to it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from lapwing.demo.broker import EmbeddedBroker, free_port
from tests.faults.schedule import Kind
from tests.servers import Server

RESTART_TRIES = 3


class Host(Protocol):
    """A broker that can be made to fail."""

    address: str

    def kinds(self) -> Collection[Kind]:
        """Return the faults that a system on it can meet."""

    def signal(self, number: signal.Signals) -> None:
        """Send the broker's process a signal."""

    def start_again(self) -> None:
        """Start the broker, which was killed, with the data it had."""

    def close(self) -> None:
        """Stop it."""


class EmbeddedHost:
    """The embedded broker: it may freeze, but its data is in memory and would go with it."""

    def __init__(self) -> None:
        self._broker = EmbeddedBroker().__enter__()
        self.address = self._broker.address

    def kinds(self) -> Collection[Kind]:
        """Return all faults but the broker's end."""
        return set(Kind) - {Kind.BROKER_RESTART}

    def signal(self, number: signal.Signals) -> None:
        """Send the broker a signal."""
        os.kill(self._broker.pid, number)

    def start_again(self) -> None:
        """Fail: what it held is gone."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop it."""
        self._broker.close()


class KafkaHost:
    """Apache Kafka, one node, with its data in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._arguments = ("--port", str(free_port()), "--data", str(folder), "--heap", "512m")
        self._server = Server("kafka", *self._arguments)
        self.address = self._server.address

    def kinds(self) -> Collection[Kind]:
        """Return all faults."""
        return set(Kind)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Java, which the script that keeps it has started."""
        script = self._server.pid
        (java,) = Path(f"/proc/{script}/task/{script}/children").read_text().split()
        os.kill(int(java), number)

    def start_again(self) -> None:
        """Start it, as often as its port is not free yet."""
        self._server.stop()
        for left in reversed(range(RESTART_TRIES)):
            try:
                self._server = Server("kafka", *self._arguments)
            except RuntimeError:
                if not left:
                    raise
                time.sleep(1)
            else:
                return

    def close(self) -> None:
        """Stop it."""
        self._server.stop()
