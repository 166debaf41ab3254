"""Why there is a warning of a customer, or none: every rule with its verdict, distance and state."""

from __future__ import annotations

import math
import sys
from collections.abc import Set
from dataclasses import dataclass

from streams.core.conditions import tree as c
from streams.core.decision.decision import Decision
from streams.core.engine import Engine
from streams.core.events.topics import Topic
from streams.core.explain.parts import CustomerRow, Gap, Part, Verdict, gaps, part
from streams.core.explain.smallest_change import FeatureChange, smallest_change
from streams.core.explain.snapshot import CustomerSnapshot, MissingFeature
from streams.core.explain.what_if import Ending, endings
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import render
from streams.core.steps import Step, Value
from streams.core.warnings.causes import CausePhase, CauseState
from streams.core.warnings.episodes import OpenWarning


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule that takes part, for one customer."""

    rule: Rule
    when: Part
    """`only` and `when`."""
    clear: Part
    """`clear`, or not `only`."""
    own_clear: Part
    """`clear`, or where the rule has none the opposite of `when`, without `only`."""
    distance: float
    """How far `when` is from being true: see `streams.core.conditions.distance`."""
    gaps: tuple[Gap, ...]
    """The parts that keep `when` from being true."""
    changes: tuple[FeatureChange, ...] | None
    """The smallest change that makes `when` true, or where the cause is open `clear`; `None` for none."""
    missing: tuple[MissingFeature, ...]
    """The features it reads that are missing, and why."""
    values: tuple[tuple[str, Value], ...]
    """Every feature it reads."""
    message: str
    state: CauseState | None
    """Where the cause stands; `None` for an idle one."""
    due: int | None
    """When `for`, `keep_open_for` or the cooldown ends, if no event comes before."""
    endings: tuple[Ending, ...]
    """What the customer could do now that makes `clear` true, where the cause is open."""

    @property
    def is_open(self) -> bool:
        """Return whether the cause is open, or clearing."""
        return self.state is not None and self.state.phase >= CausePhase.OPEN


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of one customer at one instant, rule by rule."""

    customer_id: str
    snapshot: CustomerSnapshot
    source: str
    """What it was made from."""
    rule_set: str
    rules: tuple[RuleView, ...]
    """The nearest to a warning first."""
    idle: tuple[Rule, ...]
    """Drafts and retired rules: not evaluated."""
    warning: OpenWarning | None
    decision: Decision | None
    """What is decided about the open warning by the score and the value of this instant."""
    history: tuple[Step, ...]
    """The steps of the customer's warnings up to the instant, as far as they are known."""
    history_from: int | None
    """From when the history is known; `None` for all of it."""
    next_sweep: int
    topics_seen: frozenset[Topic]
    """The topics with at least one event, of any customer."""


def explain(
    engine: Engine,
    customer_id: str,
    snapshot: CustomerSnapshot,
    *,
    source: str,
    topics_seen: Set[Topic],
    history: tuple[Step, ...],
    history_from: int | None = None,
) -> Explanation:
    """Return the explanation of a customer by an engine that has adopted its rules.

    `snapshot` may be from just before the sweep at the same instant.
    """
    states = {
        rule: state
        for rule, customer, state in engine.episodes.causes
        if customer == snapshot.row and not (state.phase is CausePhase.COOLING and state.since <= snapshot.at)
    }
    any_open = any(state.phase >= CausePhase.OPEN for state in states.values())
    ending_events = endings(engine, customer_id, snapshot, topics_seen) if any_open else {}
    views = [
        _view(engine, rule, snapshot, states.get(rule), ending_events.get(rule, ()), topics_seen)
        for rule in range(len(engine.rules))
    ]
    warning = engine.episodes.open.get(snapshot.row)
    probability = snapshot.model.probability if snapshot.model is not None else None
    return Explanation(
        customer_id=customer_id,
        snapshot=snapshot,
        source=source,
        rule_set=engine.rules.hash,
        rules=tuple(sorted(views, key=_nearest_first)),
        idle=engine.rules.idle,
        warning=warning,
        decision=None
        if warning is None
        else engine.decision_maker.decide(warning.causes.values(), probability, snapshot.circumstances),
        history=history,
        history_from=history_from,
        next_sweep=engine.place[1],
        topics_seen=frozenset(topics_seen),
    )


def _view(
    engine: Engine,
    place: int,
    snapshot: CustomerSnapshot,
    state: CauseState | None,
    ending_events: tuple[Ending, ...],
    topics_seen: Set[Topic],
) -> RuleView:
    rule, when, clear = engine.rules.rules[place], engine.rules.whens[place], engine.rules.clears[place]
    values = {name: snapshot.values[name] for name in engine.rules.reads(place)}
    row = CustomerRow(values)
    is_open = state is not None and state.phase >= CausePhase.OPEN
    return RuleView(
        rule=rule,
        when=part(when, row),
        clear=part(clear, row),
        own_clear=part(clear.right if rule.only and isinstance(clear, c.Or) else clear, row),
        distance=row.distance(when, True),
        gaps=tuple(gaps(when, values)),
        changes=smallest_change(clear if is_open else when, values),
        missing=tuple(snapshot.missing(name, topics_seen) for name, value in values.items() if value is None),
        values=tuple(values.items()),
        message=render(rule, values),
        state=state,
        due=None if state is None else _due(state, rule),
        endings=ending_events,
    )


def _due(state: CauseState, rule: Rule) -> int | None:
    match state.phase:
        case CausePhase.COOLING:
            return state.since
        case CausePhase.PENDING:
            return state.since + rule.for_us
        case CausePhase.CLEARING:
            return state.clearing_since + rule.keep_open_for_us
    return None


def _nearest_first(view: RuleView) -> tuple[int, int, float, str]:
    phase = -1 if view.state is None else min(int(view.state.phase), int(CausePhase.OPEN))
    tier = int(view.rule.tier) if view.is_open else 0
    unknown = view.when.verdict is Verdict.MISSING or math.isnan(view.distance)
    return -phase, -tier, sys.float_info.max if unknown else view.distance, view.rule.id
