"""How complaints were handled: how long until the first answer and the solution, and what came too late.

Counted are the complaints that were opened in the period, with what is known of them by now. Who waits still
is in no time to an answer, but is late as soon as the limit has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, and_, select

from consumers.complaint_lives import ComplaintEvent, ComplaintLife, ComplaintState, complaint_lives
from consumers.database.events import ComplaintRow
from consumers.reports.knowledge import Knowledge, known_to
from consumers.reports.period import Period
from consumers.reports.rate import hidden_cells
from streams.contract.instants import format_instant, to_us
from streams.share import Share, Spread

ONE_DAY: Final = timedelta(days=1)
SATISFIED: Final = 4
"""From so many of 5 on a customer is satisfied with how the complaint was handled."""
OPENS: Final = ("opened", "reopened")


@dataclass(frozen=True, slots=True)
class Limits:
    """Within what time a complaint is to be answered and solved; `None`: there is no limit."""

    answer: timedelta | None
    solution: timedelta | None


@dataclass(frozen=True, slots=True)
class ComplaintFacts:
    """What the handling of complaints is counted from."""

    lives: tuple[ComplaintLife, ...]
    """Of the complaints that were first opened in the period."""
    known_to: datetime | None
    """The newest event time that is known."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long something took, and how often it took too long."""

    days: Spread
    """Of those that came."""
    open: int
    """Those that have not come yet."""
    late: Share
    """Of those that came or whose limit has passed, those that did not come within the limit."""
    not_due: int
    """Those that have not come, and whose limit has not passed: they are in no share."""
    limit: timedelta | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "days": self.days.as_dict(),
            "open": self.open,
            "limit_days": None if self.limit is None else self.limit / ONE_DAY,
            "late": None if self.limit is None else self.late.as_dict(),
            "not_due": None if self.limit is None else self.not_due,
        }


@dataclass(frozen=True, slots=True)
class Handling:
    """The complaints of a category, or all."""

    category: str | None
    """`None` where none was given."""
    n: int
    answer: Waiting
    """To the first answer; a solution without an answer before it is one for the limit, and no time."""
    solution: Waiting
    """To the solution that stands: of a complaint that was opened again, the newest."""
    solved_unanswered: int
    reopened: Share
    """Of the complaints that were solved at some time."""
    satisfaction: float | None
    """The mean, of 1 to 5."""
    satisfied: Share
    """Of the customers who rated the handling, those who gave 4 or 5."""
    rated: Share
    """Of the complaints that were solved at some time, those whose customer rated it."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "category": self.category,
            "n": self.n,
            "first_answer": self.answer.as_dict(),
            "solution": self.solution.as_dict(),
            "solved_unanswered": self.solved_unanswered,
            "reopened": self.reopened.as_dict(),
            "satisfaction": self.satisfaction,
            "satisfied": self.satisfied.as_dict(),
            "rated": self.rated.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Complaints:
    """How the complaints of a period were handled."""

    period: Period
    known_to: datetime | None
    all: Handling
    categories: tuple[tuple[Handling, bool], ...]
    """The most frequent first, each with whether it is large enough to be shown."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities that do not hold."""
        parts = sum(each.n for each, _ in self.categories)
        return () if parts == self.all.n else ("complaints: the categories do not add up to all",)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "known_to": None if self.known_to is None else format_instant(to_us(self.known_to)),
            "all": self.all.as_dict(),
            "categories": [
                each.as_dict() if is_shown else {"category": each.category, "hidden": True}
                for each, is_shown in self.categories
            ],
        }


def read_complaints(connection: Connection, period: Period, knowledge: Knowledge) -> ComplaintFacts:
    """Return the lives of the complaints that were first opened in the period."""
    opened = (
        select(ComplaintRow.customer_id, ComplaintRow.complaint_id)
        .where(
            ComplaintRow.time >= period.begin_at,
            ComplaintRow.time < period.end_at,
            ComplaintRow.status.in_(OPENS),
            knowledge.by_then(ComplaintRow.stored_at),
        )
        .distinct()
        .subquery()
    )
    query = (
        select(
            ComplaintRow.customer_id,
            ComplaintRow.complaint_id,
            ComplaintRow.time,
            ComplaintRow.event_id,
            ComplaintRow.status,
            ComplaintRow.category,
            ComplaintRow.satisfaction,
        )
        .join(
            opened,
            and_(
                opened.c.customer_id == ComplaintRow.customer_id,
                opened.c.complaint_id == ComplaintRow.complaint_id,
            ),
        )
        .where(knowledge.by_then(ComplaintRow.stored_at))
        .order_by(ComplaintRow.customer_id, ComplaintRow.complaint_id, ComplaintRow.time)
    )
    newest = knowledge.known(select(ComplaintRow.time), ComplaintRow.stored_at)
    ends = (
        known_to(connection, knowledge),
        connection.scalar(newest.order_by(ComplaintRow.time.desc()).limit(1)),
    )
    lives = complaint_lives(ComplaintEvent(*row) for row in connection.execute(query))
    return ComplaintFacts(
        tuple(
            life
            for life in lives
            if life.opened_at is not None and period.begin_at <= life.opened_at < period.end_at
        ),
        max((at for at in ends if at is not None), default=None),
    )


def complaints(facts: ComplaintFacts, period: Period, limits: Limits) -> Complaints:
    """Return how the complaints of the period were handled."""
    by_category: dict[str | None, list[ComplaintLife]] = {}
    for life in facts.lives:
        by_category.setdefault(life.category, []).append(life)
    ordered = sorted(by_category.items(), key=lambda each: (-len(each[1]), each[0] is None, each[0] or ""))
    hidden = hidden_cells([len(own) for _, own in ordered])
    return Complaints(
        period,
        facts.known_to,
        _handling(None, facts.lives, facts.known_to, limits),
        tuple(
            (_handling(category, own, facts.known_to, limits), place not in hidden)
            for place, (category, own) in enumerate(ordered)
        ),
    )


def _handling(
    category: str | None, lives: Sequence[ComplaintLife], now: datetime | None, limits: Limits
) -> Handling:
    once_solved = [life for life in lives if life.first_resolved_at is not None]
    ratings = [life.satisfaction for life in once_solved if life.satisfaction is not None]
    return Handling(
        category=category,
        n=len(lives),
        answer=_waiting(lives, _answered_at, _reacted_at, now, limits.answer),
        solution=_waiting(lives, _solved_at, _solved_at, now, limits.solution),
        solved_unanswered=sum(_answered_at(life) is None and _reacted_at(life) is not None for life in lives),
        reopened=Share(sum(bool(life.reopened_at) for life in once_solved), len(once_solved)),
        satisfaction=sum(ratings) / len(ratings) if ratings else None,
        satisfied=Share(sum(rating >= SATISFIED for rating in ratings), len(ratings)),
        rated=Share(len(ratings), len(once_solved)),
    )


Reached = Callable[[ComplaintLife], datetime | None]


def _answered_at(life: ComplaintLife) -> datetime | None:
    """Return the first answer, unless the complaint was solved before it."""
    first = life.first_answered_at
    solved = life.first_resolved_at
    return None if first is None or (solved is not None and solved < first) else first


def _reacted_at(life: ComplaintLife) -> datetime | None:
    """Return the first answer, or the solution where it came before any."""
    return _answered_at(life) or life.first_resolved_at


def _solved_at(life: ComplaintLife) -> datetime | None:
    return life.resolved_at if life.state is ComplaintState.RESOLVED else None


def _waiting(
    lives: Sequence[ComplaintLife],
    timed: Reached,
    reached: Reached,
    now: datetime | None,
    limit: timedelta | None,
) -> Waiting:
    took = [at - life.opened_at for life in lives if life.opened_at and (at := timed(life)) is not None]
    days = Spread.of(np.array([each / ONE_DAY for each in took], dtype=np.float64))
    pending = sum(reached(life) is None for life in lives)
    late = due = 0
    if limit is not None:
        for life in lives:
            assert life.opened_at is not None
            at = reached(life)
            if at is None:
                is_late = now is not None and now > life.opened_at + limit
                due += is_late
            else:
                is_late = at > life.opened_at + limit
                due += 1
            late += is_late
    return Waiting(days, pending, Share(late, due), len(lives) - due if limit is not None else 0, limit)
