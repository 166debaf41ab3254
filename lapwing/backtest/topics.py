"""A history read from Kafka: the input topics from an offset or a time to where they end now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace

import numpy as np

from consumers.broker.client import Admin, Cluster, Subscription
from consumers.broker.records import Record
from lapwing.backtest.inputs import Start
from lapwing.event_files import Refusals
from lapwing.inputs import read_inputs
from lapwing.mapped_topics import check_topics, contract_topics
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable
from streams.contract.decode import Decoded
from streams.core.events.batch import Batch
from streams.core.events.topics import REQUIRED
from streams.errors import BrokerError
from streams.inputs.formats.reading import SchemasWanted, with_schemas
from streams.inputs.source import Source
from streams.intake.lane import Lane, decode_lane, lanes_of
from streams.intake.poll import Poll, TopicPartition
from streams.kafka.errors import no_topic

POLL_S = 1.0
MAX_RECORDS = 20_000
IDLE_S = 30.0
"""How long a broker may send nothing before the command gives up."""


def read_topics(
    settings: Settings, start: Start, progress: Callable[[int, int], None]
) -> tuple[Batch, Refusals]:
    """Return the events of the input topics in total order, and what was refused.

    They are the topics that a worker reads: those of the contract, and those whose records the file of inputs
    maps. As in a file, the order of arrival does not matter: a history is read in event time. Raises
    `BrokerError` where a topic is missing or the records' schemas cannot be had.
    """
    sources = _sources(settings)
    cluster = Cluster(settings.broker, settings.kafka_security)
    with closing(Admin(cluster)) as admin:
        there = admin.partitions()
    topics = contract_topics(settings, sources)
    brought = {topic for source in sources.values() for topic in source.topics}
    needed = [topics[topic] for topic in REQUIRED if topic in topics and topic not in brought]
    if missing := [name for name in (*needed, *sources) if name not in there]:
        raise BrokerError(no_topic(f"Kafka at {settings.broker}", *missing))
    lanes = lanes_of({name: topic for topic, name in topics.items() if name in there}, sources)
    batches: list[Batch] = []
    refusals = Refusals()
    for number, (name, lane) in enumerate(lanes.items()):
        progress(number, len(lanes))
        for records in _polls(cluster, name, start):
            decoded = _decoded(lane, sources.get(name), records, settings.max_skew)
            batches.append(decoded.batch)
            for each in decoded.refused:
                record = records[each.index]
                place = f"{record.topic}[{record.partition}]@{record.offset}"
                refusals.add(each.reason.value, printable(f"{place}: {each.detail} ({each.reason})"))
    progress(len(lanes), len(lanes))
    batch = Batch.concat(batches)
    return batch.take(batch.order()), refusals


def _sources(settings: Settings) -> Mapping[str, Source]:
    """Return by topic what the file of inputs maps; raise where a worker could not read by it."""
    inputs = read_inputs(settings)
    if inputs is None:
        return {}
    check_topics(settings, inputs.path, inputs.by_topic)
    return inputs.by_topic


def _decoded(lane: Lane, source: Source | None, records: list[Record], max_skew_us: int) -> Decoded:
    """Return records as events, as a worker reads them; each refused record is in `refused` once."""
    # They are of several partitions, which matters to nobody here: neither place nor offsets are looked at.
    poll = Poll(
        TopicPartition(lane.name, records[0].partition),
        records[0].offset,
        records[-1].offset + 1,
        np.array([record.offset for record in records], dtype=np.int64),
        [record.key for record in records],
        [record.value for record in records],
        np.array([record.timestamp_ms for record in records], dtype=np.int64),
    )
    now_us = time.time_ns() // 1_000
    try:
        decoded = with_schemas(
            lambda: decode_lane(lane, source, poll, max_skew_us=max_skew_us, now_us=now_us)
        )
    except SchemasWanted as wanted:
        msg = f"{lane.name}: {wanted}, and it does not give them now"
        raise BrokerError(msg) from wanted
    first = {each.index: each for each in reversed(decoded.refused)}
    return replace(decoded, refused=[first[index] for index in sorted(first)])


def _polls(cluster: Cluster, name: str, start: Start) -> Iterator[list[Record]]:
    """Yield the records of a topic from its start to its present end, poll by poll."""
    subscription = Subscription(cluster, name, group=None, max_records=MAX_RECORDS)
    try:
        if start.offset:
            subscription.seek(start.offset)
        heard = time.monotonic()
        while True:
            records = subscription.poll(POLL_S)
            kept = [record for record in records if start.includes(record.offset, record.timestamp_ms)]
            if records:
                heard = time.monotonic()
            ended = subscription.at_end()
            if kept:
                yield kept
            if ended:
                return
            if time.monotonic() - heard > IDLE_S:
                msg = f"Kafka at {cluster.servers} gives no more records of {name!r}, though there are some"
                raise BrokerError(msg)
    finally:
        subscription.close()
