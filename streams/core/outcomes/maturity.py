"""Causes and warnings that wait until it is known what became of their customers.

One matures at the first sweep later than its opening by the horizon. Until then every activity and closure of
the customer is noted with it, and every action that can no longer be corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.decision import Decision, DecisionBasis, known
from streams.core.decision.holdout import Lot
from streams.core.events.batch import MILLION
from streams.core.events.calendar import ALWAYS, DAY
from streams.core.features.renumbering import Renumbering
from streams.core.outcomes.action_log import ActionLog, LoggedAction
from streams.core.outcomes.outcome import CauseMatured, PrecedingWarning, WarningMatured
from streams.core.outcomes.record_queue import RecordQueue
from streams.core.steps import Tier

CHURN_SCHEMA: Final[dict[str, type[np.generic]]] = {
    "opened_at": np.int64,
    "next_activity": np.int64,
    "closed": np.bool_,
}
"""What decides whether the customer of a record has churned."""
CAUSE_SCHEMA: Final = CHURN_SCHEMA | {
    "rule": np.int32,
    "warning_high": np.uint64,
    "warning_low": np.uint64,
    "again": np.int16,
    "already_lost": np.bool_,
}
WARNING_SCHEMA: Final = CHURN_SCHEMA | {
    "warning_high": np.uint64,
    "warning_low": np.uint64,
    "opening": np.int32,
    "churn_probability": np.float64,
    "spend_before": np.int64,
    "spend_total": np.int64,
    "tier": np.int8,
    "rules": np.int32,
    "results": np.int32,
    "treated": np.bool_,
    "holdout": np.bool_,
    "value": np.float64,
    "order_day_spend": np.float64,
    "open": np.bool_,
}
UNKNOWN: Final = -(2**63)
"""A `spend_before` that is not known."""

RuleTuple = tuple[str, str, str, int]
"""A rule's id, version, status and tier, as at a cause's opening."""
OpeningTuple = tuple[int, tuple[str, ...], str | None, DecisionBasis | None, Lot | None, str | None]
"""Tier, rules, play, what the decision is based on, lot and experiment, of a warning as at its opening."""


class Codes:
    """Things that many records share, each by a number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._codes: dict[Any, int] = {}

    def code(self, value: Any) -> int:
        """Return the number of a value."""
        if (code := self._codes.get(value)) is None:
            code = self._codes[value] = len(self.values)
            self.values.append(value)
        return code

    def pack(self, *columns: NDArray[np.int32]) -> None:
        """Forget the values that no column of codes names, and change the codes; where most are such."""
        if len(self.values) <= 2 * sum(map(len, columns)) + 1024:
            return
        used = np.unique(np.concatenate(columns))
        new = np.zeros(len(self.values), dtype=np.int32)
        new[used] = np.arange(len(used), dtype=np.int32)
        self.values = [self.values[code] for code in used.tolist()]
        self._codes = {value: code for code, value in enumerate(self.values)}
        for column in columns:
            column[:] = new[column]


@dataclass(slots=True)
class OpenRecord:
    """A warning that has matured and is still open, with all rules that were ever its causes."""

    warning_id: str
    opened_at: int
    tier: Tier
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CauseOpening:
    """A cause at its opening."""

    customer: int
    at: int
    rule: RuleTuple
    warning_id: str | None
    already_lost: bool


@dataclass(frozen=True, slots=True)
class WarningOpening:
    """A warning at its opening."""

    customer: int
    at: int
    warning_id: str
    tier: Tier
    rules: tuple[str, ...]
    play: str | None
    decision: Decision | None
    churn_probability: float | None
    spend_before: int | None
    """Millionths."""
    spend_total: int
    holdout: bool = False
    lot: Lot | None = None
    experiment: str | None = None


class Maturity:
    """The causes and warnings of a partition that have not matured."""

    def __init__(self, horizon_us: int) -> None:
        self.horizon_us = horizon_us
        self.causes = RecordQueue(CAUSE_SCHEMA)
        self.warnings = RecordQueue(WARNING_SCHEMA)
        self.open: dict[int, OpenRecord] = {}
        """By customer, the warnings that are open longer than the horizon; `warnings` has the others."""
        self.rules = Codes()
        self.openings = Codes()
        self.words = Codes()
        """Tuples of rules, and of results."""
        self._held_out: dict[int, int] = {}
        """By customer, when the newest held-out warning opened that has not matured, oldest first."""
        self._waits = np.zeros(1024, dtype=np.bool_)
        """(capacity,) customers with a record that no activity has followed yet."""

    # -- what opens, changes and ends -------------------------------------------------------------

    def open_cause(self, opening: CauseOpening) -> None:
        """Let a cause that opened wait."""
        customer, columns = opening.customer, self.causes.columns
        rule = self.rules.code(opening.rule)
        again = 0
        for place in self.causes.of(customer):
            if columns["opened_at"][place] != opening.at:
                break
            again += bool(columns["rule"][place] == rule)
        high, low = _halves(opening.warning_id)
        values = {
            "opened_at": opening.at,
            "next_activity": ALWAYS,
            "closed": False,
            "rule": rule,
            "warning_high": high,
            "warning_low": low,
            "again": again,
            "already_lost": opening.already_lost,
        }
        self.causes.append(customer, values)
        self._wait(customer)

    def open_warning(self, opening: WarningOpening) -> None:
        """Let a warning that opened wait."""
        customer = opening.customer
        self.open.pop(customer, None)
        high, low = _halves(opening.warning_id)
        decision = opening.decision
        basis = None if decision is None else decision.basis
        shape: OpeningTuple = (
            *(int(opening.tier), opening.rules, opening.play, basis),
            *(opening.lot, opening.experiment),
        )
        probability, spend = opening.churn_probability, opening.spend_before
        values = {
            "opened_at": opening.at,
            "next_activity": ALWAYS,
            "closed": False,
            "warning_high": high,
            "warning_low": low,
            "opening": self.openings.code(shape),
            "churn_probability": np.nan if probability is None else probability,
            "spend_before": UNKNOWN if spend is None else spend,
            "spend_total": opening.spend_total,
            "tier": int(opening.tier),
            "rules": self.words.code(opening.rules),
            "results": self.words.code(()),
            "treated": False,
            "holdout": opening.holdout,
            "value": _or_nan(None if decision is None else decision.value),
            "order_day_spend": _or_nan(None if decision is None else decision.order_day_spend),
            "open": True,
        }
        self.warnings.append(customer, values)
        self._wait(customer)

    def change_warning(self, customer: int, tier: Tier, rules: Iterable[str], *, ended: bool) -> None:
        """Note the newest tier and causes of a customer's open warning, and whether it has ended."""
        record = self.open.get(customer)
        if record is not None:
            record.rules = tuple(sorted({*record.rules, *rules}))
            if ended:
                del self.open[customer]
            else:
                record.tier = tier
            return
        columns = self.warnings.columns
        place = next(self.warnings.of(customer), None)
        if place is None or not columns["open"][place]:
            return
        columns["rules"][place] = self.words.code(
            tuple(sorted({*self.words.values[columns["rules"][place]], *rules}))
        )
        if ended:
            columns["open"][place] = False
        else:
            columns["tier"][place] = int(tier)

    def hold_out(self, customer: int, at: int) -> None:
        """Note that the warning of a customer that opens at an instant is held out."""
        self._held_out.pop(customer, None)
        self._held_out[customer] = at

    def is_held_out(self, customer: int) -> bool:
        """Return whether the customer has a held-out warning that has not matured."""
        return customer in self._held_out

    def forget_held_out(self, at: int) -> None:
        """Forget which warnings were held out that mature at a sweep."""
        while self._held_out:
            customer, opened_at = next(iter(self._held_out.items()))
            if opened_at >= at - self.horizon_us:
                return
            del self._held_out[customer]

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, for whom nothing waits, and give the others their new rows."""
        self.causes.renumber(to)
        self.warnings.renumber(to)
        self.open = to.by_customer(self.open)
        self._held_out = to.by_customer(self._held_out)
        self._waits = to.column(self._waits, False)

    # -- what customers and people do -------------------------------------------------------------

    def note_activity(
        self, customers: NDArray[np.int32], at: NDArray[np.int64], late: NDArray[np.bool_] | None
    ) -> None:
        """Note (n,) activities with the records that they follow.

        Those in order matter only where a record has none yet.
        """
        self._grow(int(customers.max(initial=-1)) + 1)
        waits = self._waits[customers]
        rows = np.flatnonzero(waits if late is None else waits | late)
        if not len(rows):
            return
        owners, times = customers[rows], at[rows]
        for queue in (self.causes, self.warnings):
            opened_at, found = queue.columns["opened_at"], queue.columns["next_activity"]

            def see(seen: NDArray[np.int64], places: NDArray[np.int32]) -> None:
                after = times[seen] > opened_at[places]  # noqa: B023  called at once
                np.minimum.at(found, places[after], times[seen[after]])  # noqa: B023  the same

            queue.visit(owners, see)
        for customer in np.unique(owners).tolist():
            self._waits[customer] = any(
                queue.columns["next_activity"][place] == ALWAYS
                for queue in (self.causes, self.warnings)
                for place in queue.of(customer)
            )

    def note_closure(self, customer: int, at: int) -> None:
        """Note a closure with the records in whose horizon it lies."""
        for queue in (self.causes, self.warnings):
            for place in queue.of(customer):
                if self._within(queue, place, at):
                    queue.columns["closed"][place] = True

    def note_action(self, customer: int, action: LoggedAction) -> None:
        """Note an action that has settled with the warnings in whose horizon it lies."""
        columns = self.warnings.columns
        for place in self.warnings.of(customer):
            if not self._within(self.warnings, place, action.at):
                continue
            if action.treats:
                columns["treated"][place] = True
            if action.result is not None:
                results = self.words.values[columns["results"][place]]
                if action.result not in results:
                    columns["results"][place] = self.words.code((*results, action.result))

    # -- what is asked ----------------------------------------------------------------------------

    def preceding(self, customer: int, at: int) -> PrecedingWarning | None:
        """Return the customer's warning that is open, or else the last that opened in the horizon before."""
        record = self.open.get(customer)
        if record is None:
            columns = self.warnings.columns
            place = next(self.warnings.of(customer), None)
            if place is None:
                return None
            if not columns["open"][place] and columns["opened_at"][place] < at - self.horizon_us:
                return None
            record = self._record(place)
        lead_days = (at - record.opened_at) / DAY
        return PrecedingWarning(record.warning_id, record.opened_at, record.tier, record.rules, lead_days)

    def open_now(self) -> dict[int, OpenRecord]:
        """Return the open warnings by customer."""
        places = self.warnings.begin + np.flatnonzero(self.warnings.live("open"))
        owners = self.warnings.columns["customer"][places]
        found = {c: self._record(p) for c, p in zip(owners.tolist(), places.tolist(), strict=True)}
        return found | self.open

    def restore_open(self, customer: int, record: OpenRecord) -> None:
        """Know of a warning that is open, once `warnings` has what it had."""
        place = next(self.warnings.of(customer), None)
        if place is not None and self._id(place) == record.warning_id:
            self.warnings.columns["open"][place] = True
        else:
            self.open[customer] = record

    def _record(self, place: int) -> OpenRecord:
        columns = self.warnings.columns
        rules = self.words.values[columns["rules"][place]]
        tier = Tier(int(columns["tier"][place]))
        return OpenRecord(self._id(place), int(columns["opened_at"][place]), tier, rules)

    def take_causes(self, at: int) -> list[tuple[int, int, CauseMatured]]:
        """Forget the causes that mature at a sweep; return each with its customer and `again`."""
        due = self._due(self.causes, at)
        columns, begin = self.causes.columns, self.causes.begin
        matured = []
        for place in range(begin, begin + due):
            rule, version, status, tier = self.rules.values[columns["rule"][place]]
            cause = CauseMatured(
                self._warning_id(self.causes, place),
                rule,
                version,
                status,
                Tier(tier),
                int(columns["opened_at"][place]),
                bool(columns["already_lost"][place]),
                self._churned(self.causes, place),
            )
            matured.append((int(columns["customer"][place]), int(columns["again"][place]), cause))
        self.causes.drop(due)
        self.rules.pack(self.causes.live("rule"))
        return matured

    def take_warnings(
        self, at: int, spend_total: NDArray[np.int64], log: ActionLog
    ) -> list[tuple[int, WarningMatured, bool]]:
        """Forget the warnings that mature at a sweep; return each with its customer, and if it was held out.

        `spend_total` is that of every customer now, (c,), in millionths; `log` has the actions that have not
        settled.
        """
        due = self._due(self.warnings, at)
        columns, begin = self.warnings.columns, self.warnings.begin
        matured = []
        for place in range(begin, begin + due):
            customer, opened_at = int(columns["customer"][place]), int(columns["opened_at"][place])
            tier, rules, play, basis, lot, experiment = self.openings.values[columns["opening"][place]]
            probability, before = (
                known(float(columns["churn_probability"][place])),
                columns["spend_before"][place],
            )
            decision = None
            if basis is not None:
                value, spend = (known(float(columns[name][place])) for name in ("value", "order_day_spend"))
                decision = Decision(basis, probability, value, spend)
            following = int(columns["next_activity"][place])
            came = following <= opened_at + self.horizon_us
            acted = [a for a in log.of(customer) if self._within(self.warnings, place, a.at)]
            results = [
                *self.words.values[columns["results"][place]],
                *(a.result for a in acted if a.result is not None),
            ]
            warning = WarningMatured(
                warning_id=self._id(place),
                opened_at=opened_at,
                tier=Tier(tier),
                rules=rules,
                play=play,
                decision=decision,
                churn_probability=probability,
                churned=self._churned(self.warnings, place),
                next_order_days=(following - opened_at) / DAY if came else None,
                spend_before=None if before == UNKNOWN else int(before) / MILLION,
                spend_after=int(spend_total[customer] - columns["spend_total"][place]) / MILLION,
                treated=bool(columns["treated"][place]) or any(a.treats for a in acted),
                results=tuple(dict.fromkeys(results)),
                lot=lot,
                experiment=experiment,
            )
            if columns["open"][place]:
                self.open[customer] = self._record(place)
            matured.append((customer, warning, bool(columns["holdout"][place])))
        self.warnings.drop(due)
        self.openings.pack(self.warnings.live("opening"))
        self.words.pack(self.warnings.live("rules"), self.warnings.live("results"))
        self.forget_held_out(at)
        return matured

    # -- its parts --------------------------------------------------------------------------------

    def _due(self, queue: RecordQueue, at: int) -> int:
        """Return how many of the oldest records opened more than the horizon before a sweep."""
        return int(np.searchsorted(queue.live("opened_at"), at - self.horizon_us, side="left"))

    def _within(self, queue: RecordQueue, place: int, at: int) -> bool:
        opened_at = int(queue.columns["opened_at"][place])
        return opened_at < at <= opened_at + self.horizon_us

    def _churned(self, queue: RecordQueue, place: int) -> bool:
        columns = queue.columns
        came = columns["next_activity"][place] <= columns["opened_at"][place] + self.horizon_us
        return bool(columns["closed"][place] or not came)

    def _id(self, place: int) -> str:
        found = self._warning_id(self.warnings, place)
        assert found is not None
        return found

    def _warning_id(self, queue: RecordQueue, place: int) -> str | None:
        number = int(queue.columns["warning_high"][place]) << 64 | int(queue.columns["warning_low"][place])
        return str(UUID(int=number)) if number else None

    def _grow(self, needed: int) -> None:
        if needed > len(self._waits):
            added = max(needed, 2 * len(self._waits)) - len(self._waits)
            self._waits = np.concatenate([self._waits, np.zeros(added, dtype=np.bool_)])

    def _wait(self, customer: int) -> None:
        self._grow(customer + 1)
        self._waits[customer] = True

    def restore_waiting(self) -> None:
        """Find again the customers with a record that no activity has followed, and those held out."""
        owners, opened_at = (self.warnings.live(name) for name in ("customer", "opened_at"))
        held_out = np.flatnonzero(self.warnings.live("holdout"))
        for customer, at in zip(owners[held_out].tolist(), opened_at[held_out].tolist(), strict=True):
            self.hold_out(customer, at)
        for queue in (self.causes, self.warnings):
            waiting = queue.live("customer")[queue.live("next_activity") == ALWAYS]
            self._grow(int(waiting.max(initial=-1)) + 1)
            self._waits[waiting] = True


def _or_nan(number: float | None) -> float:
    return np.nan if number is None else number


def _halves(warning_id: str | None) -> tuple[np.uint64, np.uint64]:
    number = UUID(warning_id).int if warning_id is not None else 0
    return np.uint64(number >> 64), np.uint64(number & 2**64 - 1)


def copied(queue: RecordQueue) -> Mapping[str, NDArray[Any]]:
    """Return a copy of the live records, oldest first."""
    return {name: queue.live(name).copy() for name in queue.columns if name != "link"}
