"""The ids of topics: a topic that is deleted and made anew has its old name and another id.

aiokafka asks for metadata in a version that has no ids yet (KIP-516, Apache Kafka 2.8), so the request is
written down here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]  # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same
from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped]  # the same
from aiokafka.protocol.types import (  # type: ignore[import-untyped]  # the same
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from streams.errors import BrokerError
from streams.intake.broker import aiokafka_security
from streams.kafka.errors import describe
from streams.kafka.security import Security

PATIENCE_S: Final = 5.0
NO_ID: Final = UUID(int=0)
"""What a broker answers that knows no ids."""
_METADATA: Final = 3
_VERSION: Final = 10


class _Uuid:
    """16 bytes on the wire; aiokafka has no such type."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))

    @classmethod
    def repr(cls, value: UUID) -> str:
        return str(value)


class TopicIdsResponse(Response):  # type: ignore[misc]  # aiokafka ships no types
    """Version 10 of the answer with the metadata."""

    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition_index", Int32),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("replica_nodes", CompactArray(Int32)),
                        ("isr_nodes", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _TopicIdsRequestV10(RequestStruct):  # type: ignore[misc]  # the same
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = TopicIdsResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicIdsRequest(Request[_TopicIdsRequestV10]):  # type: ignore[misc]  # the same
    """Asks for the metadata of some topics, without creating any."""

    API_KEY = _METADATA

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def build(self, request_struct_class: Any) -> Any:
        """Return the request in the version that the broker knows."""
        topics: list[tuple[UUID, str, dict[int, bytes]]] = [(NO_ID, name, {}) for name in sorted(self._names)]
        return request_struct_class(topics, False, False, False, {})


async def topic_ids(broker: str, security: Security, names: Collection[str]) -> dict[str, str]:
    """Return the ids of those of the topics that exist; nothing where the broker knows no ids."""
    client = AIOKafkaClient(bootstrap_servers=broker, request_timeout_ms=5_000, **aiokafka_security(security))
    try:
        await asyncio.wait_for(client.bootstrap(), PATIENCE_S)
        answer = await asyncio.wait_for(
            client.send(client.get_random_node(), TopicIdsRequest(names)), PATIENCE_S
        )
    except NotImplementedError:  # an older broker
        return {}
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(describe(error, broker)) from error
    finally:
        await client.close()
    return {name: str(found) for code, name, found, *_ in answer.topics if not code and found != NO_ID}
