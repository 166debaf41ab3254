"""Explanations say what the engine says: its features, verdicts, lives and steps, and what it does next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY, HOUR
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.explain.explain import Explanation, RuleView
from streams.core.explain.parts import VERDICTS
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.state_tables import tables
from streams.core.steps import Step, Tier
from streams.errors import ExplanationError, StateError
from streams.inputs.load import parse_inputs
from streams.inputs.watch import CheckpointedInputs
from streams.intake.merge import TopicPosition
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.offline.explain import explain_checkpoint, explain_events
from streams.offline.replay import FeatureFile, replay
from tests.oracle.drive import engine_rule
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES

LIKELY = Rule("likely", "churn_probability >= 0.5", Tier.LOW, "model", message="{churn_probability}")
COMPILED = compile_rules([*map(engine_rule, RULES), LIKELY], DTYPES)
SETTINGS = EngineSettings(
    horizon_us=10 * DAY, learn_within_us=30 * DAY, decide_every=1, quiet_after_us={Topic.COMPLAINTS: 2 * DAY}
)
BEGIN = 20_000 * DAY
TOPICS = {topic.label: topic for topic in Topic}


def taught(number: int) -> Engine:
    """Return an engine whose model is soon ready."""
    return Engine(SETTINGS, COMPILED, RiverLearner(LearnerSettings(1, 1)), number)


@pytest.fixture(scope="module")
def events() -> Batch:
    batch = as_batch(random_history(5, size=170, days=60).arrivals)
    return batch.take(batch.order())


def replayed(events: Batch, count: int, path: Path) -> tuple[pl.DataFrame, list[Step]]:
    steps: list[Step] = []
    with FeatureFile(path) as file:
        engines = [taught(number) for number in range(count)]
        replay(events, engines, until=int(events.at[-1]) + 3 * DAY, on_steps=steps.extend, features=file)
    frame = pl.read_parquet(path)
    return frame.with_columns(pl.col("at").dt.timestamp("us")), steps


@pytest.mark.parametrize("count", [1, 3])
def test_an_explanation_agrees_with_replay_at_sweeps(events: Batch, count: int, tmp_path: Path) -> None:
    frame, steps = replayed(events, count, tmp_path / "features.parquet")
    assert frame["churn_probability"].drop_nulls().len() > 10
    whens = COMPILED.verdicts(frame).when
    open_causes = 0
    for place in range(3, len(frame), len(frame) // 6):
        row = frame.row(place, named=True)
        customer, at = row.pop("customer_id"), row.pop("at")
        told = explain_events(events, taught, count, customer, at=at)
        assert dict(told.snapshot.values) == row
        own = [s for s in steps if s.customer_id == customer and s.at <= at]
        # An event of a sweep's own instant comes after it, and is not seen yet.
        assert list(told.history) == [s for s in own if s.at < at] + [
            s for s in own if s.at == at and s in told.history
        ]
        views = {view.rule.id: view for view in told.rules}
        for number, rule in enumerate(COMPILED.rules):
            view = views[rule.id]
            assert view.when.verdict == VERDICTS[int(whens[number, place])]
            assert printed_again(view) == (view.when.verdict, view.clear.verdict)
            assert {each.feature for each in view.missing} == {n for n, v in view.values if v is None}
        causes = {cause.rule for cause in own[-1].causes} if own and told.warning else set()
        assert {view.rule.id for view in told.rules if view.is_open} == causes
        open_causes += len(causes)
    assert open_causes > 3


def printed_again(view: RuleView) -> tuple[str, str]:
    """Return what the rule says of the values that the explanation printed."""
    alone = compile_rules([view.rule], DTYPES)
    values = {name: value for name, value in view.values if name in alone.columns}
    frame = pl.DataFrame({n: [v] for n, v in values.items()}, schema={n: DTYPES[n] for n in values})
    verdicts = alone.verdicts(frame)
    return VERDICTS[int(verdicts.when[0, 0])], VERDICTS[int(verdicts.clear[0, 0])]


CLEARS = {
    "often": "orders_7d >= 4",
    "seen": "logins_30d >= 5 OR orders_7d >= 30",
    "large": "spend_7d > 300",
    "prompt": "overdue < 0.5",
    "safe": "churn_probability < 0.4",
}


def test_what_ends_a_cause_ends_it_when_it_comes(events: Batch) -> None:
    """The events that an explanation names are added to the history: `clear` is then true, one less: not."""
    events = events.take(slice(0, 130))
    at = int(events.at[-1]) + HOUR
    rules = [Rule(name, "tenure_days >= 0", Tier.LOW, "test", clear=clear) for name, clear in CLEARS.items()]
    compiled = compile_rules(rules, DTYPES)

    def engines(number: int) -> Engine:
        return Engine(SETTINGS, compiled, RiverLearner(LearnerSettings(1, 1)), number)

    tried: set[tuple[str, Topic, int]] = set()
    for customer in sorted(set(events.customer_id.tolist())):
        told = explain_events(events, engines, 1, customer, at=at)
        for rule, topic, count in endings_of(told):
            if (rule, topic, count) in tried or topic is Topic.COMPLAINTS:
                continue
            tried.add((rule, topic, count))
            for more in (count, count - 1):
                longer = Batch.concat([events, Batch.of([event_of(told, topic, i) for i in range(more)])])
                later = explain_events(longer, engines, 1, customer, at=at)
                clear = next(view.clear.verdict for view in later.rules if view.rule.id == rule)
                assert (clear == "true") == (more == count), (customer, rule, topic, more)
    assert {rule for rule, _, _ in tried} >= {"often", "seen", "large", "prompt"}
    assert {count for _, _, count in tried} >= {1, 2, 4}


def endings_of(told: Explanation) -> list[tuple[str, Topic, int]]:
    return [(v.rule.id, end.topic, end.count) for v in told.rules if v.is_open for end in v.endings
            if v.clear.verdict != "true"]  # fmt: skip


def event_of(told: Explanation, topic: Topic, number: int) -> dict[str, Any]:
    """Return one more event of a customer, an order of the mean amount so far."""
    orders, spend = told.snapshot.values["orders_total"], told.snapshot.values["spend_total"]
    assert isinstance(orders, int)
    assert isinstance(spend, float)
    amount = round(max(spend / orders, 0.0) * 1e6) if orders and topic is Topic.ORDERS else 0
    who = {"customer_id": told.customer_id, "at": told.snapshot.at, "event_id": f"more-{number}"}
    return who | {"topic": topic, "amount": amount}


def test_the_smallest_change_of_an_open_cause_clears_it(events: Batch) -> None:
    found = 0
    for customer in sorted(set(events.customer_id.tolist())):
        told = explain_events(events, taught, 1, customer)
        for view in told.rules:
            if view.changes:
                found += 1
                row: dict[str, Any] = dict(view.values) | {each.feature: each.to for each in view.changes}
                frame = pl.DataFrame({n: [v] for n, v in row.items()})
                verdicts = compile_rules([view.rule], DTYPES).verdicts(frame)
                assert (verdicts.clear if view.is_open else verdicts.when)[0, 0] == 1
    assert found > 10


# -- from a checkpoint ---------------------------------------------------------------------------------


def by_files(engines: Any) -> tuple[Any, Any]:
    """Return engines of a number and rules, and rules that do not come from the checkpoint."""
    return lambda number, rules: engines(number), lambda checkpoint: COMPILED


def saved(store: CheckpointStore, events: Batch, count: int, rules: RuleSet = COMPILED) -> None:
    """Save what workers would have saved after `events`, which they still hold back in part."""
    of = partitions(events.customer_id, count)
    heard = {Topic(code).label for code in events.topic.tolist()}
    stands = {label: TopicPosition(1, 1 if label in heard else None) for label in TOPICS}
    for number in range(count):
        engine = taught(number)
        engine.step(events.take(of == number))
        store.save(number, tables(engine), CheckpointManifest(stands, {}, rules.hash))


@pytest.fixture(scope="module")
def store(events: Batch, tmp_path_factory: pytest.TempPathFactory) -> CheckpointStore:
    store = CheckpointStore(str(tmp_path_factory.mktemp("states")), "lapwing")
    saved(store, events, 2)
    return store


@pytest.mark.parametrize("later", [0, 3 * DAY + HOUR])
def test_a_checkpoint_explains_as_the_events_do(store: CheckpointStore, events: Batch, later: int) -> None:
    of = partitions(events.customer_id, 2)
    for customer in sorted(set(events.customer_id.tolist()))[:3]:
        number = int(of[events.customer_id == customer][0])
        at = int(events.at[of == number][-1]) + later if later else None
        one = explain_events(events, taught, 2, customer, at=at)
        other = explain_checkpoint(store, *by_files(taught), customer, TOPICS, at=at)
        assert other.snapshot == one.snapshot
        assert repr(other.rules) == repr(one.rules)  # a distance may be NaN
        assert other.warning == one.warning
        assert other.source == f"checkpoint 1 of partition {number}"
        assert [s for s in one.history if s.at > other.history_from] == [  # type: ignore[operator]
            s
            for s in other.history
            if s.at > other.history_from  # type: ignore[operator]
        ]


def test_a_checkpoint_does_not_know_what_was_before_it(store: CheckpointStore, events: Batch) -> None:
    customer = str(events.customer_id[0])
    with pytest.raises(ExplanationError, match=r"lies before what the checkpoint stands for, .* event files"):
        explain_checkpoint(store, *by_files(taught), customer, TOPICS, at=int(events.at[0]))
    with pytest.raises(ExplanationError, match="customer 'nobody' is unknown"):
        explain_checkpoint(store, *by_files(taught), "nobody", TOPICS)
    with pytest.raises(StateError, match=r"no checkpoint of partition \d+ can be read"):
        explain_checkpoint(store, *by_files(taught), "nobody", TOPICS, count=999)


def test_the_checkpoint_of_the_customer_is_found_however_many_partitions_there_are(tmp_path: Path) -> None:
    """The store shows two partitions of three: the customer's may not be the one that two would give."""
    store = CheckpointStore(str(tmp_path), "lapwing")
    names = [f"k{i}" for i in range(12)]
    events = Batch.of([{"topic": Topic.LOGINS, "at": BEGIN, "customer_id": n, "event_id": n} for n in names])
    of = partitions(events.customer_id, 3)
    assert any(of != partitions(events.customer_id, 2))
    for number in (0, 1):
        engine = taught(number)
        engine.step(events.take(of == number))
        store.save(number, tables(engine), CheckpointManifest({}, {}, COMPILED.hash))
    for name, number in zip(names, of.tolist(), strict=True):
        if number < 2:
            told = explain_checkpoint(store, *by_files(taught), name, TOPICS)
            assert told.source == f"checkpoint 1 of partition {number}"


def test_a_damaged_checkpoint_is_passed_over(events: Batch, tmp_path: Path) -> None:
    store = CheckpointStore(str(tmp_path), "lapwing")
    saved(store, events, 1)
    saved(store, events, 1)
    (newest,) = (tmp_path / "lapwing" / "00000").glob("0000000002-*")
    (newest / "customers.parquet").write_bytes(b"")
    told = explain_checkpoint(store, *by_files(taught), str(events.customer_id[0]), TOPICS)
    assert told.source == "checkpoint 1 of partition 0"


def test_where_no_checkpoint_is_there_is_nothing_to_read(tmp_path: Path, events: Batch) -> None:
    empty = CheckpointStore(str(tmp_path), "lapwing")
    with pytest.raises(StateError, match="there are no checkpoints"):
        explain_checkpoint(empty, *by_files(taught), "ann", TOPICS)
    saved(empty, events, 1)

    def berlin(number: int) -> Engine:
        return Engine(EngineSettings(time_zone="Europe/Berlin"), COMPILED, None, number)

    with pytest.raises(StateError, match="time_zone is 'UTC', not 'Europe/Berlin'"):
        explain_checkpoint(empty, *by_files(berlin), str(events.customer_id[0]), TOPICS)


@pytest.mark.parametrize("orders", [True, False])
def test_what_a_mapped_topic_has_brought_is_known(events: Batch, tmp_path: Path, orders: bool) -> None:
    """A topic of others that brings orders and logins: of either a customer may be the first to have one."""
    text = "version: 1\nsources:\n  web:\n    topic: shop.web\n    events:\n"
    for name, more in (("orders", "order_id: id, amount: sum, currency: cur"), ("logins", "channel: way")):
        text += (
            f"      - {{to: {name}, fields: {{event_id: id, customer_id: who, occurred_at: at, {more}}}}}\n"
        )
    assert parse_inputs("inputs.yaml", text.encode()).by_topic["shop.web"].topics == (
        Topic.ORDERS,
        Topic.LOGINS,
    )
    brought = events.take(np.isin(events.topic, [Topic.LOGINS, *([Topic.ORDERS] if orders else [])]))
    engine = taught(0)
    engine.step(brought)
    store = CheckpointStore(str(tmp_path), "lapwing")
    positions = {
        "shop.web": TopicPosition(len(brought), int(brought.at[-1])),
        "complaints": TopicPosition(0, None),
    }
    kept = CheckpointedInputs("0123", text)
    store.save(0, tables(engine), CheckpointManifest(positions, {}, COMPILED.hash, inputs=kept))
    told = explain_checkpoint(store, *by_files(taught), str(brought.customer_id[0]), TOPICS)
    assert told.topics_seen == {Topic.LOGINS, *([Topic.ORDERS] if orders else [])}
