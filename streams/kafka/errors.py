"""The error map of kafka-python and aiokafka, by the names of their classes: neither client is imported."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from streams.errors import BrokerError


class BrokerTrouble(StrEnum):
    """What is wrong, as a short closed list that can be counted."""

    ABSENT = "cannot be reached"
    DENIED = "denies access"
    CERTIFICATE = "has a certificate that is not trusted"
    PROTOCOL = "uses another security protocol"
    TOPIC = "does not know the topic or partition"
    GROUP = "gave the group's partitions to another member"
    RECORD = "refuses the record"
    REQUEST = "refuses the request"


TROUBLES: Final[dict[str, BrokerTrouble]] = {
    "CommitFailedError": BrokerTrouble.GROUP,
    "IllegalGenerationError": BrokerTrouble.GROUP,
    "RebalanceInProgressError": BrokerTrouble.GROUP,
    "UnknownMemberIdError": BrokerTrouble.GROUP,
    "MemberIdRequiredError": BrokerTrouble.GROUP,
    "FencedInstanceIdError": BrokerTrouble.GROUP,
    "FencedMemberEpochError": BrokerTrouble.GROUP,
    "StaleMemberEpochError": BrokerTrouble.GROUP,
    "AuthorizationError": BrokerTrouble.DENIED,
    "AuthenticationFailedError": BrokerTrouble.DENIED,
    "AuthenticationMethodNotSupportedError": BrokerTrouble.DENIED,
    "ClusterAuthorizationFailedError": BrokerTrouble.DENIED,
    "DelegationTokenAuthorizationFailedError": BrokerTrouble.DENIED,
    "GroupAuthorizationFailedError": BrokerTrouble.DENIED,
    "TopicAuthorizationFailedError": BrokerTrouble.DENIED,
    "TransactionalIdAuthorizationFailedError": BrokerTrouble.DENIED,
    "SaslAuthenticationFailedError": BrokerTrouble.DENIED,
    "UnsupportedSaslMechanismError": BrokerTrouble.DENIED,
    "IllegalSaslStateError": BrokerTrouble.PROTOCOL,
    "SecurityDisabledError": BrokerTrouble.DENIED,
    "SSLCertVerificationError": BrokerTrouble.CERTIFICATE,
    "SSLError": BrokerTrouble.PROTOCOL,
    "UnknownTopicOrPartitionError": BrokerTrouble.TOPIC,
    "UnknownTopicIdError": BrokerTrouble.TOPIC,
    "InvalidTopicError": BrokerTrouble.TOPIC,
    "MessageSizeTooLargeError": BrokerTrouble.RECORD,
    "RecordTooLargeError": BrokerTrouble.RECORD,
    "RecordListTooLargeError": BrokerTrouble.RECORD,
    "InvalidRecordError": BrokerTrouble.RECORD,
    "InvalidTimestampError": BrokerTrouble.RECORD,
    "CorruptRecordError": BrokerTrouble.RECORD,
    "CorruptRecordException": BrokerTrouble.RECORD,
    "UnsupportedCodecError": BrokerTrouble.RECORD,
    "UnsupportedCompressionTypeError": BrokerTrouble.RECORD,
    "RetriableError": BrokerTrouble.ABSENT,
    "BrokerNotAvailableError": BrokerTrouble.ABSENT,
    "KafkaTimeoutError": BrokerTrouble.ABSENT,
    "KafkaUnavailableError": BrokerTrouble.ABSENT,
    "NetworkExceptionError": BrokerTrouble.ABSENT,
    "StaleLeaderEpochCodeError": BrokerTrouble.ABSENT,
    "FetchSessionIdNotFoundError": BrokerTrouble.ABSENT,
    "InvalidFetchSessionEpochError": BrokerTrouble.ABSENT,
    "ConcurrentTransactionsError": BrokerTrouble.ABSENT,
    "ListenerNotFoundError": BrokerTrouble.ABSENT,
    "ReplicaNotAvailableError": BrokerTrouble.ABSENT,
    "TimeoutError": BrokerTrouble.ABSENT,
    "OSError": BrokerTrouble.ABSENT,
    "KafkaError": BrokerTrouble.REQUEST,
}
"""Of an error's class and its ancestors, the nearest one here names the trouble.

aiokafka leaves out the ending `Error` of some names, and marks by an attribute what may be tried again.
"""


def trouble_of(error: BaseException) -> BrokerTrouble:
    """Return what is wrong; what no client's class names is a request that is refused."""
    for kind in type(error).__mro__:
        named = TROUBLES.get(kind.__name__) or TROUBLES.get(f"{kind.__name__}Error")
        if named is BrokerTrouble.REQUEST and getattr(error, "retriable", False):
            return BrokerTrouble.ABSENT
        if named is not None:
            return named
    return BrokerTrouble.REQUEST


def describe(error: BaseException, servers: str) -> str:
    """Return one line: where the broker is, what is wrong, and the client's own text."""
    detail = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    detail = detail if kind in detail else f"{kind}: {detail}".removesuffix(": ")
    return f"Kafka at {servers} {trouble_of(error)}: {detail}"


def broker_error(error: BaseException, servers: str) -> BrokerError:
    """Return the `BrokerError` that stands for an error of a Kafka client."""
    return BrokerError(describe(error, servers))


def no_topic(place: str, *names: str) -> str:
    """Return what to say where a client sees no such topics: Kafka hides what its user has no right on."""
    it = "it" if len(names) == 1 else "them"
    return (
        f"{place} has no topic {', '.join(names)}, or this user may not see {it}: create what is missing "
        "with `lapwing topics`, or give the rights that `lapwing topics --acls` prints"
    )
