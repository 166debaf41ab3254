"""Errors of the Kafka client as ours: which of them may pass by themselves, and which are the group's."""

from __future__ import annotations

from consumers.loop import Retryable
from streams.errors import BrokerError
from streams.kafka.errors import BrokerTrouble, describe, trouble_of


class BrokerAway(BrokerError, Retryable):
    """The broker cannot be reached or is not ready: it may come back."""


class TopicMissing(BrokerError):
    """A topic that something is to be written to is not there; it may be created."""


class GroupChanged(BrokerError):
    """The group's partitions moved to another member: what was read is read again there."""


def broker_error(error: Exception, servers: str) -> BrokerError:
    """Return the `BrokerError` that stands for an error of the Kafka client."""
    trouble, text = trouble_of(error), describe(error, servers)
    if trouble is BrokerTrouble.ABSENT:
        return BrokerAway(text)
    return GroupChanged(text) if trouble is BrokerTrouble.GROUP else BrokerError(text)
