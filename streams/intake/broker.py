"""What must be true of the broker before a worker starts, each an error of one line if it is not."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Collection, Mapping
from typing import Any, Final

from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]  # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same

from streams.errors import BrokerError
from streams.kafka.diagnosis import diagnose
from streams.kafka.errors import describe

PATIENCE_S: Final = 3.0
RETRY_S: Final = 0.5


def ssl_context(security: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return what a connection is encrypted with, if it is."""
    if "SSL" not in security.get("security_protocol", ""):
        return None
    try:
        return ssl.create_default_context(cafile=security.get("ssl_cafile"))
    except OSError as error:
        message = f"the certificates in {security.get('ssl_cafile')} cannot be read: {error}"
        raise BrokerError(message) from error


def aiokafka_security(security: Mapping[str, str]) -> dict[str, Any]:
    """Return kafka-python's security options as aiokafka's."""
    options: dict[str, Any] = {name: value for name, value in security.items() if name != "ssl_cafile"}
    return options | {"ssl_context": ssl_context(security)}


async def partition_counts(broker: str, security: Mapping[str, str]) -> dict[str, int]:
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


def check_topics(counts: Mapping[str, int], inputs: Collection[str], outputs: Collection[str]) -> None:
    """Raise `BrokerError` unless all topics exist and the inputs have as many partitions as each other."""
    missing = sorted({*inputs, *outputs} - counts.keys())
    if missing:
        message = (
            f"the broker has no topic {', '.join(missing)}: create what is missing with `lapwing topics`"
        )
        raise BrokerError(message)
    if len({counts[name] for name in inputs}) > 1:
        sizes = ", ".join(f"{name} has {counts[name]}" for name in sorted(inputs))
        message = f"the input topics must have the same number of partitions, but {sizes}"
        raise BrokerError(message)
