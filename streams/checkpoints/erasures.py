"""How far the erasure of a customer is in the checkpoints of an application."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from streams.checkpoints.store import Checkpoint, CheckpointStore
from streams.errors import StateError

TABLE: Final = "erasures"


class ErasureStage(StrEnum):
    """Where the erasure stands in one partition."""

    WAITING = "waiting"
    """No checkpoint knows of it: no worker has the partition, or it has not come to it."""
    CLEARING = "clearing"
    """The state has lost the customer, and a checkpoint of before is still there."""
    CLEARED = "cleared"
    """No checkpoint has the customer any more."""


@dataclass(frozen=True, slots=True)
class PartitionErasure:
    """How far the erasure is in one partition."""

    partition: int
    stage: ErasureStage
    cleared_at: int | None = None
    """The clock of the partition when its state lost the customer, microseconds since the epoch."""


def erasure_progress(store: CheckpointStore, hashed: str, erased_at: int) -> list[PartitionErasure]:
    """Return how far the erasure of `hashed`, as it was asked for at an instant, is in each partition.

    A partition without checkpoints has nothing to lose.
    """
    found = []
    for number in store.partitions():
        whole = store.whole(number)
        if not whole:
            continue
        try:
            cleared = [_cleared_at(store, checkpoint, hashed, erased_at) for checkpoint in whole]
        except StateError:  # one was removed while it was read, or is damaged
            cleared = [None]
        done = cleared[-1]
        if None not in cleared and not store.leftovers(number):
            found.append(PartitionErasure(number, ErasureStage.CLEARED, done))
        else:
            stage = ErasureStage.WAITING if done is None else ErasureStage.CLEARING
            found.append(PartitionErasure(number, stage, done))
    return found


def partitions_with(store: CheckpointStore, customer_ids: Collection[str]) -> dict[str, list[int]]:
    """Return in which partitions' checkpoints each customer is, those that are in none left out."""
    found: dict[str, list[int]] = {}
    for number in store.partitions():
        ids: set[str] = set()
        for checkpoint in store.whole(number):
            with suppress(StateError):  # it was removed while it was read
                for table in ("customers", "held"):
                    column = store.table(checkpoint, table)["customer_id"]
                    ids |= set(column.filter(column.is_in(list(customer_ids))).to_list())
        for customer_id in ids:
            found.setdefault(customer_id, []).append(number)
    return found


def _cleared_at(store: CheckpointStore, checkpoint: Checkpoint, hashed: str, erased_at: int) -> int | None:
    """Return the clock at which a checkpoint's state lost the customer, `None` where it has not."""
    if TABLE not in checkpoint.files:
        return None  # it was written before anybody could be erased
    rows = store.table(checkpoint, TABLE).filter(
        (pl.col("hash") == hashed) & (pl.col("erased_at") >= erased_at)
    )
    cleared: int | None = rows["cleared_at"][0] if len(rows) else None
    return cleared
