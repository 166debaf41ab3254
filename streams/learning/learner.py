"""The learner: river's logistic regression with AdaGrad, on piecewise-linear inputs, in mini-batches.

The step is river's, computed in NumPy, where it costs a fraction of `LogisticRegression.learn_many`, which
keeps its weights by name. A test shows that both come to the same weights, and `to_river` gives the model as
river's own.

What was tried on real histories and kept: weights at seven knots of each input; a pull towards 0, and a start
at half of the buying model's log odds; each batch once, and then some batches from a bounded reservoir again;
and scores by the running mean of the weights, which is steadier than the weights of a moment.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.model.logistic import INPUTS, KNOTS, SLOTS, Input, Model, sigmoid
from streams.core.model.prequential import Prequential
from streams.core.model.warm_up import Progress
from streams.learning.hats import Hats, to_single
from streams.learning.reservoir import Reservoir

if TYPE_CHECKING:
    from river.linear_model import LogisticRegression

FORMAT: Final = 2
"""Of the state; one of another format is not gone on from: the learner begins anew."""

BIAS: Final = "bias"
"""The column that is 1 for everybody, in river's terms."""

_EPSILON: Final = 1e-8
_FORGET_START: Final = 4.0
"""The running mean of the weights begins with the newest fifth of all steps, about."""
_START: Final = "p_silent"
_LOOK_EVERY: Final = 14
"""Calls after which the reservoir is looked through for the mean of each column."""

_CHUNK: Final = 512
"""Rows of the reservoir looked through at once, so that they stay in the processor's cache."""

Floats = NDArray[np.float64]
_Samples = tuple[NDArray[np.float32], NDArray[np.bool_], Floats]
"""Inputs (k, m), outcomes and weights (k,)."""


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """How the learner learns."""

    min_churned: int = 50
    """Samples of those who left that it must have seen before it is ready."""
    min_kept: int = 50
    """The same of those who stayed."""
    batch: int = 32
    """Samples of one step."""
    learning_rate: float = 0.07
    l2: float = 0.001
    """Pull of the weights towards 0."""
    start: float = 0.5
    """Share of the buying model's log odds that the model begins with."""
    averaging: float = 0.02
    """What a step counts in the running mean of the weights."""
    reservoir: int = 10_000
    """Samples kept to learn from again."""
    memory: int = 8
    """The reservoir is uniform over as many times its size of newest samples, about."""
    replays: int = 7
    """Batches that are learned again after each call."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _Rows:
    """Whole batches to take steps by, as (n, 2 m + 1) columns and what is in them."""

    at: NDArray[np.intp]
    part: Floats
    y: NDArray[np.bool_]
    weight: Floats


class RiverLearner:
    """Implements `core.model.Learner`."""

    def __init__(
        self,
        settings: LearnerSettings | None = None,
        inputs: Sequence[Input] = INPUTS,
        *,
        keep_hats: bool = False,
    ) -> None:
        self.settings = settings or LearnerSettings()
        self.inputs = tuple(inputs)
        self.keep_hats = keep_hats
        """Whether it keeps the hats of its reservoir: faster, for three times the memory."""
        self.churned = 0
        """Samples learned from of those who left."""
        self.kept = 0
        """Samples learned from of those who stayed."""
        self.quality = Prequential()
        self.steps = 0
        """Batches learned from, those that were learned again included."""
        self.calls = 0
        m = len(self.inputs)
        self.weight = np.zeros(m * SLOTS + 1)
        """(m * `SLOTS` + 1,) the weight of each knot, and of the bias at last."""
        for place, each in enumerate(self.inputs):
            if each.feature == _START:
                log_odds = np.linspace(each.low, each.high, KNOTS) * self.settings.start
                self.weight[place * SLOTS : place * SLOTS + KNOTS] = log_odds
        self.squares = np.zeros_like(self.weight)
        """Sums of squared gradients."""
        self.mean = self.weight.copy()
        """The running mean of the weights."""
        self.usual = np.zeros_like(self.weight)
        """The mean of each column over the reservoir, as of the last time it was looked through."""
        self._waiting: _Samples = (
            np.empty((0, m), dtype=np.float32),
            np.empty(0, dtype=np.bool_),
            np.empty(0),
        )
        """Samples that do not make a batch yet."""
        self._reservoir = Reservoir(m, self.settings.reservoir, self.settings.memory, with_hats=keep_hats)

    @property
    def ready(self) -> bool:
        """Whether enough of both outcomes were seen."""
        return self.churned >= self.settings.min_churned and self.kept >= self.settings.min_kept

    def learn(
        self,
        x: NDArray[np.floating[Any]],
        y: NDArray[np.bool_],
        p: Floats,
        weight: Floats | None = None,
        hats: Hats | None = None,
    ) -> None:
        """Judge the probabilities `p` (k,), then learn (k, m) inputs and (k,) outcomes.

        A sample counts `weight` (k,) times; 1 where there is none. `hats` are those of the inputs, where
        somebody has them already.
        """
        learn_together([self], x, y, p, weight, hats)

    def _batches(
        self, single: NDArray[np.float32], y: NDArray[np.bool_], weight: Floats, hats: Hats
    ) -> tuple[_Rows, _Samples]:
        """Return the whole batches of the samples that waited and these, and the samples that now wait."""
        rows = np.concatenate([self._waiting[0], single])
        outcomes = np.concatenate([self._waiting[1], y])
        weights = np.concatenate([self._waiting[2], weight])
        whole = len(outcomes) - len(outcomes) % self.settings.batch
        before, new = Hats.of(self._waiting[0], self.inputs).columns(), hats.columns()
        at, part = (np.concatenate(pair)[:whole] for pair in zip(before, new, strict=True))
        return _Rows(at, part, outcomes[:whole], weights[:whole]), (
            rows[whole:],
            outcomes[whole:],
            weights[whole:],
        )

    def _draw(self, single: NDArray[np.float32], y: NDArray[np.bool_], weight: Floats, hats: Hats) -> _Rows:
        """Put the samples of this call into the reservoir, and return the batches to learn again."""
        dice = np.random.default_rng([self.settings.seed, self.calls])
        reservoir = self._reservoir
        reservoir.put(single, y, weight, dice, hats)
        # While there is little, each sample is learned about twice a week again.
        batches = min(self.settings.replays, len(reservoir) * 2 // (7 * self.settings.batch))
        again = dice.integers(0, max(len(reservoir), 1), batches * self.settings.batch)
        at, part = self._reservoir_hats(again).columns()
        return _Rows(at, part, reservoir.y[again], reservoir.weight[again])

    def _column_means(self) -> Floats:
        """Return the mean of each column over the reservoir."""
        total: NDArray[Any] = np.zeros_like(self.weight)
        everything = np.arange(len(total))
        for start in range(0, len(self._reservoir), _CHUNK):
            at, part = self._reservoir_hats(slice(start, start + _CHUNK)).columns()
            # The sums so far come first, so that all is added up in the order of the rows.
            columns, amounts = np.append(everything, at.ravel()), np.append(total, part.ravel())
            total = np.bincount(columns, amounts, len(everything))
        return total / len(self._reservoir)

    def _reservoir_hats(self, rows: NDArray[np.integer[Any]] | slice) -> Hats:
        kept = self._reservoir.hats
        return Hats.of(self._reservoir.x[rows], self.inputs) if kept is None else kept.take(rows)

    def _remembers_as(self, other: RiverLearner) -> bool:
        """Return whether its reservoir is, and will be, that of `other`, if both learn the same."""
        mine, theirs = self._reservoir, other._reservoir
        how = [
            (s.seed, s.batch, s.replays, s.reservoir, s.memory, each.calls, each.keep_hats, each.inputs)
            for s, each in ((self.settings, self), (other.settings, other))
        ]
        return (
            how[0] == how[1]
            and mine.seen == theirs.seen
            and np.array_equal(mine.x, theirs.x, equal_nan=True)
            and np.array_equal(mine.y, theirs.y)
            and np.array_equal(mine.weight, theirs.weight)
        )

    def columns(self, x: NDArray[np.floating[Any]]) -> Floats:
        """Return the matrix that river would learn from, a column for each name of `names`."""
        at, part = Hats.of(x, self.inputs).columns()
        dense = np.zeros((len(x), len(self.weight)))
        np.add.at(dense, (np.arange(len(x))[:, np.newaxis], at), part)
        return dense

    @property
    def names(self) -> list[str]:
        """The columns of `columns`: each input's knots, and a value that is missing."""
        return [f"{i.name} {slot}" for i in self.inputs for slot in (*range(KNOTS), "missing")] + [BIAS]

    def to_river(self) -> LogisticRegression:
        """Return river's own model with the weights and the optimiser's state of now."""
        # Importing river takes as long as a replay of a small shop.
        from river.linear_model import LogisticRegression
        from river.optim import AdaGrad
        from river.utils import VectorDict

        optimizer = AdaGrad(self.settings.learning_rate, _EPSILON)
        optimizer.g2.update(zip(self.names, self.squares.tolist(), strict=True))
        model = LogisticRegression(optimizer, l2=self.settings.l2, intercept_lr=0.0)
        model._weights = VectorDict(dict(zip(self.names, self.weight.tolist(), strict=True)))
        return model

    def snapshot(self) -> Model:
        """Return the model as it is now; equal content has an equal version."""
        m = len(self.inputs)
        weight, bias = self.mean[:-1].reshape(m, SLOTS).copy(), float(self.mean[-1])
        centre = (self.mean * self.usual)[:-1].reshape(m, SLOTS).sum(axis=1)
        weight -= centre[:, np.newaxis]
        bias += float(centre.sum())
        content = np.append(weight.ravel(), bias).astype("<f8").tobytes()
        names = [i.name for i in self.inputs]
        digest = hashlib.sha256(json.dumps(names).encode() + content).hexdigest()
        return Model(
            version=f"{self.churned + self.kept}-{digest[:8]}",
            ready=self.ready,
            inputs=self.inputs,
            weight=weight,
            bias=bias,
        )

    def progress(self) -> Progress:
        """Return how many samples of each outcome were learned from, and how many it takes."""
        return Progress(self.churned, self.kept, self.settings.min_churned, self.settings.min_kept)

    def metrics(self) -> dict[str, Any]:
        """Return what was learned, and how good the probabilities given before the outcome were."""
        return {
            "ready": self.ready,
            "learned": self.churned + self.kept,
            "learned_churned": self.churned,
            "prequential": self.quality.summary(),
        }

    def state(self) -> dict[str, Any]:
        """Return everything learned as plain JSON values; arrays are their bytes in base64."""
        return {
            "format": FORMAT,
            "inputs": [i.name for i in self.inputs],
            "churned": self.churned,
            "kept": self.kept,
            "steps": self.steps,
            "calls": self.calls,
            "weight": _text(self.weight, "<f8"),
            "squares": _text(self.squares, "<f8"),
            "mean": _text(self.mean, "<f8"),
            "usual": _text(self.usual, "<f8"),
            "waiting": _sample_texts(*self._waiting),
            "reservoir": _sample_texts(self._reservoir.x, self._reservoir.y, self._reservoir.weight),
            "seen": self._reservoir.seen,
            "quality": self.quality.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned, bit for bit.

        Inputs are kept by name: one that is new starts from nothing, one that is gone is not read any more.
        Of a state of another format nothing is kept.
        """
        begun = RiverLearner(self.settings, self.inputs, keep_hats=self.keep_hats)
        if state.get("format") != FORMAT:
            self.__dict__.update(begun.__dict__)
            return
        names = state["inputs"]
        source = [names.index(i.name) if i.name in names else -1 for i in self.inputs]
        for part in ("weight", "squares", "mean", "usual"):
            # States of the first days of this format do not know what is usual.
            old = _array(state[part], "<f8") if part in state else np.zeros(len(names) * SLOTS + 1)
            kept = getattr(begun, part)
            for place, before in enumerate(source):
                if before >= 0:
                    slots = slice(before * SLOTS, (before + 1) * SLOTS)
                    kept[place * SLOTS : (place + 1) * SLOTS] = old[slots]
            kept[-1] = old[-1]
            setattr(self, part, kept)

        def samples(texts: Sequence[str]) -> _Samples:
            x, y = _array(texts[0], "<f4").reshape(-1, len(names)), _array(texts[1], "|b1")
            known = np.column_stack([x, np.full(len(x), np.nan, dtype=np.float32)])
            # Where all weigh 1, as in states of before there were weights, these are left out.
            weight = _array(texts[2], "<f8") if len(texts) > 2 else np.ones(len(y))
            return np.ascontiguousarray(known[:, source]), y, weight

        self._waiting = samples(state["waiting"])
        reservoir = self._reservoir = begun._reservoir
        reservoir.x, reservoir.y, reservoir.weight = samples(state["reservoir"])
        reservoir.hats = Hats.of(reservoir.x, self.inputs) if self.keep_hats else None
        reservoir.seen = state["seen"]
        self.churned, self.kept = state["churned"], state["kept"]
        self.steps, self.calls = state["steps"], state["calls"]
        self.quality.restore(state["quality"])


def share_reservoirs(learners: Sequence[RiverLearner]) -> None:
    """Let learners whose reservoirs hold the same, and will, have one; they must then learn together."""
    for place, each in enumerate(learners):
        for other in learners[:place]:
            if each._remembers_as(other):
                each._reservoir = other._reservoir
                break


def learn_together(
    learners: Sequence[RiverLearner],
    x: NDArray[np.floating[Any]],
    y: NDArray[np.bool_],
    p: Floats,
    weight: Floats | None = None,
    hats: Hats | None = None,
) -> None:
    """Let learners of the same inputs do what `learn` of each does, bit for bit, in less time.

    Batches that are the same for several are made once, and the steps of all are taken at once.
    """
    weight = np.ones(len(y)) if weight is None else weight
    single = to_single(x)
    hats = Hats.of(single, learners[0].inputs) if hats is None else hats
    made: dict[tuple[Any, ...], tuple[_Rows, _Samples]] = {}
    new = []
    for each in learners:
        each.quality.add(p, y, weight)
        each.churned += int(np.count_nonzero(y))
        each.kept += int(np.count_nonzero(~y))
        key = (each.settings.batch, *(part.tobytes() for part in each._waiting))
        if key not in made:
            made[key] = each._batches(single, y, weight, hats)
        rows, each._waiting = made[key]
        new.append(rows)
    _take_steps(learners, new)
    drawn: dict[int, _Rows] = {}
    for each in learners:
        if id(each._reservoir) not in drawn:
            drawn[id(each._reservoir)] = each._draw(single, y, weight, hats)
        each.calls += 1
    _take_steps(learners, [drawn[id(each._reservoir)] for each in learners])
    means: dict[int, Floats] = {}
    for each in learners:
        if each.calls % _LOOK_EVERY == 1 and len(each._reservoir):
            if id(each._reservoir) not in means:
                means[id(each._reservoir)] = each._column_means()
            each.usual = means[id(each._reservoir)]


def _take_steps(learners: Sequence[RiverLearner], rows: Sequence[_Rows]) -> None:
    """Take a step for each batch of each learner's rows, at once for those that take equally many."""
    groups: dict[tuple[int, int], list[int]] = {}
    for place, (each, own) in enumerate(zip(learners, rows, strict=True)):
        groups.setdefault((len(own.y), each.settings.batch), []).append(place)
    for (count, size), members in groups.items():
        if count:
            _take_equal_steps([learners[i] for i in members], [rows[i] for i in members], count // size, size)


def _take_equal_steps(
    learners: Sequence[RiverLearner], rows: Sequence[_Rows], batches: int, size: int
) -> None:
    """Take steps with the state of all `learners`, (c, w), in one."""
    rate, l2, averaging = np.array(
        [(s.learning_rate, s.l2, s.averaging) for s in (each.settings for each in learners)]
    ).T[:, :, np.newaxis]
    weight, squares, mean = (
        np.stack([getattr(each, part) for each in learners]) for part in ("weight", "squares", "mean")
    )
    y, counts = np.stack([own.y for own in rows]), np.stack([own.weight for own in rows])
    steps = np.array([[each.steps] for each in learners]) + np.arange(1, batches + 1)
    share = np.maximum(averaging, _FORGET_START / (steps + _FORGET_START))
    shares = np.empty((len(learners), size, rows[0].at.shape[1]))
    gradient = np.empty_like(weight)
    for number in range(batches):
        batch = slice(number * size, (number + 1) * size)
        for place, own in enumerate(rows):
            # `clip`: columns are never outside, and with `raise` NumPy would write to a copy first.
            weight[place].take(own.at[batch], out=shares[place], mode="clip")
            shares[place] *= own.part[batch]
        error = (sigmoid(shares.sum(axis=2)) - y[:, batch]) * counts[:, batch]
        for place, own in enumerate(rows):
            np.multiply(own.part[batch], error[place, :, np.newaxis], out=shares[place])
            gradient[place] = np.bincount(own.at[batch].ravel(), shares[place].ravel(), gradient.shape[1])
        gradient /= size
        gradient += l2 * weight
        squares += gradient * gradient
        weight -= rate / (squares + _EPSILON) ** 0.5 * gradient
        mean += share[:, number, np.newaxis] * (weight - mean)
    for place, each in enumerate(learners):
        each.weight, each.squares, each.mean = weight[place], squares[place], mean[place]
        each.steps += batches


def _sample_texts(x: NDArray[np.float32], y: NDArray[np.bool_], weight: Floats) -> list[str]:
    """Return samples as text; weights only where one is not 1."""
    return [_text(x, "<f4"), _text(y, "|b1"), *([_text(weight, "<f8")] if (weight != 1).any() else [])]


def _text(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()


def _array(text: str, dtype: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), dtype=dtype).copy()
