"""Cases through the engine: what rules did over a timeline, held against what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streams.contract.decode import decode_lines
from streams.core.engine import Engine
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.model.logistic import INPUTS, Model
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Cause, Step, StepKind
from streams.rulebook.cases.case import Case
from streams.rulebook.cases.compare import CaseDifference, differences
from streams.rulebook.cases.timeline import begin_us, record

CLOCK: Final = "(clock)"
"""A customer of the test's own: only events move a partition's clock, and a late one must find it moved."""


@dataclass(frozen=True, slots=True, eq=False)
class StatedModel(Model):
    """A model that gives everybody the probability that a case states."""

    probability: float = 0.0

    def score(self, x: np.ndarray) -> np.ndarray:
        """Return the stated probability for each row of `x`."""
        return np.full(len(x), self.probability)


def stated(probability: float | None) -> Model | None:
    """Return a model that says this of everybody, or none."""
    if probability is None:
        return None
    none = np.zeros(len(INPUTS))
    return StatedModel("stated", True, INPUTS, none, none + 1, none, 0.0, 1.0, probability)


@dataclass(slots=True)
class RuleOpening:
    """One time that a rule was open for a customer; times are microseconds since the case's begin."""

    rule: str
    customer: str
    opened_at: int
    cause: Cause
    ended_at: int | None = None
    end: StepKind | None = None
    """`UPDATED` where other rules held the warning open: the wire does not say whether it was withdrawn."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What became of one case."""

    case: Case
    openings: tuple[RuleOpening, ...]
    """In the order of their begin."""
    differences: tuple[CaseDifference, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all was as expected, and nothing more."""
        return not self.differences


@dataclass(slots=True)
class _Course:
    """The openings of a case, made of the steps of its warnings."""

    begin: int
    openings: list[RuleOpening] = field(default_factory=list)
    _open: dict[tuple[str, str], RuleOpening] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        at = step.at - self.begin
        ended = step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN)
        now = {} if ended else {cause.rule: cause for cause in step.causes}
        gone = [key for key in self._open if key[0] == step.customer_id and key[1] not in now]
        for key in gone:
            opening = self._open.pop(key)
            opening.ended_at, opening.end = at, step.kind if ended else StepKind.UPDATED
        for rule, cause in now.items():
            if (step.customer_id, rule) not in self._open:
                opening = RuleOpening(rule, step.customer_id, at, cause)
                self._open[step.customer_id, rule] = opening
                self.openings.append(opening)


def run_case(case: Case, rules: RuleSet) -> CaseOutcome:
    """Run a case under the rules that it judges and compare."""
    course = _Course(begin_us(case.start, case.settings.time_zone))
    for step in _steps(case, Engine(case.settings, rules), course.begin):
        if step.customer_id != CLOCK:
            course.take(step)
    openings = tuple(course.openings)
    return CaseOutcome(case, openings, tuple(differences(case, openings)))


def _steps(case: Case, engine: Engine, begin: int) -> Iterator[Step]:
    """Drive the engine over the timeline, with stops where the model changes or a late event comes."""
    due = {at for at, _ in case.probability}
    due |= {event.arrives for event in case.events if event.arrives > event.at}
    states = dict(case.probability)
    taken = _Taken(case, begin)
    for at in sorted(due):
        if at in states:
            # What the model says at a time, it says of the events and the sweep of that time too.
            yield from _outputs(engine, taken.before(at), begin + at - 1)
            engine.use_model(stated(states[at]))
        late = taken.late(at)
        if len(late):
            yield from _outputs(engine, taken.before(at + 1), None)
            for batch in (_clock(begin + at), late):
                yield from _outputs(engine, batch, None)
    yield from _outputs(engine, taken.before(case.until + 1), begin + case.until)


def _outputs(engine: Engine, batch: Batch, until: int | None) -> Iterator[Step]:
    yield from engine.step(batch).steps
    yield from engine.flush().steps
    if until is not None:
        yield from engine.advance(until).steps


class _Taken:
    """The events of a timeline as batches, in the order in which they become known."""

    def __init__(self, case: Case, begin: int) -> None:
        lines = [record(event, number, begin) for number, event in enumerate(case.events)]
        decoded = decode_lines(lines, latest_us=None)
        assert not decoded.refused, decoded.refused
        self._begin = begin
        self._batch = decoded.batch
        self._arrives = np.array([event.arrives for event in case.events], dtype=np.int64)
        self._late = self._batch.at - begin < self._arrives
        self._known = np.zeros(len(lines), dtype=np.bool_)

    def before(self, at: int) -> Batch:
        """Return the events before a time that are not late and were not returned yet."""
        return self._take(~self._late & (self._arrives < at))

    def late(self, at: int) -> Batch:
        """Return the late events that arrive at a time."""
        return self._take(self._late & (self._arrives == at))

    def _take(self, wanted: np.ndarray) -> Batch:
        rows = np.flatnonzero(wanted & ~self._known)
        self._known[rows] = True
        batch = self._batch.take(rows)
        return batch.take(batch.order())


def _clock(at: int) -> Batch:
    row = {"topic": Topic.ACTIONS, "at": at, "customer_id": CLOCK, "event_id": f"clock-{at}"}
    return Batch.of([row])


def run_cases(
    cases: Sequence[Case],
    rules_of: Callable[[Case], RuleSet],
    progress: Callable[[int, int], None] | None = None,
) -> list[CaseOutcome]:
    """Run cases, each under the rules that it judges."""
    outcomes: list[CaseOutcome] = []
    for case in cases:
        outcomes.append(run_case(case, rules_of(case)))
        if progress is not None:
            progress(len(outcomes), len(cases))
    return outcomes
