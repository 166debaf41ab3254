"""The board: the open warnings in memory, in their order for whoever asks, and brought up to date."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from consumers.actions import Action
from consumers.database.database import Database
from consumers.desk.clock import DeskClock
from consumers.desk.config import DeskConfig
from consumers.desk.people.person import Person, Role, Team
from consumers.desk.queue import store
from consumers.desk.queue.filter import WORDS, QueueFilter
from consumers.desk.queue.open_warnings import NEVER, NONE, TIERS, OpenWarnings
from consumers.desk.queue.order import Arrangement, Limits, Section, arrange, by_decision
from consumers.desk.queue.row import (
    Attended,
    DaysText,
    FullDecision,
    QueuePage,
    QueueRow,
    StepText,
    Totals,
)
from consumers.desk.queue.team_work import ATTENTION_KINDS, CustomerWork, FirstAttended, Spending
from consumers.desk.rulebook import Rulebook
from streams.contract.instants import EPOCH, MICROSECOND, to_us
from streams.errors import DeskError

log = logging.getLogger(__name__)

NEAR_US: Final = 86_400_000_000
"""A deadline so near is asked for by the filter."""
_LONGEST_MONTH: Final = timedelta(days=33)
"""So far back actions are read: to the begin of the month, in any time zone."""
_COLUMN: Final = {"class": "customer_class", "segment": "segment", "region": "region", "owner": "owner"}
_step_text = msgspec.json.Decoder(StepText)
_days_text = msgspec.json.Decoder(DaysText)

TeamOf = Callable[[str | None], str | None]
"""The name of the team of whoever an action names as its actor; `None` for those in none."""


def no_team(actor: str | None) -> str | None:
    """Return that nobody is in a team."""
    return None


@dataclass(frozen=True, slots=True)
class Loading:
    """How far the open warnings are read."""

    read: int
    all: int


class StillLoading(DeskError):
    """The open warnings are being read."""

    def __init__(self, loading: Loading) -> None:
        super().__init__(f"{loading.read} of {loading.all} open warnings are read")
        self.loading = loading


@dataclass(slots=True)
class _Made:
    """An arrangement for a team, and what it was made from."""

    version: int
    day: object
    arrangement: Arrangement
    limits: Limits
    attended_today: int
    spent: Mapping[str, tuple[float, float]]


@dataclass(slots=True)
class Changes:
    """What a refresh brought."""

    warnings: set[str] = field(default_factory=set)
    gone: dict[str, bool] = field(default_factory=dict)
    """Those that are not open any more, and whether they were held out."""

    def __bool__(self) -> bool:
        return bool(self.warnings or self.gone)


class Board:
    """All open warnings, kept as columns; thread-safe.

    With `as_of` it is the board of a past instant, which never changes.
    """

    def __init__(
        self,
        database: Database,
        clock: DeskClock,
        config: DeskConfig,
        rulebook: Rulebook,
        team_of: TeamOf = no_team,
        as_of: datetime | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._config = config
        self._rulebook = rulebook
        self._team_of = team_of
        self._as_of = as_of
        self.is_followed = False
        """Whether a thread keeps it up to date; else it reads what is new when it is asked."""
        self.on_changes: list[Callable[[Changes], None]] = []
        """Are called after a refresh that brought something."""
        self._reading = threading.Lock()
        """Taken by whoever reads the database: one at a time."""
        self._lock = threading.RLock()
        """Taken while the columns are read or changed."""
        self._start()

    def _start(self) -> None:
        self._position: store.Position | None = None
        self._loading = Loading(0, 0)
        self._warnings = OpenWarnings()
        self._stored: dict[str, tuple[Action, ...]] = {}
        """The stored actions of the customers that matter: with an open warning, or acted on of late."""
        self._waiting: dict[str, dict[str, Action]] = {}
        """The actions of the desk that the store does not show yet, by customer and id."""
        self._firsts: dict[str, tuple[FirstAttended, ...]] = {}
        """Who attended first to each of a customer's warnings."""
        self._spendings: dict[str, tuple[Spending, ...]] = {}
        self._version = 1
        self._decided: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._decided_version = -1
        self._made: dict[tuple[str | None, bool], _Made] = {}

    @property
    def version(self) -> int:
        """Grows with each change."""
        return self._version

    def __len__(self) -> int:
        return len(self._warnings)

    @property
    def loading(self) -> Loading | None:
        """How far the open warnings are read; `None` when they all are."""
        return None if self._position is not None else self._loading

    def now(self) -> datetime:
        """Return the time by which the board is arranged."""
        return self._clock.now() if self._as_of is None else self._as_of

    # Reading the database.

    def refresh(self) -> bool:
        """Read what is new in the database; return whether anything is. Raises `StoreError`."""
        with self._reading:
            if self._position is None:
                self._load()
                return True
            changes = Changes() if self._as_of is not None else self._catch_up()
        if changes:
            for call in self.on_changes:
                call(changes)
        return bool(changes)

    def _load(self) -> None:
        with self._lock:
            self._start()
        with self._database.reading() as connection:
            # Before all else: what comes meanwhile is then read twice and not never.
            position = store.newest_position(connection)
            self._loading = Loading(0, store.count_open(connection))
            steps = (
                store.open_steps(connection)
                if self._as_of is None
                else store.open_at(connection, self._as_of)
            )
            for number, step in enumerate(steps, 1):
                self._warnings.take_step(step.head, step.at, step.kind, self._version)
                if number % 1_000 == 0:
                    self._loading = Loading(number, max(number, self._loading.all))
            for days in store.newest_days(connection, list(self._warnings.places), self._as_of):
                self._warnings.take_days(days.warning_id, days.id, days.head, days.at, self._version)
            since = self.now() - _LONGEST_MONTH
            recent = store.customers_acted_on_since(connection, since)
            customers = recent | set(self._warnings.of_customer)
            found: dict[str, list[Action]] = defaultdict(list)
            # One statement where most customers are asked for, else each by its index.
            if self._as_of is None:
                for action in store.actions_of_open_warnings(connection):
                    found[action.customer_id].append(action)
                customers = recent - set(self._warnings.of_customer)
            for action in store.actions_of(connection, customers, self._as_of):
                found[action.customer_id].append(action)
            waiting = [] if self._as_of is not None else store.desk_actions(connection)
        with self._lock:
            self._stored = {customer: tuple(actions) for customer, actions in found.items()}
            self._set_waiting(waiting)
            for customer in {*self._stored, *self._waiting}:
                self._work(customer)
            self._position = position

    def _catch_up(self) -> Changes:
        changes = Changes()
        while self._catch_up_some(changes):
            pass
        return changes

    def _catch_up_some(self, changes: Changes) -> bool:
        """Read some of what is new; return whether there may be more."""
        assert self._position is not None
        before = self._position
        with self._database.reading() as connection:
            # In this order: an action that has left the desk is stored, and its step comes after it.
            waiting = store.desk_actions(connection)
            last_action, acted_on = store.customers_acted_on_after(connection, before.actions)
            steps = store.steps_after(connection, before.steps)
            days = store.days_after(connection, before.days)
            erasures = store.count_erasures(connection)
            # Of a warning that is not open here an older step may come after its end.
            new = {step.head.warning_id for step in steps} - self._warnings.places.keys()
            still_open = store.are_open(connection, sorted(new))
            customers = {step.head.customer_id for step in steps if step.head.warning_id in still_open}
            acted_on |= {c for c in customers if c not in self._stored}
            stored: dict[str, list[Action]] = {customer: [] for customer in acted_on}
            for action in store.actions_of(connection, acted_on):
                stored[action.customer_id].append(action)
            kept = None
            if erasures != before.erasures:
                kept = store.are_open(connection, sorted(self._warnings.places))
        with self._lock:
            version = self._version + 1
            touched = acted_on | self._set_waiting(waiting)
            for step in steps:
                head = step.head
                if head.warning_id in new and head.warning_id not in still_open:
                    continue
                if self._warnings.take_step(head, step.at, step.kind, version):
                    if head.warning_id in self._warnings.places:
                        changes.warnings.add(head.warning_id)
                    else:
                        changes.gone[head.warning_id] = head.holdout
                    touched.add(head.customer_id)
            for each in days:
                if self._warnings.take_days(each.warning_id, each.id, each.head, each.at, version):
                    changes.warnings.add(each.warning_id)
            for warning_id in () if kept is None else set(self._warnings.places) - kept:
                place = self._warnings.places[warning_id]
                changes.gone[warning_id] = bool(self._warnings.holdout[place])
                self._warnings.remove(warning_id)
            self._stored |= {customer: tuple(actions) for customer, actions in stored.items()}
            for customer in touched:
                about = self._work(customer, version)
                changes.warnings |= {about} if about is not None else set()
            if changes or touched:
                self._version = version
            self._position = store.Position(
                steps[-1].seq if steps else before.steps,
                days[-1].seq if days else before.days,
                last_action,
                erasures,
            )
            return bool(steps or days or last_action != before.actions)

    def _set_waiting(self, actions: Sequence[Action]) -> set[str]:
        """Take in the actions on their way; return the customers for whom that is a change."""
        waiting: dict[str, dict[str, Action]] = defaultdict(dict)
        for each in actions:
            waiting[each.customer_id][each.event_id] = each
        customers = waiting.keys() | self._waiting.keys()
        changed = {c for c in customers if waiting.get(c) != self._waiting.get(c)}
        self._waiting = dict(waiting)
        return changed

    def _work(self, customer: str, version: int | None = None) -> str | None:
        """Take in what the team did about a customer; return the open warning."""
        actions = (*self._stored.get(customer, ()), *self._waiting.get(customer, {}).values())
        work = CustomerWork.of(actions)
        firsts = work.first_by_warning()
        warning_id = self._warnings.of_customer.get(customer)
        if warning_id is not None:
            opened_at = int(self._warnings.opened_at[self._warnings.places[warning_id]])
            own = work.on_warning(warning_id, opened_at)
            self._warnings.take_work(warning_id, own, self._lasts, version or self._version)
            if own.first is not None:
                firsts[warning_id] = own.first
        self._firsts[customer] = tuple(firsts.values())
        self._spendings[customer] = work.spendings()
        return warning_id

    def _lasts(self, kind: str, tier: str) -> int:
        if kind == "snooze":
            return self._config.snooze_for
        return self._config.acknowledge_for.get(tier, self._config.snooze_for)

    # Arranging.

    def _arranged(self, person: Person, now: datetime, *, everything: bool) -> _Made:
        """Return the arrangement for somebody's team, as it is at an instant."""
        team = person.team
        zone = ZoneInfo((team.time_zone if team is not None else None) or self._config.time_zone)
        day = now.astimezone(zone).date()
        key = (team.name if team is not None else None, everything)
        made = self._made.get(key)
        fresh = (
            made is not None
            and made.version == self._version
            and made.day == (day, team)
            and to_us(now) < made.arrangement.valid_until
        )
        if made is None or not fresh:
            if self._decided_version != self._warnings.decisions_version:
                self._decided = by_decision(self._warnings)
                self._decided_version = self._warnings.decisions_version
            begin = datetime.combine(day, datetime.min.time(), zone)
            attended_today = self._attended_since(to_us(begin), team)
            capacity = self._config.capacity if team is None else team.capacity
            left = None if capacity is None else max(0, capacity - attended_today)
            spent = self._spent_this_month(now)
            limits = Limits(left, {play: budget - amount for play, (amount, budget) in spent.items()})
            scope = np.ones(self._warnings.room, dtype=np.bool_) if everything else self._taken_by(team)
            arrangement = arrange(self._warnings, self._decided, scope, to_us(now), limits)
            made = _Made(self._version, (day, team), arrangement, limits, attended_today, spent)
            self._made[key] = made
        return made

    def _taken_by(self, team: Team | None) -> NDArray[np.bool_]:
        """Return which warnings are a team's."""
        takes = team.takes if team is not None else {}
        return self._matching(QueueFilter.from_query([(n, w) for n, ws in takes.items() for w in ws]))

    def _attended_since(self, begin: int, team: Team | None) -> int:
        """Return how many customers people of a team attended to first since an instant."""
        name = team.name if team is not None else None
        return sum(
            any(each.at >= begin and self._team_of(each.actor) == name for each in firsts)
            for firsts in self._firsts.values()
        )

    def _spent_this_month(self, now: datetime) -> dict[str, tuple[float, float]]:
        """Return of each play with a budget what was spent on it this month, and the budget."""
        budgets = {
            each.id: each.budget_month
            for each in self._rulebook.current().plays
            if each.budget_month is not None
        }
        if not budgets:
            return {}
        local = now.astimezone(ZoneInfo(self._config.time_zone))
        begin = to_us(local.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        spent = dict.fromkeys(budgets, 0.0)
        for spendings in self._spendings.values():
            for each in spendings:
                if each.play in spent and each.at >= begin:
                    spent[each.play] += each.amount
        return {play: (spent[play], budget) for play, budget in budgets.items()}

    def _matching(self, wanted: QueueFilter) -> NDArray[np.bool_]:
        """Return which warnings the words of a filter find."""
        warnings = self._warnings
        found = warnings.used[: warnings.room].copy()
        for name, words in wanted.words().items():
            if not words:
                continue
            if name == "tier":
                ranks = [TIERS.index(word) for word in words if word in TIERS]
                found &= np.isin(warnings.tier[: warnings.room], ranks)
            elif name == "rule":
                found &= warnings.having(warnings.with_rule, words)
            elif name == "reason":
                found &= warnings.having(warnings.with_reason, words)
            else:
                found &= warnings.among(_COLUMN[name], words)
        return found

    def _found(self, wanted: QueueFilter, person: Person, now: int) -> NDArray[np.bool_]:
        """Return which warnings a filter finds for somebody, in whatever part of the queue."""
        warnings, room = self._warnings, self._warnings.room
        found = self._matching(wanted)
        if not person.may(Role.OPERATOR):
            found &= ~warnings.holdout[:room]
        if wanted.mine:
            found &= self._had_by({person.name}, now)
        if wanted.team:
            found &= self._had_by(self._colleagues(person), now)
        if wanted.unassigned:
            found &= warnings.assignee[:room] == NONE
        if wanted.snoozed:
            snoozed = warnings.words.known(("snoozed",))
            engine = np.isin(warnings.attention[:room], snoozed) & (warnings.attention_until[:room] > now)
            pending = np.isin(warnings.pending[:room], snoozed) & (warnings.pending_until[:room] > now)
            found &= engine | pending
        if wanted.near:
            found &= warnings.deadline[:room] <= now + NEAR_US
        if wanted.customer:
            part = wanted.customer.casefold()
            named = [
                place
                for place in np.flatnonzero(found).tolist()
                if part in warnings.customers[place].casefold()
            ]
            found = np.zeros(room, dtype=np.bool_)
            found[named] = True
        return found

    def _had_by(self, names: Collection[str], now: int) -> NDArray[np.bool_]:
        """Return which warnings are assigned to one of these, or attended to by one of them."""
        warnings, room = self._warnings, self._warnings.room
        codes = warnings.words.known(names)
        resting = np.isin(warnings.attention[:room], warnings.words.known(("acknowledged", "snoozed")))
        resting &= warnings.attention_until[:room] > now
        pending = warnings.pending_until[:room] > now
        return (
            np.isin(warnings.assignee[:room], codes)
            | (np.isin(warnings.attention_by[:room], codes) & resting)
            | (np.isin(warnings.pending_by[:room], codes) & pending)
        )

    def _colleagues(self, person: Person) -> set[str]:
        """Return all who are in somebody's team, as far as warnings name them."""
        name = person.team.name if person.team is not None else None
        words = self._warnings.words.texts
        return {person.name, *(word for word in words if self._team_of(word) == name)}

    def _chosen(self, wanted: QueueFilter, person: Person, now: datetime) -> tuple[NDArray[np.intp], _Made]:
        """Return the places of the rows that a filter finds, in their order."""
        made = self._arranged(person, now, everything=wanted.all)
        order, section = made.arrangement.order, made.arrangement.section
        found = self._found(wanted, person, to_us(now))[order] & np.isin(section[order], wanted.sections)
        return order[found], made

    def _ready(self) -> datetime:
        """Return the time, once all is read; raises `StillLoading`."""
        if self._position is None and (self.is_followed or self._reading.locked()):
            raise StillLoading(self._loading)
        if not self.is_followed:
            self.refresh()
        return self.now()

    # What pages ask.

    def page(self, wanted: QueueFilter, person: Person, *, offset: int = 0, limit: int = 50) -> QueuePage:
        """Return a page of the rows that a filter finds, in their order."""
        now = self._ready()
        with self._lock:
            places, made = self._chosen(wanted, person, now)
            offset = max(0, min(offset, max(0, len(places) - 1)))
            some = places[offset : offset + limit].tolist()
            rows = [self._bare(place, made.arrangement, to_us(now)) for place in some]
            page = QueuePage(
                rows=(),
                matched=len(places),
                offset=offset,
                limit=limit,
                sections=self._totals(places, made.arrangement),
                version=self._version,
                capacity=made.limits.capacity,
                attended_today=made.attended_today,
                spent=made.spent,
                words=self._words(person),
            )
        return replace(page, rows=self._filled(rows))

    def ids(self, wanted: QueueFilter, person: Person) -> list[str]:
        """Return the ids of all warnings that a filter finds, in their order."""
        now = self._ready()
        with self._lock:
            places, _made = self._chosen(wanted, person, now)
            return [self._warnings.ids[place] for place in places.tolist()]

    def customers(self, warning_ids: Collection[str], person: Person) -> dict[str, str]:
        """Return the customers of those warnings that are open and that somebody may see."""
        self._ready()
        with self._lock:
            seen = [each for each in warning_ids if self._sees(person, each)]
            return {each: self._warnings.customers[self._warnings.places[each]] for each in seen}

    def _sees(self, person: Person, warning_id: str) -> bool:
        place = self._warnings.places.get(warning_id)
        return place is not None and (person.may(Role.OPERATOR) or not self._warnings.holdout[place])

    def neighbours(
        self, wanted: QueueFilter, person: Person, warning_id: str
    ) -> tuple[str | None, str | None]:
        """Return the warnings before and after one in a filter's order.

        Of one that is not among them any more it is as if it still stood where its decision puts it.
        """
        now = self._ready()
        with self._lock:
            places, _made = self._chosen(wanted, person, now)
            place = self._warnings.places.get(warning_id)
            if place is None:
                return None, (self._warnings.ids[places[0]] if len(places) else None)
            at = np.flatnonzero(places == place)
            if at.size:
                index, after = int(at[0]), int(at[0]) + 1
            else:
                rank = np.full(self._warnings.room, len(self._decided))
                rank[self._decided] = np.arange(len(self._decided))
                index = after = int(np.searchsorted(rank[places], rank[place]))
            ids = self._warnings.ids
            return (
                ids[places[index - 1]] if index > 0 else None,
                ids[places[after]] if after < len(places) else None,
            )

    def row(self, warning_id: str, person: Person) -> QueueRow | None:
        """Return the row of an open warning that somebody may see."""
        return next(iter(self.rows([warning_id], person)), None)

    def rows(self, warning_ids: Sequence[str], person: Person) -> list[QueueRow]:
        """Return the rows of those of the warnings that are open and that somebody may see."""
        now = self._ready()
        with self._lock:
            made = self._arranged(person, now, everything=True)
            own = self._arranged(person, now, everything=False)
            taken = self._taken_by(person.team)
            bare = []
            for each in warning_ids:
                if self._sees(person, each):
                    place = self._warnings.places[each]
                    inside = taken[place]
                    bare.append(self._bare(place, (own if inside else made).arrangement, to_us(now)))
        return self._filled(bare)

    def every_row(self, wanted: QueueFilter, person: Person) -> list[QueueRow]:
        """Return all rows that a filter finds, in their order."""
        now = self._ready()
        with self._lock:
            places, made = self._chosen(wanted, person, now)
            bare = [self._bare(place, made.arrangement, to_us(now)) for place in places.tolist()]
        return self._filled(bare)

    def came_since(self, version: int, wanted: QueueFilter, person: Person) -> int:
        """Return how many warnings that a filter finds came after a version of the board."""
        now = self._ready()
        with self._lock:
            places, _made = self._chosen(wanted, person, now)
            return int(np.count_nonzero(self._warnings.entered[places] > version))

    def may_see(self, person: Person, customer_id: str) -> bool:
        """Return whether somebody may see that a customer is looked at: not one with a held-out warning."""
        with self._lock:
            warning_id = self._warnings.of_customer.get(customer_id)
            return warning_id is None or self._sees(person, warning_id)

    def seen_by(self, person: Person, warning_ids: Collection[str]) -> list[str]:
        """Return which of the warnings are open and may be seen by somebody."""
        with self._lock:
            return [each for each in warning_ids if self._sees(person, each)]

    def _totals(self, places: NDArray[np.intp], arrangement: Arrangement) -> dict[Section, Totals]:
        section = arrangement.section[places]
        net = np.nan_to_num(self._warnings.net[places], nan=0.0)
        return {
            each: Totals(int(np.count_nonzero(section == each)), float(net[section == each].sum()))
            for each in Section
        }

    def _words(self, person: Person) -> dict[str, tuple[tuple[str, int], ...]]:
        """Return by what the open warnings can be filtered, each word with how many have it."""
        warnings, room = self._warnings, self._warnings.room
        seen = warnings.used[:room]
        if not person.may(Role.OPERATOR):
            seen = seen & ~warnings.holdout[:room]
        found: dict[str, tuple[tuple[str, int], ...]] = {}
        for name in WORDS:
            if name == "tier":
                counts = np.bincount(warnings.tier[:room][seen], minlength=len(TIERS))
                pairs = list(zip(TIERS, counts.tolist(), strict=True))
            elif name in ("rule", "reason"):
                index = warnings.with_rule if name == "rule" else warnings.with_reason
                pairs = [(word, int(np.count_nonzero(seen[list(at)]))) for word, at in index.items() if at]
            else:
                codes = getattr(warnings, _COLUMN[name])[:room][seen]
                counts = np.bincount(codes[codes != NONE], minlength=0)
                pairs = [(warnings.words.texts[code], int(counts[code])) for code in np.flatnonzero(counts)]
            ordered = pairs if name == "tier" else sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
            found[name] = tuple((word, count) for word, count in ordered if count)
        return found

    def _bare(self, place: int, arrangement: Arrangement, now: int) -> QueueRow:
        """Return a row without what only the database has."""
        warnings = self._warnings
        text = warnings.words.text
        decision = FullDecision(
            play=text(int(warnings.play[place])),
            value=_known(warnings.value[place]),
            probability=_known(warnings.probability[place]),
            net=_known(warnings.net[place]),
        )
        at_risk = float(warnings.probability[place] * warnings.value[place])
        deadline = int(warnings.deadline[place])
        return QueueRow(
            warning_id=warnings.ids[place],
            customer_id=warnings.customers[place],
            section=Section(int(arrangement.section[place])),
            over_budget=bool(arrangement.over_budget[place]),
            tier=TIERS[warnings.tier[place]],
            decision=decision,
            probability=_known(warnings.probability[place]),
            value_at_risk=_known(at_risk),
            opened_at=_instant(warnings.opened_at[place]),
            updated_at=_instant(warnings.updated_at[place]),
            decided_at=_instant(warnings.decided_at[place]),
            causes=(),
            reasons=(),
            segment=text(int(warnings.segment[place])),
            region=text(int(warnings.region[place])),
            customer_class=text(int(warnings.customer_class[place])),
            account_owner=text(int(warnings.owner[place])),
            assignee=text(int(warnings.assignee[place])),
            attended=self._attended(place, now),
            deadline=None if deadline == NEVER else _instant(deadline),
            holdout=bool(warnings.holdout[place]),
            do_not_contact=False,
            version=int(warnings.changed[place]),
        )

    def _attended(self, place: int, now: int) -> Attended | None:
        warnings = self._warnings
        text = warnings.words.text
        waiting = self._waiting.get(warnings.customers[place], {}).values()
        if warnings.closing[place]:
            by = next((each.actor for each in waiting if each.kind == "expire"), None)
            return Attended("closing", by, on_its_way=True)
        pending_until = int(warnings.pending_until[place])
        if pending_until > now:
            becomes = text(int(warnings.pending[place])) or ""
            by = text(int(warnings.pending_by[place]))
            return Attended(becomes, by, _instant(pending_until), on_its_way=True)
        if warnings.contacted[place]:
            contact = self._last_contact(place)
            on_its_way = contact is not None and any(each.event_id == contact.event_id for each in waiting)
            return Attended("contacted", contact.actor if contact else None, on_its_way=on_its_way)
        state = text(int(warnings.attention[place]))
        if state is None:
            return Attended("", None, on_its_way=True) if waiting else None
        until = int(warnings.attention_until[place])
        if state in ATTENTION_KINDS.values() and until <= now:
            state = "lapsed"  # the engine says so with the partition's next event
        by = text(int(warnings.attention_by[place]))
        return Attended(state, by, _instant(until) if until else None, on_its_way=bool(waiting))

    def _last_contact(self, place: int) -> Action | None:
        customer = self._warnings.customers[place]
        opened_at = int(self._warnings.opened_at[place])
        actions = (*self._stored.get(customer, ()), *self._waiting.get(customer, {}).values())
        found = [
            each
            for each in CustomerWork.of(actions).actions
            if each.kind in ("contact", "offer") and each.at >= opened_at
        ]
        return found[-1] if found else None

    def _filled(self, rows: Sequence[QueueRow]) -> list[QueueRow]:
        """Return the rows with what only the database has; a warning that it has no more is left out."""
        if not rows:
            return []
        with self._lock:
            keys = {}
            for row in rows:
                place = self._warnings.places.get(row.warning_id)
                if place is not None:
                    step = f"{row.warning_id}/{self._warnings.step[place]}"
                    keys[row.warning_id] = (step, self._warnings.days[place])
        days_ids = [days for _step, days in keys.values() if days is not None]
        steps, days = store.contents(self._database, [step for step, _ in keys.values()], days_ids)
        filled = []
        for row in rows:
            step_id, days_id = keys.get(row.warning_id, ("", None))
            if step_id not in steps:
                continue
            text = _step_text.decode(steps[step_id])
            decision = text.decision if isinstance(text.decision, FullDecision) else None
            if days_id is not None and days_id in days:
                decision = _days_text.decode(days[days_id]).decision or decision
            filled.append(
                replace(
                    row,
                    causes=text.causes,
                    reasons=text.reasons,
                    decision=decision or row.decision,
                    do_not_contact=text.do_not_contact,
                )
            )
        return filled


def _known(value: float | np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _instant(us: int | np.int64) -> datetime:
    return EPOCH + int(us) * MICROSECOND
