"""Erasures of customers in a worker: each partition adopts them at a checkpoint and carries them out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary

from streams.contract.erasures import ErasureKey, ErasureRequest, made_with, wrong_key
from streams.core.engine import Engine
from streams.core.erasures import ErasedCustomers, Erasure
from streams.core.events.calendar import NEVER
from streams.core.removal import erase
from streams.core.steps import OperationsNotice
from streams.worker.task import PartitionTask

log = logging.getLogger(__name__)

ERASED: Final = "customers.erased"
"""A partition's state has lost the customers of some erasures; it has not been saved yet."""


class ErasureRollout:
    """Knows who is to be erased, and gathers what is to be published of it.

    `requests` are those that the topic holds when the worker begins. Raises `WrongErasureKey` where they were
    made with another key.
    """

    def __init__(
        self, key: ErasureKey | None = None, requests: Iterable[ErasureRequest] = (), worker: str = "worker"
    ) -> None:
        self._key = key
        self._worker = worker
        self._wanted: dict[str, Erasure] = {}
        self._changes = 0
        """How often `_wanted` has changed."""
        self._complete: WeakKeyDictionary[ErasedCustomers, int] = WeakKeyDictionary()
        """By what a partition has adopted, the number of changes after which it lacked nothing."""
        self._notices: list[OperationsNotice] = []
        ours, others = made_with(key, requests)
        for request in ours:
            self._take(request)
        if others:
            log.error(
                "%(count)d records of erasures are passed over: %(reason)s",
                {"count": len(others), "reason": wrong_key(key, others[0])},
            )

    def found(self, request: ErasureRequest) -> None:
        """Take in an erasure that came while the worker runs."""
        if request.is_marker:
            return
        if self._key is None or request.key_id != self._key.id:
            log.error("a customer is not erased: %(reason)s", {"reason": wrong_key(self._key, request)})
        else:
            self._take(request)

    def pending(self, task: PartitionTask) -> list[Erasure]:
        """Return the erasures that a partition is to adopt.

        It adopts none while it computes once more what was sent before a crash: the warnings that opened then
        must be open here before they can be withdrawn.
        """
        if not self._wanted:
            return []
        erased = task.engine.erased
        if task.repeats_sent_steps or self._complete.get(erased) == self._changes:
            return []
        lacking = erased.lacking(self._wanted.values())
        if not lacking:
            self._complete[erased] = self._changes
        return lacking

    def begin(self, engine: Engine) -> Engine:
        """Return an engine that knows of all erasures before its first event."""
        engine.erased.adopt(self._wanted.values())
        return erase(engine)[0]

    def is_erased(self, customer_id: str, at: int) -> bool:
        """Say whether what a customer did or was at an instant is erased."""
        if self._key is None or not self._wanted:
            return False
        erasure = self._wanted.get(self._key.hash(customer_id))
        return erasure is not None and at <= erasure.erased_at

    def carried_out(self, task: PartitionTask, erasures: int, customers: int, at: int) -> None:
        """Note that a partition has carried out erasures, of which so many customers were its own."""
        log.info(
            "erased partition=%(partition)d erasures=%(erasures)d customers=%(customers)d",
            {"partition": task.number, "erasures": erasures, "customers": customers},
        )
        watermark = task.engine.reorder.watermark
        self._notices.append(
            OperationsNotice(
                ERASED,
                at if watermark == NEVER else watermark,
                task.number,
                {"erasures": erasures, "customers": customers, "worker": self._worker},
            )
        )

    def take_notices(self) -> list[OperationsNotice]:
        """Return what is to be published since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def _take(self, request: ErasureRequest) -> None:
        known, new = self._wanted.get(request.hash), request.erasure
        if known is None or known.erased_at < new.erased_at:
            self._wanted[request.hash] = new
            self._changes += 1
