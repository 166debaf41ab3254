"""The erasures topic as workers read it: whole before they begin, and followed while they run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same

from streams.contract.erasures import ErasureRequest, parse_erasure
from streams.errors import ContractError
from streams.intake.broker import aiokafka_security
from streams.intake.topic_tail import TopicTail
from streams.kafka.errors import describe
from streams.kafka.security import Security

log = logging.getLogger(__name__)

READ_WAIT_MS: Final = 500
RETRY_S: Final = 5.0


def _request(record: Any) -> ErasureRequest | None:
    """Return what a record asks for; what is none of ours is logged and passed over."""
    if record.value is None:
        return None
    try:
        return parse_erasure(record.value)
    except ContractError as error:
        log.warning(
            "%(topic)s[%(partition)d]@%(offset)d is passed over: %(error)s",
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "error": error,
            },
        )
        return None


async def read_erasures(tail: TopicTail) -> list[ErasureRequest]:
    """Return what the topic holds now."""
    found = [_request(record) async for record in tail.records({})]
    return [request for request in found if request is not None]


async def follow(
    broker: str, security: Security, topic: str, found: Callable[[ErasureRequest], None]
) -> None:
    """Give `found` every erasure that the topic holds and gets; run until cancelled."""
    while True:
        try:
            await _follow(broker, security, topic, found)
        except (KafkaError, OSError) as error:
            log.warning("the topic %s cannot be read: %s; it is tried again", topic, describe(error, broker))
        await asyncio.sleep(RETRY_S)


async def _follow(
    broker: str, security: Security, topic: str, found: Callable[[ErasureRequest], None]
) -> None:
    place = TopicPartition(topic, 0)
    reader = AIOKafkaConsumer(
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        **aiokafka_security(security),
    )
    try:  # not `async with`: whoever is cancelled while it starts would leave its connections open
        await reader.start()
        reader.assign([place])
        await reader.seek_to_beginning(place)
        while True:
            for records in (await reader.getmany(timeout_ms=READ_WAIT_MS)).values():
                for record in records:
                    if (request := _request(record)) is not None:
                        found(request)
    finally:
        await reader.stop()
