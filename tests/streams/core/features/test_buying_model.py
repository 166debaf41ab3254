"""The buying model against SciPy's functions and optimiser, and on customers drawn from its own law."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]  # ships no type hints
from scipy.special import gammaln  # type: ignore[import-untyped]  # ships no type hints

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.buying_model import BuyingModel, Histories, fit
from streams.core.features.catalogue import DTYPES, Features
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables

LAW = BuyingModel(1.2, 25.0, 0.6, 2.0)


def drawn(n: int, seed: int = 1) -> tuple[Histories, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return customers of the law over a year, whether each is active and whether 90 silent days follow."""
    rng = np.random.default_rng(seed)
    x, t_x, age = np.zeros(n), np.zeros(n), rng.uniform(10, 365, n)
    alive, silent = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    rates, chances = rng.gamma(LAW.r, 1 / LAW.alpha, n), rng.beta(LAW.a, LAW.b, n)
    for i in range(n):
        now, active = 0.0, rng.random() >= chances[i]
        while active:
            now += rng.exponential(1 / rates[i])
            if now > age[i]:
                break
            x[i], t_x[i] = x[i] + 1, now
            active = rng.random() >= chances[i]
        alive[i] = active
        silent[i] = not active or now > age[i] + LAW.horizon_days
    return Histories(x, t_x, age), alive, silent


def log_likelihood(model: BuyingModel, of: Histories) -> float:
    """Return the mean log likelihood, written from the paper's formula."""
    r, alpha, a, b = model.state()
    x = of.x
    beta = gammaln(a + b) - gammaln(a) - gammaln(b)
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stays = gammaln(a) + gammaln(b + x + 1) - gammaln(a + b + x + 1) - (r + x) * np.log(alpha + of.T)
    leaves = gammaln(a + 1) + gammaln(b + x) - gammaln(a + b + x + 1) - (r + x) * np.log(alpha + of.t_x)
    return float(np.mean(beta + rate + np.logaddexp(stays, leaves)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_fit_is_as_likely_as_the_best_that_scipy_finds(seed: int) -> None:
    of, _, _ = drawn(1500, seed)

    def loss(logs: NDArray[np.float64]) -> float:
        return -log_likelihood(BuyingModel(*np.exp(logs)), of)

    best = min(
        minimize(loss, np.log(start), method="L-BFGS-B", bounds=[(-9, 9)] * 4).fun
        for start in ([1, 30, 0.5, 2], [0.5, 10, 1, 1])
    )
    assert log_likelihood(fit(of), of) > -best - 1e-5


def test_parameters_come_back_from_customers_of_the_law() -> None:
    found = fit(drawn(4000)[0])
    assert found.r == pytest.approx(LAW.r, rel=0.15)
    assert found.alpha == pytest.approx(LAW.alpha, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(LAW.a / (LAW.a + LAW.b), rel=0.15)


def test_probabilities_mean_what_they_say() -> None:
    of, alive, silent = drawn(20_000)
    p_alive = LAW.p_alive(of)
    p_silent = LAW.p_silent(of, p_alive)
    for given, true in ((p_alive, alive), (p_silent, silent)):
        for group in np.array_split(np.argsort(given), 10):
            assert given[group].mean() == pytest.approx(true[group].mean(), abs=0.035)


def test_a_customer_of_one_day_may_have_left_and_many_orders_overflow_nothing() -> None:
    of = Histories(np.array([0.0, 0.0, 5e4]), np.array([0.0, 0.0, 10.0]), np.array([1.0, 300.0, 3000.0]))
    young, old, gone = LAW.p_alive(of).tolist()
    assert 0.6 < young < 0.9
    assert old < 0.3
    assert gone == 0.0
    assert np.isfinite(LAW.p_silent(of, LAW.p_alive(of))).all()


def shop(activity: Topic) -> tuple[EngineSettings, Batch]:
    rng = np.random.default_rng(3)
    rows = []
    for customer in range(60):
        for at in np.cumsum(rng.exponential(rng.gamma(2, 8), 30)):
            if at < 100:
                rows.append((int(at * DAY) + 4 * DAY, f"c{customer}"))
    rows.sort()
    batch = Batch.of(
        [
            {"topic": activity, "at": at, "customer_id": name, "event_id": f"e{i}", "amount": 1}
            for i, (at, name) in enumerate(rows)
        ]
    )
    return EngineSettings(activity=(activity,), reorder_us=0, horizon_us=30 * DAY), batch


class Seen:
    """Keeps p_silent of each sweep."""

    def __init__(self) -> None:
        self.p_silent: dict[int, NDArray[np.float64]] = {}

    def swept(self, at: int, features: Features) -> None:
        """Note it."""
        self.p_silent[at // DAY] = features["p_silent"].copy()


@pytest.mark.parametrize("activity", [Topic.ORDERS, Topic.LOGINS])
def test_it_is_fitted_at_the_first_sweep_of_each_block_and_survives_a_checkpoint(activity: Topic) -> None:
    settings, batch = shop(activity)
    seen = Seen()
    engine = Engine(settings, RuleSet((), DTYPES))
    engine.observe(sweeps=seen)
    models = []
    for begin in range(0, len(batch), 50):
        engine.step(batch.take(slice(begin, begin + 50)))
        saved = tables(engine)
        engine = Engine(settings, RuleSet((), DTYPES))
        engine.observe(sweeps=seen)
        restore(engine, saved)
        models.append(engine.customers.buying)
    whole = Seen()
    plain = Engine(settings, RuleSet((), DTYPES))
    plain.observe(sweeps=whole)
    plain.step(batch)
    assert whole.p_silent.keys() == seen.p_silent.keys()
    for day, values in whole.p_silent.items():
        np.testing.assert_array_equal(values, seen.p_silent[day])
    # A sweep belongs to the day that has ended; at the first one nobody is known yet.
    fitted = [day for day in whole.p_silent if (day - 1 - 4) % 28 == 0][1:]
    assert len(set(models) - {None}) == len(fitted) > 1
    assert all(np.isnan(values).all() == (day < fitted[0]) for day, values in whole.p_silent.items())
    last = max(whole.p_silent)
    assert ((whole.p_silent[last] > 0) & (whole.p_silent[last] < 1)).all()
    assert whole.p_silent[last].std() > 0.1
