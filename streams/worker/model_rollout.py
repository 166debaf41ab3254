"""Models of the shared learner in a worker: each partition adopts the one in force at a checkpoint."""

from __future__ import annotations

import logging
from typing import Final

from streams.contract.models import PublishedModel
from streams.core.events.calendar import NEVER
from streams.core.model.logistic import Model
from streams.core.steps import OperationsNotice
from streams.errors import ContractError
from streams.worker.task import PartitionTask

log = logging.getLogger(__name__)

ADOPTED: Final = "model.adopted"
"""A partition scores by another model from now on."""


class ModelRollout:
    """Knows the model that is to be in force, and gathers what is to be published of changes."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._wanted: Model | None = None
        self._left_out: str | None = None
        """The version of a model that reads what it may not; it is logged once."""
        self._notices: list[OperationsNotice] = []

    def found(self, published: PublishedModel) -> None:
        """Take in the model that is to be in force."""
        try:
            self._wanted = published.model()
        except ContractError as error:
            log.warning("the model in force is not adopted: %s", error)
        else:
            log.info(
                "model to be in force=%(model)s candidate=%(candidate)s",
                {"model": published.version, "candidate": published.candidate},
            )

    def pending(self, task: PartitionTask) -> Model | None:
        """Return the model that a partition is to adopt, if any.

        It adopts none while it computes once more what was sent before a crash: that was scored by the model
        it has.
        """
        wanted, model = self._wanted, task.engine.scorer.model
        if wanted is None or task.repeats_sent_steps:
            return None
        if model is not None and model.version == wanted.version:
            return None
        if not task.engine.scorer.knows_inputs(wanted):
            if self._left_out != wanted.version:
                self._left_out = wanted.version
                log.warning(
                    "model %s is not adopted: it reads what model_attributes leaves out", wanted.version
                )
            return None
        return wanted

    def adopted(self, task: PartitionTask, before: str | None, at: int) -> None:
        """Note that a partition has adopted a model; `at` is the worker's clock."""
        assert task.engine.scorer.model is not None
        version = task.engine.scorer.model.version
        log.info(
            "model adopted partition=%(partition)d from=%(before)s to=%(model)s",
            {"partition": task.number, "before": before, "model": version},
        )
        watermark = task.engine.reorder.watermark
        self._notices.append(
            OperationsNotice(
                ADOPTED,
                at if watermark == NEVER else watermark,
                task.number,
                {"version": version, "version_before": before, "worker": self._worker},
            )
        )

    def take_notices(self) -> list[OperationsNotice]:
        """Return what is to be published since the last call."""
        notices, self._notices = self._notices, []
        return notices
