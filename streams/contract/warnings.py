"""The outbound messages: a warning's step as a CloudEvent, and notices to operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import quote
from uuid import UUID, uuid5

import msgspec
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
)

from streams.contract.instants import EPOCH, format_instant, to_us
from streams.contract.mistakes import read_json
from streams.core.decision.decision import Decision
from streams.core.steps import Acknowledgement, Cause, OperationsNotice, Step, StepKind

LATEST: Final = datetime(2262, 1, 1, tzinfo=UTC)
"""Times in a message end here: a reader may add spans to them, or count nanoseconds in 64 bits."""


Time = Annotated[
    AwareDatetime,
    # Strict: in JSON a text and no number. The bounds are compared by pydantic: a sink reads many of them.
    Field(strict=True, ge=EPOCH, lt=LATEST),
    Field(description="RFC 3339 in UTC with `Z`, microseconds only where they are not zero; 1970 to 2261."),
    PlainSerializer(lambda instant: format_instant(to_us(instant)), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
TierWord = Literal["high", "medium", "low"]
StateWord = Literal["open", "resolved", "withdrawn", "expired"]
WarningType = Literal[
    "churn.warning.opened",
    "churn.warning.escalated",
    "churn.warning.updated",
    "churn.warning.resolved",
    "churn.warning.withdrawn",
    "churn.warning.acknowledged",
    "churn.warning.snoozed",
    "churn.warning.expired",
]
WARNING_TYPES: Final[tuple[str, ...]] = get_args(WarningType)
AttentionWord = Literal["waiting", "acknowledged", "snoozed", "lapsed", "overdue", "expired"]
Whole = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
Number = Annotated[float, Field(strict=True)]
"""Finite; a whole number is taken too."""
Count = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Value = Whole | Number | str | None
Id = Annotated[str, StringConstraints(max_length=200)]

NAMESPACE: Final = UUID("b1d0a4f6-3f0e-5b6c-8a55-7d0b0c2f9e11")
"""Of the ids of notices."""

STATES: Final[dict[StepKind, StateWord]] = {
    StepKind.RESOLVED: "resolved",
    StepKind.WITHDRAWN: "withdrawn",
    StepKind.EXPIRED: "expired",
}
"""The state after a step; after every other step the warning is open."""


class Outbound(BaseModel):
    """What all outbound models share; a field that a later version adds is passed over by an older reader."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, protected_namespaces=())


class CauseData(Outbound):
    """One rule that keeps the warning open, or did until this step."""

    rule: str = Field(description="The rule's id.")
    version: str = Field(description="Twelve hexadecimal digits of the hash of the rule.")
    title: str
    tier: TierWord
    reason: str
    owner: str | None
    play: str | None
    since: Time = Field(description="When the rule's condition became true.")
    opened_at: Time = Field(description="When it had been true for as long as the rule asks.")
    message: str
    values: dict[str, Value] = Field(
        description="The features the rule reads, at the evaluation that put the cause in its state."
    )
    inhibited_by: str | None = Field(
        None, description="The open rule that hides this one from the team's notices."
    )


class ReasonData(Outbound):
    """What a group of the model's inputs adds to the churn probability."""

    feature: str = Field(description="The input of the group that adds most.")
    contribution: Number = Field(description="The group's share of the logit, less the population's mean.")
    value: Value
    group: str = Field("", description="What the inputs are about, such as `activity`.")
    text: str = Field("", description="The feature's value in words.")


class AcknowledgementData(Outbound):
    """Who has the warning in hand, and what happens next if nobody does anything."""

    state: AttentionWord = Field(
        description="`waiting` for somebody before a deadline; `acknowledged` or `snoozed`; `lapsed` when "
        "either has ended by its time; `overdue` when a deadline passed; `expired`."
    )
    step: Count = Field(description="The step that brought this about: `data.step` where it is news.")
    since: Time
    by: str | None = Field(description="Who acted last; `null` where nobody was named.")
    until: Time | None = Field(description="When the acknowledgement lapses or the snooze ends.")
    deadline: Time | None = Field(description="By when somebody has to acknowledge or snooze the warning.")
    level: int = Field(
        strict=True,
        ge=0,
        le=2**31 - 1,
        description="Deadlines that have passed since the warning got its tier.",
    )


VerdictWord = Literal["rescue", "dont", "unknown"]
WhyWord = Literal["worth", "not_worth", "problem_class", "do_not_contact", "play_none", "missing"]


class DecisionData(Outbound):
    """Whether the customer is to be rescued, with the arithmetic; `null` is unknown and never 0."""

    play: str | None = Field(description="What the rule names, or else the first that fits.")
    verdict: VerdictWord
    why: WhyWord
    value: Number | None = Field(description="V: the expected margin of a customer who stays.")
    probability: Number | None = Field(description="p: the churn probability.")
    success: Number | None = Field(description="s: the chance that the play keeps one who would leave.")
    success_source: str | None = Field(description="`prior` or `measured`.")
    gain: Number | None = Field(description="p s V.")
    cost: dict[str, Number | None] = Field(description="The amount of each item of the play.")
    net: Number | None = Field(description="The gain less the sum of the cost.")
    break_even: Number | None = Field(description="The success from which on it is worth it.")
    missing: tuple[str, ...] = Field(description="What is not known, where the verdict is `unknown`.")


def _from_text(given: object) -> object:
    """Read the word that stood here before there were plays: always `unknown`."""
    if not isinstance(given, str):
        return given
    nothing = dict.fromkeys(DecisionData.model_fields)
    return nothing | {"verdict": "unknown", "why": "missing", "cost": {}, "missing": ()}


DecisionOrNone = Annotated[DecisionData | None, BeforeValidator(_from_text)]


class WarningData(Outbound):
    """The warning after the step."""

    warning_id: Id
    step: Count = Field(description="Counts the steps of the warning from 1.")
    customer_id: Id
    customer_class: str | None = Field(None, description="From the profile; `null` where it is unknown.")
    segment: str | None = Field(None, description="From the profile; `null` where it is unknown.")
    region: str | None = Field(None, description="From the profile; `null` where it is unknown.")
    account_owner: str | None = Field(None, description="From the profile; `null` where it is unknown.")
    state: StateWord
    tier: TierWord
    opened_at: Time
    attention: AcknowledgementData | None = Field(
        default=None, description="`null` while nobody has acted on the warning and no deadline runs."
    )
    causes: tuple[CauseData, ...] = Field(
        description="Those open after the step; in `resolved`, `withdrawn` and `expired` those that went "
        "with it."
    )
    churn_probability: Number | None = Field(ge=0, le=1, description="`null` until the model is ready.")
    horizon_days: Count
    model_version: str | None
    reasons: tuple[ReasonData, ...]
    value_at_risk: Number | None = Field(description="The value times the churn probability.")
    decision: DecisionOrNone = Field(
        description="As at the evaluation that made the step, or at the last one before it."
    )
    play: str | None = Field(
        description="Of the cause that decides (of the highest tier the first to open, of these by rule id): "
        "what its rule names, or else the first that fits its reason and the customer's class; `null` for "
        "none."
    )
    holdout: StrictBool = Field(
        description="Whether it is shown to nobody, to measure what plays do; fixed at the opening."
    )
    rule_set: str = Field(description="Hash of the rules in force.")
    do_not_contact: StrictBool = Field(
        False,
        description="Whether the customer must not be contacted; left out where that is not so.",
        exclude_if=lambda given: not given,
    )


class WarningEvent(Outbound):
    """A step of a customer's warning, as a CloudEvent 1.0 in structured JSON."""

    specversion: Literal["1.0"]
    id: Id = Field(description="The warning's id and the step's number, joined by `/`.")
    source: str = Field(description="`/lapwing/` and the application's name.")
    type: WarningType
    subject: Id = Field(description="The customer; also the record's key.")
    time: Time = Field(description="Event time of the step.")
    datacontenttype: Literal["application/json"]
    data: WarningData


class ControlNotice(Outbound):
    """Something operations should know that is about no single customer."""

    id: str = Field(
        description="Made from all other fields: after a crash a notice may come again, with the same id."
    )
    app: str
    kind: str
    at: Time = Field(description="Event time; in `rules.refused` the worker's clock.")
    partition: int | None = Field(description="`null` where it concerns the worker as a whole.")
    detail: dict[str, Value]


def parse_warning(value: bytes) -> WarningEvent:
    """Return the warning event that the bytes of a record hold."""
    return read_json(WarningEvent, value, "a warning event")


def warning_event(step: Step, app: str) -> WarningEvent:
    """Return the event that `encode_step` writes."""
    return parse_warning(encode_step(step, app))


def encode_step(step: Step, app: str) -> bytes:
    """Return the bytes of a step on the warnings topic; the same step gives the same bytes."""
    data = {
        "warning_id": step.warning_id,
        "step": step.number,
        "customer_id": step.customer_id,
        "customer_class": step.traits.customer_class,
        "segment": step.traits.segment,
        "region": step.traits.region,
        "account_owner": step.traits.account_owner,
        "state": STATES.get(step.kind, "open"),
        "tier": step.tier.label,
        "opened_at": format_instant(step.opened_at),
        "attention": _acknowledgement(step.acknowledgement),
        "causes": [cause_data(cause) for cause in step.causes],
        "churn_probability": step.churn_probability,
        "horizon_days": step.horizon_days,
        "model_version": step.model_version,
        "reasons": [
            {
                "feature": reason.feature,
                "contribution": reason.contribution,
                "value": reason.value,
                "group": reason.group,
                "text": reason.text,
            }
            for reason in step.reasons
        ],
        "value_at_risk": None if step.decision is None else step.decision.value_at_risk,
        "decision": decision_data(step.decision),
        "play": step.play,
        "holdout": step.holdout,
        "rule_set": step.rule_set,
    }
    if step.decision is not None and step.decision.basis.do_not_contact:
        data["do_not_contact"] = True
    return _encode(
        {
            "specversion": "1.0",
            "id": step.id,
            "source": f"/lapwing/{quote(app, safe='')}",
            "type": f"churn.warning.{step.kind.value}",
            "subject": step.customer_id,
            "time": format_instant(step.at),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def encode_withdrawal(last: bytes, at: int) -> tuple[str, bytes]:
    """Return the customer and the event that withdraws a warning of which only its last event is known."""
    event = parse_warning(last)
    number = event.data.step + 1
    changed = json.loads(last)
    changed |= {
        "id": f"{event.data.warning_id}/{number}",
        "type": f"churn.warning.{StepKind.WITHDRAWN.value}",
        "time": format_instant(max(at, to_us(event.time))),
    }
    changed["data"] |= {"step": number, "state": STATES[StepKind.WITHDRAWN]}
    return event.data.customer_id, _encode(changed)


def encode_notice(notice: OperationsNotice, app: str) -> bytes:
    """Return the bytes of a notice on the control topic; the same notice has the same id."""
    content = {
        "app": app,
        "kind": notice.kind,
        "at": format_instant(notice.at),
        "partition": notice.partition,
        "detail": notice.detail,
    }
    return _encode({"id": str(uuid5(NAMESPACE, _encode(content).decode())), **content})


def _acknowledgement(given: Acknowledgement | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "state": given.state.value,
        "step": given.step,
        "since": format_instant(given.since),
        "by": given.by,
        "until": None if given.until is None else format_instant(given.until),
        "deadline": None if given.deadline is None else format_instant(given.deadline),
        "level": given.level,
    }


def decision_data(decision: Decision | None) -> dict[str, Any] | None:
    """Return a decision as it stands in a message."""
    if decision is None:
        return None
    basis, made = decision.basis, decision.arithmetic()
    return {
        "play": basis.play,
        "verdict": made.verdict.value,
        "why": made.why.value,
        "value": decision.value,
        "probability": decision.probability,
        "success": basis.success,
        "success_source": basis.success_source,
        "gain": made.gain,
        "cost": made.cost,
        "net": made.net,
        "break_even": made.break_even,
        "missing": made.missing,
    }


def cause_data(cause: Cause) -> dict[str, Any]:
    """Return a cause as it stands in a message."""
    return {
        "rule": cause.rule,
        "version": cause.version,
        "title": cause.title,
        "tier": cause.tier.label,
        "reason": cause.reason,
        "owner": cause.owner,
        "play": cause.play,
        "since": format_instant(cause.since),
        "opened_at": format_instant(cause.opened_at),
        "message": cause.message,
        "values": cause.values,
        "inhibited_by": cause.inhibited_by,
    }


# Dicts keep the order in which they are written here, which is the order on the wire.
_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode
