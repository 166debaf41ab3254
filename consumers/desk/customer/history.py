"""What the database has about one customer, read in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from consumers.actions import assignees, standing, stored_action
from consumers.complaint_lives import ComplaintLife, find_complaint_lives
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.notices import MessageRow, MessageStepRow, NoticeRow, OutboxRow
from consumers.database.outcomes import CustomerDaysRow, OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow

MOST_DAYS: Final = 180
MOST_WARNINGS: Final = 50
MOST_STEPS: Final = 200
MOST_ACTIONS: Final = 300
MOST_OUTCOMES: Final = 100
MATURED: Final = "churn.warning.matured"
OF_CUSTOMERS: Final = tuple(f"churn.customer.{word}" for word in ("acquired", "lapsed", "returned", "closed"))


@dataclass(frozen=True, slots=True)
class Day:
    """What a customer did on a local day, and the probability as it stood then."""

    day: date
    orders: int = 0
    spend: float = 0.0
    logins: int = 0
    complaints: int = 0
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """One of the customer's warnings, and what came of it."""

    id: str
    state: str
    tier: str
    opened_at: datetime
    closed_at: datetime | None
    last_step: int
    rules: tuple[str, ...]
    holdout: bool
    matured: Mapping[str, Any] | None = None
    """`data` of its outcome, once it has matured."""

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step of a warning."""

    id: str
    step: int
    time: datetime
    kind: str
    """The last word of its type."""
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActionDone:
    """An action as it is stored."""

    event_id: str
    time: datetime
    kind: str
    warning_id: str | None
    play: str | None
    result: str | None
    actor: str | None
    reasons: tuple[str, ...]
    cost: Mapping[str, float]
    corrects: str | None
    until: datetime | None
    assignee: str | None
    stands: bool
    """Whether nobody took it back."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message about a step, by a route or straight to a channel."""

    step: int
    channel: str
    route: str | None
    """`None` where it went to all channels."""
    kind: str
    """`notice`, `digest` or `gathered`."""
    state: str
    at: datetime
    why: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of a step that could have been reported to the team."""

    step: int
    at: datetime
    verdict: str
    why: str | None


@dataclass(frozen=True, slots=True)
class CustomerOutcome:
    """What became of the customer: acquired, lapsed, returned, closed."""

    kind: str
    time: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """What the database has about one customer; the newest first, but for days and steps."""

    customer_id: str
    warnings: tuple[Warned, ...]
    chosen: Warned | None
    """The warning that is looked at: the one asked for, the open one or the newest."""
    steps: tuple[StepDone, ...]
    """Of the chosen warning."""
    days: tuple[Day, ...]
    days_at: datetime | None
    decision: Mapping[str, Any] | None
    """The newest about the chosen warning: of its newest day, or of its newest step if that is later."""
    probability: float | None
    value: float | None
    actions: tuple[ActionDone, ...]
    assignee: str | None
    """Who has the chosen warning."""
    notices: tuple[Notice, ...]
    sent: tuple[Sent, ...]
    outcomes: tuple[CustomerOutcome, ...]
    complaints: tuple[ComplaintLife, ...] = field(default_factory=tuple)

    @property
    def newest(self) -> StepDone | None:
        """The newest step of the chosen warning."""
        return self.steps[-1] if self.steps else None

    @property
    def held_out(self) -> bool:
        """Whether the customer is in the holdout: a warning of theirs is, and has not matured."""
        return any(each.holdout and each.matured is None for each in self.warnings)


def read_customer(
    database: Database, customer_id: str, warning_id: str | None = None, *, holdout: bool = False
) -> CustomerHistory | None:
    """Return what is known about a customer; `None` where nothing is.

    Without `holdout` it is also `None` of a customer in the holdout, and warnings that were in it are left
    out.
    """
    with database.reading() as connection:
        outcomes = _outcomes(connection, customer_id)
        warnings = _warnings(connection, customer_id, outcomes)
        if not holdout:
            if any(each.holdout and each.matured is None for each in warnings):
                return None
            warnings = tuple(each for each in warnings if not each.holdout)
            outcomes = [each for each in outcomes if not each.holdout]
        actions = _actions(connection, customer_id)
        if not (warnings or outcomes or actions):
            return None
        chosen = _chosen(warnings, warning_id)
        steps = _steps(connection, chosen) if chosen is not None else ()
        days, newest = _days(connection, customer_id)
        notices = _notices(connection, chosen) if chosen is not None else ()
        sent = _sent(connection, steps)
    complaints = find_complaint_lives(database, [customer_id])
    decision = _decision(chosen, steps, newest)
    shown = steps[-1].data if steps else {}
    assigned = assignees(stored_action(row) for row in actions)
    return CustomerHistory(
        customer_id=customer_id,
        warnings=warnings,
        chosen=chosen,
        steps=steps,
        days=days,
        days_at=newest.time if newest is not None else None,
        decision=decision,
        probability=decision.get("probability") if decision else shown.get("churn_probability"),
        value=decision.get("value") if decision else None,
        actions=_done(actions),
        assignee=assigned.get(chosen.id) if chosen is not None else None,
        notices=notices,
        sent=sent,
        outcomes=tuple(
            CustomerOutcome(each.type.rpartition(".")[2], each.time, each.data)
            for each in outcomes
            if each.type in OF_CUSTOMERS
        ),
        complaints=tuple(sorted(complaints, key=_opening, reverse=True)),
    )


def _opening(life: ComplaintLife) -> float:
    return life.opened_at.timestamp() if life.opened_at is not None else 0.0


def _outcomes(connection: Connection, customer_id: str) -> list[Any]:
    query = (
        select(OutcomeRow.type, OutcomeRow.time, OutcomeRow.warning_id, OutcomeRow.holdout, OutcomeRow.data)
        .where(OutcomeRow.customer_id == customer_id, OutcomeRow.type.in_((*OF_CUSTOMERS, MATURED)))
        .order_by(OutcomeRow.time.desc())
        .limit(MOST_OUTCOMES)
    )
    return list(connection.execute(query))


def _warnings(connection: Connection, customer_id: str, outcomes: Sequence[Any]) -> tuple[Warned, ...]:
    matured = {each.warning_id: each.data for each in outcomes if each.type == MATURED}
    query = (
        select(
            WarningRow.id,
            WarningRow.state,
            WarningRow.tier,
            WarningRow.opened_at,
            WarningRow.closed_at,
            WarningRow.last_step,
            WarningRow.causes,
            WarningRow.holdout,
        )
        .where(WarningRow.customer_id == customer_id)
        .order_by(WarningRow.opened_at.desc())
        .limit(MOST_WARNINGS)
    )
    return tuple(
        Warned(
            id=row.id,
            state=row.state,
            tier=row.tier,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            last_step=row.last_step,
            rules=tuple(cause["rule"] for cause in row.causes),
            holdout=bool(row.holdout),
            matured=matured.get(row.id),
        )
        for row in connection.execute(query)
    )


def _chosen(warnings: Sequence[Warned], warning_id: str | None) -> Warned | None:
    named = next((each for each in warnings if each.id == warning_id), None)
    still_open = next((each for each in warnings if each.is_open), None)
    return named or still_open or (warnings[0] if warnings else None)


def _steps(connection: Connection, chosen: Warned) -> tuple[StepDone, ...]:
    query = (
        select(
            WarningStepRow.id,
            WarningStepRow.step,
            WarningStepRow.time,
            WarningStepRow.type,
            WarningStepRow.data,
        )
        .where(WarningStepRow.warning_id == chosen.id)
        .order_by(WarningStepRow.step.desc())
        .limit(MOST_STEPS)
    )
    rows = connection.execute(query).all()
    return tuple(
        StepDone(row.id, row.step, row.time, row.type.rpartition(".")[2], row.data) for row in reversed(rows)
    )


def _days(connection: Connection, customer_id: str) -> tuple[tuple[Day, ...], Any]:
    """Return the last days, one by one, and the newest row."""
    query = (
        select(
            CustomerDaysRow.time,
            CustomerDaysRow.warning_id,
            CustomerDaysRow.first_day,
            CustomerDaysRow.last_day,
            CustomerDaysRow.churn_probability,
            CustomerDaysRow.value,
            CustomerDaysRow.data,
        )
        .where(CustomerDaysRow.customer_id == customer_id)
        .order_by(CustomerDaysRow.time.desc())
        .limit(MOST_DAYS)
    )
    rows = connection.execute(query).all()
    if not rows:
        return (), None
    last = max(row.last_day for row in rows)
    first = max(min(row.first_day for row in rows), last - timedelta(days=MOST_DAYS - 1))
    found: dict[date, dict[str, Any]] = {
        first + timedelta(days=n): {} for n in range((last - first).days + 1)
    }
    for row in reversed(rows):
        for each in row.data.get("days", ()):
            on = date.fromisoformat(each["day"])
            if on in found:
                found[on] |= {name: each[name] for name in ("orders", "spend", "logins", "complaints")}
        if row.last_day in found:
            found[row.last_day]["probability"] = row.churn_probability
    return tuple(Day(on, **done) for on, done in found.items()), rows[0]


def _decision(chosen: Warned | None, steps: Sequence[StepDone], newest: Any) -> Mapping[str, Any] | None:
    of_step = steps[-1].data.get("decision") if steps else None
    of_day = newest.data.get("decision") if newest is not None else None
    is_newer = (
        chosen is not None
        and newest is not None
        and newest.warning_id == chosen.id
        and (not steps or newest.time >= steps[-1].time)
    )
    found = of_day if is_newer and of_day is not None else of_step
    return found if isinstance(found, Mapping) else None


def _actions(connection: Connection, customer_id: str) -> list[Mapping[str, Any]]:
    query = (
        select(ActionRow.__table__)
        .where(ActionRow.customer_id == customer_id)
        .order_by(ActionRow.time.desc(), ActionRow.seq.desc())
        .limit(MOST_ACTIONS)
    )
    return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _done(rows: Sequence[Mapping[str, Any]]) -> tuple[ActionDone, ...]:
    stand = {each.event_id for each in standing(map(stored_action, rows))}
    return tuple(
        ActionDone(
            **{
                name: row[name]
                for name in (
                    *("event_id", "time", "kind", "warning_id", "play", "result", "actor", "cost"),
                    *("corrects", "until", "assignee"),
                )
            },
            reasons=tuple(row["reasons"]),
            stands=row["event_id"] in stand,
        )
        for row in rows
    )


def _notices(connection: Connection, chosen: Warned) -> tuple[Notice, ...]:
    query = (
        select(NoticeRow.step, NoticeRow.at, NoticeRow.verdict, NoticeRow.why)
        .where(NoticeRow.warning_id == chosen.id)
        .order_by(NoticeRow.seq.desc())
        .limit(MOST_STEPS)
    )
    return tuple(Notice(*row) for row in connection.execute(query))


def _sent(connection: Connection, steps: Sequence[StepDone]) -> tuple[Sent, ...]:
    """Return the messages about steps: by the step alone, by a route, in a digest or gathered."""
    if not steps:
        return ()
    numbers = {each.id: each.step for each in steps}
    columns = (MessageRow.seq, MessageRow.kind, MessageRow.receiver, MessageRow.route, MessageRow.state)
    columns_at = (*columns, MessageRow.why, MessageRow.created_at)
    alone = select(*columns_at, MessageRow.step_id).where(MessageRow.step_id.in_(numbers))
    several = (
        select(*columns_at, MessageStepRow.step_id)
        .join(MessageStepRow, MessageStepRow.message_seq == MessageRow.seq)
        .where(MessageStepRow.step_id.in_(numbers))
    )
    messages = [*connection.execute(alone), *connection.execute(several)]
    deliveries = _deliveries(connection, [each.seq for each in messages])
    found = []
    for each in messages:
        for channel, state, at, why in deliveries.get(each.seq) or [
            (each.receiver, each.state, each.created_at, each.why)
        ]:
            found.append(Sent(numbers[each.step_id], channel, each.route, each.kind, state, at, why))
    # That there is no message is asked for here: SQLite would look it up first, and nearly all are so.
    straight = select(
        OutboxRow.step_id, OutboxRow.channel, OutboxRow.state, OutboxRow.created_at, OutboxRow.sent_at,
        OutboxRow.last_error, OutboxRow.message_seq,
    ).where(OutboxRow.step_id.in_(numbers))  # fmt: skip
    found += [
        Sent(
            numbers[row.step_id],
            row.channel,
            None,
            "notice",
            row.state,
            row.sent_at or row.created_at,
            row.last_error,
        )
        for row in connection.execute(straight)
        if row.message_seq is None
    ]
    return tuple(sorted(found, key=lambda each: (each.at, each.step), reverse=True))


def _deliveries(
    connection: Connection, seqs: Collection[int]
) -> Mapping[int, list[tuple[str, str, datetime, str | None]]]:
    found: dict[int, list[tuple[str, str, datetime, str | None]]] = defaultdict(list)
    query = select(
        OutboxRow.message_seq, OutboxRow.channel, OutboxRow.state, OutboxRow.created_at, OutboxRow.sent_at,
        OutboxRow.last_error,
    )  # fmt: skip
    for row in connection.execute(query.where(OutboxRow.message_seq.in_(sorted(set(seqs))))):
        assert row.message_seq is not None
        found[row.message_seq].append((row.channel, row.state, row.sent_at or row.created_at, row.last_error))
    return found
