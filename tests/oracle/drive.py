"""The vectorised engine under the twin's settings and rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.erasures import Erasure, ErasureKey
from streams.core.events.batch import Batch
from streams.core.features.catalogue import CATALOGUE, Priors
from streams.core.removal import erase
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Step
from streams.core.warnings.acknowledgement import AcknowledgementTerms
from streams.offline.replay import SweptFeatures
from tests.oracle.conditions import OracleRule
from tests.oracle.engine import OracleSettings

KEY: Final = ErasureKey(b"a key for tests")


@dataclass(slots=True)
class Driven:
    """What an engine put out."""

    sweeps: list[tuple[int, pl.DataFrame]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    late: int = 0
    repeats: int = 0
    erased: int = 0
    forgotten: int = 0
    events: int = 0
    ignored: Counter[str] = field(default_factory=Counter)


def engine_settings(settings: OracleSettings) -> EngineSettings:
    """Return the engine's settings of the same meaning."""
    return EngineSettings(
        time_zone=settings.zone.key,
        sweep_every_us=settings.sweep_every_us,
        reorder_us=settings.reorder_us,
        repeat_window_us=settings.repeat_window_us,
        quiet_after_us=settings.quiet_after_us,
        horizon_us=settings.horizon_us,
        activity=settings.activity,
        forget_after_us=settings.forget_after_us,
        erasure_key=KEY,
        priors=Priors(orders=settings.k, rate=settings.r),
        acknowledgement=AcknowledgementTerms(
            acknowledge_for=settings.patience.acknowledge_for,
            snooze_for=settings.patience.snooze_for,
            acknowledge_within=settings.patience.acknowledge_within,
            expire_after=settings.patience.expire_after or 0,
        ),
    )


def compiled(rules: Sequence[OracleRule]) -> RuleSet:
    """Return the twin's rules, whose conditions must be SQL, as the engine's."""
    return compile_rules([engine_rule(rule) for rule in rules], {n: f.dtype() for n, f in CATALOGUE.items()})


def engine_rule(rule: OracleRule) -> Rule:
    """Return a rule of the twin as the engine's."""
    assert isinstance(rule.when, str)
    assert rule.clear is None or isinstance(rule.clear, str)
    assert rule.only is None or isinstance(rule.only, str)
    return Rule(
        id=rule.id,
        title=rule.id,
        when=rule.when,
        clear=rule.clear,
        only=rule.only,
        for_us=rule.terms.for_us,
        keep_open_for_us=rule.terms.keep_open_for_us,
        cooldown_us=rule.terms.cooldown_us,
        tier=rule.terms.tier,
        reason="test",
    )


def erased(
    engine: Engine, erasure: Erasure, begun: Callable[[], Engine] | None = None
) -> tuple[Engine, Output]:
    """Let an engine adopt an erasure; with `begun`, a new one carries it out that has the state before."""
    engine.erased.adopt([erasure])
    if begun is not None:
        saved, engine = tables(engine), begun()
        restore(engine, saved)
        engine.adopt()
    return erase(engine)


def drive(
    settings: OracleSettings,
    rules: RuleSet,
    batches: Sequence[Batch],
    until: int | None = None,
    only: Collection[str] | None = None,
    *,
    restarts: bool = False,
    erasures: Mapping[int, Erasure] | None = None,
) -> Driven:
    """Run the engine over the batches and return all that it put out, of `only` these customers.

    With `restarts`, the batches are each taken by a new engine that has the state of the one before.
    `erasures` are adopted after that many batches.
    """
    driven = Driven()
    swept = SweptFeatures()
    named = pl.lit(True) if only is None else pl.col("customer_id").is_in(list(only))

    def begun() -> Engine:
        engine = Engine(engine_settings(settings), rules, None, 0)
        engine.observe(sweeps=swept)
        return engine

    engine = begun()
    outputs = []
    for number, batch in enumerate(batches):
        if erasures and number in erasures:
            engine, output = erased(engine, erasures[number], begun if restarts else None)
            outputs.append(output)
        outputs.append(engine.step(batch))
        if restarts:
            saved = tables(engine)
            engine = begun()
            restore(engine, saved)
    outputs.append(engine.flush(idle=False))
    if until is not None:
        outputs.append(engine.advance(until))
    driven.sweeps = [(at, frame.filter(named)) for at, frame in swept.frames]
    for output in outputs:
        driven.steps += [step for step in output.steps if only is None or step.customer_id in only]
        driven.late += output.counts.late
        driven.repeats += output.counts.repeats
        driven.erased += output.counts.erased
        driven.forgotten += output.counts.forgotten
        driven.events += output.counts.events
        driven.ignored += output.counts.ignored
    return driven
