"""What became of the customers and warnings of one partition, from what happens there in order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.holdout import HoldoutTerms
from streams.core.events.batch import MILLION, ActionRecord
from streams.core.events.calendar import DAY, NEVER, Calendar
from streams.core.events.topics import Topic
from streams.core.features.apply import AppliedEvents, OrderedEvents
from streams.core.features.catalogue import Features
from streams.core.features.customers import KEPT_DAYS, MEASURES, Customers
from streams.core.features.renumbering import Renumbering
from streams.core.features.value import values
from streams.core.features.view import View
from streams.core.outcomes.action_log import ActionLog, LoggedAction, is_treatment
from streams.core.outcomes.census import CensusTaker
from streams.core.outcomes.departures import Departures
from streams.core.outcomes.lapses import (
    ActivityRows,
    CustomerStatus,
    CustomerStatuses,
    StatusChange,
    is_active,
    last_activity,
    last_activity_at,
)
from streams.core.outcomes.maturity import CauseOpening, Maturity, WarningOpening
from streams.core.outcomes.outcome import (
    Acquired,
    CauseMatured,
    CensusCell,
    CensusEvent,
    CensusMatured,
    CensusSummary,
    Closed,
    CustomerFacts,
    Details,
    Lapsed,
    Outcome,
    OutcomeKind,
    PrecedingWarning,
    Returned,
    WarningMatured,
    outcome_id,
)
from streams.core.rules.rule import Rule
from streams.core.steps import Step, StepKind
from streams.core.warnings.episodes import OpenedCause, WarningChange

_NOWHEN: Final = np.empty(0, dtype=np.int64)
ENDS: Final = frozenset({StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED})
_ACQUIRED: Final = Acquired()
_KINDS: Final[dict[type[Details], OutcomeKind]] = {
    Acquired: OutcomeKind.ACQUIRED,
    Lapsed: OutcomeKind.LAPSED,
    Returned: OutcomeKind.RETURNED,
    Closed: OutcomeKind.CLOSED,
    CauseMatured: OutcomeKind.CAUSE_MATURED,
    WarningMatured: OutcomeKind.WARNING_MATURED,
}


@dataclass(frozen=True, slots=True)
class OutcomeSettings:
    """What outcomes depend on; intervals in microseconds."""

    app: str
    activity: tuple[Topic, ...]
    horizon_us: int
    active_within_us: int
    wanted: bool
    """Whether outcomes are put out; what they need is kept all the same, unless `kept` is false."""
    holdout: HoldoutTerms = HoldoutTerms()  # noqa: RUF009  (frozen)
    kept: bool = True
    """Whether what outcomes need is kept. Who was treated or held out always is."""


class _Found(NamedTuple):
    """An outcome that is still to be given its customer's facts."""

    position: int
    """The row of the view."""
    customer: int
    at: int
    key: str
    details: Details
    late: bool = False
    held_out: bool = False
    """Whether it is of a held-out warning."""


class Outcomes:
    """Statuses, departures, maturing causes and warnings, and censuses of one partition."""

    def __init__(
        self, settings: OutcomeSettings, customers: Customers, calendar: Calendar, partition: int
    ) -> None:
        self.settings = settings
        self.partition = partition
        self._customers = customers
        self.statuses = CustomerStatuses(settings.activity, settings.active_within_us)
        self.departures = Departures()
        self.maturity = Maturity(settings.horizon_us)
        self.census = CensusTaker(calendar, settings.horizon_us)
        self.log = ActionLog(2 * settings.horizon_us)
        self._uncorrected = 0

    def waited_for(self) -> Iterator[NDArray[np.integer[Any]]]:
        """Yield customers, (k,) each, of whom something is still to be put out."""
        yield self.maturity.causes.live("customer")
        yield self.maturity.warnings.live("customer")
        for members in self.census.members:
            yield members.customers

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, for whom nothing waits, and give the others their new rows."""
        for part in (self.statuses, self.departures, self.maturity, self.census, self.log):
            part.renumber(to)

    def begin(self, at: int) -> None:
        """Begin with the partition's first event."""
        self.census.begin(at)

    def next_horizon(self) -> int | None:
        """Return the next instant at which `judge` is to be called, before the events of that instant."""
        return self.census.next_horizon()

    # -- events -----------------------------------------------------------------------------------

    def take_pass(
        self,
        applied: AppliedEvents,
        taken: OrderedEvents,
        steps: Sequence[tuple[WarningChange, Step]],
        openings: Sequence[CauseOpening],
    ) -> list[Outcome]:
        """Take in a pass's events and what they brought about, and return the outcomes in order."""
        view = applied.view
        rows = self.statuses.activity_rows(applied)
        if not self.settings.kept:
            self._note_actions(applied, taken)
            return []
        changed = self.statuses.take(applied, taken, rows)
        warned = self._interleave(applied, changed, steps)
        self._open_causes(openings)
        self._note(applied, taken, rows)
        if not self.settings.wanted:
            return []
        if not changed:
            return []
        places = np.array([change.row for change in changed], dtype=np.int64)
        order = np.argsort(applied.rank[places], kind="stable")
        places = places[order]
        columns = (view.at[places], view.occurred[places], taken.events.event_id[applied.rank[places]])
        found = []
        for i, at, occurred, event_id in zip(
            order.tolist(), *(column.tolist() for column in columns), strict=True
        ):
            change = changed[i]
            details = self._status_details(change, occurred, warned.get(change.row))
            found.append(_Found(change.row, change.customer, at, f"{at} {event_id}", details, occurred < at))
        return self._with_facts(view, found)

    def note(self, changes: Iterable[WarningChange]) -> None:
        """Take in steps that time or other rules brought about, none of which opens a warning."""
        if not self.settings.kept:
            return
        for change in changes:
            rules = (cause.rule for cause in change.causes)
            self.maturity.change_warning(change.customer, change.tier, rules, ended=change.kind in ENDS)

    def take_sweep_steps(
        self,
        view: View,
        steps: Sequence[tuple[WarningChange, Step]],
        openings: Sequence[CauseOpening],
    ) -> None:
        """Take in what a sweep's evaluations brought about."""
        if not self.settings.kept:
            return
        spend = self._spend_before(view, steps)
        for change, step in steps:
            self._step(view, change, step, spend)
        self._open_causes(openings)

    def _interleave(
        self,
        applied: AppliedEvents,
        changed: Sequence[StatusChange],
        steps: Sequence[tuple[WarningChange, Step]],
    ) -> dict[int, PrecedingWarning | None]:
        """Take in steps, and find the warnings before departures and returns, in the order of time.

        A departure comes before what the rules make of its event.
        """
        view = applied.view
        moments: list[tuple[tuple[int, bool, int, bool], StatusChange | tuple[WarningChange, Step]]] = [
            ((int(view.at[c.row]), True, int(applied.rank[c.row]), False), c)
            for c in changed
            if c.was is not CustomerStatus.NEW
        ]
        for change, step in steps:
            rank = 0 if change.row is None else int(applied.rank[change.row])
            moments.append(((change.at, change.row is not None, rank, True), (change, step)))
        warned: dict[int, PrecedingWarning | None] = {}
        spend = self._spend_before(view, steps)
        for _, moment in sorted(moments, key=lambda m: m[0]):
            if not isinstance(moment, StatusChange):
                self._step(view, *moment, spend)
            elif moment.becomes is CustomerStatus.ACTIVE:
                warned[moment.row] = self.departures.take(moment.customer)
            else:
                at = int(view.at[moment.row])
                warned[moment.row] = self.maturity.preceding(moment.customer, at)
                if moment.was is CustomerStatus.ACTIVE:
                    self.departures.put(moment.customer, warned[moment.row], at)
        return warned

    def _status_details(
        self, change: StatusChange, occurred: int, warned: PrecedingWarning | None
    ) -> Details:
        if change.was is CustomerStatus.NEW:
            return _ACQUIRED
        if change.becomes is CustomerStatus.ACTIVE:
            return Returned((occurred - change.last_before) / DAY, warned)
        closure = change.closure
        assert closure is not None
        return Closed(closure.reason, closure.churn_type, warned)

    def _step(self, view: View, change: WarningChange, step: Step, spend: Mapping[int, int] | None) -> None:
        if change.kind is not StepKind.OPENED:
            self.note([change])
            return
        assert change.row is not None
        row = np.array([change.row])
        holdout, decision = self.settings.holdout, step.decision
        # As for the holdout: the newest profile's, also while profiles are quiet.
        customer_class = self._customers.words[int(view.values("customer_class", row)[0])]
        play_hash = None if decision is None else decision.basis.play_hash
        self.maturity.open_warning(
            WarningOpening(
                customer=change.customer,
                at=change.at,
                warning_id=step.warning_id,
                tier=step.tier,
                rules=tuple(sorted(cause.rule for cause in step.causes)),
                play=step.play,
                decision=decision,
                churn_probability=step.churn_probability,
                spend_before=None if spend is None else spend[change.row],
                spend_total=int(view.values("spend_total", row)[0]),
                holdout=step.holdout,
                lot=holdout.lot(step.customer_id, step.tier, customer_class, held_out=step.holdout),
                experiment=None if play_hash is None else holdout.experiment(play_hash),
            )
        )

    def openings(
        self, view: View, opened: Sequence[OpenedCause], rules: Sequence[Rule]
    ) -> list[CauseOpening]:
        """Return causes that evaluations of a view opened, with what is to be known of them."""
        if not opened:
            return []
        rows = np.array([each.row for each in opened], dtype=np.int64)
        last = last_activity_at(view, self.settings.activity, rows)
        active = is_active(view.at[rows], last, view.values("closed_at", rows), self._within)
        made = []
        for each, is_customer in zip(opened, active.tolist(), strict=True):
            rule = rules[each.rule]
            named = (rule.id, rule.version, str(rule.status), int(rule.tier))
            made.append(CauseOpening(each.customer, each.at, named, each.warning_id, not is_customer))
        return made

    def _open_causes(self, openings: Sequence[CauseOpening]) -> None:
        for opening in sorted(openings, key=lambda opening: opening.at):
            self.maturity.open_cause(opening)

    def _spend_before(self, view: View, steps: Sequence[tuple[WarningChange, Step]]) -> dict[int, int] | None:
        """Return, by row, the net spend before each opening on as many local days as the horizon has."""
        days = self.settings.horizon_us // DAY
        if days > KEPT_DAYS:
            return None
        opened = [change.row for change, _ in steps if change.kind is StepKind.OPENED]
        if not opened:
            return {}
        rows = np.array(opened, dtype=np.int64)
        if any(window.name == f"{days}d" for window in MEASURES["spend"]):
            spend = view.values(f"spend_{days}d", rows)
        else:
            spend = view.by_day("spend", rows, days).sum(axis=1)
        return dict(zip(rows.tolist(), spend.tolist(), strict=True))

    def _note(self, applied: AppliedEvents, taken: OrderedEvents, rows: ActivityRows) -> None:
        """Note a pass's activity, closures and actions with what waits for them."""
        view = applied.view
        late = None if applied.occurred is None else view.occurred < view.at
        if len(rows.active):
            of_late = None if late is None else late[rows.active]
            self.maturity.note_activity(view.rows[rows.active], view.occurred[rows.active], of_late)
        for row in rows.closures.tolist():
            self.maturity.note_closure(int(view.rows[row]), int(view.occurred[row]))
        self._note_actions(applied, taken)
        if late is not None:
            for chosen, what in ((rows.active, "came"), (rows.closures, "closed")):
                for row in chosen[late[chosen]].tolist():
                    self.census.note_late(int(view.rows[row]), int(view.occurred[row]), what)

    def _note_actions(self, applied: AppliedEvents, taken: OrderedEvents) -> None:
        view = applied.view
        for row in np.flatnonzero(applied.topic == Topic.ACTIONS).tolist():
            action = taken.events.record[applied.rank[row]]
            if not isinstance(action, ActionRecord):
                continue
            event_id = taken.events.event_id[applied.rank[row]]
            self._act(int(view.rows[row]), event_id, action, int(view.occurred[row]), int(view.at[row]))

    def _act(self, customer: int, event_id: str, action: ActionRecord, at: int, now: int) -> None:
        """Note an action that was done at an instant and is taken at `now`, and what it corrects."""
        if action.corrects is not None:
            struck = self.log.strike(customer, action.corrects, action.actor, now)
            if struck is None:
                self._uncorrected += 1
            elif struck.treats:
                self.census.note_struck(customer, self.log)
        logged = LoggedAction(event_id, at, action.actor, is_treatment(action), action.result)
        for settled in self.log.add(customer, logged, now):
            self.maturity.note_action(customer, settled)
        if logged.treats:
            self.census.note_late(customer, at, "treated")

    def take_uncorrected(self) -> int:
        """Return how many corrections had no effect since this was last asked."""
        count, self._uncorrected = self._uncorrected, 0
        return count

    # -- sweeps -----------------------------------------------------------------------------------

    def sweep(self, at: int, features: Features, *, quiet: bool) -> tuple[list[Outcome], list[CensusEvent]]:
        """Judge all customers at a sweep; return the outcomes and the census.

        While a topic of activity is quiet nothing lapses or matures.
        """
        for customer, action in self.log.settle(at):
            self.maturity.note_action(customer, action)
        if not self.settings.kept:
            if not quiet:
                self.maturity.forget_held_out(at)
            return [], []
        view = features.view
        last, closed_at = last_activity(view, self.settings.activity), view.column("closed_at")
        found: list[_Found] = []
        census: list[CensusEvent] = []
        self.statuses.grow(len(last))
        if not quiet:
            found += self._lapses(at, view, last, closed_at)
            found += self._matured(at, view)
            census += self._census_matured(at)
        if self.census.is_due(at):
            census += self._census(at, features, is_active(at, last, closed_at, self._within), quiet=quiet)
        if not self.settings.wanted:
            return [], []
        ids = self._customers.ids
        found.sort(key=lambda f: ids[f.customer])
        return self._with_facts(view, found), census

    @property
    def _within(self) -> int:
        return self.settings.active_within_us

    def judge(self, at: int) -> None:
        """Note what the active of a census have done, if its horizon ends at an instant."""
        if at == self.census.next_horizon():
            view = View(self._customers, np.arange(self._customers.count, dtype=np.int32), _NOWHEN)
            last, closed_at = last_activity(view, self.settings.activity), view.column("closed_at")
            self.census.judge(at, last, closed_at, self.log)

    def needs_scores(self, at: int) -> bool:
        """Return whether a sweep needs everybody's churn probability."""
        return self.settings.kept and self.census.is_due(at)

    def _lapses(
        self, at: int, view: View, last: NDArray[np.int64], closed_at: NDArray[np.int64]
    ) -> Iterator[_Found]:
        lapsed = self.statuses.lapse(at, last, closed_at)
        worth = values(view, lapsed).tolist() if self.settings.wanted else [math.nan] * len(lapsed)
        for customer, value in zip(lapsed.tolist(), worth, strict=True):
            warned = self.maturity.preceding(customer, at)
            self.departures.put(customer, warned, at)
            details = Lapsed(int(last[customer]), None if math.isnan(value) else value, warned)
            yield _Found(customer, customer, at, str(at), details)

    def _matured(self, at: int, view: View) -> Iterator[_Found]:
        for customer, again, cause in self.maturity.take_causes(at):
            key = f"{cause.rule} {cause.opened_at} {again}"
            yield _Found(customer, customer, at, key, cause)
        matured = self.maturity.take_warnings(at, view.column("spend_total"), self.log)
        for customer, warning, held_out in matured:
            yield _Found(customer, customer, at, warning.warning_id, warning, held_out=held_out)

    def _census(
        self, at: int, features: Features, active: NDArray[np.bool_], *, quiet: bool
    ) -> list[CensusEvent]:
        since = self.census.members[-1].at if self.census.members else None
        score = features["churn_probability"].astype(np.float64)
        cells = self.census.take(at, self._customers, active, score, features["value"])
        made: list[CensusEvent] = [
            CensusCell(
                id=self._census_id("taken", at, cell.by, cell.cell),
                at=at,
                partition=self.partition,
                by=cell.by,
                cell=cell.cell,
                since=since,
                quiet=quiet,
                original=cell.original,
                kept=cell.kept,
                lost=None if cell.original is None or cell.kept is None else cell.original - cell.kept,
                acquired=cell.acquired,
                returned=cell.returned,
                active=cell.active,
                value_original=None if cell.value is None else cell.value[0],
                value_original_n=None if cell.value is None else cell.value[1],
                value_lost=None if cell.value_lost is None else cell.value_lost[0],
                value_lost_n=None if cell.value_lost is None else cell.value_lost[1],
                scored=cell.scored,
                expected=cell.expected,
                sums=cell.sums,
            )
            for cell in cells
        ]
        summary = CensusSummary(
            self._census_id("summary", at, "", {}),
            at,
            self.partition,
            since,
            quiet,
            len(active),
            int(np.count_nonzero(active)),
            len(made),
        )
        return [*made, summary]

    def _census_matured(self, at: int) -> list[CensusEvent]:
        return [
            CensusMatured(
                id=self._census_id("matured", counts.census_at, counts.by, counts.cell),
                at=at,
                partition=self.partition,
                by=counts.by,
                cell=counts.cell,
                census_at=counts.census_at,
                active=counts.active,
                churned=counts.churned,
                treated=counts.treated,
                scored=counts.scored,
                expected=counts.expected,
                untreated_churned=counts.untreated_churned,
                untreated_scored=counts.untreated_scored,
                untreated_expected=counts.untreated_expected,
            )
            for counts in self.census.mature()
        ]

    def _census_id(self, kind: str, at: int, by: str, cell: object) -> str:
        return outcome_id(self.settings.app, f"census.{kind}", f"{self.partition} {by} {cell!r}", str(at))

    # -- facts ------------------------------------------------------------------------------------

    def _with_facts(self, view: View, found: Sequence[_Found]) -> list[Outcome]:
        if not found:
            return []
        rows = np.array([f.position for f in found], dtype=np.int64)
        ids, words, app = self._customers.ids, self._customers.words, self.settings.app

        def column(name: str) -> list[int]:
            values: list[int] = view.values(name, rows).tolist()
            return values

        profile = ("customer_class", "segment", "region", "origin", "channel", "account_owner")
        profiles = zip(*([words[code] for code in column(name)] for name in profile), strict=True)
        first_at, orders, spend = column("first_at"), column("orders_total"), column("spend_total")
        last_order, silent = column("last_order"), column("do_not_contact")
        drawn = self.settings.holdout.below_largest(ids[f.customer] for f in found)
        is_held_out = self.maturity.is_held_out
        made = []
        for i, (f, own_profile) in enumerate(zip(found, profiles, strict=True)):
            customer_class, segment, region, origin, channel, account_owner = own_profile
            facts = CustomerFacts(
                customer_class,
                segment,
                region,
                origin,
                channel,
                tenure_days=(f.at - first_at[i]) / DAY,
                orders_total=orders[i],
                spend_total=spend[i] / MILLION,
                last_order_at=None if last_order[i] == NEVER else last_order[i],
                holdout=f.held_out or drawn[i] or is_held_out(f.customer),
                account_owner=account_owner,
                do_not_contact=bool(silent[i]),
            )
            customer_id, kind = ids[f.customer], _KINDS[type(f.details)]
            own = outcome_id(app, kind, customer_id, f.key)
            made.append(Outcome(kind, own, f.at, customer_id, f.late, facts, f.details))
        return made
