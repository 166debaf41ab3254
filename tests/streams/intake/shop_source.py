"""A source as the intake sees it, whose records hold events of the contract in a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.contract.decode import Decoded, RefusedRecord, decode_poll
from streams.contract.rejected import RefusalReason
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.poll import Poll, TopicPartition

EXTRA: dict[Topic, dict[str, object]] = {
    Topic.ORDERS: {"order_id": "o", "amount": 1, "currency": "EUR"},
    Topic.COMPLAINTS: {"complaint_id": "c"},
    Topic.ACTIONS: {"action": "called"},
}


def event(topic: Topic, name: str, at: int, **more: object) -> dict[str, object]:
    """An event of a topic at a second of 1970's first hours."""
    hours, rest = divmod(at, 3_600)
    instant = f"1970-01-01T{hours:02}:{rest // 60:02}:{rest % 60:02}Z"
    fields = {"event_id": name, "customer_id": "k", "occurred_at": instant, **EXTRA.get(topic, {}), **more}
    return {"topic": topic.label, "fields": fields}


@dataclass(frozen=True)
class ShopSource:
    """Each record is a list of events; another one is refused."""

    topics: tuple[Topic, ...]

    def decode(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        timestamps_ms: Sequence[int] | NDArray[np.int64] | None,
        *,
        max_skew_us: int,
        now_us: int | None = None,
    ) -> Decoded:
        refused: list[RefusedRecord] = []
        batches, places = [Batch.empty()], [np.empty(0, np.int64)]
        found: dict[Topic, list[tuple[int, bytes]]] = {topic: [] for topic in self.topics}
        for i, value in enumerate(values):
            try:
                for each in json.loads(value or b""):
                    topic = Topic[each["topic"].upper()]
                    found[topic].append((i, json.dumps(each["fields"]).encode()))
            except ValueError:
                refused.append(RefusedRecord(i, RefusalReason.NOT_JSON, "shop: not JSON"))
        for topic, parts in found.items():
            at = np.array([i for i, _ in parts], dtype=np.int64)
            stamps = None if timestamps_ms is None else np.asarray(timestamps_ms)[at]
            own = None if keys is None else [keys[i] for i in at.tolist()]
            texts = [text for _, text in parts]
            decoded = decode_poll(topic, texts, own, stamps, max_skew_us=max_skew_us, now_us=now_us)
            batches.append(decoded.batch)
            places.append(at[decoded.index])
            refused += [RefusedRecord(int(at[r.index]), r.reason, r.detail) for r in decoded.refused]
        refused.sort(key=lambda record: record.index)
        return Decoded(Batch.concat(batches), np.concatenate(places), refused)


def shop_poll(name: str, start: int, records: Sequence[Sequence[dict[str, object]] | None]) -> Poll:
    """A poll of a source's topic; `None` is a record that no source can read."""
    n = len(records)
    return Poll(
        topic_partition=TopicPartition(name, 0),
        start=start,
        end=start + n,
        offsets=np.arange(start, start + n, dtype=np.int64),
        keys=[b"k"] * n,
        values=[b"garbage" if record is None else json.dumps(record).encode() for record in records],
        timestamps_ms=np.full(n, 4_000_000, dtype=np.int64),
    )
