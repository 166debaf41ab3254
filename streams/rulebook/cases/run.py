"""Cases through the engine: what rules did over a timeline, compared with what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from streams.contract.decode import decode_lines
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch, ClosureRecord
from streams.core.events.topics import Topic
from streams.core.features.catalogue import Features
from streams.core.features.ranks import ScoreRanks
from streams.core.model.logistic import INPUTS, SLOTS, Columns, Model
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.engine import SegmentEngine, SegmentSettings, SegmentStep
from streams.core.steps import Cause, Step, StepKind
from streams.rulebook.cases.case import Case, CaseRules
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

    def score_columns(self, columns: Columns, rows: int) -> np.ndarray:
        """Return it for each of the `rows`."""
        return np.full(rows, self.probability)


def stated(probability: float | None) -> Model | None:
    """Return a model that says this of everybody, or none."""
    if probability is None:
        return None
    none = np.zeros((len(INPUTS), SLOTS))
    return StatedModel("stated", True, INPUTS, none, 0.0, probability=probability)


class CaseEngine(Engine):
    """An engine that also ranks customers among others who have no timeline."""

    def __init__(self, settings: EngineSettings, rules: RuleSet, others: tuple[float, ...]) -> None:
        super().__init__(settings, rules)
        self.others = others
        """Their probabilities."""

    def ranks(self, at: int, features: Features) -> ScoreRanks | None:
        """Return the probabilities of the active customers of the timeline, and those of the others."""
        ranks = super().ranks(at, features)
        if self.scorer.model is None or not self.others:
            return ranks
        return ScoreRanks.of(np.concatenate([ranks.p if ranks else [], self.others]))


@dataclass(slots=True)
class RuleOpening:
    """One time that a rule was open for a customer; times are microseconds since the case's begin."""

    rule: str
    subject: str
    """The customer or segment for which it was open."""
    opened_at: int
    cause: Cause
    ended_at: int | None = None
    end: StepKind | None = None
    """`UPDATED` where other rules kept the warning open: the wire does not say whether it was withdrawn."""
    of_segment: bool = False


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

    def take(self, step: Step | SegmentStep) -> None:
        of_segment = isinstance(step, SegmentStep)
        subject = step.segment if isinstance(step, SegmentStep) else step.customer_id
        at = step.at - self.begin
        ended = step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN)
        now = {} if ended else {cause.rule: cause for cause in step.causes}
        gone = [key for key in self._open if key[0] == subject and key[1] not in now]
        for key in gone:
            opening = self._open.pop(key)
            opening.ended_at, opening.end = at, step.kind if ended else StepKind.UPDATED
        for rule, cause in now.items():
            if (subject, rule) not in self._open:
                opening = RuleOpening(rule, subject, at, cause, of_segment=of_segment)
                self._open[subject, rule] = opening
                self.openings.append(opening)


def run_case(case: Case, rules: CaseRules) -> CaseOutcome:
    """Run a case under the rules that it judges and compare."""
    course = _Course(begin_us(case.start, case.settings.time_zone))
    segments = None
    settings = case.settings
    if rules.segments:
        segments = SegmentEngine(SegmentSettings(time_zone=settings.time_zone, grace_days=0), rules.segments)
        settings = replace(settings, segments=True)
    engine = CaseEngine(settings, rules.customers, case.others)
    for step in _steps(case, engine, course.begin, segments):
        course.take(step)
    openings = tuple(course.openings)
    return CaseOutcome(case, openings, tuple(differences(case, openings)))


def _steps(
    case: Case, engine: Engine, begin: int, segments: SegmentEngine | None
) -> Iterator[Step | SegmentStep]:
    """Drive the engine over the timeline, with stops where the model changes or a late event comes."""

    def outputs(batch: Batch, until: int | None) -> Iterator[Step | SegmentStep]:
        made = [engine.step(batch), engine.flush()]
        made += [engine.advance(until)] if until is not None else []
        for output in made:
            yield from (step for step in output.steps if step.customer_id != CLOCK)
            if segments is not None:
                for sums in output.sums:
                    segments.take(sums)
                yield from segments.judge()

    due = {at for at, _ in case.probability}
    due |= {event.arrives for event in case.events if event.arrives > event.at}
    states = dict(case.probability)
    taken = _Taken(case, begin)
    for at in sorted(due):
        if at in states:
            # What the model says at a time, it says of the events and the sweep of that time too.
            yield from outputs(taken.before(at), begin + at - 1)
            engine.scorer.use(stated(states[at]))
        late = taken.late(at)
        if len(late):
            yield from outputs(taken.before(at + 1), None)
            for batch in (_clock(begin + at), late):
                yield from outputs(batch, None)
    yield from outputs(taken.before(case.until + 1), begin + case.until)


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
    """Return an event that moves the clock and nothing else: no feature reads closures."""
    row = {"topic": Topic.CLOSURES, "at": at, "customer_id": CLOCK, "event_id": f"clock-{at}"}
    return Batch.of([row | {"record": ClosureRecord("clock")}])


def run_cases(
    cases: Sequence[tuple[Case, CaseRules]], progress: Callable[[int, int], None] | None = None
) -> list[CaseOutcome]:
    """Run cases, each under the rules that it judges."""
    outcomes: list[CaseOutcome] = []
    for case, rules in cases:
        outcomes.append(run_case(case, rules))
        if progress is not None:
            progress(len(outcomes), len(cases))
    return outcomes
