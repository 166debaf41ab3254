"""What the API takes and returns."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from streams.contract.instants import format_instant, read_instant, to_us

MOST_ACTIONS = 5_000


def _word(section: Any) -> Any:
    return getattr(section, "word", section)


def _instant(text: str) -> str:
    read_instant(text)
    return text


Instant = Annotated[
    str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"}, max_length=64)
]
"""RFC 3339, with an offset."""
Id = Annotated[str, Field(min_length=1, max_length=500)]


def us_of(instant: str) -> int:
    """Return an instant in microseconds."""
    return to_us(read_instant(instant))


def instant_of(us: int | None) -> str | None:
    """Return an instant of microseconds."""
    return None if us is None else format_instant(us)


class Given(BaseModel):
    """What the API takes: nothing beside the fields, and no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Returned(BaseModel):
    """What the API returns."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Me(Returned):
    """Who asks."""

    name: str
    role: Literal["viewer", "agent", "operator"]
    team: str | None
    time_zone: str
    """By whose clock days are meant."""
    language: str | None


class Cause(Returned):
    """A rule that holds."""

    rule: str
    title: str
    tier: str
    reason: str
    message: str
    inhibited_by: str | None
    since: datetime | None
    opened_at: datetime | None


class Reason(Returned):
    """What moves the model's probability."""

    feature: str
    contribution: float
    group: str
    text: str


class Decision(Returned):
    """Whether the customer is worth rescuing, number by number; null is what is not known."""

    verdict: str
    why: str
    play: str | None
    value: float | None
    probability: float | None
    success: float | None
    success_source: str | None
    gain: float | None
    cost: dict[str, float | None]
    total_cost: float | None
    net: float | None
    break_even: float | None
    missing: tuple[str, ...]


class Attention(Returned):
    """Who takes care of a warning."""

    state: str
    by: str | None
    until: datetime | None
    deadline: datetime | None
    on_its_way: bool
    """Whether an action about it has not been taken up yet."""


class QueueEntry(Returned):
    """An open warning."""

    warning_id: str
    customer_id: str
    section: Annotated[str, BeforeValidator(_word)]
    """The part of the queue that it is in."""
    over_budget: bool
    tier: str
    decision: Decision
    probability: float | None
    value_at_risk: float | None
    opened_at: datetime
    updated_at: datetime
    decided_at: datetime
    causes: tuple[Cause, ...]
    reasons: tuple[Reason, ...]
    segment: str | None
    region: str | None
    customer_class: str | None
    account_owner: str | None
    assignee: str | None
    attended: Attention | None
    deadline: datetime | None
    holdout: bool
    do_not_contact: bool


class SectionTotals(Returned):
    """A part of the queue."""

    count: int
    net: float


class Queue(Returned):
    """A page of the queue, in its order."""

    matched: int
    offset: int
    limit: int
    capacity: int | None
    """Customers whom the team can still attend to today."""
    attended_today: int
    sections: dict[str, SectionTotals]
    rows: list[QueueEntry]


class WarningStep(Returned):
    """A step of a warning."""

    step: int
    time: datetime
    type: str
    data: dict[str, Any]
    """As it is on the topic."""


class Pending(Returned):
    """An action of the desk."""

    event_id: str
    group_id: str
    customer_id: str
    warning_id: str | None
    kind: str
    actor: str
    state: str
    """`held` while it can be undone, `sending`, `sent`, `taken` once the engine has taken it up, `undone`."""
    created_at: datetime
    send_at: datetime
    error: str | None


class Warned(Returned):
    """One of a customer's warnings."""

    id: str
    state: str
    tier: str
    opened_at: datetime
    closed_at: datetime | None
    rules: tuple[str, ...]
    holdout: bool


class Day(Returned):
    """What a customer did on a local day."""

    day: date
    orders: int
    spend: float
    logins: int
    complaints: int
    probability: float | None


class Done(Returned):
    """An action as it is stored."""

    event_id: str
    time: datetime
    kind: str
    warning_id: str | None
    play: str | None
    result: str | None
    actor: str | None
    reasons: tuple[str, ...]
    cost: dict[str, float]
    corrects: str | None
    until: datetime | None
    assignee: str | None
    stands: bool
    """Whether nobody took it back."""


class Became(Returned):
    """What became of a customer: acquired, lapsed, returned, closed."""

    kind: str
    time: datetime


class Customer(Returned):
    """A customer; the newest first, but for days."""

    customer_id: str
    warning_id: str | None
    """The open warning, or else the newest."""
    warnings: tuple[Warned, ...]
    probability: float | None
    value: float | None
    assignee: str | None
    """Who has the warning."""
    days: tuple[Day, ...]
    actions: tuple[Done, ...]
    pending: tuple[Pending, ...]
    outcomes: tuple[Became, ...]


class Warning(Returned):
    """A warning with its steps, and what is on its way about it."""

    warning_id: str
    customer_id: str
    state: str
    tier: str
    opened_at: datetime
    closed_at: datetime | None
    steps: list[WarningStep]
    pending: list[Pending]
    queue: QueueEntry | None
    """Its row of the queue, while it is open."""


class NewAction(Given):
    """Something that somebody does."""

    kind: Literal[
        "acknowledge", "snooze", "expire", "contact", "offer", "assign", "unassign", "confirm", "correct"
    ]
    warning_id: Id | None = None
    """About which warning; without one it is to win the customer back."""
    customer_id: Id | None = None
    """By default the warning's."""
    until: Instant | None = None
    play: Id | None = None
    result: Id | None = None
    reasons: list[Id] = Field(default_factory=list, max_length=50)
    cost: dict[str, float] = Field(default_factory=dict, max_length=50)
    assignee: Id | None = None
    """Whom an `assign` gives the warning to; by default who acts."""
    corrects: Id | None = None
    """The event that a `correct` takes back."""


class NewActions(Given):
    """What somebody does in one go."""

    actions: list[NewAction] = Field(min_length=1, max_length=MOST_ACTIONS)
    hold: bool | None = None
    """Whether they are held for ten seconds, to be undone; by default those are that cannot be taken back."""
    group_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The same id again writes nothing: a request can be repeated."""


class ActionGroup(Returned):
    """The actions of one request."""

    group_id: str
    actions: list[Pending]


class Undone(Returned):
    """What became of actions that somebody took back."""

    undone: int
    """Were not sent."""
    corrected: int
    """Were sent, and are taken back by corrections."""
    too_late: int
    """Were sent, and cannot be taken back."""


class View(Returned):
    """A saved view."""

    id: int
    name: str
    shared_with: str
    query: str
    """The filter, as in the address of the queue."""
    author: str


class NewView(Given):
    """A view to be saved; it takes the place of the one of the same name that the same people see."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    shared_with: Literal["me", "team", "all"] = "me"
    query: Annotated[str, Field(max_length=5_000)] = ""


class SilenceState(Returned):
    """A silence."""

    state: str
    on_its_way: bool
    """Whether the store does not have it yet."""
    silence: dict[str, Any]
    """As it is on the topic."""


class NewSilence(Given):
    """A silence to be added: of everything, or of what all the lists that are given have."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    starts_at: Instant | None = None
    """By default now."""
    ends_at: Instant
    everything: bool = False
    customers: list[Id] = Field(default_factory=list, max_length=1_000)
    segments: list[Id] = Field(default_factory=list, max_length=1_000)
    regions: list[Id] = Field(default_factory=list, max_length=1_000)
    account_owners: list[Id] = Field(default_factory=list, max_length=1_000)
    customer_classes: list[Id] = Field(default_factory=list, max_length=10)
    tiers: list[Literal["high", "medium", "low"]] = Field(default_factory=list, max_length=3)
    rules: list[Id] = Field(default_factory=list, max_length=1_000)
    reasons: list[Id] = Field(default_factory=list, max_length=1_000)


class LapsedCustomer(Returned):
    """A customer who is gone."""

    customer_id: str
    value: float | None
    left_at: str | None
    closed: bool
    days_away: float | None
    customer_class: str | None
    segment: str | None
    region: str | None
    account_owner: str | None
    reasons: tuple[str, ...]
    attempts: int
    last_attempt_result: str | None


class Lapsed(Returned):
    """Customers who are gone, those worth most first."""

    as_of: datetime | None
    matched: int
    offset: int
    limit: int
    customers: list[LapsedCustomer]


class ReportPeriod(Returned):
    """The period of a report, its end not included."""

    key: str
    begin: str
    end: str
    time_zone: str


class Correction(Returned):
    """A figure of a report that is another one now; a rate has both its numbers."""

    figure: str
    """Where it stands in `parts`, as `retention/lost`."""
    then: dict[str, Any] | str | int | float | bool | None
    now: dict[str, Any] | str | int | float | bool | None


class Corrections(Returned):
    """What has changed in a report."""

    since: str
    """Of the database's clock."""
    was_known: bool
    """Whether the whole period was in the database by then; else nothing is compared."""
    customers_erased_since: int
    corrections: list[Correction]


class Report(Returned):
    """The figures of a period, as `lapwing report --json` has them; no customer is named in them."""

    computed_at: datetime | None
    """By the clock of the desk."""
    period: ReportPeriod
    as_of: str | None
    known_to: str | None
    """The event time up to which the store knows what became of customers."""
    horizon_days: float
    active_within_days: float
    currency: str | None
    failed_checks: list[str]
    """Where there is one, the report is not to be trusted."""
    parts: dict[str, Any]
    """Each section's figures, unrounded, with numerator, denominator and exclusions."""
    corrections: Corrections | None
    """`null` where the figures were not compared with earlier ones."""


class AuditLine(Returned):
    """What somebody did."""

    seq: int
    at: datetime
    person: str | None
    what: str
    customer_id: str | None
    detail: dict[str, Any]


class Refused(Returned):
    """Why something was not done."""

    detail: str
