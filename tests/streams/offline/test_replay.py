from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.events.batch import ActionRecord, Batch
from streams.core.events.calendar import DAY
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.features.catalogue import CATALOGUE
from streams.core.outcomes.outcome import CensusEvent, CensusSummary, Outcome
from streams.core.steps import Step, StepKind
from streams.offline.replay import FeatureFile, Replayed, replay
from tests.oracle.drive import compiled, engine_settings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.oracle.test_engine_against_twin import PLAIN

COMPILED = compiled(RULES)


def engines(count: int) -> list[Engine]:
    return [Engine(engine_settings(PLAIN), COMPILED, None, number) for number in range(count)]


@pytest.fixture(scope="module")
def events() -> Batch:
    batch = as_batch(random_history(2, size=200, days=60).arrivals)
    return batch.take(batch.order())


def run(
    events: Batch, count: int, until: int | None = None, features: FeatureFile | None = None
) -> tuple[list[Step], Replayed]:
    steps: list[Step] = []
    result = replay(events, engines(count), until=until, on_steps=steps.extend, features=features)
    return steps, result


def test_steps_come_in_order_of_time_and_customer_first(events: Batch) -> None:
    steps, result = run(events, 1)
    assert [s.at for s in steps] == sorted(s.at for s in steps)
    assert result.steps == len(steps) > 20
    assert result.counts.events + result.counts.repeats == len(events)
    assert result.customers == len(set(events.customer_id.tolist()))


def test_partitions_change_nothing_where_nothing_is_counted_by_partition(events: Batch) -> None:
    until = int(events.at[-1])
    assert run(events, 5, until)[0] == run(events, 1, until)[0]


def test_outcomes_do_not_depend_on_partitions(events: Batch) -> None:
    until, found = int(events.at[-1]) + 40 * DAY, list[list[Outcome]]()
    settings = replace(engine_settings(PLAIN), horizon_us=20 * DAY, outcomes=True)
    active = []
    for count in (1, 4):
        outcomes, census = list[Outcome](), list[CensusEvent]()
        begun = [Engine(settings, COMPILED, None, number) for number in range(count)]
        replay(
            events,
            begun,
            until=until,
            on_steps=lambda steps: None,
            on_outcomes=outcomes.extend,
            on_census=census.extend,
        )
        found.append(outcomes)
        summaries = [event for event in census if isinstance(event, CensusSummary)]
        last = max(event.at for event in summaries)
        active.append(sum(event.customers for event in summaries if event.at == last))
    assert found[0] == found[1]
    assert len(found[0]) > 20
    assert active == [3, 3]


def test_each_of_several_partitions_ends_with_its_own_last_event(events: Batch) -> None:
    of = partitions(events.customer_id, 3)
    alone = []
    for number in range(3):
        part = events.take(of == number)
        if len(part):
            alone += run(part, 1)[0]

    def by_customer(steps: list[Step]) -> list[Step]:
        return sorted(steps, key=lambda s: (s.customer_id, s.at))

    assert by_customer(run(events, 3)[0]) == by_customer(alone)


def acknowledged(events: Batch, years: int = 0) -> Batch:
    """Return events with an action on every second warning, a day later and more."""
    acts = [
        {
            "topic": Topic.ACTIONS,
            "at": step.at + (1 + number % 7) * DAY + years * 365 * DAY,
            "customer_id": step.customer_id,
            "event_id": f"act-{number}",
            "record": ActionRecord(step.warning_id, ("acknowledge", "snooze", "expire")[number % 3]),
        }
        for number, step in enumerate(run(events, 1)[0])
        if number % 2
    ]
    both = Batch.concat([events, Batch.of(acts)])
    return both.take(both.order())


def test_actions_take_effect_as_in_a_worker_that_reads_each_partition_by_itself(events: Batch) -> None:
    acting = acknowledged(events)
    of = partitions(acting.customer_id, 3)
    expected: list[Step] = []
    for number, engine in enumerate(engines(3)):
        part = acting.take(of == number)
        for begin in range(0, len(part), 7):
            expected += engine.step(part.take(slice(begin, begin + 7))).steps
        expected += engine.flush(idle=False).steps
        # A worker's engine goes no further than this; a replay judges what is due at that instant, too.
        expected += engine.advance(engine.reorder.newest).steps
    found = run(acting, 3)[0]
    assert {step.kind for step in found} >= {StepKind.ACKNOWLEDGED, StepKind.SNOOZED, StepKind.EXPIRED}
    assert sorted(found, key=lambda s: (s.customer_id, s.at, s.number)) == sorted(
        expected, key=lambda s: (s.customer_id, s.at, s.number)
    )


def test_an_action_years_after_the_events_changes_nothing(events: Batch) -> None:
    steps, done = run(events, 2)
    late_steps, late = run(acknowledged(events, years=3), 2)
    assert late_steps == steps
    assert (late.sweeps, late.counts) == (done.sweeps, done.counts)


def test_until_cuts_events_after_it_and_adds_sweeps_up_to_it(events: Batch) -> None:
    middle = int(events.at[100])
    kept = events.take(events.at <= middle)
    assert run(events, 1, middle)[0] == run(kept, 1)[0]
    whole = run(events, 1)[1].sweeps
    assert run(events, 1, int(events.at[-1]) + 10 * DAY)[1].sweeps == whole + 10


def test_the_feature_file_has_every_customer_at_every_sweep(events: Batch, tmp_path: Path) -> None:
    for count in (1, 4):
        with FeatureFile(tmp_path / f"{count}.parquet") as file:
            result = run(events, count, int(events.at[-1]), file)[1]
        frame = pl.read_parquet(tmp_path / f"{count}.parquet")
        assert frame.columns == ["customer_id", "at", *CATALOGUE]
        assert frame["at"].dtype == pl.Datetime("us", "UTC")
        assert frame["at"].n_unique() == result.sweeps
        assert frame["at"].is_sorted()
        assert not frame.select("customer_id", "at").is_duplicated().any()
    one, four = (pl.read_parquet(tmp_path / f"{n}.parquet").sort("at", "customer_id") for n in (1, 4))
    # Whoever is anyone in a partition differs with their number.
    of_anyone = [name for name in CATALOGUE if name.startswith("days_since_any_")]
    assert one.drop(of_anyone).equals(four.drop(of_anyone))


def test_no_events_give_nothing() -> None:
    steps, result = run(Batch.empty(), 2)
    assert steps == []
    assert result.sweeps == 0
    assert result.notices == []
