"""The learner that all partitions share: it learns each of their samples once, in the order of one log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.contract.models import encode_model
from streams.contract.samples import SampleBatch
from streams.core.model.logistic import INPUTS, Input, Model
from streams.core.model.warm_up import WarmUp
from streams.core.steps import OperationsNotice
from streams.learning.candidates import Contest, Promotion, settings_of_candidates
from streams.learning.drift import Drift, DriftWatch
from streams.learning.hats import Hats
from streams.learning.learner import LearnerSettings, RiverLearner, learn_together, share_reservoirs

FORMAT: Final = 1
"""Of the state."""

PROMOTED: Final = "model.promoted"
"""A challenger has become the champion."""
DRIFT: Final = "model.drift"
"""The champion's loss, its scores or an input have moved away from what they were."""
DRIFTS_KEPT: Final = 20


class Taken(StrEnum):
    """What became of a record of samples."""

    LEARNED = "learned"
    REPEAT = "repeat"
    """A worker that had crashed sent it again."""


class SharedLearner:
    """Champion and challengers, and how far each partition has been learned.

    What it knows is a function of the records before `offset`, whatever it was stopped by and how often.
    """

    def __init__(self, settings: LearnerSettings | None = None, inputs: Sequence[Input] = INPUTS) -> None:
        every = settings_of_candidates(settings or LearnerSettings())
        self.inputs = tuple(inputs)
        self.candidates = {
            name: RiverLearner(each, self.inputs, keep_hats=True) for name, each in every.items()
        }
        share_reservoirs(list(self.candidates.values()))
        self.contest = Contest(tuple(self.candidates))
        self.offset = 0
        """Of the samples topic: the first record that was not taken."""
        self.at: int | None = None
        """The newest decision instant."""
        self.first: int | None = None
        """The first one."""
        self.counts = {"samples": 0, "weighted": 0, "excluded": 0, "treated": 0, "repeats": 0}
        self.drift = DriftWatch(self.inputs)
        self.drifts: list[Drift] = []
        """The newest ones."""
        self.notices: list[OperationsNotice] = []
        """What is to be published beside models; part of the state until it is."""
        self._partitions: int | None = None
        self._until: dict[int, int] = {}
        """By partition, the newest decision instant that was learned."""
        self._since = -1
        """What is not newer was learned while there were other partitions."""

    @property
    def champion(self) -> RiverLearner:
        """The candidate whose model is in force."""
        return self.candidates[self.contest.champion]

    def take(self, batch: SampleBatch, offset: int) -> Taken:
        """Judge all candidates by the samples of the record at `offset`, then let them learn these."""
        self.offset = offset + 1
        if batch.partitions != self._partitions:
            # Customers have moved to other partitions: nobody knows of which of them more was learned.
            self._since = max(self._until.values(), default=self._since)
            self._partitions, self._until = batch.partitions, {}
        if batch.at <= self._until.get(batch.partition, self._since):
            self.counts["repeats"] += 1
            return Taken.REPEAT
        self._until[batch.partition] = batch.at
        self.at = batch.at if self.at is None else max(self.at, batch.at)
        self.first = batch.at if self.first is None else self.first
        self.counts["samples"] += len(batch)
        self.counts["weighted"] += int(np.count_nonzero(batch.weight != 1))
        self.counts["excluded"] += batch.excluded
        self.counts["treated"] += batch.treated
        x = _by_name(batch, self.inputs)
        hats = Hats.of(x, self.inputs)  # the same for all candidates
        logits = np.array(
            [each.snapshot().logit_between(hats.knot, hats.way) for each in self.candidates.values()]
        )
        champion, scored = (
            logits[list(self.candidates).index(self.contest.champion)],
            self._ready(self.champion),
        )
        found = self.drift.take(batch.at, x, champion, batch.y, batch.weight, scored=scored)
        self.drifts = [*self.drifts, *found][-DRIFTS_KEPT:]
        self.notices += map(drift_notice, found)
        if (made := self.contest.judge(batch.at, logits, batch.y, batch.weight)) is not None:
            self.notices.append(promoted_notice(made))
            self.drift.champion_changed()
        learn_together(list(self.candidates.values()), x, batch.y, batch.p, batch.weight, hats)
        return Taken.LEARNED

    def go_to(self, offset: int) -> None:
        """Pass over what lies before `offset`: it holds no samples, or is gone."""
        self.offset = offset

    def published(self, notices: int) -> None:
        """Forget so many of the oldest notices: the broker has them."""
        del self.notices[:notices]

    def model(self) -> Model:
        """Return the champion's model as it is now."""
        return self._model(self.champion)

    def _model(self, candidate: RiverLearner) -> Model:
        return replace(candidate.snapshot(), ready=self._ready(candidate))

    def _ready(self, candidate: RiverLearner) -> bool:
        return candidate.ready and self.contest.calibrated

    def warm_up(self) -> WarmUp:
        """Return how far the champion is, by decision instants: what they bring is known a horizon later."""
        progress, treated = self.champion.progress(), self.counts["treated"]
        return WarmUp(self.at or 0, progress, self.contest.calibrated, self.first, treated)

    def records(self, app: str) -> dict[str, bytes]:
        """Return the records of all candidates' models by version, the champion's first.

        Only what has learned something has them.
        """
        assert self.at is not None
        found: dict[str, bytes] = {}
        for name in sorted(self.candidates, key=lambda name: name != self.contest.champion):
            each = self.candidates[name]
            model = self._model(each)
            if model.version in found:
                continue  # as long as little was learned, candidates may be the same
            metrics = {
                **each.metrics(),
                "candidates": self.contest.losses(),
                "weeks": self.contest.weeks,
                "weighted": self.counts["weighted"],
                "excluded": self.counts["excluded"],
                "treated": self.counts["treated"],
                "warm_up": self.warm_up().text(),
                "drift": [asdict(each) for each in self.drifts],
            }
            found[model.version] = encode_model(
                model,
                app=app,
                candidate=name,
                champion=name == self.contest.champion,
                at=self.at,
                learned=each.churned + each.kept,
                learned_churned=each.churned,
                samples_offset=self.offset,
                metrics=metrics,
            )
        return found

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values."""
        return {
            "format": FORMAT,
            "candidates": {name: each.state() for name, each in self.candidates.items()},
            "contest": self.contest.state(),
            "offset": self.offset,
            "at": self.at,
            "first": self.first,
            "counts": dict(self.counts),
            "partitions": self._partitions,
            "until": {str(number): at for number, at in self._until.items()},
            "since": self._since,
            "notices": [asdict(each) for each in self.notices],
            "drift": self.drift.state(),
            "drifts": [asdict(each) for each in self.drifts],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned, bit for bit; a candidate it does not know learns from now on."""
        for name, each in self.candidates.items():
            if name in state["candidates"]:
                each.restore(state["candidates"][name])
        share_reservoirs(list(self.candidates.values()))
        self.contest.restore(state["contest"])
        self.offset, self.at, self.first = state["offset"], state["at"], state["first"]
        self.counts |= state["counts"]
        self._partitions, self._since = state["partitions"], state["since"]
        self._until = {int(number): at for number, at in state["until"].items()}
        self.notices = [OperationsNotice(**each) for each in state["notices"]]
        if "drift" in state:
            self.drift.restore(state["drift"])
            self.drifts = [Drift(**each) for each in state["drifts"]]


def drift_notice(found: Drift) -> OperationsNotice:
    """Return the notice of a series whose mean has moved."""
    detail: dict[str, str | int | float | None] = {
        "series": found.series,
        "mean_before": found.before,
        "mean": found.now,
    }
    return OperationsNotice(DRIFT, found.at, None, detail)


def promoted_notice(made: Promotion) -> OperationsNotice:
    """Return the notice of a change of the champion."""
    detail: dict[str, str | int | float | None] = {
        "candidate": made.champion,
        "candidate_before": made.before,
        "log_loss": made.loss,
        "log_loss_before": made.loss_before,
        "weeks": made.weeks,
        "samples": made.samples,
    }
    return OperationsNotice(PROMOTED, made.at, None, detail)


def _by_name(batch: SampleBatch, inputs: Sequence[Input]) -> NDArray[np.float64]:
    """Return the samples' inputs as they are known here; one that a worker did not send is missing."""
    known = {name: place for place, name in enumerate(batch.inputs)}
    x = np.column_stack([batch.x.astype(np.float64), np.full(len(batch), np.nan)])
    return np.ascontiguousarray(x[:, [known.get(i.name, -1) for i in inputs]])
