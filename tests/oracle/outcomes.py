"""The twin of outcomes: DESIGN 6 recounted from all events known so far, one customer at a time.

It goes along the timeline of the slow engine, keeps nothing but what has happened and what it has put out,
and looks through all of it again for every question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from streams.core.events.batch import (
    MILLION,
    ActionRecord,
    ClosureRecord,
    ComplaintStatus,
    LabelsRecord,
    OrderStatus,
    ProfileRecord,
)
from streams.core.events.topics import Topic
from streams.core.steps import StepKind
from tests.oracle.corrections import standing
from tests.oracle.days import DAY, local_day, midnight
from tests.oracle.engine import Moment, SweepBegin, SweepEnd, TwinErasure, TwinForgotten, TwinStep
from tests.oracle.history import HELD_DAYS, Event, is_complaint, is_placed

LIFE: Final = ("customer.acquired", "customer.lapsed", "customer.returned", "customer.closed")
ENDS: Final = (StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED)


@dataclass(frozen=True, slots=True)
class TwinTerms:
    """The settings that outcomes depend on."""

    zone: ZoneInfo
    horizon: int
    active_within: int
    activity: tuple[Topic, ...] = (Topic.ORDERS,)


@dataclass(slots=True)
class TwinWarning:
    """A warning as its steps tell of it."""

    id: str
    opened_at: int
    tier: int
    rules: set[str]
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class TwinOpening:
    """A cause or a warning when it opened, with what was known then."""

    customer: str
    at: int
    warning_id: str
    rule: str | None
    tier: int
    rules: tuple[str, ...]
    already_lost: bool
    spend_before: int | None
    spend_total: int


@dataclass(frozen=True, slots=True)
class TwinCensus:
    """A census as it was taken: the cells of its active customers."""

    at: int
    cells: dict[str, Mapping[str, tuple[str | None, ...]]]
    """By customer and family."""


@dataclass(slots=True)
class TwinOutcomes:
    """What was put out, each outcome as a plain dict."""

    outcomes: list[dict[str, Any]] = field(default_factory=list)
    census: list[dict[str, Any]] = field(default_factory=list)
    days: list[dict[str, Any]] = field(default_factory=list)


class OutcomeTwin:
    """Goes along a timeline and recounts."""

    def __init__(self, terms: TwinTerms) -> None:
        self.terms = terms
        self.known: dict[str, list[Event]] = {}
        self.life: dict[str, list[dict[str, Any]]] = {}
        self.warnings: dict[str, list[TwinWarning]] = {}
        self.openings: list[TwinOpening] = []
        self.censuses: list[TwinCensus] = []
        self.unmatured: list[TwinCensus] = []
        self.found = TwinOutcomes()
        self.next_month: int | None = None
        self._sweeping = False
        self._swept: int | None = None
        """The sweep whose days are still to be put out."""
        self._opened_by_sweep: set[str] = set()

    def run(self, timeline: Sequence[Moment]) -> TwinOutcomes:
        """Return all outcomes and censuses of a timeline."""
        for moment in timeline:
            if not isinstance(moment, TwinStep) or moment.step.at != self._swept:
                self._end_sweep()
            if isinstance(moment, SweepBegin):
                self._sweep(moment)
                self._swept = moment.at
            elif isinstance(moment, TwinStep):
                self._step(moment)
            elif isinstance(moment, TwinErasure | TwinForgotten):
                self._forget(moment.customer_id)
            elif not isinstance(moment, SweepEnd):
                self._event(moment)
        self._end_sweep()
        return self.found

    def _end_sweep(self) -> None:
        if self._swept is None:
            return
        for customer, warnings in sorted(self.warnings.items()):
            warning = warnings[-1]
            if warning.is_open and warning.id not in self._opened_by_sweep:
                self._put_days(
                    customer, self._swept, warning.id, local_day(self._swept - 1, self.terms.zone), 1
                )
        self._swept = None
        self._opened_by_sweep.clear()

    def _forget(self, customer: str) -> None:
        """Go on as if a customer had never been there: nothing that was put out changes."""
        for known in (self.known, self.life, self.warnings):
            known.pop(customer, None)
        self.openings = [opening for opening in self.openings if opening.customer != customer]
        for census in (*self.censuses, *self.unmatured):
            census.cells.pop(customer, None)

    def _put_days(self, customer: str, at: int, warning_id: str, today: int, count: int) -> None:
        days = []
        for day in range(today - count + 1, today + 1):
            events = [e for e in self.known[customer] if local_day(e.at, self.terms.zone) == day]
            orders = [e for e in events if e.topic == Topic.ORDERS]
            spend = sum(e.amount if e.status == OrderStatus.PLACED else -e.amount for e in orders)
            counts = (
                sum(map(is_placed, events)),
                spend / MILLION,
                sum(e.topic == Topic.LOGINS for e in events),
                sum(map(is_complaint, events)),
            )
            if any(counts):
                days.append((date.fromordinal(day).isoformat(), *counts))
        first = date.fromordinal(today - count + 1).isoformat()
        self.found.days.append(
            {"at": at, "customer": customer, "warning_id": warning_id, "first": first, "days": days}
        )

    # -- what is known ----------------------------------------------------------------------------

    def activities(self, customer: str) -> list[int]:
        """Return the times of a customer's activity that the state held when it came."""
        return [e.at for e in self.known.get(customer, ()) if self._is_activity(e)]

    def _is_activity(self, event: Event) -> bool:
        counts = is_placed(event) if event.topic == Topic.ORDERS else event.topic == Topic.LOGINS
        age = local_day(event.judged_at, self.terms.zone) - local_day(event.at, self.terms.zone)
        return counts and event.topic in self.terms.activity and age < HELD_DAYS

    def closures(self, customer: str) -> list[int]:
        """Return the times of a customer's closures."""
        return [e.at for e in self.known.get(customer, ()) if e.topic == Topic.CLOSURES]

    def is_active(self, customer: str, at: int) -> bool:
        """Say whether the last activity lies in (at - A, at] and no closure follows it."""
        times = self.activities(customer)
        if not times:
            return False
        last = max(times)
        return at - self.terms.active_within < last <= at and not any(
            c > last for c in self.closures(customer)
        )

    def churned(self, customer: str, first: int, last: int) -> bool:
        """Say whether no activity lies in [first, last], or a closure does."""
        came = any(first <= at <= last for at in self.activities(customer))
        return not came or any(first <= at <= last for at in self.closures(customer))

    def _orders(self, customer: str) -> list[Event]:
        return [e for e in self.known[customer] if e.topic == Topic.ORDERS]

    def spend(self, customer: str, days: Iterable[int] | None = None) -> int:
        """Return the net spend in millionths, of some local days or of all."""
        chosen = None if days is None else set(days)
        return sum(
            e.amount if e.status == OrderStatus.PLACED else -e.amount
            for e in self._orders(customer)
            if chosen is None or local_day(e.at, self.terms.zone) in chosen
        )

    def profile(self, customer: str) -> ProfileRecord:
        """Return the newest profile by event time; of equal times the one that was taken last."""
        found = [(e.at, n, e.record) for n, e in enumerate(self.known[customer]) if e.topic == Topic.PROFILES]
        record = max(found, key=lambda f: f[:2])[2] if found else ProfileRecord()
        assert isinstance(record, ProfileRecord)
        return record

    def channel(self, customer: str) -> str | None:
        """Return the channel of the last placed order by event time; of equal times the one taken last."""
        held = [
            (e.at, n, e.record)
            for n, e in enumerate(self.known[customer])
            if is_placed(e)
            and local_day(e.judged_at, self.terms.zone) - local_day(e.at, self.terms.zone) < HELD_DAYS
        ]
        record = max(held, key=lambda f: f[:2])[2] if held else None
        return record.channel if isinstance(record, LabelsRecord) else None

    def facts(self, customer: str, at: int) -> dict[str, Any]:
        """Return what every outcome says of its customer."""
        profile, events = self.profile(customer), self.known[customer]
        placed = [e for e in events if is_placed(e)]
        held = [
            e.at
            for e in placed
            if local_day(e.judged_at, self.terms.zone) - local_day(e.at, self.terms.zone) < HELD_DAYS
        ]
        return {
            "customer_class": profile.customer_class,
            "segment": profile.segment,
            "region": profile.region,
            "origin": profile.origin,
            "channel": self.channel(customer),
            "tenure_days": (at - min(e.at for e in events)) / DAY,
            "orders_total": len(placed),
            "spend_total": self.spend(customer) / MILLION,
            "last_order_at": max(held, default=None),
            "account_owner": profile.account_owner,
            "do_not_contact": profile.do_not_contact,
        }

    def status(self, customer: str) -> str | None:
        """Return the newest outcome of a customer's life."""
        life = self.life.get(customer)
        return life[-1]["kind"] if life else None

    # -- what happens -----------------------------------------------------------------------------

    def _event(self, event: Event) -> None:
        customer, at = event.customer_id, event.judged_at
        before = self.activities(customer)
        self.known.setdefault(customer, []).append(event)
        if self.next_month is None:
            self.next_month = self._month_after(at)
        status = self.status(customer)
        if self._is_activity(event):
            if status is None:
                self._tell(customer, at, "customer.acquired", late=event.is_late)
            elif status in ("customer.lapsed", "customer.closed") and self.is_active(customer, at):
                left = self.life[customer][-1]
                if len(self.life[customer]) > 1 and self.life[customer][-2]["kind"] == "customer.lapsed":
                    left = self.life[customer][-2]  # closed after the lapse: the lapse's warning counts
                self._tell(
                    customer,
                    at,
                    "customer.returned",
                    late=event.is_late,
                    away_days=(event.at - max(before)) / DAY,
                    warned=left["warned"],
                )
        elif event.topic == Topic.CLOSURES:
            stays = bool(before) and max(before) >= event.at
            if status not in (None, "customer.closed") and not stays:
                record = event.record
                assert isinstance(record, ClosureRecord)
                self._tell(
                    customer,
                    at,
                    "customer.closed",
                    late=event.is_late,
                    reason=record.reason,
                    churn_type=record.churn_type,
                    warned=self._warned(customer, at),
                )
        self._sweeping = False

    def _step(self, made: TwinStep) -> None:
        customer, step = made.customer_id, made.step
        warnings = self.warnings.setdefault(customer, [])
        if step.kind == StepKind.OPENED:
            warnings.append(TwinWarning(step.id, step.opened_at, int(step.tier), set(step.causes)))
            if self._sweeping:
                self._opened_by_sweep.add(step.id)
            today = local_day(step.at - 1 if self._sweeping else step.at, self.terms.zone)
            self._put_days(customer, step.at, step.id, today, HELD_DAYS)
        warning = warnings[-1]
        warning.rules |= set(step.causes)
        if step.kind in ENDS:
            warning.is_open = False
            return
        warning.tier = int(step.tier)
        opened = [
            rule
            for rule in sorted(step.changed)
            if rule in step.causes and step.causes[rule].opened_at == step.at
        ]
        for rule in opened:
            self._open(customer, step.at, step.id, rule, 0, ())
        if step.kind == StepKind.OPENED:
            self._open(customer, step.at, step.id, None, int(step.tier), tuple(sorted(step.causes)))

    def _open(
        self, customer: str, at: int, warning_id: str, rule: str | None, tier: int, rules: tuple[str, ...]
    ) -> None:
        days = self.terms.horizon // DAY
        today = local_day(at - 1 if self._sweeping else at, self.terms.zone)
        before = self.spend(customer, range(today - days + 1, today + 1)) if days <= HELD_DAYS else None
        lost = not self.is_active(customer, at)
        self.openings.append(
            TwinOpening(customer, at, warning_id, rule, tier, rules, lost, before, self.spend(customer))
        )

    # -- sweeps -----------------------------------------------------------------------------------

    def _sweep(self, sweep: SweepBegin) -> None:
        self._sweeping = True
        at = sweep.at
        quiet = bool(sweep.quiet & set(self.terms.activity))
        if not quiet:
            for customer in sorted(self.known):
                self._lapse(customer, at)
                self._mature(customer, at)
            self._mature_censuses(at)
        if self.next_month is not None and at >= self.next_month:
            self._take_census(at, quiet)
            self.next_month = self._month_after(at)

    def _lapse(self, customer: str, at: int) -> None:
        if self.status(customer) not in ("customer.acquired", "customer.returned"):
            return
        last = max(self.activities(customer))
        if last <= at - self.terms.active_within:
            self._tell(customer, at, "customer.lapsed", silent_since=last, warned=self._warned(customer, at))

    def _mature(self, customer: str, at: int) -> None:
        horizon = self.terms.horizon
        due = [o for o in self.openings if o.customer == customer and o.at + horizon < at]
        self.openings = [o for o in self.openings if o not in due]
        for o in sorted(due, key=lambda o: (o.rule is None, o.at)):
            churned = self.churned(customer, o.at + 1, o.at + horizon)
            if o.rule is not None:
                self._put(
                    customer,
                    at,
                    "cause.matured",
                    warning_id=o.warning_id,
                    rule=o.rule,
                    opened_at=o.at,
                    already_lost=o.already_lost,
                    churned=churned,
                )
                continue
            following = [t for t in self.activities(customer) if o.at < t <= o.at + horizon]
            acted = [
                e.record for e in standing(self.known[customer], 2 * horizon) if o.at < e.at <= o.at + horizon
            ]
            results = [a.result for a in acted if isinstance(a, ActionRecord) and a.result is not None]
            self._put(
                customer,
                at,
                "warning.matured",
                warning_id=o.warning_id,
                opened_at=o.at,
                tier=o.tier,
                rules=o.rules,
                churned=churned,
                next_order_days=(min(following) - o.at) / DAY if following else None,
                spend_before=None if o.spend_before is None else o.spend_before / MILLION,
                spend_after=(self.spend(customer) - o.spend_total) / MILLION,
                treated=any(map(treats, acted)),
                results=tuple(dict.fromkeys(results)),
            )

    def _warned(self, customer: str, at: int) -> dict[str, Any] | None:
        chosen = [
            w for w in self.warnings.get(customer, ()) if w.is_open or w.opened_at >= at - self.terms.horizon
        ]
        if not chosen:
            return None
        warning = next((w for w in chosen if w.is_open), chosen[-1])
        return {
            "warning_id": warning.id,
            "opened_at": warning.opened_at,
            "tier": warning.tier,
            "rules": tuple(sorted(warning.rules)),
            "lead_days": (at - warning.opened_at) / DAY,
        }

    # -- the census -------------------------------------------------------------------------------

    def _month_after(self, at: int) -> int:
        day = date.fromordinal(local_day(at, self.terms.zone))
        first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return midnight(first.toordinal(), self.terms.zone)

    def _cells(self, customer: str) -> dict[str, tuple[str | None, ...]]:
        profile, times = self.profile(customer), self.activities(customer)
        month = None
        if times:
            month = date.fromordinal(local_day(min(times), self.terms.zone)).isoformat()[:7]
        return {
            "profile": (profile.customer_class, profile.segment, profile.region, profile.origin),
            "cohort": (month,),
            "channel": (self.channel(customer),),
        }

    def _take_census(self, at: int, quiet: bool) -> None:
        before = self.censuses[-1] if self.censuses else None
        cells = {customer: self._cells(customer) for customer in self.known}
        active = {customer for customer in self.known if self.is_active(customer, at)}
        count = 0
        for family in ("profile", "cohort", "channel"):
            then = {c: own[family] for c, own in before.cells.items()} if before else {}
            names = {own[family] for own in cells.values()} | set(then.values())
            for name in names:
                count += 1
                stood = [c for c in then if then[c] == name]
                here = [c for c in cells if cells[c][family] == name]
                now = [c for c in here if c in active]
                fresh = [c for c in now if before is None or min(self.activities(c)) >= before.at]
                self.found.census.append(
                    {
                        "kind": "taken",
                        "at": at,
                        "by": family,
                        "cell": name,
                        "since": before.at if before else None,
                        "quiet": quiet,
                        "original": len(stood) if before else None,
                        "kept": sum(c in active for c in stood) if before else None,
                        "lost": sum(c not in active for c in stood) if before else None,
                        "acquired": len(fresh),
                        "returned": sum(c not in fresh and c not in then for c in now),
                        "active": len(now),
                        **self._sums(here, before.at if before else None, at),
                    }
                )
        self.found.census.append(
            {
                "kind": "summary",
                "at": at,
                "customers": len(self.known),
                "active": len(active),
                "cells": count,
            }
        )
        taken = TwinCensus(at, {customer: cells[customer] for customer in active})
        self.censuses.append(taken)
        self.unmatured.append(taken)

    def _sums(self, customers: Sequence[str], since: int | None, at: int) -> dict[str, int | float]:
        zone = self.terms.zone
        first = local_day(since, zone) if since is not None else 0
        days = range(first, local_day(at, zone))
        events = [e for c in customers for e in self.known[c] if local_day(e.at, zone) in days]
        if since is None:  # days that the state no longer holds, or did not when the event came, are gone
            events = [e for e in events if local_day(at - 1, zone) - local_day(e.at, zone) < HELD_DAYS]
        rated = [
            e.satisfaction
            for e in events
            if e.topic == Topic.COMPLAINTS and e.status == ComplaintStatus.RESOLVED and e.satisfaction
        ]
        spend = [
            e.amount if e.status == OrderStatus.PLACED else -e.amount
            for e in events
            if e.topic == Topic.ORDERS
        ]
        return {
            "orders": sum(map(is_placed, events)),
            "spend": sum(spend) / MILLION,
            "logins": sum(e.topic == Topic.LOGINS for e in events),
            "complaints": sum(map(is_complaint, events)),
            "answers": len(rated),
            "satisfaction": sum(rated),
        }

    def _mature_censuses(self, at: int) -> None:
        due = [c for c in self.unmatured if at >= c.at + self.terms.horizon]
        self.unmatured = [c for c in self.unmatured if c not in due]
        for census in due:
            end = census.at + self.terms.horizon - 1
            churned = {c for c in census.cells if self.churned(c, census.at, end)}
            treated = {
                c
                for c in census.cells
                for e in standing(self.known[c], 2 * self.terms.horizon)
                if census.at <= e.at <= end and treats(e.record)
            }
            for family in ("profile", "cohort", "channel"):
                for name in {own[family] for own in census.cells.values()}:
                    here = {c for c, own in census.cells.items() if own[family] == name}
                    self.found.census.append(
                        {
                            "kind": "matured",
                            "at": at,
                            "census_at": census.at,
                            "by": family,
                            "cell": name,
                            "active": len(here),
                            "churned": len(here & churned),
                            "treated": len(here & treated),
                            "untreated_churned": len((here & churned) - treated),
                        }
                    )

    # -- putting out ------------------------------------------------------------------------------

    def _tell(self, customer: str, at: int, kind: str, *, late: bool = False, **details: Any) -> None:
        made = self._put(customer, at, kind, late=late, **details)
        self.life.setdefault(customer, []).append({"warned": None} | made)

    def _put(
        self, customer: str, at: int, kind: str, *, late: bool = False, **details: Any
    ) -> dict[str, Any]:
        made = {"kind": kind, "customer": customer, "at": at, "late": late, **details}
        self.found.outcomes.append(made | self.facts(customer, at))
        return made


def treats(action: object) -> bool:
    """Say whether an action is a contact or an offer that reached the right one, or nobody."""
    return (
        isinstance(action, ActionRecord)
        and action.kind in ("contact", "offer")
        and action.result != "wrong_contact"
    )
