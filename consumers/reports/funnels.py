"""Two funnels: warnings, up to the customers who stayed, and lapsed customers, up to those who returned.

Each step counts some of those that the step before counts, so no conversion exceeds 100 %. A funnel shows
where the team's work ends; whether the work helps is what held-out customers say (`plays`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from consumers.actions import Action
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningStepRow
from consumers.reports.columns import read_columns
from consumers.reports.contacts import (
    AGREED,
    is_contact,
    is_reached,
    read_contacts,
    read_contacts_of,
)
from consumers.reports.knowledge import Knowledge
from consumers.reports.losses import Lapse, LossReader, read_first_lapses
from consumers.reports.period import Period
from consumers.scorecard.scorecard import TIERS
from streams.contract.instants import MICROSECOND
from streams.share import Share

RESCUE: Final = "rescue"
MATURED: Final = "churn.warning.matured"


class Unit(StrEnum):
    """What a funnel counts."""

    WARNINGS = "warnings"
    CUSTOMERS = "customers"


class Stage(StrEnum):
    """The steps of both funnels."""

    WARNED = "warned"
    WORTH_RESCUING = "worth_rescuing"
    CONTACTED = "contacted"
    REACHED = "reached"
    ACCEPTED = "accepted"
    STAYED = "stayed"
    LAPSED = "lapsed"
    MEANS_TO_RETURN = "means_to_return"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """So many of the step before."""

    stage: Stage
    n: int
    of_before: Share
    """The conversion: of the step before, without those of whom it is not known yet."""
    of_first: Share
    """Of the first step, without the same."""
    not_known: int = 0
    """Of the step before, those of whom it is not known yet."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "step": self.stage.value,
            "n": self.n,
            "of_step_before": self.of_before.as_dict(),
            "of_first": self.of_first.as_dict(),
            "not_known_yet": self.not_known,
        }


@dataclass(frozen=True, slots=True)
class Funnel:
    """The steps in order, and what stands beside them."""

    unit: Unit
    steps: tuple[FunnelStep, ...]
    beside: Mapping[str, int]
    """What is in no step, or not as one might think, by name."""

    @property
    def is_monotone(self) -> bool:
        """Whether no step counts more than the one before."""
        return all(after.n <= before.n for before, after in pairwise(self.steps))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        steps = [step.as_dict() for step in self.steps]
        return {"unit": self.unit.value, "steps": steps, "beside": dict(self.beside)}


def funnel(
    unit: Unit, counts: Sequence[tuple[Stage, int]], beside: Mapping[str, int], not_known: int = 0
) -> Funnel:
    """Return the funnel of counts in order; of the last step `not_known` are not known yet."""
    steps = []
    first = counts[0][1]
    for number, (stage, n) in enumerate(counts):
        before = counts[number - 1][1] if number else n
        open_ = not_known if number == len(counts) - 1 else 0
        steps.append(FunnelStep(stage, n, Share(n, before - open_), Share(n, first - open_), open_))
    return Funnel(unit, tuple(steps), beside)


class OpenedWarning(NamedTuple):
    """A warning as it opened; the time in microseconds."""

    warning_id: str
    customer_id: str
    opened_at: int
    tier: str
    verdict: str | None
    holdout: bool


@dataclass(frozen=True, slots=True)
class FunnelFacts:
    """What the funnels are counted from."""

    horizon: int
    warnings: tuple[OpenedWarning, ...]
    """Those that opened in the period."""
    churned: Mapping[str, bool]
    """Of the warnings that have matured, by id, whether the customer left within the horizon."""
    lapses: tuple[Lapse, ...]
    """One per customer."""
    closed: int
    """Customers who left in the period by a closure alone: they are in no funnel."""
    actions: tuple[Action, ...]
    """Contacts with those warned that stand from the period's begin to a horizon after its end, in order."""
    later_actions: tuple[Action, ...]
    """Those that stand from the period's begin on, about the customers who lapsed in it, in order."""


@dataclass(frozen=True, slots=True)
class Funnels:
    """Both funnels of a period, and that of the warnings by the tier in which they opened."""

    warnings: Funnel
    by_tier: Mapping[str, Funnel]
    lapsed: Funnel
    results: Mapping[str, int]
    """Contacts of the warnings worth rescuing, by their result; `not_recorded` where none was given. One that
    lies in the horizon of two warnings counts once."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities that do not hold."""
        own = {"warnings": self.warnings, "lapsed": self.lapsed, **self.by_tier}
        return tuple(f"funnel {name}: a step is larger" for name, f in own.items() if not f.is_monotone)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "warnings": self.warnings.as_dict(),
            "warnings_by_tier": {tier: each.as_dict() for tier, each in self.by_tier.items()},
            "lapsed": self.lapsed.as_dict(),
            "results": dict(self.results),
        }


def read_funnels(
    connection: Connection, period: Period, knowledge: Knowledge, losses: LossReader | None = None
) -> FunnelFacts:
    """Return what the funnels of a period are counted from."""
    begin, end, horizon = period.begin_at, period.end_at, knowledge.horizon
    matured = select(OutcomeRow.warning_id, OutcomeRow.churned).where(
        OutcomeRow.type == MATURED,
        OutcomeRow.opened_at >= begin,
        OutcomeRow.opened_at < end,
        knowledge.by_then(OutcomeRow.stored_at),
    )
    lapses = read_first_lapses(connection, period, knowledge)
    gone = {each.customer_id for each in lapses}
    left = set((losses or LossReader(knowledge)).between(connection, begin, end)["customer_id"])
    warnings = _opened(connection, period, knowledge)
    warned = {each.customer_id for each in warnings}
    return FunnelFacts(
        horizon=horizon // MICROSECOND,
        warnings=warnings,
        churned={
            warning: bool(churned)
            for warning, churned in zip(*read_columns(connection, matured), strict=True)
            if warning
        },
        lapses=lapses,
        closed=len(left - gone),
        actions=tuple(read_contacts(connection, knowledge, begin, end + horizon + MICROSECOND, warned)),
        later_actions=tuple(read_contacts_of(connection, knowledge, gone, begin)),
    )


def _opened(connection: Connection, period: Period, knowledge: Knowledge) -> tuple[OpenedWarning, ...]:
    data = WarningStepRow.data
    query = select(
        WarningStepRow.warning_id,
        WarningStepRow.customer_id,
        WarningStepRow.time,
        WarningStepRow.tier,
        data["decision", "verdict"].as_string(),
        data["holdout"].as_boolean(),
    ).where(
        WarningStepRow.time >= period.begin_at,
        WarningStepRow.time < period.end_at,
        WarningStepRow.step == 1,
        knowledge.by_then(WarningStepRow.received_at),
    )
    found = [
        OpenedWarning(warning, customer, at, tier, verdict, bool(holdout))
        for warning, customer, at, tier, verdict, holdout in zip(
            *read_columns(connection, query), strict=True
        )
    ]
    return tuple(sorted(found, key=lambda each: (each.opened_at, each.warning_id)))


def funnels(facts: FunnelFacts) -> Funnels:
    """Return both funnels."""
    by_customer = _contacts(facts.actions)
    contacts = {
        each.warning_id: [
            action
            for action in by_customer.get(each.customer_id, ())
            if each.opened_at < action.at <= each.opened_at + facts.horizon
        ]
        for each in facts.warnings
    }
    tiers = {each.tier for each in facts.warnings}
    worth = [each for each in facts.warnings if each.verdict == RESCUE and not each.holdout]
    tried = {(a.customer_id, a.event_id): a for each in worth for a in contacts[each.warning_id]}
    results = Counter(action.result or "not_recorded" for action in tried.values())
    return Funnels(
        _of_warnings(facts.warnings, contacts, facts.churned),
        {
            tier: _of_warnings(
                [each for each in facts.warnings if each.tier == tier], contacts, facts.churned
            )
            for tier in TIERS
            if tier in tiers
        },
        _of_lapsed(facts.lapses, facts.closed, _contacts(facts.later_actions)),
        dict(sorted(results.items(), key=lambda each: (-each[1], each[0]))),
    )


def _of_warnings(
    warned: Sequence[OpenedWarning], contacts: Mapping[str, Sequence[Action]], churned: Mapping[str, bool]
) -> Funnel:
    rescue = [each for each in warned if each.verdict == RESCUE]
    worth = [each for each in rescue if not each.holdout]
    contacted = [each for each in worth if contacts[each.warning_id]]
    reached = [each for each in contacted if any(map(is_reached, contacts[each.warning_id]))]
    accepted = [each for each in reached if _has_result(contacts[each.warning_id], AGREED)]
    matured = [each for each in accepted if each.warning_id in churned]
    stayed = [each for each in matured if not churned[each.warning_id]]
    of_worth = {each.warning_id for each in worth}
    counts = (
        (Stage.WARNED, len(warned)),
        (Stage.WORTH_RESCUING, len(worth)),
        (Stage.CONTACTED, len(contacted)),
        (Stage.REACHED, len(reached)),
        (Stage.ACCEPTED, len(accepted)),
        (Stage.STAYED, len(stayed)),
    )
    beside = {
        "held_out": len(rescue) - len(worth),
        "not_worth": sum(each.verdict == "dont" for each in warned),
        "not_decided": sum(each.verdict not in (RESCUE, "dont") for each in warned),
        "contacted_beside": sum(
            bool(contacts[each.warning_id]) for each in warned if each.warning_id not in of_worth
        ),
        "not_reached": len(contacted) - len(reached),
        "not_matured": len(accepted) - len(matured),
        "left_after_accepting": len(matured) - len(stayed),
    }
    return funnel(Unit.WARNINGS, counts, beside, len(accepted) - len(matured))


def _contacts(actions: Iterable[Action]) -> dict[str, list[Action]]:
    by_customer: defaultdict[str, list[Action]] = defaultdict(list)
    for action in actions:
        if is_contact(action):
            by_customer[action.customer_id].append(action)
    return by_customer


def _of_lapsed(lapses: Sequence[Lapse], closed: int, by_customer: Mapping[str, Sequence[Action]]) -> Funnel:
    tried = {lapse.customer_id: _after(lapse, by_customer.get(lapse.customer_id, ())) for lapse in lapses}
    contacted = [each for each in lapses if tried[each.customer_id]]
    reached = [each for each in contacted if any(map(is_reached, tried[each.customer_id]))]
    willing = [each for each in reached if _has_result(tried[each.customer_id], AGREED)]
    returned = [each for each in willing if each.returned_at is not None]
    counts = (
        (Stage.LAPSED, len(lapses)),
        (Stage.CONTACTED, len(contacted)),
        (Stage.REACHED, len(reached)),
        (Stage.MEANS_TO_RETURN, len(willing)),
        (Stage.RETURNED, len(returned)),
    )
    beside = {
        "held_out": sum(each.holdout for each in lapses),
        "not_reached": len(contacted) - len(reached),
        "returned_in_all": sum(each.returned_at is not None for each in lapses),
        "returned_without_contact": sum(
            each.returned_at is not None and not tried[each.customer_id] for each in lapses
        ),
        "closed": closed,
    }
    return funnel(Unit.CUSTOMERS, counts, beside)


def _after(lapse: Lapse, contacts: Iterable[Action]) -> list[Action]:
    """Return the contacts from the lapse to the return."""
    return [
        action
        for action in contacts
        if lapse.at <= action.at and (lapse.returned_at is None or action.at <= lapse.returned_at)
    ]


def _has_result(contacts: Iterable[Action], wanted: frozenset[str]) -> bool:
    return any(is_contact(action) and action.result in wanted for action in contacts)
