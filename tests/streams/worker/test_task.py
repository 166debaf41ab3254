"""A partition's task: which steps it still leaves out because the warnings topic has them."""

from __future__ import annotations

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Tier
from streams.intake.partition import BatchingPolicy, Partition, PartitionTotals
from streams.intake.sent_steps import SentSteps
from streams.worker.task import PartitionTask

HOUR = DAY // 24
RULE = Rule("silent", "days_since_order >= 1", Tier.LOW, "test")


def engine() -> Engine:
    return Engine(EngineSettings(reorder_us=HOUR), compile_rules([RULE], DTYPES))


def orders(*times: int) -> Batch:
    rows = [{"topic": Topic.ORDERS, "customer_id": f"c{at}", "at": at, "event_id": f"e{at}"} for at in times]
    return Batch.of(rows)


def task_of(engine: Engine, sent: SentSteps) -> PartitionTask:
    partition = Partition(
        0,
        {"orders": Topic.ORDERS},
        engine,
        max_skew_us=0,
        pace=BatchingPolicy(reorder_us=HOUR),
        totals=PartitionTotals(),
    )
    return PartitionTask(partition, sent_steps=sent)


def test_steps_of_a_sweep_that_the_watermark_has_passed_are_not_sent_again() -> None:
    """An event waits and the sweeps before it with it, whatever else comes out first."""
    first = engine()
    first.step(orders(10 * DAY + 12 * HOUR, 12 * DAY + 15 * HOUR))
    state = tables(first)
    steps = first.flush().steps
    assert steps
    second = engine()
    restore(second, state)
    sent = SentSteps(frozenset(step.id for step in steps), max(step.at for step in steps))
    assert second.reorder.watermark > sent.until
    task = task_of(second, sent)
    assert task.repeats_sent_steps
    task.drop_sent(Output())
    flushed = second.flush()
    assert [step.id for step in flushed.steps] == [step.id for step in steps]
    assert task.drop_sent(flushed).steps == []
    assert not task.repeats_sent_steps


def test_what_comes_after_the_steps_that_were_sent_is_sent() -> None:
    first = engine()
    first.step(orders(10 * DAY))
    sent = SentSteps(frozenset({"other"}), 10 * DAY)
    task = task_of(first, sent)
    output = first.step(orders(13 * DAY, 14 * DAY))
    assert output.steps
    assert task.drop_sent(output) == output
    assert task.sent_since is None
