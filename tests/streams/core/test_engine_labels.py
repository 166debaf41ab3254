"""What the engine gives its learner: by a slow twin that reads the whole history, for each `activity`."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import OrderStatus
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.model.logistic import INPUTS
from streams.core.rules.rule_set import RuleSet
from streams.learning.hats import Hats
from streams.learning.learner import RiverLearner
from tests.oracle.days import local_day, sweep_instants
from tests.oracle.histories import as_batch, random_history
from tests.oracle.history import Event

HORIZON, WITHIN = 10 * DAY, 20 * DAY
ORDERS_30D = [i.feature for i in INPUTS].index("orders_30d")


class Recorder(RiverLearner):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[float, bool]] = []

    def learn(
        self,
        x: NDArray[np.floating[Any]],
        y: NDArray[np.bool_],
        p: NDArray[np.float64],
        weight: NDArray[np.float64] | None = None,
        hats: Hats | None = None,
    ) -> None:
        """Note orders in 30 days and the outcome of each sample."""
        self.given += zip(np.expm1(x[:, ORDERS_30D]).round().tolist(), y.tolist(), strict=True)


def is_activity(event: Event, activity: tuple[Topic, ...]) -> bool:
    placed = event.topic != Topic.ORDERS or event.status == OrderStatus.PLACED
    return event.topic in activity and placed


@pytest.mark.parametrize(
    "activity", [(Topic.ORDERS,), (Topic.LOGINS,), (Topic.ORDERS, Topic.LOGINS)], ids=str
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_labels_are_those_of_the_slow_twin(activity: tuple[Topic, ...], seed: int) -> None:
    history = random_history(seed, late=False, size=300, days=80)
    events, zone = history.arrivals, history.zone
    end = max(e.at for e in events)
    learner = Recorder()
    settings = EngineSettings(
        time_zone=zone.key,
        reorder_us=0,
        repeat_window_us=None,
        horizon_us=HORIZON,
        learn_within_us=WITHIN,
        activity=activity,
        decide_every=1,
    )
    engine = Engine(settings, RuleSet((), DTYPES), learner)
    engine.step(as_batch(events))
    engine.flush()
    engine.advance(end)
    expected = []
    first = min(e.at for e in events)
    for t in sweep_instants(first, DAY, zone):
        if t + HORIZON > end:
            break
        for customer in {e.customer_id for e in events}:
            mine = [e for e in events if e.customer_id == customer]
            active = [e.at for e in mine if is_activity(e, activity)]
            closed = [e.at for e in mine if e.topic == Topic.CLOSURES]
            last = max((at for at in active if at < t), default=None)
            if last is None or last <= t - WITHIN or any(last < at < t for at in closed):
                continue
            stays = any(t <= at < t + HORIZON for at in active)
            churned = not stays or any(t <= at < t + HORIZON for at in closed)
            today = local_day(t - 1, zone)
            orders = sum(
                is_activity(e, (Topic.ORDERS,)) and e.at < t and today - local_day(e.at, zone) < 30
                for e in mine
            )
            expected.append((orders, churned))
    assert len(expected) > 100
    assert sorted(learner.given) == sorted(expected)
