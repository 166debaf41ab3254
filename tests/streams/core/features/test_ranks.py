import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES, Features
from streams.core.features.ranks import ScoreRanks
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from streams.learning.learner import LearnerSettings, RiverLearner

chances = st.one_of(st.floats(0.01, 1), st.sampled_from([0.25, 0.5]), st.just(float("nan")))


@given(st.lists(chances, max_size=12), st.lists(chances, max_size=6))
def test_lift_and_rank_are_those_of_the_slow_twin(active: list[float], asked: list[float]) -> None:
    known = [p for p in active if p == p]
    ranks = ScoreRanks.of(np.array(active, dtype=np.float64))
    assert (ranks is None) is (not known)
    if ranks is None:
        return
    p = np.array(asked, dtype=np.float64)
    for value, lift, rank in zip(asked, ranks.lift(p).tolist(), ranks.rank(p).tolist(), strict=True):
        if value != value:
            assert lift != lift
            assert rank != rank
        else:
            assert lift == pytest.approx(value / (sum(known) / len(known)))
            assert rank == sum(other > value for other in known) / len(known)


class Seen:
    """Keeps lift and rank of each sweep, and what they must be."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.sweeps = engine, 0

    def swept(self, at: int, features: Features) -> None:
        """Compare with the definition."""
        p = features["churn_probability"]
        if np.isnan(p).all():
            assert np.isnan(features["churn_lift"]).all()
            return
        self.sweeps += 1
        active = features.view.customers.last_activity() > at - 20 * DAY
        mean = p[active].mean()
        np.testing.assert_allclose(features["churn_lift"], p / mean)
        expected = [(p[active] > each).mean() for each in p.tolist()]
        np.testing.assert_allclose(features["churn_rank"], expected)


def test_the_engine_ranks_among_active_customers_and_a_checkpoint_keeps_it() -> None:
    rng = np.random.default_rng(5)
    rows = sorted((int((rng.uniform(0, 100) + 4) * DAY), f"c{rng.integers(60)}", f"e{i}") for i in range(500))
    batch = Batch.of(
        [
            {"topic": Topic.ORDERS, "at": at, "customer_id": who, "event_id": name, "amount": 10**6}
            for at, who, name in rows
        ]
    )
    settings = EngineSettings(reorder_us=0, horizon_us=20 * DAY, learn_within_us=40 * DAY, decide_every=1)

    def begun() -> Engine:
        return Engine(settings, RuleSet((), DTYPES), RiverLearner(LearnerSettings(20, 20)))

    engine = begun()
    seen = Seen(engine)
    engine.observe(sweeps=seen)
    engine.step(batch.take(slice(0, 400)))
    assert seen.sweeps > 20
    restored = begun()
    restore(restored, tables(engine))
    before, after = engine.customers.ranks, restored.customers.ranks
    assert before is not None
    assert after is not None
    assert before.p.tobytes() == after.p.tobytes()
