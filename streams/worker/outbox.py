"""The way out of the worker: outputs of engines, refused records and notices, in the order they arose."""

from __future__ import annotations

from streams.core.engine_io import Output
from streams.core.steps import OperationsNotice
from streams.intake.originals import OriginalRecords
from streams.intake.partition import RejectedRecord
from streams.intake.poll import TopicPartition
from streams.intake.produce_times import UNKNOWN_MS
from streams.worker.delivery import OutgoingRecord, OutputRouter, RecordDelivery
from streams.worker.refusal_log import RefusalLog
from streams.worker.rule_notices import Adoption
from streams.worker.task import PartitionTask


class Outbox:
    """Turns what comes of the input into records, and hands these to the delivery."""

    def __init__(
        self,
        router: OutputRouter,
        delivery: RecordDelivery,
        refusals: RefusalLog,
        originals: OriginalRecords | None = None,
    ) -> None:
        self._router = router
        self._originals = originals
        self._refusal_log = refusals
        self._delivery = delivery
        self._refusals: list[OutgoingRecord] = []
        self._shipped: dict[int, dict[TopicPartition, int]] = {}
        """By partition, the offsets last given to the delivery."""

    def reject(self, record: RejectedRecord) -> None:
        """Take in a record that was refused; it is sent with the next output."""
        self._refusal_log.note(record)
        self._refusals.append(self._router.of_rejected(record))

    def forget_offsets(self) -> None:
        """Give the delivery every partition's offsets again, as partitions may have come and gone."""
        self._shipped.clear()

    async def ship(self, task: PartitionTask, output: Output | None) -> None:
        """Send what was refused and what the task put out, with the offsets that may then be committed."""
        offsets = task.partition.released()
        if output is not None and output.refused:
            for record in await self._refused(task, output):
                self.reject(record)
        records, self._refusals = self._refusals, []
        produced_ms: list[int] = []
        if output is not None:
            unsent = task.drop_sent(output)
            if unsent.steps:
                found = task.partition.produce_times.of([step.at for step in unsent.steps])
                produced_ms = found[found != UNKNOWN_MS].tolist()
            records += self._router.of_output(unsent)
            for samples in output.samples:
                records += self._router.of_samples(samples, task.number)
        if records or offsets != self._shipped.get(task.number):
            self._shipped[task.number] = offsets
            await self._delivery.ship(records, offsets, produced_ms)

    async def _refused(self, task: PartitionTask, output: Output) -> list[RejectedRecord]:
        """Return what an engine refused as records, with their own bytes where they can be had."""
        refused = task.partition.refused(output)
        return refused if self._originals is None else await self._originals.of(refused)

    async def close(self) -> None:
        """Close what refused records are read from."""
        if self._originals is not None:
            await self._originals.close()

    async def ship_refusals(self) -> None:
        """Send what was refused; when this returns, all that was taken so far is sent or in an engine."""
        while self._refusals:  # more may come while these are on their way
            refusals, self._refusals = self._refusals, []
            await self._delivery.ship(refusals, {})

    async def ship_notice(self, notice: OperationsNotice) -> None:
        """Send a notice that does not depend on input."""
        await self._delivery.ship(self._router.of_output(Output(control=[notice])), {})

    async def ship_adoption(self, adoption: Adoption) -> None:
        """Send the records of a partition's change of rules."""
        await self._delivery.ship(self._router.of_adoption(adoption), {})

    async def wait(self) -> None:
        """Wait until the broker has everything that was sent before this call."""
        await self._delivery.wait()
