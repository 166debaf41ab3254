"""The engine: events of one partition in, steps of warnings out; every driver calls this."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.value import ValueModel
from streams.core.engine_io import EngineSettings, Output
from streams.core.erasures import ErasedCustomers
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY, Calendar
from streams.core.events.dedup import Deduplicator
from streams.core.events.reorder import ReorderBuffer, ReorderedEvents
from streams.core.features import buying_model, rhythm
from streams.core.features.admission import Admission
from streams.core.features.apply import AppliedEvents, OrderedEvents, apply_events
from streams.core.features.catalogue import CATALOGUE, RANKS, SCORES, Features
from streams.core.features.customers import Customers
from streams.core.features.ranks import ScoreRanks
from streams.core.features.renumbering import Renumbering
from streams.core.features.source_guard import SourceGuard
from streams.core.features.value import fit_value
from streams.core.features.view import View
from streams.core.model.logistic import Learner
from streams.core.model.scorer import Scorer
from streams.core.model.treatment import WarningsThen
from streams.core.model.warm_up import WarmUp
from streams.core.observer import CauseObserver, SweepObserver
from streams.core.outcomes.customer_days import CustomerDayWriter, ScoreKeeper, scores
from streams.core.outcomes.lapses import is_active
from streams.core.outcomes.maturity import CauseOpening
from streams.core.outcomes.outcomes import Outcomes, OutcomeSettings
from streams.core.rules.rule_set import RuleSet, Verdicts
from streams.core.segments.counts import SegmentCounts
from streams.core.steps import Cause, Scoring, Step
from streams.core.warnings.acknowledgement import ACTS, IgnoredAction, TakenAction, acts
from streams.core.warnings.adoption import adopt, taken_over, withdrawn
from streams.core.warnings.causes import MISSING, TRUE, Evaluations
from streams.core.warnings.compose import compose_steps, scorings
from streams.core.warnings.decisions import Circumstances, DecisionMaker, circumstances
from streams.core.warnings.episodes import Episodes, WarningChange


class Engine:
    """The state of one partition and the function from events to steps.

    The result depends on the events, their order of arrival beyond `reorder`, the rules, the settings and
    the learner alone: not on batches, workers or clocks.
    """

    def __init__(
        self,
        settings: EngineSettings,
        rules: RuleSet,
        learner: Learner | None = None,
        partition: int = 0,
    ) -> None:
        self.settings = settings
        self.rules = rules
        self.partition = partition
        self.calendar = Calendar(settings.time_zone, settings.sweep_every_us)
        self.customers = Customers(settings.activity, settings.value, settings.horizon_us, settings.max_words)
        self.deduplicator = Deduplicator(settings.repeat_window_us or 0)
        self.admission = Admission(self.customers, self.deduplicator, settings.currency)
        self.erased = ErasedCustomers(settings.erasure_key)
        self.reorder = ReorderBuffer(settings.reorder_us, settings.beginning)
        self.episodes = Episodes(settings.app, rules, settings.acknowledgement)
        self.source_guard = SourceGuard(settings.quiet_after_us, partition)
        self.scorer = Scorer(
            learner,
            shared=settings.shared_learner,
            attributes=settings.model_attributes,
            horizon_us=settings.horizon_us,
            learn_within_us=settings.learn_within_us,
            decide_every=settings.decide_every,
            max_samples=settings.max_samples,
        )
        self.segments = SegmentCounts(partition, self.calendar) if settings.segments else None
        self.outcomes = Outcomes(
            OutcomeSettings(
                settings.app,
                settings.activity,
                settings.horizon_us,
                settings.active_within_us or settings.horizon_us,
                settings.outcomes,
                settings.holdout,
            ),
            self.customers,
            self.calendar,
            partition,
        )
        self.day_writer = CustomerDayWriter(self.customers) if settings.customer_days else None
        self.score_keeper = None if settings.score_step is None else ScoreKeeper(settings.score_step)
        self.sweeps = 0
        self.buying_block: int | None = None
        """The block of days in which the buying model was last fitted."""
        self._sweep_observer: SweepObserver | None = None
        self._observed: frozenset[str] = frozenset()
        """The features that the observer of sweeps reads."""
        self._midnight: int | None = None
        """The next local midnight; `None` before the first event."""
        self._next_sweep = 0

    def observe(
        self,
        *,
        causes: CauseObserver | None = None,
        sweeps: SweepObserver | None = None,
        reads: Collection[str] = CATALOGUE,
    ) -> None:
        """Let a driver see causes open and end, and the features at each sweep.

        `reads` are the features that `sweeps` looks at: what no rule and no observer reads is not scored.
        """
        self.episodes.observe(causes)
        self._sweep_observer = sweeps
        self._observed = frozenset(reads) if sweeps is not None else frozenset()

    def leave_out(self, *, outcomes: bool = False, customer_days: bool = False, scores: bool = False) -> None:
        """Put out no outcomes and census, no customer days or no scores: nobody reads them.

        What is put out later does not change with it, as all that outcomes need is kept in any case.
        """
        if outcomes:
            self.outcomes.settings = replace(self.outcomes.settings, wanted=False)
        if customer_days:
            self.day_writer = None
        if scores:
            self.score_keeper = None

    def keep_no_outcomes(self) -> None:
        """Keep nothing that only outcomes need, to save time: for a driver that never saves the state."""
        self.outcomes.settings = replace(self.outcomes.settings, wanted=False, kept=False)

    # -- the three ways in ------------------------------------------------------------------------

    def step(self, batch: Batch) -> Output:
        """Take in events as they arrived and return what they, and the sweeps they pass, bring about."""
        return self._take(self.reorder.put(batch))

    def flush(self, *, idle: bool = True) -> Output:
        """Take in the events that wait to be put in order: nothing that precedes them is to come.

        With `idle`, as where a worker has read all there is, actions that are dated after all customers'
        events, too.
        """
        return self._take(self.reorder.flush(idle=idle))

    def step_last(self, batch: Batch) -> Output:
        """Do what `step` and `flush(idle=False)` do, in less time: nothing that precedes these is to come."""
        return self._take(self.reorder.put_last(batch))

    def advance(self, until: int) -> Output:
        """Let event time reach `until`, sweeps and what is due there included; call `flush` first."""
        output = self._take(self.reorder.reach(until))
        while self._midnight is not None:
            edge = self._edge()
            if edge > until:
                break
            self._cross(edge, output)
        changes = self._sorted(self.episodes.pass_time(until))
        self.outcomes.note(changes)
        self._emit(changes, None, output)
        return output

    def adopt(self) -> Output:
        """Withdraw, now, the causes of rules that are gone or no longer warn; once after `restore`."""
        output = Output()
        now = self.reorder.watermark
        changes = self._sorted(adopt(self.episodes, now))
        self.outcomes.note(changes)
        if changes:
            features = Features(self.source_guard.view_at(self.customers, now), self.settings.priors)
            self._emit(changes, features, output)
        return output

    def replace_rules(self, rules: RuleSet) -> Output:
        """Go on under other rules, and return what comes of adopting them.

        The engine is then as one with these rules that was restored from its state and has adopted it, which
        is what a crash at this moment would lead to; but it costs what the causes cost, not the customers.
        """
        self.rules = rules
        self.episodes = taken_over(self.episodes, rules)
        return self.adopt()

    def withdraw(self, customers: Collection[int]) -> Output:
        """Withdraw, now, the open warnings of customers who are to be erased."""
        output = Output()
        changes = self._sorted(withdrawn(self.episodes, customers, self.reorder.watermark))
        self.outcomes.note(changes)
        self._emit(changes, None, output)
        return output

    def blank(self) -> Engine:
        """Return an engine of the same settings, rules, learner and drivers that has no state yet."""
        made = Engine(self.settings, self.rules, self.scorer.learner, self.partition)
        made.leave_out(
            outcomes=not self.outcomes.settings.wanted,
            customer_days=self.day_writer is None,
            scores=self.score_keeper is None,
        )
        if not self.outcomes.settings.kept:
            made.keep_no_outcomes()
        made.observe(causes=self.episodes.observer, sweeps=self._sweep_observer, reads=self._observed)
        return made

    def know(self, customer_id: str, since: int, at: int) -> int:
        """Return the position of a customer who is known `since` at the latest, for what is put into a state.

        A partition that has had no event begins at `at`.
        """
        if self._midnight is None:
            self._begin(at)
            self.reorder.restore(*self.reorder.waiting, at, at)
        row = self.customers.index(np.array([customer_id], dtype=np.object_))
        self.customers.appear(row)
        first = self.customers.state["first_at"]
        first[row] = np.minimum(first[row], since)
        last = self.customers.state["last_event"]
        last[row] = np.maximum(last[row], since)
        return int(row[0])

    @property
    def place(self) -> tuple[int | None, int, int]:
        """The next local midnight (`None` before the first event), the next sweep, and the sweeps so far."""
        return self._midnight, self._next_sweep, self.sweeps

    def resume(self, midnight: int | None, next_sweep: int, sweeps: int) -> None:
        """Go on from `place`."""
        self._midnight, self._next_sweep, self.sweeps = midnight, next_sweep, sweeps

    def restore_buying(
        self, block: int | None, parameters: Sequence[float] | None, value: Sequence[float] | None
    ) -> None:
        """Go on with the buying model of a state, and what values are computed from; `None` for none."""
        self.buying_block = block
        if parameters is not None:
            r, alpha, a, b = parameters
            horizon_days = self.settings.horizon_us / DAY
            self.customers.use_buying(buying_model.BuyingModel(r, alpha, a, b, horizon_days))
        if value is not None:
            self.customers.use_value_model(ValueModel(*value))

    def warm_up(self) -> WarmUp | None:
        """Return how far the partition's own model is; `None` where it has none."""
        return self.scorer.warm_up(max(self.reorder.watermark, 0))

    # -- event time -------------------------------------------------------------------------------

    def _take(self, ordered: ReorderedEvents) -> Output:
        output = Output(refused=list(ordered.refused))
        output.counts.refused.update(each.reason for each in ordered.refused)
        events, instant = ordered.events, ordered.instant
        if self.settings.forget_after_us is None:
            self._take_in(events, instant, output)
        else:
            while len(events):
                end = self._sweep_after(instant)
                self._pass_sweeps(events.take(slice(end)), instant[:end], output)
                self._take_in(events.take(slice(end)), instant[:end], output)
                events, instant = events.take(slice(end, None)), instant[end:]
        output.counts.unknown_words += self.customers.vocabulary.take_over()
        return output

    def _take_in(self, events: Batch, instant: NDArray[np.int64], output: Output) -> None:
        """Take in events that are in order, judged at (n,) instants."""
        if not len(events):
            return
        erased = self.erased.among(events, self.customers)
        if erased is not None and erased.any():
            output.counts.erased += int(np.count_nonzero(erased))
            output.counts.note("erased", events.topic[erased])
            events, instant = events.take(~erased), instant[~erased]
            if not len(events):
                return
        if self.settings.repeat_window_us is None:
            taken = OrderedEvents(events, instant, self.customers.index(events.customer_id))
        else:
            admitted = self.admission.admit(events, instant)
            taken = admitted.events
            output.refused += admitted.refused
            output.counts.repeats += len(admitted.repeated)
            output.counts.note("repeats", admitted.repeated)
            output.counts.refused.update(each.reason for each in admitted.refused)
        self.erased.note_returned(self.customers)
        events, instant = taken.events, taken.instant
        if not len(events):
            return
        if self._midnight is None:
            self._begin(int(instant[0]))
        output.counts.events += len(events)
        late = events.at < instant
        output.counts.late += int(np.count_nonzero(late))
        output.counts.note("events", events.topic)
        output.counts.note("late", events.topic[late])
        begin = 0
        while begin < len(events):
            edge = self._edge()
            end = int(np.searchsorted(instant, edge, side="left"))
            if end > begin:
                self._pass(taken.between(begin, end), output)
            if end < len(events):
                self._cross(edge, output)
            begin = end

    def _sweep_after(self, instant: NDArray[np.int64]) -> int:
        """Return how many of (n,) events come before the next sweep after the first of them."""
        first = int(instant[0])
        sweep = self.calendar.next_midnight(first) if self._midnight is None else self._next_sweep
        while sweep <= first:
            sweep = self.calendar.next_sweep(sweep)
        return int(np.searchsorted(instant, sweep, side="left"))

    def _pass_sweeps(self, events: Batch, instant: NDArray[np.int64], output: Output) -> None:
        """Let the sweeps before (n,) events pass, if any of them counts, as who is known depends on them.

        None of the events lies before a sweep that another one follows.
        """
        if self._midnight is None or self._next_sweep > instant[0]:
            return
        erased = self.erased.among(events, self.customers)
        for place in range(len(events)):
            if erased is not None and erased[place]:
                continue
            event = slice(place, place + 1)
            if self.settings.repeat_window_us is None or self.admission.may_count(
                events.take(event), instant[event]
            ):
                while self._next_sweep <= instant[0]:
                    self._cross(self._edge(), output)
                return

    def _begin(self, at: int) -> None:
        self.customers.begin(self.calendar.day(at))
        self._midnight = self._next_sweep = self.calendar.next_midnight(at)
        self.outcomes.begin(at)

    def _edge(self) -> int:
        """Return the next instant at which something is due; it comes before the events of that instant."""
        assert self._midnight is not None
        due = (self.scorer.delayed_labels.next_due(), self.outcomes.next_horizon())
        return min(self._midnight, self._next_sweep, *(at for at in due if at is not None))

    def _cross(self, edge: int, output: Output) -> None:
        self.outcomes.judge(edge)
        if is_sweep := edge == self._next_sweep:
            self._sweep(edge, output)
            self._next_sweep = self.calendar.next_sweep(edge)
        if edge == self.scorer.delayed_labels.next_due():
            self._learn(edge, output)
        if edge == self._midnight:
            if self.segments is not None:
                output.sums.append(self.segments.close(self.customers, self.source_guard.topics_at(edge)))
            self.customers.next_day()
            self.deduplicator.forget(edge)
            self._forget_words()
            self._midnight = self.calendar.next_midnight(edge)
        if is_sweep and self.settings.forget_after_us is not None:
            self._forget(edge, self.settings.forget_after_us, output)

    def _forget(self, at: int, after: int, output: Output) -> None:
        """Let the customers leave the state, at a sweep, whose last event lies further back than `after`.

        While a topic of activity is quiet nobody does, as nothing matures then.
        """
        if any(self.source_guard.is_quiet(topic, at) for topic in self.settings.activity):
            return
        state, count = self.customers.state, self.customers.count
        stays = np.ones(self.customers.known, dtype=np.bool_)
        # Who does not want to be contacted is known for good.
        stays[:count] = (state["last_event"][:count] >= at - after) | state["do_not_contact"][:count]
        if stays.all():
            return
        for rows in (*self.outcomes.waited_for(), *self.scorer.delayed_labels.waited_for()):
            stays[rows] = True
        gone = np.flatnonzero(~stays)
        changes = self._sorted(withdrawn(self.episodes, gone.tolist(), at))
        self.outcomes.note(changes)
        self._emit(changes, None, output)
        to = Renumbering.of(stays)
        parts = (self.customers, self.episodes, self.outcomes, self.scorer.delayed_labels, self.erased)
        for part in (*parts, self.segments, self.score_keeper):
            if part is not None:
                part.renumber(to)
        self.admission.resume()
        output.counts.forgotten += len(gone)

    def _forget_words(self) -> None:
        used = {} if self.segments is None else self.segments.words_used()
        new = self.customers.forget_words(used)
        if new is not None and self.segments is not None:
            self.segments.renumber_words(new)

    # -- evaluations ------------------------------------------------------------------------------

    def _pass(self, taken: OrderedEvents, output: Output) -> None:
        """Take in events between two edges and evaluate their customers after each of them."""
        if self.segments is not None:
            self.segments.take(taken, self.customers)
        newest = self.source_guard.observe(taken)
        quiet = self.source_guard.during(taken, output.control)
        applied = apply_events(taken, self.customers, self.calendar, quiet, newest)
        features = Features(applied.view, self.settings.priors)
        changes = self._evaluate(features, applied, acts(taken.events, applied.rank, applied.before), output)
        changes = self._sorted(changes, applied.rank)
        made = list(zip(changes, self._emit(changes, features, output), strict=True))
        opened = self._take_openings(applied.view, output)
        output.outcomes += self.outcomes.take_pass(applied, taken, made, opened)
        if uncorrected := self.outcomes.take_uncorrected():
            output.counts.ignored[IgnoredAction.UNCORRECTED] += uncorrected
        if self.day_writer is not None:
            output.customer_days += self.day_writer.opened(features, made)
        applied.view.commit()
        self.customers.note_events(taken.rows, taken.instant)

    def _sweep(self, at: int, output: Output) -> None:
        """Evaluate every customer at once."""
        self.sweeps += 1
        output.counts.sweeps += 1
        self.source_guard.announce(at, output.control)
        view = self.source_guard.view_at(self.customers, at)
        self._fit_buying(view)
        features = Features(view, self.settings.priors)
        timed = list(self.episodes.pass_time(at))
        self.outcomes.note(timed)
        if self.outcomes.needs_scores(at):
            self.scorer.score(features)
        self._rank(at, features)
        quiet = any(self.source_guard.is_quiet(topic, at) for topic in self.settings.activity)
        outcomes, census = self.outcomes.sweep(at, features, quiet=quiet)
        output.outcomes += outcomes
        output.census += census
        changes = self._sorted([*timed, *self._evaluate(features, None, {}, output)])
        made = list(zip(changes, self._emit(changes, features, output), strict=True))
        self.outcomes.take_sweep_steps(view, made, self._take_openings(view, output))
        self._put_out_days_and_scores(at, features, made, output)
        if not SCORES.isdisjoint(self._observed):
            # Before decisions move the level: a score does not depend on who reads it.
            self.scorer.score(features)
        if self.scorer.learner is not None:
            self._decide(at, features)
        if self._sweep_observer is not None:
            self._sweep_observer.swept(at, features)

    def _put_out_days_and_scores(
        self, at: int, features: Features, made: Sequence[tuple[WarningChange, Step]], output: Output
    ) -> None:
        if self.day_writer is None and self.score_keeper is None:
            return
        self.scorer.score(features)
        if self.day_writer is not None:
            opened = self.day_writer.opened(features, made)
            new = {days.warning_id for days in opened}
            output.customer_days += opened + self.day_writer.swept(
                at, features, self.episodes.open, new, self.decision_maker
            )
        if self.score_keeper is not None:
            output.scores += scores(self.settings.app, at, features, self.customers, self.score_keeper)

    def _evaluate(
        self,
        features: Features,
        applied: AppliedEvents | None,
        actions: Mapping[int, TakenAction],
        output: Output,
    ) -> list[WarningChange]:
        output.counts.evaluations += len(features)
        if not self.rules.rules:
            unknown = sum(taken.record.kind in ACTS for taken in actions.values())
            output.counts.ignored[IgnoredAction.UNKNOWN] += unknown
            return []
        if not SCORES.isdisjoint(self.rules.columns):
            self.scorer.score(features)
        verdicts = self.rules.verdicts(features.columns(self.rules.columns))
        if applied is None and self.settings.forget_after_us is not None:
            verdicts = self._of_the_remembered(verdicts, features.view, self.settings.forget_after_us)

        def cause_of(rule: int, row: int, since: int, opened_at: int) -> Cause:
            return self.rules.cause(rule, since, opened_at, partial(features.value, row=row))

        occurred, before = (applied.occurred, applied.before) if applied is not None else (None, None)
        view = features.view
        evaluations = Evaluations(view.rows, view.at, verdicts, occurred, before, actions)
        changes = list(self.episodes.changes(evaluations, self.customers.ids, cause_of))
        output.counts.ignored += self.episodes.take_ignored()
        return changes

    def _of_the_remembered(self, verdicts: Verdicts, view: View, forget_after: int) -> Verdicts:
        """Return a sweep's verdicts by which no cause opens that would be forgotten before it matures."""
        limit = view.at[0] - forget_after + self.settings.horizon_us if len(view) else 0
        leaving = self.customers.state["last_event"][view.rows] < limit
        if not leaving.any():
            return verdicts
        when = verdicts.when.copy()
        when[leaving & (when == TRUE)] = MISSING
        return replace(verdicts, when=when)

    def _take_openings(self, view: View, output: Output) -> list[CauseOpening]:
        """Return the causes that evaluations of a view opened; count and report them."""
        opened = self.episodes.take_openings()
        for each in opened:
            rule = self.rules.rules[each.rule]
            output.counts.opened[rule.id, rule.tier.label, rule.status.value] += 1
        if self.episodes.observer is None and not self.outcomes.settings.kept:
            return []
        openings = self.outcomes.openings(view, opened, self.rules.rules)
        if openings and self.episodes.observer is not None:
            self.episodes.observer.causes_opened([opening.already_lost for opening in openings])
        return openings

    def _sorted(
        self, changes: Iterable[WarningChange], rank: NDArray[np.int64] | None = None
    ) -> list[WarningChange]:
        """Return changes in order of time; what time alone brings about comes first at its instant.

        Evaluations of one instant follow the `rank` of their rows, by default the customers' names.
        """
        ids = self.customers.ids

        def place(change: WarningChange) -> tuple[int, bool, int, str]:
            if change.row is None or rank is None:
                return change.at, change.row is not None, 0, ids[change.customer]
            return change.at, True, int(rank[change.row]), ""

        return sorted(changes, key=place)

    def _emit(
        self, changes: Sequence[WarningChange], features: Features | None, output: Output
    ) -> list[Step]:
        """Put out the steps of changes, with the scores and profiles of their customers, and return them."""
        judged = [change for change in changes if change.judged]
        scored: list[tuple[Scoring, Circumstances]] = []
        if judged and features is not None:
            rows = np.array([change.row for change in judged], dtype=np.int64)
            made = scorings(self.scorer.model, features, rows, self.settings.top_reasons)
            scored = list(zip(made, circumstances(features.view, rows), strict=True))
        horizon_days = self.settings.horizon_us // DAY
        steps = list(
            compose_steps(
                changes,
                scored,
                self.customers.ids,
                horizon_days,
                self.rules.hash,
                self.decision_maker,
                self._hold_out,
            )
        )
        output.steps += steps
        return steps

    @property
    def decision_maker(self) -> DecisionMaker:
        """Return what decides about warnings, by the plays in force."""
        return DecisionMaker(self.rules.plays, self.settings.labour_rate)

    def _hold_out(self, opened: WarningChange, customer_class: str | None) -> bool:
        """Decide at its opening whether a warning is held out: while one has not matured, the next is too."""
        maturity, customer = self.outcomes.maturity, opened.customer
        name = self.customers.ids[customer]
        if maturity.is_held_out(customer) or self.settings.holdout.holds_out(
            name, opened.tier, customer_class
        ):
            maturity.hold_out(customer, opened.at)
            return True
        return False

    # -- the model --------------------------------------------------------------------------------

    def _fit_buying(self, view: View) -> None:
        """Fit the buying model at the first sweep of each block of days."""
        block = (self.customers.day - buying_model.FIRST_BLOCK) // buying_model.REFIT_DAYS
        if block != self.buying_block:
            self.buying_block = block
            model = rhythm.fit_customers(view, self.settings.horizon_us / DAY)
            if model is not None:
                self.customers.use_buying(model)
            value_model = fit_value(view, model, self.settings.horizon_us / DAY)
            if value_model is not None:
                self.customers.use_value_model(value_model)

    def _rank(self, at: int, features: Features) -> None:
        """Note the probabilities of all active customers, where anybody compares with them."""
        if RANKS.isdisjoint(self._observed) and RANKS.isdisjoint(self.rules.columns):
            return
        self.customers.use_ranks(self.ranks(at, features))

    def ranks(self, at: int, features: Features) -> ScoreRanks | None:
        """Return the probabilities of the active customers, of the features of all at a sweep."""
        self.scorer.score(features)
        customers = self.customers
        within = self.settings.active_within_us or self.settings.horizon_us
        closed_at = customers.state["closed_at"][: customers.count]
        active = is_active(at, customers.last_activity(), closed_at, within)
        return ScoreRanks.of(features["churn_probability"][active])

    def _decide(self, at: int, features: Features) -> None:
        """Freeze the features of the customers whose decision instant this sweep is."""
        held_out = None
        if self.outcomes.log.has_treatment_before(at):
            opened = self.episodes.open.items()
            held_out = np.zeros(self.customers.count, dtype=np.bool_)
            held_out[[customer for customer, warning in opened if warning.holdout]] = True
        self.scorer.decide(at, self.sweeps, features, self.customers, held_out, self._warnings_of)

    def _warnings_of(self, customers: NDArray[np.int64]) -> WarningsThen:
        """Return the open warnings of (k,) customers as they stand."""
        found = (self.episodes.open.get(customer) for customer in customers.tolist())
        return WarningsThen.of([None if each is None else each.standing for each in found])

    def _learn(self, at: int, output: Output) -> None:
        """Learn from the samples whose horizon has passed, those of the treated left out, and put them out.

        Treated is who was in the horizon, or in the horizon before.
        """
        # While a source of activity is silent as a whole, silence is no proof that a customer has left.
        blind = any(self.source_guard.is_quiet(topic, at) for topic in self.settings.activity)
        treated = self.outcomes.log.treated(at - 2 * self.settings.horizon_us + 1, at)
        samples = self.scorer.learn(at, self.customers, treated, blind=blind)
        if samples is not None and (self.settings.shared_learner or self.settings.samples):
            output.samples.append(samples)
