"""The report on the model: how good its probabilities were, for whom, and what they go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.contract.instants import format_instant
from streams.core.events.calendar import SECOND
from streams.core.model.logistic import INPUTS, Input, Model
from streams.learning.drift import Drift, DriftWatch
from streams.quality.decisions import Decisions
from streams.quality.importance import GroupImportance, importance
from streams.quality.measures import Bin, Measures, measure, reliability
from streams.share import Share

LEAST_CUSTOMERS: Final = 20
"""Groups of fewer customers are hidden."""

CAUTIONS: Final = (
    "Each probability was given before anything of its outcome was known; the model learned from it later.",
    "A decision is one customer at one instant; a customer comes again every `decide_every`, so neighbouring "
    "decisions are alike and intervals are too narrow.",
    "Importance is what the model goes by, not what makes customers leave.",
    "Groups are the customer's profile as it was when the outcome was known.",
)


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of the customers whose decision instant came."""

    population: int
    """All who were due and in the population."""
    thinned: int
    """Of these left out, as one sweep keeps no more than `max_samples`."""
    censored: int
    """Kept, but the horizon was not over at the end."""
    matured: int
    """Kept, and the horizon was over."""
    excluded: int
    """Of the matured, those whose outcome is not known: a topic of activity was quiet."""
    treated: int
    """Of the matured, those who were treated: nobody knows what they would have done without it."""
    without_probability: int
    """Of the matured, those who were given none: the model was not ready."""
    judged: int
    """Of the matured, those whom the measures are about."""


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How good the model is for one group of customers, and how many of them were warned of."""

    group: str | None
    """`None` where it is unknown."""
    customers: int
    measures: Measures
    warned: Share
    """Decisions at which a warning was open, of all whose outcome is known, with a probability or without."""
    warned_kept: Share
    """The same of those who stayed: false alarms."""
    warned_churned: Share
    """The same of those who churned."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "group": self.group,
            "customers": self.customers,
            **self.measures.as_dict(),
            "warned": self.warned.as_dict(),
            "warned_kept": self.warned_kept.as_dict(),
            "warned_churned": self.warned_churned.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of one kind, such as regions."""

    name: str
    groups: tuple[GroupFigures, ...]
    """The largest first."""
    hidden: int
    """Groups with too few customers to be shown."""
    hidden_decisions: int
    """Their decisions with a probability."""


@dataclass(frozen=True, slots=True)
class Month:
    """The decisions of one month of local time."""

    month: str
    measures: Measures


@dataclass(frozen=True, slots=True)
class ModelReport:
    """How good the model's probabilities were."""

    since: int | None
    """The first decision with a known outcome; `None` where there is none."""
    until: int | None
    """The last one."""
    horizon_us: int
    time_zone: str
    events: int
    customers: int
    rule_set: str
    versions: tuple[str, ...]
    """The model of each partition at the end."""
    ready: bool
    """Whether all of these were ready."""
    funnel: Funnel
    all: Measures
    heaviest: float
    """The largest weight of a decision; 1 where all count alike."""
    bins: tuple[Bin, ...]
    months: tuple[Month, ...]
    groupings: tuple[Grouping, ...]
    least_customers: int
    importance: tuple[GroupImportance, ...]
    drift: tuple[Drift, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "since": None if self.since is None else format_instant(self.since),
            "until": None if self.until is None else format_instant(self.until),
            "horizon_seconds": self.horizon_us // SECOND,
            "time_zone": self.time_zone,
            "events": self.events,
            "customers": self.customers,
            "rule_set": self.rule_set,
            "versions": list(self.versions),
            "ready": self.ready,
            "funnel": asdict(self.funnel),
            "all": self.all.as_dict(),
            "heaviest": self.heaviest,
            "reliability": [asdict(each) for each in self.bins],
            "months": [{"month": each.month, **each.measures.as_dict()} for each in self.months],
            "groups": {
                each.name: {
                    "groups": [group.as_dict() for group in each.groups],
                    "hidden": each.hidden,
                    "hidden_decisions": each.hidden_decisions,
                }
                for each in self.groupings
            },
            "least_customers": self.least_customers,
            "importance": [each.as_dict() for each in self.importance],
            "drift": [{**asdict(each), "at": format_instant(each.at)} for each in self.drift],
        }


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What a report is made of beside decisions."""

    horizon_us: int
    time_zone: str
    events: int
    customers: int
    rule_set: str
    waiting: int
    """Decisions whose horizon is not over."""
    thinned: int
    """Customers who were due and not kept."""
    models: tuple[Model, ...]
    """The model of each partition at the end."""
    least_customers: int = LEAST_CUSTOMERS


def report(decisions: Decisions, given: ReportInput) -> ModelReport:
    """Return the report on decisions."""
    plain = decisions.plain
    judged = decisions.take(decisions.judged)
    matured = len(decisions)
    funnel = Funnel(
        population=matured + given.waiting + given.thinned,
        thinned=given.thinned,
        censored=given.waiting,
        matured=matured,
        excluded=int(np.count_nonzero(decisions.excluded)),
        treated=int(np.count_nonzero(decisions.treated & ~decisions.excluded)),
        without_probability=int(np.count_nonzero(plain & np.isnan(decisions.p))),
        judged=len(judged),
    )
    known = decisions.take(plain)
    return ModelReport(
        since=int(decisions.at[0]) if matured else None,
        until=int(decisions.at[-1]) if matured else None,
        horizon_us=given.horizon_us,
        time_zone=given.time_zone,
        events=given.events,
        customers=given.customers,
        rule_set=given.rule_set,
        versions=tuple(model.version for model in given.models),
        ready=bool(given.models) and all(model.ready for model in given.models),
        funnel=funnel,
        all=measures_of(judged),
        heaviest=float(judged.weight.max(initial=1.0)),
        bins=tuple(reliability(judged.p, judged.y, judged.weight)),
        months=tuple(_months(judged, given.time_zone)),
        groupings=tuple(_grouping(name, known, given.least_customers) for name in decisions.groups),
        least_customers=given.least_customers,
        importance=tuple(importance(given.models, judged.x, judged.partition)),
        drift=tuple(drift(known, given.models[0].inputs if given.models else INPUTS)),
    )


def measures_of(decisions: Decisions) -> Measures:
    """Return the measures of decisions that all have a probability."""
    return measure(decisions.p, decisions.y, decisions.weight)


def _months(judged: Decisions, zone: str) -> Iterator[Month]:
    instants, place = np.unique(judged.at, return_inverse=True)
    # A sweep at local midnight belongs to the day that has just ended.
    names = np.array([_month(at - 1, zone) for at in instants.tolist()], dtype=np.str_)
    for month in np.unique(names).tolist():
        yield Month(month, measures_of(judged.take((names == month)[place])))


def _month(at: int, zone: str) -> str:
    local = datetime.fromtimestamp(at // SECOND, UTC).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m}"


def _grouping(name: str, known: Decisions, least: int) -> Grouping:
    codes: dict[str | None, int] = {}
    place = np.array([codes.setdefault(each, len(codes)) for each in known.groups[name].tolist()], np.int64)
    shown: list[GroupFigures] = []
    hidden = hidden_decisions = 0
    for group, code in codes.items():
        rows = np.flatnonzero(place == code)
        own = known.take(rows)
        customers = len(np.unique(own.customer))
        judged = own.take(own.judged)
        if customers < least:
            hidden += 1
            hidden_decisions += len(judged)
            continue
        shown.append(
            GroupFigures(
                group,
                customers,
                measures_of(judged),
                Share.of(own.warned),
                Share.of(own.warned[~own.y]),
                Share.of(own.warned[own.y]),
            )
        )
    shown.sort(key=lambda each: (-each.warned.whole, each.group or ""))
    return Grouping(name, tuple(shown), hidden, hidden_decisions)


def drift(known: Decisions, inputs: Sequence[Input]) -> list[Drift]:
    """Return what moved away from what it was: loss and score where there were any, and every input."""
    watch = DriftWatch(inputs)
    found: list[Drift] = []
    for rows in _instants(known.at):
        own = known.take(rows)
        scored = ~np.isnan(own.p)
        for part, has_score in ((own.take(scored), True), (own.take(~scored), False)):
            if len(part):
                p = np.clip(part.p, 1e-15, 1 - 1e-15)
                logit = np.log(p / (1 - p))
                x = part.x.astype(np.float64)
                found += watch.take(int(part.at[0]), x, logit, part.y, part.weight, scored=has_score)
    return found


def _instants(at: NDArray[np.int64]) -> Sequence[NDArray[np.intp]]:
    """Return the rows of each instant, given instants in order."""
    edges = np.flatnonzero(np.diff(at)) + 1
    return np.split(np.arange(len(at)), edges) if len(at) else []
