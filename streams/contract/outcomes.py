"""The outbound messages about outcomes: what became of customers, of causes and of warnings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field, RootModel, StrictBool

from streams.contract.instants import format_instant
from streams.contract.mistakes import read_json
from streams.contract.warnings import DecisionData, Id, Number, Outbound, TierWord, Time, decision_data
from streams.core.outcomes.outcome import Outcome, PrecedingWarning

LotWord = Literal["held_out", "shown", "not_drawn"]
Total = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]

_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode


class PrecedingWarningData(Outbound):
    """The warning open when the customer left, or else the last that opened in the horizon before."""

    warning_id: Id
    opened_at: Time
    tier: TierWord = Field(description="The newest.")
    rules: tuple[str, ...] = Field(description="All that were ever its causes.")
    lead_days: Number = Field(description="From its opening until the customer left.")


class OutcomeData(Outbound):
    """What every outcome says of its customer, as it is known when the outcome is sent."""

    customer_id: Id
    customer_class: str | None
    segment: str | None
    region: str | None
    origin: str | None
    channel: str | None = Field(description="Of the last order.")
    tenure_days: Number
    orders_total: Total
    spend_total: Number
    last_order_at: Time | None
    holdout: StrictBool
    late: StrictBool = Field(description="Whether a late event brought it about.")
    account_owner: str | None = Field(
        None,
        description="From the profile; left out where it is unknown.",
        exclude_if=lambda given: given is None,
    )
    do_not_contact: StrictBool = Field(
        False,
        description="Whether the customer must not be contacted; left out where that is not so.",
        exclude_if=lambda given: not given,
    )


class AcquiredData(OutcomeData):
    """The customer's first activity."""


class LapsedData(OutcomeData):
    """An active customer is active no more, by silence."""

    silent_since: Time = Field(description="The last activity.")
    value: Number | None
    warned: PrecedingWarningData | None


class ReturnedData(OutcomeData):
    """The first activity after a lapse or a closure."""

    away_days: Number = Field(description="Since the activity before it.")
    warned: PrecedingWarningData | None = Field(description="That of the lapse.")


class ClosedData(OutcomeData):
    """The customer left expressly."""

    reason: str | None
    churn_type: str | None
    warned: PrecedingWarningData | None


class CauseMaturedData(OutcomeData):
    """What became of the customer in the horizon after a cause opened."""

    warning_id: Id | None = Field(description="`null` of a shadow rule.")
    rule: str
    version: str
    status: str
    tier: TierWord
    opened_at: Time
    already_lost: StrictBool = Field(description="Whether the customer was not active at the opening.")
    churned: StrictBool = Field(description="No activity within the horizon, or a closure in it.")


class WarningMaturedData(OutcomeData):
    """What became of the customer in the horizon after a warning opened; the rest is as at the opening."""

    warning_id: Id
    opened_at: Time
    tier: TierWord
    rules: tuple[str, ...]
    play: str | None
    decision: DecisionData | None
    churn_probability: Number | None
    churned: StrictBool = Field(description="No activity within the horizon, or a closure in it.")
    next_order_days: Number | None = Field(description="`null` where no activity came within the horizon.")
    spend_before: Number | None = Field(
        description="Net spend of the horizon's local days up to the opening; `null` beyond 90 of them."
    )
    spend_after: Number = Field(description="Net spend since the opening.")
    treated: StrictBool = Field(description="Whether there was a contact or an offer within the horizon.")
    results: tuple[str, ...] = Field(description="Of the actions within the horizon, each once.")
    lot: LotWord | None = Field(
        None,
        description="On which side of the comparison of plays the warning is, as drawn at its opening: "
        "`held_out` or `shown`; `not_drawn` where the class is exempt, the tier's share is 0, or only an "
        "earlier warning keeps it from being shown. Left out of one that opened before this was noted.",
        exclude_if=lambda given: given is None,
    )
    experiment: str | None = Field(
        None,
        description="Names the draw (its salt) and the play as they were at the opening: effects are "
        "measured within one. Left out without a play.",
        exclude_if=lambda given: given is None,
    )


class OutcomeEnvelope(Outbound):
    """An outcome as a CloudEvent 1.0 in structured JSON."""

    specversion: Literal["1.0"]
    id: Id
    source: str = Field(description="`/lapwing/` and the application's name.")
    subject: Id = Field(description="The customer; also the record's key.")
    time: Time = Field(description="Event time: of the sweep, or of the event that brought it about.")
    datacontenttype: Literal["application/json"]


class AcquiredEvent(OutcomeEnvelope):
    """A customer was acquired."""

    type: Literal["churn.customer.acquired"]
    data: AcquiredData


class LapsedEvent(OutcomeEnvelope):
    """A customer lapsed."""

    type: Literal["churn.customer.lapsed"]
    data: LapsedData


class ReturnedEvent(OutcomeEnvelope):
    """A customer returned."""

    type: Literal["churn.customer.returned"]
    data: ReturnedData


class ClosedEvent(OutcomeEnvelope):
    """A customer closed."""

    type: Literal["churn.customer.closed"]
    data: ClosedData


class CauseMaturedEvent(OutcomeEnvelope):
    """A cause matured."""

    type: Literal["churn.cause.matured"]
    data: CauseMaturedData


class WarningMaturedEvent(OutcomeEnvelope):
    """A warning matured."""

    type: Literal["churn.warning.matured"]
    data: WarningMaturedData


AnyOutcome = (
    AcquiredEvent | LapsedEvent | ReturnedEvent | ClosedEvent | CauseMaturedEvent | WarningMaturedEvent
)


class OutcomeEvent(RootModel[Annotated[AnyOutcome, Field(discriminator="type")]]):
    """One outcome of one customer, as a CloudEvent 1.0 in structured JSON."""


def parse_outcome(value: bytes) -> AnyOutcome:
    """Return the outcome that the bytes of a record hold."""
    return read_json(OutcomeEvent, value, "an outcome").root


def encode_outcome(outcome: Outcome, app: str) -> bytes:
    """Return the bytes of an outcome on its topic; the same outcome gives the same bytes."""
    facts, details = outcome.facts, outcome.details
    data: dict[str, Any] = {
        "customer_id": outcome.customer_id,
        "customer_class": facts.customer_class,
        "segment": facts.segment,
        "region": facts.region,
        "origin": facts.origin,
        "channel": facts.channel,
        "tenure_days": facts.tenure_days,
        "orders_total": facts.orders_total,
        "spend_total": facts.spend_total,
        "last_order_at": None if facts.last_order_at is None else format_instant(facts.last_order_at),
        "holdout": facts.holdout,
        "late": outcome.late,
    }
    # Left out as a rule: an outcome that comes again after an update keeps the bytes that it had before.
    if facts.account_owner is not None:
        data["account_owner"] = facts.account_owner
    if facts.do_not_contact:
        data["do_not_contact"] = True
    for name in details.__slots__:
        value = getattr(details, name)
        if value is None and name in ("lot", "experiment"):
            continue  # as what opened before there were any
        if name == "tier":
            value = value.label
        elif name == "warned":
            value = None if value is None else _preceding(value)
        elif name == "decision":
            value = decision_data(value)
        elif name in ("opened_at", "silent_since"):
            value = format_instant(value)
        data[name] = value
    return cloud_event(outcome.id, f"churn.{outcome.kind.value}", outcome.customer_id, outcome.at, data, app)


def _preceding(warning: PrecedingWarning) -> dict[str, Any]:
    return {
        "warning_id": warning.warning_id,
        "opened_at": format_instant(warning.opened_at),
        "tier": warning.tier.label,
        "rules": warning.rules,
        "lead_days": warning.lead_days,
    }


@cache
def _source(app: str) -> str:
    return f"/lapwing/{quote(app, safe='')}"


def cloud_event(event_id: str, kind: str, subject: str, at: int, data: dict[str, Any], app: str) -> bytes:
    """Return a CloudEvent's bytes, its fields in the order of all our messages."""
    return _encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": _source(app),
            "type": kind,
            "subject": subject,
            "time": format_instant(at),
            "datacontenttype": "application/json",
            "data": data,
        }
    )
