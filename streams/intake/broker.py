"""What must be true of the broker before a worker starts, each an error of one line if it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any, Final

from aiokafka.abc import AbstractTokenProvider  # type: ignore[import-untyped]  # aiokafka ships no types
from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]  # the same
from aiokafka.errors import (  # type: ignore[import-untyped]  # the same
    KafkaConnectionError,
    KafkaError,
)

from streams.errors import BrokerError
from streams.kafka.diagnosis import diagnose
from streams.kafka.errors import describe, no_topic
from streams.kafka.security import Security, tls_context, without_files
from streams.kafka.tokens import TokenSource, token_source

PATIENCE_S: Final = 3.0
RETRY_S: Final = 0.5


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types
    """Gives aiokafka its tokens; without one the connection fails, and is tried again."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def token(self) -> str:
        """Return a token that is good."""
        try:
            return await asyncio.to_thread(self._source.token)
        except BrokerError as error:
            raise KafkaConnectionError(str(error)) from error


def aiokafka_security(security: Security) -> dict[str, Any]:
    """Return kafka-python's security options as aiokafka's."""
    options: dict[str, Any] = {**without_files(security), "ssl_context": tls_context(security)}
    if source := token_source(security):
        options["sasl_oauth_token_provider"] = TokenProvider(source)
    return options


async def partition_counts(broker: str, security: Security) -> dict[str, int]:
    """Return the number of partitions of every topic; `BrokerError` with the cause if nobody gets in.

    `security` are kafka-python's options. All topics are asked for, as brokers may create a topic that is
    asked for by name.
    """
    options = aiokafka_security(security)
    noisy = logging.getLogger("aiokafka")
    level = noisy.level
    noisy.setLevel(logging.CRITICAL)  # it logs every attempt; one error is raised for all
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    try:
        while True:
            client = AIOKafkaClient(bootstrap_servers=broker, request_timeout_ms=5_000, **options)
            try:
                await asyncio.wait_for(client.bootstrap(), PATIENCE_S)
                metadata = await asyncio.wait_for(client.fetch_all_metadata(), PATIENCE_S)
                topics = metadata.topics(exclude_internal_topics=False)
                return {topic: len(metadata.partitions_for_topic(topic) or ()) for topic in topics}
            except (KafkaError, OSError, TimeoutError) as error:
                if asyncio.get_running_loop().time() + RETRY_S > deadline:
                    # The client sees only that connections end.
                    found = await asyncio.to_thread(diagnose, broker, security)
                    raise BrokerError(found.text if found else describe(error, broker)) from error
            finally:
                await client.close()
            await asyncio.sleep(RETRY_S)
    finally:
        noisy.setLevel(level)


def check_topics(
    counts: Mapping[str, int],
    inputs: Collection[str],
    outputs: Collection[str],
    sources: Collection[str] = (),
) -> None:
    """Raise `BrokerError` unless all topics exist and the inputs have as many partitions as each other.

    `sources` are those of the inputs that are mapped.
    """
    missing = sorted({*inputs, *outputs} - counts.keys())
    if mapped := [name for name in missing if name in sources]:
        message = (
            f"the broker has no topic {', '.join(mapped)}, which the file of inputs names, or this user may "
            "not read it"
        )
        raise BrokerError(message)
    if missing:
        raise BrokerError(no_topic("the broker", *missing))
    if len({counts[name] for name in inputs}) > 1:
        sizes = ", ".join(f"{name} has {counts[name]}" for name in sorted(inputs))
        message = f"the input topics must have the same number of partitions, but {sizes}"
        if sources:
            message += (
                "; what `lapwing import --follow` writes of a source's topic to those of the contract lies "
                "in the right partitions"
            )
        raise BrokerError(message)
