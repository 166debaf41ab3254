from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types

from streams.errors import BrokerError
from streams.intake.topic_ids import topic_ids
from tests.integration.workers import make_topics


def test_a_topic_made_anew_has_another_id(broker: str) -> None:
    first, second, absent = (f"ids-{uuid.uuid4().hex[:8]}" for _ in range(3))
    make_topics(broker, [first, second], 2)

    async def made_anew() -> tuple[dict[str, str], dict[str, str]]:
        before = await topic_ids(broker, {}, [first, second, absent])
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        await admin.delete_topics([first])
        await asyncio.sleep(1.0)
        await admin.create_topics([NewTopic(first, 2, 1)])
        await asyncio.sleep(0.5)
        await admin.close()
        return before, await topic_ids(broker, {}, [first, second, absent])

    before, after = asyncio.run(made_anew())
    assert before.keys() == after.keys() == {first, second}
    assert uuid.UUID(before[first]) != uuid.UUID(after[first])
    assert before[second] == after[second]


def test_a_broker_that_is_not_there_is_an_error() -> None:
    with pytest.raises(BrokerError):
        asyncio.run(topic_ids("127.0.0.1:1", {}, ["orders"]))
