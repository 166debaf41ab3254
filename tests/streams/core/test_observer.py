"""What an observer sees agrees with the steps that the engine puts out."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.features.catalogue import Features
from streams.core.steps import Step, StepKind
from tests.oracle.drive import compiled, engine_settings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.oracle.test_engine_against_twin import PLAIN

COMPILED = compiled(RULES)
Move = tuple[str, int, str]
"""Customer, instant and rule."""


class Seen:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.opened: list[Move] = []
        self.ended: list[Move] = []
        self.lost: list[bool] = []
        self.sweeps: list[tuple[int, int]] = []

    def causes_changed(self, customer: int, at: int, opened: Collection[int], ended: Collection[int]) -> None:
        name = self.engine.customers.ids[customer]
        self.opened += [(name, at, COMPILED.rules[rule].id) for rule in opened]
        self.ended += [(name, at, COMPILED.rules[rule].id) for rule in ended]

    def causes_opened(self, already_lost: Sequence[bool]) -> None:
        self.lost += already_lost

    def swept(self, at: int, features: Features) -> None:
        assert set(features.view.at.tolist()) == {at}
        self.sweeps.append((at, len(features)))


def moves_of(steps: list[Step]) -> tuple[list[Move], list[Move]]:
    """Return the openings and endings of causes that follow from the steps of each warning."""
    opened: list[Move] = []
    ended: list[Move] = []
    before: dict[str, set[str]] = {}
    for step in steps:
        over = step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN)
        after = set() if over else {cause.rule for cause in step.causes}
        known = before.get(step.customer_id, set())
        opened += [(step.customer_id, step.at, rule) for rule in after - known]
        ended += [(step.customer_id, step.at, rule) for rule in known - after]
        before[step.customer_id] = after
    return opened, ended


@pytest.mark.parametrize("seed", range(6))
def test_causes_seen_are_those_of_the_steps(seed: int) -> None:
    history = random_history(seed, late=seed % 2 == 1, size=120, days=120)
    settings = replace(engine_settings(PLAIN), time_zone=history.zone.key)
    engine = Engine(settings, COMPILED)
    seen = Seen(engine)
    engine.observe(causes=seen, sweeps=seen)
    batch = as_batch(history.arrivals)
    outputs = [engine.step(batch), engine.flush(), engine.advance(int(batch.at.max()) + 40 * 86_400_000_000)]
    opened, ended = moves_of([step for output in outputs for step in output.steps])
    assert sorted(seen.opened) == sorted(opened)
    assert sorted(seen.ended) == sorted(ended)
    assert len(opened) > 5
    assert len(ended) > 5
    assert len(seen.sweeps) == engine.sweeps > 100
    assert seen.sweeps[-1][1] == engine.customers.count


def test_an_engine_that_is_observed_puts_out_what_it_would_unobserved() -> None:
    batch = as_batch(random_history(2, late=True, size=120, days=120).arrivals)
    plain, observed = Engine(engine_settings(PLAIN), COMPILED), Engine(engine_settings(PLAIN), COMPILED)
    seen = Seen(observed)
    observed.observe(causes=seen, sweeps=seen)
    for one, other in ((plain.step(batch), observed.step(batch)), (plain.flush(), observed.flush())):
        assert one == other


def test_who_observes_causes_goes_on_to_do_so_under_other_rules() -> None:
    batch = as_batch(random_history(2, size=120, days=120).arrivals)
    engine = Engine(engine_settings(PLAIN), COMPILED)
    seen = Seen(engine)
    engine.observe(causes=seen)
    engine.replace_rules(compiled(RULES))
    engine.step(batch)
    assert seen.opened
    assert not seen.sweeps


def test_a_sweep_shows_every_feature_though_no_rule_reads_it() -> None:
    engine = Engine(engine_settings(PLAIN), compiled([]))
    frames: list[pl.DataFrame] = []

    class Frames:
        def swept(self, at: int, features: Features) -> None:
            frames.append(features.frame(("orders_30d", "churn_probability")))

    engine.observe(sweeps=Frames())
    engine.step(as_batch(random_history(2, size=120, days=120).arrivals))
    assert sum(frame["orders_30d"].sum() for frame in frames) > 0
