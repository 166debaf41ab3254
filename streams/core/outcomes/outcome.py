"""What the engine puts out of outcomes: of a customer, of a cause, of a warning; and of the census."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from streams.core.decision.decision import Decision
from streams.core.decision.holdout import Lot
from streams.core.name_ids import name_id
from streams.core.steps import Tier

NAMESPACE: Final = UUID("3d7c1f0e-8a55-5f5e-9b1d-51c2f0a7e6b4")
"""Of the name-based ids of outcomes."""


class OutcomeKind(StrEnum):
    """What an outcome is about; the words are those of the wire."""

    ACQUIRED = "customer.acquired"
    LAPSED = "customer.lapsed"
    RETURNED = "customer.returned"
    CLOSED = "customer.closed"
    CAUSE_MATURED = "cause.matured"
    WARNING_MATURED = "warning.matured"


class CustomerFacts(NamedTuple):
    """What is known of a customer when an outcome is put out; a tuple, as there are many of them."""

    customer_class: str | None
    segment: str | None
    region: str | None
    origin: str | None
    channel: str | None
    """Of the last order."""
    tenure_days: float
    orders_total: int
    spend_total: float
    last_order_at: int | None
    holdout: bool = False
    account_owner: str | None = None
    do_not_contact: bool = False


@dataclass(frozen=True, slots=True)
class PrecedingWarning:
    """The warning that was open when a customer left, or else the last that opened in the horizon before."""

    warning_id: str
    opened_at: int
    tier: Tier
    """The newest."""
    rules: tuple[str, ...]
    """All that were ever its causes."""
    lead_days: float
    """From its opening until the customer left."""


@dataclass(frozen=True, slots=True)
class Acquired:
    """The customer's first activity."""


@dataclass(frozen=True, slots=True)
class Lapsed:
    """An active customer is active no more, by silence."""

    silent_since: int
    value: float | None
    warned: PrecedingWarning | None


@dataclass(frozen=True, slots=True)
class Returned:
    """The first activity after a lapse or a closure."""

    away_days: float
    warned: PrecedingWarning | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The customer left expressly."""

    reason: str | None
    churn_type: str | None
    warned: PrecedingWarning | None


@dataclass(frozen=True, slots=True)
class CauseMatured:
    """What became of a customer in the horizon after a cause opened."""

    warning_id: str | None
    """`None` of a shadow rule, which warns nobody."""
    rule: str
    version: str
    status: str
    tier: Tier
    opened_at: int
    already_lost: bool
    churned: bool


@dataclass(frozen=True, slots=True)
class WarningMatured:
    """What became of a customer in the horizon after a warning opened."""

    warning_id: str
    opened_at: int
    tier: Tier
    rules: tuple[str, ...]
    play: str | None
    decision: Decision | None
    churn_probability: float | None
    churned: bool
    next_order_days: float | None
    """Until the first activity after the opening, `None` where none came within the horizon."""
    spend_before: float | None
    spend_after: float
    treated: bool
    results: tuple[str, ...]
    lot: Lot | None
    """On which side of the comparison of plays it is; `None` where it opened before that was noted."""
    experiment: str | None
    """Names the draw and the play as they were at the opening; `None` without a play."""


Details = Acquired | Lapsed | Returned | Closed | CauseMatured | WarningMatured


class Outcome(NamedTuple):
    """One outcome of one customer; instants are microseconds since the epoch, UTC."""

    kind: OutcomeKind
    id: str
    at: int
    customer_id: str
    late: bool
    facts: CustomerFacts
    details: Details


@dataclass(frozen=True, slots=True)
class CensusCell:
    """One cell of a census."""

    id: str
    at: int
    partition: int
    by: str
    cell: Mapping[str, str | None]
    """The fields that name it; empty for the cell of all others."""
    since: int | None
    """The census before, `None` at the first one."""
    quiet: bool
    original: int | None
    kept: int | None
    lost: int | None
    acquired: int
    returned: int
    active: int
    value_original: float | None
    value_original_n: int | None
    value_lost: float | None
    value_lost_n: int | None
    scored: int
    expected: float
    sums: Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class CensusSummary:
    """What a partition counted, so that a missing partition is seen."""

    id: str
    at: int
    partition: int
    since: int | None
    quiet: bool
    customers: int
    active: int
    cells: int


@dataclass(frozen=True, slots=True)
class CensusMatured:
    """What became of the customers who were active in a cell at a census."""

    id: str
    at: int
    partition: int
    by: str
    cell: Mapping[str, str | None]
    census_at: int
    active: int
    churned: int
    treated: int
    scored: int
    expected: float
    untreated_churned: int
    untreated_scored: int
    untreated_expected: float


CensusEvent = CensusCell | CensusSummary | CensusMatured


@dataclass(frozen=True, slots=True)
class DayCounts:
    """What a customer did on one local day."""

    day: int
    """Counted from 1970-01-01."""
    orders: int
    spend: float
    logins: int
    complaints: int


@dataclass(frozen=True, slots=True)
class CustomerDays:
    """What a customer who is warned of did lately: the last 90 local days at the opening, then each day."""

    id: str
    at: int
    customer_id: str
    warning_id: str
    first_day: int
    last_day: int
    days: tuple[DayCounts, ...]
    """Those of the days from first to last on which the customer did anything."""
    churn_probability: float | None
    value: float | None
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Score:
    """A customer's score at a sweep at which it had moved."""

    id: str
    at: int
    customer_id: str
    churn_probability: float | None
    churn_lift: float | None
    value: float | None


def outcome_id(app: str, kind: str, subject: str, key: str) -> str:
    """Return the id of an outcome: a name-based UUID, so that every replay gives the same one."""
    return name_id(NAMESPACE, f"{app}\n{kind}\n{subject}\n{key}")
