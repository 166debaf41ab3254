"""The models topic as workers and the learner read it: followed for ever, whatever lies there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same

from streams.contract.models import ModelLog, PublishedModel
from streams.errors import ContractError
from streams.intake.broker import aiokafka_security
from streams.intake.topic_tail import TopicTail
from streams.kafka.errors import describe
from streams.kafka.security import Security

log = logging.getLogger(__name__)

READ_WAIT_MS: Final = 500
RETRY_S: Final = 5.0


def take(models: ModelLog, record: Any) -> None:
    """Take in a record of the topic; what is none of ours is logged and passed over."""
    try:
        models.take(record.key, record.value)
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


async def read_models(tail: TopicTail, app: str) -> ModelLog:
    """Return what the topic holds now."""
    models = ModelLog(app)
    async for record in tail.records({}):
        take(models, record)
    return models


async def follow(
    broker: str,
    security: Security,
    topic: str,
    app: str,
    found: Callable[[PublishedModel], None],
) -> None:
    """Give `found` the model that is to be in force, now and whenever it changes; run until cancelled.

    Where the broker is away it is tried again: a worker goes on with the model that it has.
    """
    while True:
        try:
            await _follow(broker, security, topic, app, found)
        except (KafkaError, OSError) as error:
            log.warning("the topic %s cannot be read: %s; it is tried again", topic, describe(error, broker))
        await asyncio.sleep(RETRY_S)


async def _follow(
    broker: str,
    security: Security,
    topic: str,
    app: str,
    found: Callable[[PublishedModel], None],
) -> None:
    place = TopicPartition(topic, 0)
    reader = AIOKafkaConsumer(
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        **aiokafka_security(security),
    )
    models, before = ModelLog(app), None
    try:  # not `async with`: whoever is cancelled while it starts would leave its connections open
        await reader.start()
        reader.assign([place])
        await reader.seek_to_beginning(place)
        # What is older than the end of now was in force before: only the last of it counts.
        end = (await reader.end_offsets([place]))[place]
        while True:
            for records in (await reader.getmany(timeout_ms=READ_WAIT_MS)).values():
                for record in records:
                    take(models, record)
            model = models.model()
            if model is not None and model.version != before and await reader.position(place) >= end:
                before = model.version
                found(model)
    finally:
        await reader.stop()
