"""The slow engine: every record judged one at a time, every feature recounted from the whole history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from streams.core.events.batch import ActionRecord
from streams.core.events.topics import Topic
from streams.core.steps import StepKind
from tests.oracle.attention import Patience
from tests.oracle.conditions import Judge, OracleRule
from tests.oracle.corrections import struck_by
from tests.oracle.days import DAY, sweep_instants
from tests.oracle.history import Event, Value, features, profile_of
from tests.oracle.life import FALSE, MISSING, TRUE, CustomerLife, LifeStep, Verdict


@dataclass(frozen=True, slots=True)
class OracleSettings:
    """The settings that the meanings depend on; intervals in microseconds."""

    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009  (a ZoneInfo never changes)
    sweep_every_us: int = DAY
    reorder_us: int = 250_000
    repeat_window_us: int = 2 * DAY
    quiet_after_us: Mapping[Topic, int] = field(default_factory=dict)
    k: float = 5.0
    r: float = 0.02
    patience: Patience = field(default_factory=Patience)
    horizon_us: int = 90 * DAY
    activity: tuple[Topic, ...] = (Topic.ORDERS,)
    forget_after_us: int | None = None


@dataclass(frozen=True, slots=True)
class TwinStep:
    """A step with the customer it is about and the features of the last evaluation that made one."""

    customer_id: str
    step: LifeStep
    row: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class SweepBegin:
    """A sweep, after what time alone brings about and before the rules."""

    at: int
    quiet: frozenset[Topic]


@dataclass(frozen=True, slots=True)
class TwinErasure:
    """A customer who is erased once the first `after` records have arrived; older events count no more."""

    customer_id: str
    erased_at: int
    after: int


@dataclass(frozen=True, slots=True)
class SweepEnd:
    """A sweep at which customers are forgotten, after its evaluations."""

    at: int


@dataclass(frozen=True, slots=True)
class TwinForgotten:
    """A customer of whom nothing is known any more."""

    customer_id: str


Moment = Event | TwinStep | SweepBegin | SweepEnd | TwinErasure | TwinForgotten
"""What happens at one place of a timeline."""


@dataclass(slots=True)
class Run:
    """What came out."""

    sweeps: dict[tuple[int, str], dict[str, Value]] = field(default_factory=dict)
    """Features by (instant, customer)."""
    steps: list[TwinStep] = field(default_factory=list)
    """In the order in which they were made."""
    late: int = 0
    """Late events that were kept."""
    repeats: int = 0
    """Records that changed nothing, not even the instant up to which is swept."""
    events: int = 0
    """Events that were kept."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Actions on warnings that had no effect, by the reason."""
    erased: int = 0
    """Records of erased customers that are dated before the erasure."""
    forgotten: int = 0
    """Customers who left, each as often as they did."""
    timeline: list[Moment] = field(default_factory=list)
    """All that happened, in order: events as they were taken, sweeps before their evaluations, and steps."""


def stamped(arrivals: Iterable[Event], reorder_us: int) -> list[Event]:
    """Return the records in the order in which they are judged, late ones with their clock.

    The clock of a record is the newest time of customers' records that arrived before it, less what may be
    out of order: what people do moves no clock.
    """
    newest: int | None = None
    judged: list[Event] = []
    for event in arrivals:
        is_late = newest is not None and event.at < newest - reorder_us
        judged.append(replace(event, clock=newest - reorder_us) if is_late and newest is not None else event)
        if event.topic is not Topic.ACTIONS:
            newest = event.at if newest is None else max(newest, event.at)
    return sorted(judged, key=lambda e: e.order)


def clock_after(arrived: Sequence[Event], reorder_us: int) -> int | None:
    """Return the instant up to which a partition has taken what arrived: `None` before the first event."""
    newest = max((event.at for event in arrived if event.topic is not Topic.ACTIONS), default=None)
    return None if newest is None else newest - reorder_us


class OracleEngine:
    """A partition's engine, written to be read: no state but the list of all kept events."""

    def __init__(self, settings: OracleSettings, rules: Sequence[OracleRule] = ()) -> None:
        self._settings = settings
        self._judge = Judge(rules)
        self._terms = {rule.id: rule.terms for rule in rules}
        self._kept: dict[str, list[Event]] = {}
        self._lives: dict[str, CustomerLife] = {}
        self._newest: dict[Topic, int] = {}
        self._erased: dict[str, int] = {}
        self._warned: dict[str, int] = {}
        """Warnings that erased customers had."""
        self._forgotten: list[Event] = []
        """Events of erased customers, of which nothing is known any more but their ids."""
        self._run = Run()

    def run(
        self, arrivals: Sequence[Event], until: int | None = None, erasures: Sequence[TwinErasure] = ()
    ) -> Run:
        """Judge the records as they arrived, and sweep up to and including `until` (default: the last)."""
        clocks = [(clock_after(arrivals[: e.after], self._settings.reorder_us), e) for e in erasures]
        records = stamped(arrivals, self._settings.reorder_us)
        reached = max((e.at for e in records if e.topic is not Topic.ACTIONS), default=None)
        if reached is None:
            return self._run
        # An action that customers' records have not reached waits for them, or for `until`.
        last = reached if until is None else max(reached, until)
        records = [e for e in records if e.topic is not Topic.ACTIONS or e.judged_at <= last]
        grid = sweep_instants(records[0].judged_at, self._settings.sweep_every_us, self._settings.zone)
        sweep = next(grid)
        for event in records:
            while clocks and (clocks[0][0] is None or clocks[0][0] <= event.judged_at):
                self._erase(*clocks.pop(0))
            if event.at <= self._erased.get(event.customer_id, -1):
                self._run.erased += 1
                continue
            if self._is_repeat(event):
                self._run.repeats += 1
                continue
            while sweep <= event.judged_at:
                self._sweep(sweep)
                sweep = next(grid)
            self._pass_time(event.judged_at)
            self._take(event)
        for clock, erasure in clocks:
            self._erase(clock, erasure)
        while until is not None and sweep <= until:
            self._sweep(sweep)
            sweep = next(grid)
        if until is not None:
            self._pass_time(until)
        return self._run

    def _erase(self, clock: int | None, erasure: TwinErasure) -> None:
        """Withdraw what is open of a customer, and know nothing of what was before."""
        self._leave(clock, erasure.customer_id)
        self._erased[erasure.customer_id] = erasure.erased_at
        self._run.timeline.append(erasure)

    def _leave(self, clock: int | None, customer: str) -> None:
        life = self._lives.pop(customer, None)
        step = None if life is None or clock is None else life.erase(clock)
        if step is not None:
            self._add(TwinStep(customer, step, self._row_before(customer)))
        if life is not None:
            self._warned[customer] = life.before + len(life.openings)
        self._forgotten += self._kept.pop(customer, [])

    def _pass_time(self, until: int) -> None:
        """Let everything happen that is due up to and including `until`, in order."""
        steps = [
            TwinStep(customer, step, self._row_before(customer))
            for customer, life in self._lives.items()
            for step in life.pass_time(until)
        ]
        for made in sorted(steps, key=lambda made: (made.step.at, made.customer_id)):
            self._add(made)

    def _add(self, made: TwinStep) -> None:
        self._run.steps.append(made)
        self._run.timeline.append(made)

    def _sweep(self, at: int) -> None:
        self._pass_time(at)
        self._run.timeline.append(SweepBegin(at, frozenset(self._quiet(at))))
        customers = sorted(self._kept)
        rows = [self._features(customer, at, sweep=True) for customer in customers]
        for customer, row, found in zip(customers, rows, self._judge.verdicts(rows), strict=True):
            self._run.sweeps[at, customer] = row
            leaving = self._is_leaving(customer, at)
            verdicts = {
                rule: Verdict(MISSING if leaving and when == TRUE else when, clear)
                for rule, (when, clear) in found.items()
            }
            self._evaluate(customer, at, row, verdicts)
        self._forget_gone(at)

    def _is_leaving(self, customer: str, at: int) -> bool:
        """Say whether a cause that opened at a sweep could not mature before the customer is forgotten."""
        after = self._settings.forget_after_us
        newest = max(event.judged_at for event in self._kept[customer])
        return after is not None and at - newest > after - self._settings.horizon_us

    def _forget_gone(self, at: int) -> None:
        """Forget, at a sweep, the customers whose last event lies too far back."""
        after = self._settings.forget_after_us
        if after is None or self._quiet(at) & set(self._settings.activity):
            return
        gone = [
            customer
            for customer, events in sorted(self._kept.items())
            if at - max(event.judged_at for event in events) > after and not profile_of(events).do_not_contact
        ]
        if gone:
            self._run.timeline.append(SweepEnd(at))
        for customer in gone:
            self._leave(at, customer)
            self._run.timeline.append(TwinForgotten(customer))
            self._run.forgotten += 1

    def _take(self, event: Event) -> None:
        """Keep the event and judge its customer, a late one against what held just before it too."""
        self._run.late += event.is_late
        self._run.events += 1
        customer, at = event.customer_id, event.judged_at
        is_known = customer in self._kept
        before = self._features(customer, at, sweep=False) if is_known else {}
        self._kept.setdefault(customer, []).append(event)
        self._run.timeline.append(event)
        self._newest[event.topic] = max(event.at, self._newest.get(event.topic, event.at))
        row = self._features(customer, at, sweep=False)
        was, now = self._judge.verdicts([before, row])
        verdicts: dict[str, Verdict] = {}
        for rule, (when, clear) in now.items():
            turned = event.is_late and is_known and was[rule][0] != FALSE and when == FALSE
            verdicts[rule] = Verdict(when, clear, event.at if turned else None)
        self._evaluate(customer, at, row, verdicts, self._act(event))

    def _act(self, event: Event) -> Collection[str]:
        """Let an action take effect; return the rules whose causes it ended."""
        action, customer = event.record, event.customer_id
        if not isinstance(action, ActionRecord):
            return ()
        if action.corrects is not None and not struck_by(
            self._kept[customer], event, 2 * self._settings.horizon_us
        ):
            self._run.ignored["uncorrected"] += 1
        step, reason = self._life(customer).act(event.judged_at, action, event.event_id)
        if reason is not None:
            self._run.ignored[reason] += 1
        if step is None:
            return ()
        self._add(TwinStep(customer, step, self._row_before(customer)))
        return step.causes if step.kind == StepKind.EXPIRED else ()

    def _row_before(self, customer: str) -> Mapping[str, Value]:
        """Return what was known of a customer at the last step: people and time tell nothing new."""
        return next(step.row for step in reversed(self._run.steps) if step.customer_id == customer)

    def _is_repeat(self, event: Event) -> bool:
        """Say whether the id was kept lately: by its time and by the clock at which it was judged.

        By time alone every id would have to be remembered for ever, as a record may be late without limit.
        """
        window = self._settings.repeat_window_us
        return any(
            kept.event_id == event.event_id
            and abs(kept.at - event.at) <= window
            and event.judged_at - kept.judged_at <= window
            and kept.customer_id == event.customer_id
            for kept in (*self._kept.get(event.customer_id, ()), *self._forgotten)
        )

    def _features(self, customer: str, at: int, *, sweep: bool) -> dict[str, Value]:
        s = self._settings
        events = self._kept[customer]
        quiet = self._quiet(at)
        return features(events, at, sweep=sweep, zone=s.zone, k=s.k, r=s.r, quiet=quiet, newest=self._newest)

    def _quiet(self, at: int) -> set[Topic]:
        """Return the topics whose newest event lies too far back; one that was never seen is not quiet."""
        limits = self._settings.quiet_after_us
        return {t for t, newest in self._newest.items() if t in limits and at - newest > limits[t]}

    def _evaluate(
        self,
        customer: str,
        at: int,
        row: Mapping[str, Value],
        verdicts: Mapping[str, Verdict],
        but: Collection[str] = (),
    ) -> None:
        """Take the customer's warning on, `but` for some rules."""
        step = self._life(customer).judge(at, verdicts, but)
        if step is not None:
            self._add(TwinStep(customer, step, row))

    def _life(self, customer: str) -> CustomerLife:
        begun = CustomerLife(self._terms, customer, self._settings.patience)
        begun.before = self._warned.get(customer, 0)
        return self._lives.setdefault(customer, begun)
