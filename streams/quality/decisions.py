"""Decisions: customers at their decision instants, and what became of them, gathered from engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.features.customers import ATTRIBUTES
from streams.core.model.delayed_labels import LabelledSamples
from streams.core.steps import Step, StepKind

ENDS: Final = (StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED)
"""After these a warning is open no more."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """`n` customers at one decision instant each whose horizon is over, in order of time."""

    at: NDArray[np.int64]
    """(n,) microseconds since the epoch."""
    partition: NDArray[np.int64]
    customer: NDArray[np.int64]
    """(n,) the place of the customer's id in `ids`."""
    ids: tuple[str, ...]
    x: NDArray[np.float32]
    """(n, m) the model's inputs as they were then, NaN for missing."""
    p: NDArray[np.float64]
    """(n,) the probability given then, before anything of the outcome was known; NaN if there was none."""
    y: NDArray[np.bool_]
    excluded: NDArray[np.bool_]
    """(n,) whether the outcome is not known, as while a topic of activity is quiet."""
    treated: NDArray[np.bool_]
    weight: NDArray[np.float64]
    warned: NDArray[np.bool_]
    """(n,) whether a warning of the customer was open at the instant."""
    groups: Mapping[str, NDArray[np.object_]]
    """By what they are grouped by, each decision's group, `None` where it is unknown."""

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return some of them."""
        columns = {name: getattr(self, name) for name in self.__slots__ if name not in ("ids", "groups")}
        taken = {name: values[rows] for name, values in columns.items()}
        groups = {name: values[rows] for name, values in self.groups.items()}
        return type(self)(ids=self.ids, groups=groups, **taken)

    @property
    def plain(self) -> NDArray[np.bool_]:
        """(n,) those that the model learns from: the outcome is known, and nobody treated the customer."""
        return ~(self.excluded | self.treated)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(n,) of the plain ones, those with a probability."""
        return self.plain & ~np.isnan(self.p)


class DecisionLog:
    """Gathers decisions from what engines put out; their settings must have `samples` set."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)
        self._samples: list[tuple[int, LabelledSamples, dict[str, NDArray[np.int64]]]] = []
        self._opened: list[tuple[str, int]] = []
        self._ended: list[tuple[str, int]] = []

    def take(self, partition: int, output: Output) -> None:
        """Take in what a partition put out; profiles are kept as they are now."""
        state = self._engines[partition].customers.state
        for samples in output.samples:
            codes = {name: state[name][samples.customers].astype(np.int64) for name in ATTRIBUTES}
            self._samples.append((partition, samples, codes))
        for step in output.steps:
            self._note(step)

    def _note(self, step: Step) -> None:
        if step.kind is StepKind.OPENED:
            self._opened.append((step.customer_id, step.at))
        elif step.kind in ENDS:
            self._ended.append((step.customer_id, step.at))

    @property
    def waiting(self) -> int:
        """Decisions whose horizon is not over: censored."""
        return sum(len(engine.scorer.delayed_labels) for engine in self._engines)

    @property
    def thinned(self) -> int:
        """Customers who were due and left out, as one sweep keeps no more."""
        return sum(engine.scorer.delayed_labels.thinned for engine in self._engines)

    def decisions(self, more: Mapping[str, Mapping[str, str]] | None = None) -> Decisions:
        """Return what was gathered; `more` groups customers by something else, each by the customer's id."""
        known = sorted(self._samples, key=lambda each: (each[1].at, each[0]))
        names: dict[str, int] = {}
        customers: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        words: dict[str, list[NDArray[np.object_]]] = {n: [np.empty(0, dtype=np.object_)] for n in ATTRIBUTES}
        for partition, samples, codes in known:
            of = self._engines[partition].customers
            places = [names.setdefault(of.ids[row], len(names)) for row in samples.customers.tolist()]
            customers.append(np.array(places, dtype=np.int64))
            vocabulary = np.array(of.words, dtype=np.object_)
            for name in ATTRIBUTES:
                words[name].append(vocabulary[codes[name]])
        customer = np.concatenate(customers)
        groups = {name: np.concatenate(parts) for name, parts in words.items()}
        for name, group_of in (more or {}).items():
            groups[name] = np.array([group_of.get(each) for each in names], dtype=np.object_)[customer]
        sizes = [len(samples) for _, samples, _ in known]
        at = np.repeat(np.array([samples.at for _, samples, _ in known], dtype=np.int64), sizes)
        numbers = np.array([number for number, _, _ in known], dtype=np.int64)

        def column(name: str, dtype: DTypeLike, *shape: int) -> NDArray[Any]:
            parts = [getattr(samples, name) for _, samples, _ in known]
            return np.concatenate([np.empty((0, *shape), dtype=dtype), *parts])

        return Decisions(
            at=at,
            partition=np.repeat(numbers, sizes),
            customer=customer,
            ids=tuple(names),
            x=column("x", np.float32, len(self._engines[0].scorer.delayed_labels.inputs)),
            p=column("p", np.float64),
            y=column("y", np.bool_),
            excluded=column("excluded", np.bool_),
            treated=column("treated", np.bool_),
            weight=column("weight", np.float64),
            warned=self._warned(at, customer, names),
            groups=groups,
        )

    def _warned(
        self, at: NDArray[np.int64], customer: NDArray[np.int64], names: Mapping[str, int]
    ) -> NDArray[np.bool_]:
        """Return whether more warnings of the customer had opened than ended by each decision."""
        instants = np.unique(np.array([when for _, when in (*self._opened, *self._ended)], dtype=np.int64))
        width = len(instants) + 1
        first = customer * width
        last = first + np.searchsorted(instants, at, side="right")

        def until(steps: Sequence[tuple[str, int]]) -> NDArray[np.intp]:
            own = [(names[who], when) for who, when in steps if who in names]
            who, when = np.array(own, dtype=np.int64).reshape(-1, 2).T
            places = np.sort(who * width + np.searchsorted(instants, when, side="right"))
            return np.searchsorted(places, last, side="right") - np.searchsorted(places, first, side="left")

        return until(self._opened) > until(self._ended)
