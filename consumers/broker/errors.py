"""What an error of the Kafka client means to us, by the names of its classes: no driver is imported here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from consumers.loop import Retryable
from streams.errors import BrokerError


class Trouble(StrEnum):
    """What is wrong, as a short closed list that can be counted."""

    ABSENT = "cannot be reached"
    DENIED = "denies access"
    TOPIC = "does not know the topic or partition"
    GROUP = "gave the group's partitions to another member"
    RECORD = "refuses the record"
    REQUEST = "refuses the request"


class BrokerAway(BrokerError, Retryable):
    """The broker cannot be reached or is not ready: it may come back."""


class GroupChanged(BrokerError):
    """The group's partitions moved to another member: what was read is read again there."""


TROUBLES: Final[dict[str, Trouble]] = {
    "CommitFailedError": Trouble.GROUP,
    "IllegalGenerationError": Trouble.GROUP,
    "RebalanceInProgressError": Trouble.GROUP,
    "UnknownMemberIdError": Trouble.GROUP,
    "FencedInstanceIdError": Trouble.GROUP,
    "FencedMemberEpochError": Trouble.GROUP,
    "StaleMemberEpochError": Trouble.GROUP,
    "AuthorizationError": Trouble.DENIED,
    "SaslAuthenticationFailedError": Trouble.DENIED,
    "UnsupportedSaslMechanismError": Trouble.DENIED,
    "IllegalSaslStateError": Trouble.DENIED,
    "SecurityDisabledError": Trouble.DENIED,
    "UnknownTopicOrPartitionError": Trouble.TOPIC,
    "UnknownTopicIdError": Trouble.TOPIC,
    "InvalidTopicError": Trouble.TOPIC,
    "MessageSizeTooLargeError": Trouble.RECORD,
    "RecordListTooLargeError": Trouble.RECORD,
    "InvalidRecordError": Trouble.RECORD,
    "InvalidTimestampError": Trouble.RECORD,
    "CorruptRecordError": Trouble.RECORD,
    "UnsupportedCodecError": Trouble.RECORD,
    "UnsupportedCompressionTypeError": Trouble.RECORD,
    "RetriableError": Trouble.ABSENT,
    "BrokerNotAvailableError": Trouble.ABSENT,
    "OSError": Trouble.ABSENT,
}
"""Of an error's class and its ancestors the nearest one here names the trouble; else it is `REQUEST`."""


def trouble_of(error: Exception) -> Trouble:
    """Return what is wrong."""
    return next(
        (TROUBLES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in TROUBLES),
        Trouble.REQUEST,
    )


def broker_error(error: Exception, servers: str) -> BrokerError:
    """Return the `BrokerError` that stands for an error of the Kafka client."""
    trouble = trouble_of(error)
    detail = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    text = f"Kafka at {servers} {trouble}: {detail if kind in detail else f'{kind}: {detail}'}"
    if trouble is Trouble.ABSENT:
        return BrokerAway(text)
    return GroupChanged(text) if trouble is Trouble.GROUP else BrokerError(text)
