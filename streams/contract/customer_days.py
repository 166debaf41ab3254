"""The outbound messages of single customers: the days of those who are warned of, and scores."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, Literal

from pydantic import Field

from streams.contract.mistakes import read_json
from streams.contract.outcomes import cloud_event
from streams.contract.warnings import DecisionData, Id, Number, Outbound, Time, decision_data
from streams.core.outcomes.outcome import CustomerDays, Score

_EPOCH: Final = date(1970, 1, 1)


class DayData(Outbound):
    """What a customer did on one local day."""

    day: date
    orders: int
    spend: Number
    logins: int
    complaints: int


class CustomerDaysData(Outbound):
    """The days of a customer from one to another; on those that are not listed the customer did nothing."""

    customer_id: Id
    warning_id: Id
    first_day: date
    last_day: date
    days: tuple[DayData, ...]
    churn_probability: Number | None
    value: Number | None
    decision: DecisionData | None = Field(description="By the probability and value of the day.")


class ScoreData(Outbound):
    """A customer's score."""

    customer_id: Id
    churn_probability: Number = Field(ge=0, le=1)
    churn_lift: Number | None
    value: Number | None


class CustomerEnvelope(Outbound):
    """A message about one customer as a CloudEvent 1.0 in structured JSON."""

    specversion: Literal["1.0"]
    id: Id
    source: str = Field(description="`/lapwing/` and the application's name.")
    subject: Id = Field(description="The customer; also the record's key.")
    time: Time
    datacontenttype: Literal["application/json"]


class CustomerDaysEvent(CustomerEnvelope):
    """What a customer who is warned of did: the last 90 local days at the opening, then each day."""

    type: Literal["churn.customer.days"]
    data: CustomerDaysData


class ScoreEvent(CustomerEnvelope):
    """A customer's score at a sweep at which it had moved; the newest of each customer counts."""

    type: Literal["churn.customer.scored"]
    data: ScoreData


def parse_customer_days(value: bytes) -> CustomerDaysEvent:
    """Return the days that the bytes of a record hold."""
    return read_json(CustomerDaysEvent, value, "a customer's days")


def parse_score(value: bytes) -> ScoreEvent:
    """Return the score that the bytes of a record hold."""
    return read_json(ScoreEvent, value, "a score")


def encode_customer_days(days: CustomerDays, app: str) -> bytes:
    """Return the bytes of a customer's days; the same ones give the same bytes."""
    data: dict[str, Any] = {
        "customer_id": days.customer_id,
        "warning_id": days.warning_id,
        "first_day": _date(days.first_day),
        "last_day": _date(days.last_day),
        "days": [
            {
                "day": _date(each.day),
                "orders": each.orders,
                "spend": each.spend,
                "logins": each.logins,
                "complaints": each.complaints,
            }
            for each in days.days
        ],
        "churn_probability": days.churn_probability,
        "value": days.value,
        "decision": decision_data(days.decision),
    }
    return cloud_event(days.id, "churn.customer.days", days.customer_id, days.at, data, app)


def encode_score(score: Score, app: str) -> bytes:
    """Return the bytes of a score; the same one gives the same bytes."""
    data = {
        "customer_id": score.customer_id,
        "churn_probability": score.churn_probability,
        "churn_lift": score.churn_lift,
        "value": score.value,
    }
    return cloud_event(score.id, "churn.customer.scored", score.customer_id, score.at, data, app)


def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
