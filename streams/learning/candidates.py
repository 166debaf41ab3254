"""The champion, whose model is in force, and its challengers, which learn the same in its shadow.

Each is judged on samples before it learns them. A challenger is promoted where its log loss over the last
half year was less than the champion's by a margin, and not by chance: the weeks' differences are compared
with how much they scatter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.learning.learner import LearnerSettings

WEEK: Final = 7 * DAY
WINDOW: Final = 26
"""Weeks of decision instants that candidates are compared over."""
LEAST_WEEKS: Final = 10
LEAST_SAMPLES: Final = 1_000
MARGIN: Final = 0.003
"""Differences of log loss under this mean nothing."""
SURE: Final = 5.0
"""So many standard errors the mean lead of a week must be from nothing: it is looked at every week."""

STEADY: Final = "steady"


def settings_of_candidates(own: LearnerSettings) -> dict[str, LearnerSettings]:
    """Return the settings of all candidates by name, the first champion's first."""
    return {
        STEADY: own,
        "quick": replace(own, averaging=0.05, reservoir=own.reservoir // 3, memory=2),
        "free": replace(own, l2=own.l2 / 10),
    }


@dataclass(frozen=True, slots=True)
class Promotion:
    """A challenger has taken the champion's place."""

    at: int
    """The decision instant of the samples that decided it."""
    champion: str
    before: str
    loss: float
    loss_before: float
    weeks: int
    samples: int


class Contest:
    """The weekly log losses of all candidates on the same samples, and who is champion by them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.champion = names[0]
        self._weeks: list[int] = []
        self._samples: list[int] = []
        self._sums: list[list[float]] = []
        """By week: what its samples weigh, then each candidate's sum of log losses."""
        self._since: int | None = None
        """The week in which the champion became it."""

    def judge(
        self, at: int, logits: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64]
    ) -> Promotion | None:
        """Take the log odds (candidates, k) that candidates give before they learn, and the outcomes (k,).

        Weeks are compared when they are over; return the promotion that follows, if any.
        """
        if not len(y):
            return None
        week = at // WEEK
        made = None
        if not self._weeks or week > self._weeks[-1]:
            made = self._promotion(at)
            self._weeks.append(week)
            self._samples.append(0)
            self._sums.append([0.0] * (1 + len(self.names)))
            del self._weeks[:-WINDOW], self._samples[:-WINDOW], self._sums[:-WINDOW]
        losses = (weight * np.logaddexp(0.0, np.where(y, -1.0, 1.0) * logits)).sum(axis=1)
        # A partition that is behind counts in the week that is newest.
        self._samples[-1] += len(y)
        for place, value in enumerate([float(weight.sum()), *losses.tolist()]):
            self._sums[-1][place] += value
        return made

    def losses(self) -> dict[str, float]:
        """Return the mean log loss of each candidate over the window; none before anything was judged."""
        sums = np.array(self._sums).sum(axis=0) if self._sums else np.zeros(1)
        return dict(zip(self.names, (sums[1:] / sums[0]).tolist(), strict=True)) if sums[0] else {}

    @property
    def weeks(self) -> int:
        """Weeks in the window."""
        return len(self._weeks)

    @property
    def calibrated(self) -> bool:
        """Whether a first week of scores was compared with what came of them."""
        return self.weeks > 1

    @property
    def samples(self) -> int:
        """Samples in the window."""
        return sum(self._samples)

    def _promotion(self, at: int) -> Promotion | None:
        if self.weeks < LEAST_WEEKS or self.samples < LEAST_SAMPLES:
            return None
        if self._since is not None and self._weeks[-1] - self._since < LEAST_WEEKS:
            return None  # what the window shows was the case before
        losses = self.losses()
        best = min(self.names, key=lambda name: losses[name])
        if losses[self.champion] - losses[best] < MARGIN or not self._is_sure(best):
            return None
        before, self.champion, self._since = self.champion, best, self._weeks[-1]
        return Promotion(at, best, before, losses[best], losses[before], self.weeks, self.samples)

    def _is_sure(self, name: str) -> bool:
        """Return whether a candidate's lead on the champion is more than the scatter of the weeks."""
        sums = np.array(self._sums)
        lead = sums[:, 1 + self.names.index(self.champion)] - sums[:, 1 + self.names.index(name)]
        each = lead / sums[:, 0]
        error = float(each.std(ddof=1)) / math.sqrt(len(each))
        return float(each.mean()) > SURE * error

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values."""
        return {
            "names": list(self.names),
            "champion": self.champion,
            "weeks": list(self._weeks),
            "samples": list(self._samples),
            "sums": [list(each) for each in self._sums],
            "since": self._since,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned; of other candidates nothing is known."""
        if tuple(state["names"]) != self.names:
            self.champion = state["champion"] if state["champion"] in self.names else self.champion
            return
        self.champion, self._since = state["champion"], state["since"]
        self._weeks, self._samples = list(state["weeks"]), list(state["samples"])
        self._sums = [list(each) for each in state["sums"]]
