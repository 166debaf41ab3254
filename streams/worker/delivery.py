"""What engines put out becomes records, and offsets become committable once the broker has these."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from streams.contract.audit import encode_adopted
from streams.contract.census import census_key, encode_census
from streams.contract.customer_days import encode_customer_days, encode_score
from streams.contract.outcomes import encode_outcome
from streams.contract.rejected import rejected_headers
from streams.contract.samples import encode_samples
from streams.contract.segment_days import encode_end, encode_sums
from streams.contract.warnings import encode_notice, encode_step
from streams.core.engine_io import Output
from streams.core.model.delayed_labels import LabelledSamples
from streams.core.segments.counts import DaySums
from streams.errors import BrokerError
from streams.intake.partition import RejectedRecord
from streams.intake.poll import TopicPartition
from streams.telemetry.histogram import LATENCIES, Histogram
from streams.worker.rule_notices import Adoption, adopted_notice
from streams.worker.settings import WorkerSettings

RECORD_OVERHEAD: Final = 200
"""Bytes, generously, that a batch of one record takes beside its key, value and headers."""
UNACKNOWLEDGED_LIMIT: Final = 50_000
"""Records that may be on their way to the broker before the worker waits for it."""

Headers = list[tuple[str, bytes]]
Send = Callable[[Sequence["OutgoingRecord"]], Awaitable[Sequence[Awaitable[Any]]]]
"""Hands records to the producer in their order and returns the broker's acknowledgements to come."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record to be produced."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None
    partition: int | None = None
    """Where it goes, if that does not follow from the key."""


@dataclass(frozen=True, slots=True)
class OutputRouter:
    """Where each kind of output goes, and how it is written."""

    app: str
    warnings: str
    control: str
    rejected: str
    record_limit: int
    """Bytes that the broker takes in one record."""
    audit: str = "lapwing-audit"
    """Empty: there is none, as with the next."""
    segment_days: str = ""
    segment_partitions: int = 0
    """Of `segment_days`: each gets the end of a day."""
    outcomes: str = ""
    census: str = ""
    customer_days: str = ""
    scores: str = ""
    samples: str = ""
    partitions: int = 1
    """Of the input topics."""

    @classmethod
    def of(cls, settings: WorkerSettings) -> OutputRouter:
        """Return the router to the topics that the settings name."""
        return cls(
            settings.app,
            settings.warnings_topic,
            settings.control_topic,
            settings.rejected_topic,
            settings.record_limit,
            settings.audit_topic,
            settings.segment_days_topic,
            settings.segment_partitions,
            settings.outcomes_topic,
            settings.census_topic,
            settings.customer_days_topic,
            settings.scores_topic,
            settings.samples_topic,
            settings.partitions or 1,
        )

    def of_adoption(self, adoption: Adoption) -> list[OutgoingRecord]:
        """Return the records of a partition's change of rules."""
        notice = OutgoingRecord(self.control, None, encode_notice(adopted_notice(adoption), self.app))
        if not self.audit:
            return [notice]
        return [notice, OutgoingRecord(self.audit, None, encode_adopted(adoption))]

    def of_output(self, output: Output) -> list[OutgoingRecord]:
        """Return the records of what an engine put out."""
        notices = [
            OutgoingRecord(self.control, None, encode_notice(notice, self.app)) for notice in output.control
        ]
        steps = [
            OutgoingRecord(self.warnings, step.customer_id.encode(), encode_step(step, self.app))
            for step in output.steps
        ]
        sums = [record for sums in output.sums for record in self.of_sums(sums)]
        return notices + steps + sums + self.of_outcomes(output)

    def of_outcomes(self, output: Output) -> list[OutgoingRecord]:
        """Return the records of outcomes, census, days and scores, as far as they have a topic."""
        outcomes, census = output.outcomes, output.census
        made = []
        if self.outcomes:
            made += [
                OutgoingRecord(self.outcomes, each.customer_id.encode(), encode_outcome(each, self.app))
                for each in outcomes
            ]
        if self.census:
            made += [
                OutgoingRecord(self.census, census_key(each).encode(), encode_census(each, self.app))
                for each in census
            ]
        if self.customer_days:
            made += [
                OutgoingRecord(
                    self.customer_days, each.customer_id.encode(), encode_customer_days(each, self.app)
                )
                for each in output.customer_days
            ]
        if self.scores:
            made += [
                OutgoingRecord(self.scores, each.customer_id.encode(), encode_score(each, self.app))
                for each in output.scores
            ]
        return made

    def of_samples(self, samples: LabelledSamples, partition: int) -> list[OutgoingRecord]:
        """Return the record of a partition's samples for the learner that all partitions share."""
        if not self.samples:
            return []
        value = encode_samples(samples, self.app, partition, self.partitions)
        return [OutgoingRecord(self.samples, str(partition).encode(), value)]

    def of_sums(self, sums: DaySums) -> list[OutgoingRecord]:
        """Return the records of a day's sums: the segments', then its end to every partition."""
        if not self.segment_days:
            return []
        rows = [OutgoingRecord(self.segment_days, key.encode(), value) for key, value in encode_sums(sums)]
        end, numbers = encode_end(sums), range(self.segment_partitions)
        return rows + [OutgoingRecord(self.segment_days, None, end, partition=number) for number in numbers]

    def of_rejected(self, bad: RejectedRecord) -> OutgoingRecord:
        """Return the record of what was refused: its own bytes, cut only where they would not fit."""

        def headers(truncated: bool) -> Headers:
            topic, partition = bad.place
            return rejected_headers(
                bad.reason,
                bad.detail,
                topic,
                partition,
                bad.offset,
                truncated=truncated,
                named=bad.named,
            )

        def size(headers: Headers) -> int:
            return sum(len(name) + len(value) + 10 for name, value in headers) + RECORD_OVERHEAD

        value, key = bad.value, bad.key
        plain, cut = headers(False), headers(True)
        if len(value or b"") + len(key or b"") + size(plain) <= self.record_limit:
            return OutgoingRecord(self.rejected, key, value, plain)
        room = self.record_limit - size(cut)
        key = (key or b"")[: room // 2] if key is not None else None
        return OutgoingRecord(self.rejected, key, (value or b"")[: room - len(key or b"")], cut)


@dataclass(frozen=True, slots=True)
class _Shipment:
    records: int
    acknowledgements: Sequence[asyncio.Future[Any]]
    offsets: Mapping[TopicPartition, int]
    since: float
    """When it was handed to the producer, seconds since the epoch."""


class RecordDelivery:
    """Records on their way to the broker, and the offsets that their arrival makes committable."""

    def __init__(self, send: Send, wall: Callable[[], float] = time.time) -> None:
        self._send = send
        self._wall = wall
        self.latency = Histogram(LATENCIES)
        """From the record that made a step, as Kafka dates it, until the broker has the step, seconds."""
        self._shipments: deque[_Shipment] = deque()
        self._under_way = 0
        self._arrived: dict[TopicPartition, int] = {}

    async def ship(
        self,
        records: Sequence[OutgoingRecord],
        offsets: Mapping[TopicPartition, int],
        produced_ms: Sequence[int] = (),
    ) -> None:
        """Send `records`; once they have arrived, what lies before `offsets` need not be read again.

        `produced_ms` says of the steps among them when the records were produced that made them.
        """
        since = self._wall()
        sent = await self._send(records) if records else ()
        acknowledgements = [asyncio.ensure_future(answer) for answer in sent]
        if produced_ms and acknowledgements:
            self._measure(acknowledgements, produced_ms)
        self._shipments.append(_Shipment(len(records), acknowledgements, offsets, since))
        self._under_way += len(records)
        while self._under_way > UNACKNOWLEDGED_LIMIT:
            await self._next()

    @property
    def waiting(self) -> int:
        """Return how many records are on their way."""
        return self._under_way

    @property
    def oldest(self) -> float | None:
        """Return when the oldest record on its way was sent, seconds since the epoch; `None` for none."""
        under_way = (s.since for s in self._shipments if not all(ack.done() for ack in s.acknowledgements))
        return next(under_way, None)

    def _measure(self, acknowledgements: Sequence[asyncio.Future[Any]], produced_ms: Sequence[int]) -> None:
        """Once all have arrived, count how long it took from each of `produced_ms` on."""
        left = len(acknowledgements)

        def on_done(acknowledgement: asyncio.Future[Any]) -> None:
            nonlocal left
            if acknowledgement.cancelled() or acknowledgement.exception() is not None:
                return  # whoever waits for it raises why
            left -= 1
            if not left:
                now = self._wall()
                for produced in produced_ms:
                    self.latency.observe(max(0.0, now - produced / 1_000))

        for acknowledgement in acknowledgements:
            acknowledgement.add_done_callback(on_done)

    def arrived(self) -> dict[TopicPartition, int]:
        """Return the offsets before which all that came of the input has arrived, where that has changed."""
        while self._shipments and all(ack.done() for ack in self._shipments[0].acknowledgements):
            shipment = self._shipments.popleft()
            self._under_way -= shipment.records
            for acknowledgement in shipment.acknowledgements:
                _check(acknowledgement)
            self._arrived |= shipment.offsets
        arrived, self._arrived = self._arrived, {}
        return arrived

    async def settle(self) -> dict[TopicPartition, int]:
        """Wait until the broker has everything and return as `arrived` does."""
        arrived = self.arrived()
        while self._shipments:
            await self._next()
            arrived |= self.arrived()
        return arrived

    async def wait(self) -> None:
        """Wait until the broker has everything that was shipped before this call."""
        pending = [ack for shipment in self._shipments for ack in shipment.acknowledgements]
        if pending:
            await asyncio.wait(pending)
        for acknowledgement in pending:
            _check(acknowledgement)

    async def _next(self) -> None:
        """Wait until the oldest shipment has arrived."""
        if acknowledgements := self._shipments[0].acknowledgements:
            await asyncio.wait(acknowledgements)
        self._arrived = self.arrived()


def _check(acknowledgement: asyncio.Future[Any]) -> None:
    """Raise the broker's error, if it did not take a record."""
    if error := acknowledgement.exception():
        message = f"the broker did not take a record: {type(error).__name__}: {error}"
        raise BrokerError(message) from error
