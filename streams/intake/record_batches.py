"""What aiokafka has fetched, unpacked a record batch at a time.

aiokafka unpacks a record at a time, through two generators and into a `ConsumerRecord` of 11 fields; a batch
as a list costs half as much. Its bookkeeping is kept to the letter: what a cut leaves over, the holes that
compaction left, control batches, and checksums.
"""

from __future__ import annotations

import inspect
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED  # type: ignore[import-untyped]  # aiokafka ships no types
from aiokafka.errors import CorruptRecordException  # type: ignore[import-untyped]  # the same


class RecordBatches:
    """Stands in for `FetchResult.getall` of one partition's fetch."""

    def __init__(self, result: Any) -> None:
        self._result = result
        self._left: list[Any] = []
        """Records of the newest batch that were too many for the call before."""
        self._end = 0
        """The offset after that batch."""

    def getall(self, max_records: int | None = None) -> list[Any]:
        """Return the records that were fetched, at most `max_records`, and move the position behind them."""
        result = self._result
        if not result.has_more() or not result.check_assignment(result._topic_partition):
            return []
        unpacked = result._partition_records
        batches = unpacked._records
        found, self._left = self._left, []
        end = unpacked.next_fetch_offset if not found else self._end
        while (max_records is None or len(found) < max_records) and batches.has_next():
            batch = batches.next_batch()
            if unpacked._check_crcs and not batch.validate_crc():
                # The position is where it was before this call, and aiokafka fetches again from there.
                result._partition_records = None
                message = f"the checksum of a record batch of {result._topic_partition} is wrong"
                raise CorruptRecordException(message)
            if not _is_aborted(unpacked, batch) and not batch.is_control_batch:
                records = list(batch)
                if (
                    records and records[0].offset < end
                ):  # a batch comes whole, wherever the position lies in it
                    records = [record for record in records if record.offset >= end]
                found += records
            end = batch.next_offset
        if max_records is not None and len(found) > max_records:
            found, self._left = found[:max_records], found[max_records:]
        self._end = end
        unpacked.next_fetch_offset = self._left[0].offset if self._left else end
        result._update_position()
        if not self._left and not batches.has_next():
            result._partition_records = None
            del result.getall  # it refers back to this
        return found


def _is_aborted(unpacked: Any, batch: Any) -> bool:
    """Return whether a batch is of an aborted transaction, as aiokafka finds it; it must see every batch."""
    if unpacked._isolation_level != READ_COMMITTED or batch.producer_id is None:
        return False
    unpacked._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch and unpacked._contains_abort_marker(batch):
        unpacked._aborted_producers.discard(batch.producer_id)
    return batch.is_transactional and batch.producer_id in unpacked._aborted_producers


def unpack_whole_batches(fetcher: Any, topics: frozenset[str]) -> None:
    """Let what has been fetched of `topics` be unpacked a record batch at a time.

    What arrives while a fetch waits is unpacked as aiokafka does: then nobody is in a hurry. That must go on
    to its end, for aiokafka may hold the rest of a batch that was cut.
    """
    for tp, result in fetcher._records.items():
        unpacked = getattr(result, "_partition_records", None)
        if unpacked is None or tp.topic not in topics:
            continue
        if "getall" in vars(result):
            continue
        if inspect.getgeneratorstate(unpacked._records_iterator) == inspect.GEN_CREATED:
            result.getall = RecordBatches(result).getall
