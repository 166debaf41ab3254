"""Why a customer is warned of, or not: every rule with its verdict, its distance and what holds it back."""

from __future__ import annotations

import math
import sys
from collections.abc import Set
from dataclasses import dataclass

from streams.core.conditions import tree as c
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
    """One rule that takes part, seen for one customer."""

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
    life: CauseState | None
    """Where the cause stands; `None` for an idle one."""
    due: int | None
    """When waiting (`for`), clearing (`keep_open_for`) or the cooldown is over, if nothing else comes."""
    endings: tuple[Ending, ...]
    """What the customer could do now that makes `clear` true, where the cause is open."""

    @property
    def is_open(self) -> bool:
        """Return whether the cause is open, or clearing."""
        return self.life is not None and self.life.phase >= CausePhase.OPEN


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is to be said of one customer at one instant."""

    customer_id: str
    sight: CustomerSnapshot
    source: str
    """What it was made from."""
    rule_set: str
    rules: tuple[RuleView, ...]
    """The nearest to a warning first."""
    idle: tuple[Rule, ...]
    """Drafts and retired rules: not evaluated."""
    warning: OpenWarning | None
    history: tuple[Step, ...]
    """The steps of the customer's warnings up to the instant, as far as they are known."""
    history_from: int | None
    """From when the history is known; `None` for all of it."""
    next_sweep: int
    heard: frozenset[Topic]
    """The topics of which anything has come from anybody."""


def explain(
    engine: Engine,
    customer_id: str,
    sight: CustomerSnapshot,
    *,
    source: str,
    heard: Set[Topic],
    history: tuple[Step, ...],
    history_from: int | None = None,
) -> Explanation:
    """Return what an engine makes of a customer that `sight` was taken of; its rules must have been adopted.

    `sight` may be from just before the engine took the sweep at the same instant.
    """
    lives = {
        rule: life
        for rule, customer, life in engine.episodes.causes
        if customer == sight.row and not (life.phase is CausePhase.COOLING and life.since <= sight.at)
    }
    any_open = any(life.phase >= CausePhase.OPEN for life in lives.values())
    ends = endings(engine, customer_id, sight, heard) if any_open else {}
    views = [
        _view(engine, rule, sight, lives.get(rule), ends.get(rule, ()), heard)
        for rule in range(len(engine.rules))
    ]
    return Explanation(
        customer_id=customer_id,
        sight=sight,
        source=source,
        rule_set=engine.rules.hash,
        rules=tuple(sorted(views, key=_nearest_first)),
        idle=engine.rules.idle,
        warning=engine.episodes.open.get(sight.row),
        history=history,
        history_from=history_from,
        next_sweep=engine.place[1],
        heard=frozenset(heard),
    )


def _view(
    engine: Engine,
    place: int,
    sight: CustomerSnapshot,
    life: CauseState | None,
    ends: tuple[Ending, ...],
    heard: Set[Topic],
) -> RuleView:
    rule, when, clear = engine.rules.rules[place], engine.rules.whens[place], engine.rules.clears[place]
    values = {name: sight.values[name] for name in engine.rules.reads(place)}
    row = CustomerRow(values)
    is_open = life is not None and life.phase >= CausePhase.OPEN
    return RuleView(
        rule=rule,
        when=part(when, row),
        clear=part(clear, row),
        own_clear=part(clear.right if rule.only and isinstance(clear, c.Or) else clear, row),
        distance=row.distance(when, True),
        gaps=tuple(gaps(when, values)),
        changes=smallest_change(clear if is_open else when, values),
        missing=tuple(sight.missing(name, heard) for name, value in values.items() if value is None),
        values=tuple(values.items()),
        message=render(rule, values),
        life=life,
        due=None if life is None else _due(life, rule),
        endings=ends,
    )


def _due(life: CauseState, rule: Rule) -> int | None:
    match life.phase:
        case CausePhase.COOLING:
            return life.since
        case CausePhase.PENDING:
            return life.since + rule.for_us
        case CausePhase.CLEARING:
            return life.clearing_since + rule.keep_open_for_us
    return None


def _nearest_first(view: RuleView) -> tuple[int, int, float, str]:
    phase = -1 if view.life is None else min(int(view.life.phase), int(CausePhase.OPEN))
    tier = int(view.rule.tier) if view.is_open else 0
    unknown = view.when.verdict is Verdict.MISSING or math.isnan(view.distance)
    return -phase, -tier, sys.float_info.max if unknown else view.distance, view.rule.id
