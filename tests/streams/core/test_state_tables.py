import itertools
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY, NEVER
from streams.core.features.customers import UNANSWERED
from streams.core.state_tables import StateMismatch, restore, tables, take
from streams.learning.learner import LearnerSettings, RiverLearner
from tests.oracle.drive import compiled, engine_settings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.oracle.test_engine_against_twin import PLAIN, QUIET

COMPILED = compiled(RULES)


def new_engine(zone: str = "Europe/Berlin", *, quiet: bool = False) -> Engine:
    settings = engine_settings(QUIET if quiet else PLAIN)
    settings = replace(settings, time_zone=zone, horizon_us=20 * DAY, decide_every=2)
    return Engine(settings, COMPILED, RiverLearner(LearnerSettings(2, 2)))


def outputs(parts: list[Output]) -> tuple[list[bytes], list[object]]:
    """What was put out, steps as they are sent: dicts in different orders are equal, but not on the wire."""
    return [encode_step(s, "app") for o in parts for s in o.steps], [n for o in parts for n in o.control]


@pytest.mark.parametrize("seed", range(8))
def test_an_engine_restored_at_any_cut_goes_on_as_if_nothing_had_happened(seed: int) -> None:
    history = random_history(seed, late=seed % 2 == 1, size=120, days=120)
    zone, batch = history.zone.key, as_batch(history.arrivals)
    whole = new_engine(zone, quiet=seed % 3 == 0)
    cuts = [0, 1, 20, 75, len(batch)]
    parts = [batch.take(slice(b, e)) for b, e in itertools.pairwise(cuts)]
    until = int(batch.at.max()) + 40 * DAY
    expected = outputs([whole.step(part) for part in parts] + [whole.flush(), whole.advance(until)])

    found = []
    engine = new_engine(zone, quiet=seed % 3 == 0)
    for part in parts:
        found.append(engine.step(part))
        saved = tables(engine)
        engine = new_engine(zone, quiet=seed % 3 == 0)
        restore(engine, saved)
        again = tables(engine)
        assert all(again[name].equals(frame) for name, frame in saved.items()), seed
    found += [engine.flush(), engine.advance(until)]
    assert outputs(found) == expected
    assert len(expected[0]) > 20


@pytest.mark.parametrize("seed", range(3))
def test_an_engine_restored_before_event_time_begins_refuses_the_same(seed: int) -> None:
    history = random_history(seed, size=40, days=40)
    rows = as_batch(history.arrivals)
    unset = rows.take(np.zeros(1, dtype=np.int64))
    for batch in (Batch.concat([replace(unset, at=np.array([DAY])), rows]), rows):
        settings = replace(engine_settings(PLAIN), time_zone=history.zone.key, beginning=20)
        whole, engine = Engine(settings, COMPILED), Engine(settings, COMPILED)
        until = int(batch.at.max()) + 5 * DAY
        expected = [whole.step(batch), whole.flush(), whole.advance(until)]
        found = []
        for row in range(len(batch)):
            found.append(engine.step(batch.take(slice(row, row + 1))))
            saved, engine = tables(engine), Engine(settings, COMPILED)
            restore(engine, saved)
        found += [engine.flush(), engine.advance(until)]
        assert outputs(found) == outputs(expected)
        refused = [[event for output in each for event in output.refused] for each in (found, expected)]
        assert refused[0] == refused[1]
        early = [event.at for event in refused[0] if event.reason == "past_time"]
        assert early == [DAY] * (len(batch) - len(rows))
        # Without it, and after it, all is as if it had never come.
        plain = Engine(replace(settings, beginning=0), COMPILED)
        assert outputs([plain.step(rows), plain.flush(), plain.advance(until)]) == outputs(expected)


def test_a_state_from_before_beginnings_were_waited_for_has_begun() -> None:
    history = random_history(2, size=40, days=40)
    settings = replace(engine_settings(PLAIN), time_zone=history.zone.key)
    engine = Engine(settings, COMPILED)
    engine.step(as_batch(history.arrivals))
    saved = tables(engine)
    once = json.loads(saved["engine"]["json"][0])
    del once["begun"]
    old = saved | {"engine": pl.DataFrame({"json": [json.dumps(once)]})}
    now = Engine(replace(settings, beginning=20), COMPILED)
    restore(now, old)
    assert now.reorder.begun
    assert outputs([now.flush()]) == outputs([engine.flush()])


def test_what_was_taken_does_not_change_when_the_engine_goes_on() -> None:
    batch = as_batch(random_history(3, late=True, size=120, days=120).arrivals)
    engine = new_engine()
    for begin in range(0, len(batch), 20):
        made, expected = take(engine), tables(engine)
        engine.step(batch.take(slice(begin, begin + 20)))
        assert all(made()[name].equals(frame) for name, frame in expected.items())


def test_tables_are_plain_columns_that_other_tools_open() -> None:
    engine = new_engine()
    engine.step(as_batch(random_history(1).arrivals))
    for frame in tables(engine).values():
        assert not any(dtype.is_nested() or dtype == pl.Object for dtype in frame.dtypes)


def test_the_state_of_another_partition_is_refused() -> None:
    engine = new_engine()
    saved = tables(engine)
    with pytest.raises(StateMismatch, match="partition is 0, not 3"):
        restore(Engine(engine.settings, COMPILED, None, 3), saved)


def test_a_state_from_before_complaints_were_followed_is_read_all_the_same() -> None:
    history = random_history(2, size=120, days=120)
    engine = new_engine(history.zone.key)
    engine.step(as_batch(history.arrivals))
    saved = tables(engine)
    old = saved | {"customers": saved["customers"].drop(*UNANSWERED)}
    begun = new_engine(history.zone.key)
    restore(begun, old)
    now = tables(begun)["customers"]
    for name, answer in UNANSWERED.items():
        is_waiting = saved["customers"]["last_complaint"] > saved["customers"][answer]
        assert is_waiting.any()
        assert (now[name] != NEVER).equals(is_waiting.alias(name))
        assert (saved["customers"][name] != NEVER).equals(is_waiting.alias(name))
        assert now.filter(is_waiting)[name].equals(now.filter(is_waiting)["last_complaint"].alias(name))
