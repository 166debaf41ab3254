"""The configuration of one Kafka node that is broker and controller at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scripts.foreground import free_ports

CLUSTER: Final = "bGFwd2luZy1mb3ItdGVzdA"
"""The cluster id that the storage is formatted with."""


def two_ports(port: int) -> tuple[int, int]:
    """Return `port`, or a free one for 0, and another that is free for the controller."""
    # `port` may have been found free a moment ago, and so be found again.
    first, second = [each for each in free_ports(3) if each != port][:2]
    return port or first, second


def properties(
    port: int,
    controller: int,
    log: Path,
    listeners: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
    protocols: Mapping[str, str] | None = None,
) -> str:
    """Return `server.properties`; nothing is deleted for its age, as events keep the times they have.

    `listeners` are further ones, addresses by name; `protocols` has that of a name that is no protocol.
    """
    open_ones = {"PLAINTEXT": f"127.0.0.1:{port}", **(listeners or {})}
    urls = ",".join(f"{name}://{address}" for name, address in open_ones.items())
    known = protocols or {}
    named = ",".join(f"{name}:{known.get(name, name)}" for name in open_ones)
    values: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"{urls},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": urls,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": f"{named},CONTROLLER:PLAINTEXT",
        "log.dirs": log,
        "log.retention.ms": -1,
        # Topics with a retention of their own: Kafka looks for old records so rarely that no test meets it.
        "log.retention.check.interval.ms": 7 * 24 * 60 * 60 * 1000,
        "log.cleaner.dedupe.buffer.size": 16_777_216,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        **(more or {}),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
