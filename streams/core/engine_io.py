"""What goes into an engine beside events, and what comes out: its settings, its output, its counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.value import ValueTerms
from streams.core.erasures import ErasureKey
from streams.core.events.calendar import DAY, SECOND
from streams.core.events.refusal import RefusedEvent
from streams.core.events.topics import Topic
from streams.core.features.catalogue import Priors
from streams.core.features.vocabulary import MOST_WORDS
from streams.core.model.delayed_labels import LabelledSamples
from streams.core.outcomes.outcome import CensusEvent, CustomerDays, Outcome, Score
from streams.core.segments.counts import DaySums
from streams.core.steps import OperationsNotice, Step
from streams.core.warnings.acknowledgement import AcknowledgementTerms


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine's results depend on, beside its rules and its input; intervals in microseconds."""

    app: str = "lapwing"
    time_zone: str = "UTC"
    sweep_every_us: int = DAY
    reorder_us: int = SECOND // 4
    beginning: int = 0
    """Events of customers that a new state waits for before event time begins, so that the few of them that
    lie years before the others do not begin it; 0 where these were left out before."""
    repeat_window_us: int | None = 2 * DAY
    """`None` where all events count, as those of a history do that was admitted before."""
    forget_after_us: int | None = None
    """A customer whose last event lies further back leaves the state at a sweep; `None`: nobody does."""
    currency: str | None = None
    """The currency of all orders; else each customer's first order that names one fixes the customer's."""
    quiet_after_us: Mapping[Topic, int] = field(default_factory=lambda: MappingProxyType({}))
    priors: Priors = field(default_factory=Priors)
    value: ValueTerms = field(default_factory=ValueTerms)
    max_words: int = MOST_WORDS
    """How many words a field of profiles or orders may have; one beyond them is unknown."""
    labour_rate: float | None = None
    """What a minute of the team's work costs."""
    holdout: HoldoutTerms = field(default_factory=HoldoutTerms)
    """Who is held out: nobody, where no share is given."""
    horizon_us: int = 90 * DAY
    activity: tuple[Topic, ...] = (Topic.ORDERS,)
    """What counts as coming back: placed orders, logins, or both."""
    active_within_us: int | None = None
    """A customer is active so long after the last activity; `None` for the horizon."""
    decide_every: int = 7
    """Sweeps between two decision instants of a customer."""
    learn_within_us: int = 180 * DAY
    """The model learns from customers whose last activity is not as old as this."""
    model_attributes: tuple[str, ...] = ()
    """Profile attributes that the model reads, beside what customers did."""
    max_samples: int = 500
    """Decisions that one sweep keeps to learn from."""
    shared_learner: bool = False
    """Whether one learner learns for all partitions: samples are put out, and models come from outside."""
    samples: bool = False
    """Whether samples are put out too where the partition's own model learns from them."""
    top_reasons: int = 3
    acknowledgement: AcknowledgementTerms = field(default_factory=AcknowledgementTerms)
    segments: bool = False
    """Whether the days' sums of segments are put out."""
    outcomes: bool = False
    """Whether outcomes and the census are put out."""
    customer_days: bool = False
    """Whether the days of customers who are warned of are put out."""
    score_step: float | None = None
    """A score that has moved by more than this is put out at a sweep; `None`: none is."""
    erasure_key: ErasureKey | None = None
    """What the ids of erased customers are hashed with; needed where anybody was erased."""


@dataclass(slots=True)
class EventCounts:
    """What became of the events of a call."""

    events: int = 0
    late: int = 0
    repeats: int = 0
    erased: int = 0
    """Events of erased customers that are dated before the erasure."""
    forgotten: int = 0
    """Customers who left the state."""
    evaluations: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Events that do not count, by the reason; those whose id was reused are among `repeats` too."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Actions on warnings that had no effect, by the reason."""
    unknown_words: Counter[str] = field(default_factory=Counter)
    """By field of profiles and orders, events whose word was beyond the field's bound."""
    by_topic: dict[str, Counter[Topic]] = field(default_factory=dict)
    """`events`, `late`, `repeats` and `erased` again, by the topic of the events."""
    sweeps: int = 0
    opened: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Causes that opened, by the rule's id, its tier and its status."""

    def note(self, what: str, topics: NDArray[np.int8]) -> None:
        """Count events by their topics, (n,), among `by_topic`."""
        if not len(topics):
            return
        counts = np.bincount(topics, minlength=len(Topic)).tolist()
        found = self.by_topic.setdefault(what, Counter())
        found.update({topic: counts[topic] for topic in Topic if counts[topic]})

    def add(self, other: EventCounts) -> None:
        """Add another call's counts."""
        self.events += other.events
        self.late += other.late
        self.repeats += other.repeats
        self.erased += other.erased
        self.forgotten += other.forgotten
        self.evaluations += other.evaluations
        self.refused += other.refused
        self.ignored += other.ignored
        self.unknown_words += other.unknown_words
        self.sweeps += other.sweeps
        self.opened += other.opened
        for what, topics in other.by_topic.items():
            self.by_topic.setdefault(what, Counter()).update(topics)


@dataclass(slots=True)
class Output:
    """What a call of the engine put out, in order of event time."""

    steps: list[Step] = field(default_factory=list)
    control: list[OperationsNotice] = field(default_factory=list)
    sums: list[DaySums] = field(default_factory=list)
    refused: list[RefusedEvent] = field(default_factory=list)
    """Events that do not count, in the order in which they would have been taken."""
    outcomes: list[Outcome] = field(default_factory=list)
    census: list[CensusEvent] = field(default_factory=list)
    customer_days: list[CustomerDays] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    samples: list[LabelledSamples] = field(default_factory=list)
    """For the learner that all partitions share, or for whoever measures the model."""
    counts: EventCounts = field(default_factory=EventCounts)
