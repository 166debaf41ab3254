"""What the page of a customer shows, made of what the database has, what is on its way, and the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consumers.desk.acting.action_desk import PendingAction
from consumers.desk.customer.history import ActionDone, CustomerHistory, Notice, StepDone
from consumers.desk.rulebook import CauseView, PlayView, ReasonView, Rulebook, RulebookView

_STATES: Final = {
    "acknowledge": "acknowledged",
    "snooze": "snoozed",
    "contact": "contacted",
    "offer": "contacted",
}
_ENDS: Final = ("resolved", "withdrawn", "expired")


@dataclass(frozen=True, slots=True)
class CauseShown:
    """An open cause in words, with its rule as it stood when the cause opened."""

    data: Mapping[str, Any]
    view: CauseView | None
    """`None` where the rule has changed since."""


@dataclass(frozen=True, slots=True)
class LifeEntry:
    """Something that happened to a warning: a step, an action or a notice, whichever is given."""

    at: datetime
    step: StepDone | None = None
    joined: tuple[Mapping[str, Any], ...] = ()
    """Causes that came with the step."""
    left: tuple[Mapping[str, Any], ...] = ()
    action: ActionDone | None = None
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Who takes care of the warning, with what is on its way."""

    state: str | None
    """A word of the contract, `contacted` or `closing`; `None` where nobody has done anything."""
    by: str | None = None
    until: datetime | None = None
    deadline: datetime | None = None
    assignee: str | None = None
    pending: tuple[PendingAction, ...] = ()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A decision, number by number; `None` is what is not known."""

    verdict: str
    why: str
    play: PlayView | None
    play_id: str | None
    probability: float | None
    value: float | None
    value_at_risk: float | None
    success: float | None
    success_source: str | None
    gain: float | None
    cost: Mapping[str, float | None]
    total_cost: float | None
    net: float | None
    break_even: float | None
    missing: tuple[str, ...]


def causes_shown(history: CustomerHistory, rulebook: Rulebook) -> tuple[CauseShown, ...]:
    """Return the causes of the newest step, each with its rule's condition and ticks."""
    if history.newest is None:
        return ()
    return tuple(
        CauseShown(each, rulebook.explain(each["rule"], each["version"], each["values"]))
        for each in history.newest.data["causes"]
    )


def life(history: CustomerHistory) -> tuple[LifeEntry, ...]:
    """Return what happened to the chosen warning, the newest first."""
    if history.chosen is None:
        return ()
    entries = list(_steps(history.steps))
    own = history.chosen.id
    entries += [LifeEntry(each.time, action=each) for each in history.actions if each.warning_id == own]
    entries += [LifeEntry(each.at, notice=each) for each in history.notices]
    # Of one instant the step comes after the action that made it.
    return tuple(sorted(entries, key=lambda each: (each.at, each.notice is not None, each.step is not None)))[
        ::-1
    ]


def _steps(steps: Sequence[StepDone]) -> Iterator[LifeEntry]:
    before: dict[str, Mapping[str, Any]] = {}
    for number, each in enumerate(steps):
        causes = {cause["rule"]: cause for cause in each.data["causes"]}
        ended = each.kind in _ENDS
        joined = () if ended else tuple(cause for rule, cause in causes.items() if rule not in before)
        left = [cause for rule, cause in before.items() if rule not in causes]
        if ended:
            left += causes.values()
        # What was before the first step that was read is not known.
        first = number == 0 and each.step > 1
        yield LifeEntry(each.time, step=each, joined=() if first else joined, left=tuple(left))
        before = {} if ended else causes


def standing_of(history: CustomerHistory, pending: Sequence[PendingAction]) -> Standing:
    """Return who takes care of the chosen warning, as it will be once what is on its way has arrived."""
    if history.chosen is None or history.newest is None:
        return Standing(None, pending=tuple(pending))
    attention = history.newest.data.get("attention") or {}
    own = history.chosen.id
    found = Standing(
        attention.get("state"),
        attention.get("by"),
        _instant(attention.get("until")),
        _instant(attention.get("deadline")),
        history.assignee,
    )
    contact = next(
        (
            each
            for each in history.actions
            if each.stands
            and each.warning_id == own
            and each.kind in ("contact", "offer")
            and each.result != "wrong_contact"
        ),
        None,
    )
    if contact is not None and found.state in (None, "waiting", "lapsed", "overdue"):
        found = Standing("contacted", contact.actor, assignee=found.assignee)
    for each in pending:
        if each.warning_id == own:
            found = _with(found, each)
    return Standing(
        found.state, found.by, found.until, found.deadline, found.assignee, pending=tuple(pending)
    )


def _with(found: Standing, each: PendingAction) -> Standing:
    if each.kind == "assign":
        return Standing(
            found.state, found.by, found.until, found.deadline, each.content.get("assignee") or each.actor
        )
    if each.kind == "unassign":
        return Standing(found.state, found.by, found.until, found.deadline)
    if each.kind == "expire":
        return Standing("closing", each.actor, assignee=found.assignee)
    if each.kind in _STATES:
        return Standing(
            _STATES[each.kind], each.actor, _instant(each.content.get("until")), assignee=found.assignee
        )
    return found


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def arithmetic(decision: Mapping[str, Any] | None, rulebook: RulebookView) -> Arithmetic | None:
    """Return a decision with all of its numbers; `None` where a step has none."""
    if decision is None:
        return None
    value, probability = decision.get("value"), decision.get("probability")
    cost = decision.get("cost") or {}
    amounts = [each for each in cost.values() if each is not None]
    return Arithmetic(
        verdict=str(decision.get("verdict")),
        why=str(decision.get("why")),
        play=rulebook.play(decision.get("play")),
        play_id=decision.get("play"),
        probability=probability,
        value=value,
        value_at_risk=None if value is None or probability is None else value * probability,
        success=decision.get("success"),
        success_source=decision.get("success_source"),
        gain=decision.get("gain"),
        cost=cost,
        total_cost=sum(amounts) if amounts and len(amounts) == len(cost) else None,
        net=decision.get("net"),
        break_even=decision.get("break_even"),
        missing=tuple(decision.get("missing") or ()),
    )


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Reasons that belong together, to choose from."""

    title: str
    reasons: tuple[ReasonView, ...]


def reason_groups(rulebook: RulebookView) -> tuple[ReasonGroup, ...]:
    """Return the reasons by their groups; a group itself can be chosen where none of its reasons fits."""
    found: dict[str, list[ReasonView]] = {}
    titles: dict[str, str] = {}
    for each in rulebook.reasons:
        found.setdefault(each.group, []).append(each)
        titles[each.group] = each.group_title
    return tuple(ReasonGroup(titles[group], tuple(several)) for group, several in found.items())


def suggested(history: CustomerHistory, rulebook: RulebookView) -> tuple[ReasonView, ...]:
    """Return the reasons that the warning suggests: those of its causes' rules."""
    if history.newest is None:
        return ()
    codes = {cause["reason"] for cause in history.newest.data["causes"]}
    return tuple(each for each in rulebook.reasons if each.id in codes)
