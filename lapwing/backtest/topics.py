"""A history read from Kafka: the inbound topics from an offset or a time to where they end now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from consumers.broker.client import Admin, Cluster, Subscription
from consumers.broker.records import Record
from lapwing.backtest.inputs import Start
from lapwing.settings.settings import Settings
from streams.contract.decode import decode_poll
from streams.core.events.batch import Batch
from streams.core.events.topics import REQUIRED
from streams.errors import BrokerError
from streams.kafka.errors import no_topic

POLL_S = 1.0
MAX_RECORDS = 20_000
IDLE_S = 30.0
"""How long a broker may send nothing before the command gives up."""


def read_topics(
    settings: Settings, start: Start, progress: Callable[[int, int], None]
) -> tuple[Batch, Counter[str]]:
    """Return the events of the inbound topics in total order, and how many records were refused by reason.

    As in a file, the order of arrival does not matter: a history is read in event time.
    """
    cluster = Cluster(settings.broker, settings.kafka_security)
    admin = Admin(cluster)
    try:
        there = admin.partitions()
    finally:
        admin.close()
    for topic in REQUIRED:
        if settings.topics[topic] not in there:
            raise BrokerError(no_topic(f"Kafka at {settings.broker}", settings.topics[topic]))
    batches: list[Batch] = []
    refused: Counter[str] = Counter()
    names = [(topic, name) for topic, name in settings.topics.items() if name in there]
    for number, (topic, name) in enumerate(names):
        progress(number, len(names))
        for records in _polls(cluster, name, start):
            decoded = decode_poll(
                topic,
                [record.value for record in records],
                [record.key for record in records],
                [record.timestamp_ms for record in records],
                max_skew_us=settings.max_skew,
                now_us=int(time.time() * 1_000_000),
            )
            batches.append(decoded.batch)
            refused.update(each.reason.value for each in decoded.refused)
    progress(len(names), len(names))
    batch = Batch.concat(batches)
    return batch.take(batch.order()), refused


def _polls(cluster: Cluster, name: str, start: Start) -> list[list[Record]]:
    """Return the records of a topic from its start to its present end, poll by poll."""
    subscription = Subscription(cluster, name, group=None, max_records=MAX_RECORDS)
    polls: list[list[Record]] = []
    try:
        if start.offset:
            subscription.seek(start.offset)
        heard = time.monotonic()
        while True:
            records = subscription.poll(POLL_S)
            kept = [record for record in records if start.includes(record.offset, record.timestamp_ms)]
            if kept:
                polls.append(kept)
            if records:
                heard = time.monotonic()
            if subscription.at_end():
                return polls
            if time.monotonic() - heard > IDLE_S:
                msg = f"Kafka at {cluster.servers} gives no more records of {name!r}, though there are some"
                raise BrokerError(msg)
    finally:
        subscription.close()
