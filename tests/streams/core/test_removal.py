"""The erasure of a customer against the twin, and the state that it leaves, table by table."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.erasures import Erasure, ErasureKey
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.removal import OF_NOBODY, ROW_FOR_EACH, erase
from streams.core.state_tables import StateMismatch, Tables, restore, tables
from streams.learning.learner import LearnerSettings, RiverLearner
from tests.oracle.compare import compare_features, compare_steps, report
from tests.oracle.days import DAY, HOUR
from tests.oracle.drive import KEY, compiled, drive, engine_settings, erased
from tests.oracle.engine import OracleEngine, TwinErasure
from tests.oracle.histories import CUSTOMERS, History, as_batch, cut, random_history
from tests.oracle.outcomes import OutcomeTwin, TwinTerms
from tests.oracle.sample_rules import GROUPS, RULES
from tests.oracle.test_engine_against_twin import PLAIN, QUIET
from tests.streams.core.outcomes.driven import (
    drive_outcomes,
    plain_census,
    plain_days,
    plain_outcome,
    with_words,
)
from tests.streams.core.outcomes.test_outcomes import differences

GONE: Final = CUSTOMERS[2]


def newest(history: History, after: int) -> int:
    return max(event.at for event in history.arrivals[:after])


def erasure(history: History, after: int, customer: str = GONE) -> tuple[TwinErasure, Erasure]:
    """Return the erasure of a customer after so many arrivals, dated a little after what has come."""
    at = newest(history, after) + HOUR
    return TwinErasure(customer, at, after), Erasure(KEY.hash(customer), at)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("seed", range(6))  # each cut with late events and without
def test_an_erasure_is_that_of_the_twin(seed: int, restarts: bool) -> None:
    history = random_history(seed, size=160, late=seed % 2 == 1)
    options = replace(QUIET if seed % 3 == 2 else PLAIN, zone=history.zone)
    rules, size = GROUPS[seed % len(GROUPS)], (1, 5, 9)[seed % 3]
    numbers = (7 * 9 // size, 12 * 9 // size)  # the same customer twice: they came back in between
    twins, own = {}, {}
    for number in numbers:
        twins[number], own[number] = erasure(history, number * size)
    run = OracleEngine(options, rules).run(history.arrivals, None, list(twins.values()))
    driven = drive(options, compiled(rules), cut(history.arrivals, [size]), restarts=restarts, erasures=own)
    assert driven.erased == run.erased
    # What is withdrawn is dated by the clock, which may be ahead of the sweep that comes next.
    steps = sorted(driven.steps, key=lambda step: step.at)
    counts = (driven.events, driven.late, driven.repeats)
    lines = [] if counts == (run.events, run.late, run.repeats) else [f"{counts} {run.events} {run.late}"]
    lines += compare_features(driven.sweeps, run.sweeps)
    lines += compare_steps(steps, sorted(run.steps, key=lambda made: made.step.at))
    assert not lines, report(lines, history.arrivals)


def test_the_twin_withdraws_and_sees_customers_come_back() -> None:
    withdrawn = returned = 0
    for seed in range(8):
        if withdrawn >= 3 and returned >= 3:
            break
        history = random_history(seed, size=160)
        twin, own = erasure(history, 60)
        options = replace(PLAIN, zone=history.zone)
        run = OracleEngine(options, RULES).run(history.arrivals, None, [twin])
        steps = [made.step for made in run.steps if made.customer_id == GONE]
        before = [step for step in steps if step.at <= twin.erased_at]
        withdrawn += bool(before) and before[-1].kind == "withdrawn"
        returned += any(step.at > twin.erased_at for step in steps)
        driven = drive(options, compiled(RULES), cut(history.arrivals, [60]), erasures={1: own})
        assert len(driven.steps) == len(run.steps)
    assert withdrawn >= 3
    assert returned >= 3


@pytest.mark.parametrize("seed", range(6))
def test_outcomes_and_census_after_an_erasure_are_those_of_the_twin(seed: int) -> None:
    topics = (Topic.ORDERS, Topic.ORDERS, Topic.LOGINS, Topic.CLOSURES, Topic.ACTIONS, Topic.PROFILES)
    history = with_words(random_history(seed, size=220, days=150, late=seed % 2 == 1, topics=topics))
    options = replace(PLAIN, zone=history.zone)
    terms = TwinTerms(history.zone, 20 * DAY, 15 * DAY)
    until = max(event.at for event in history.arrivals) + 100 * DAY
    after = (100, 140, 60)[seed % 3]
    twin, own = erasure(history, after)
    run = OracleEngine(options, RULES).run(history.arrivals, until, [twin])
    expected = OutcomeTwin(terms).run(run.timeline)
    outcomes, census, days = drive_outcomes(
        options, terms, compiled(RULES), cut(history.arrivals, [after]), until, erasures={1: own}
    )
    lines = differences([plain_outcome(o) for o in outcomes], expected.outcomes)
    lines += differences([plain_census(c) for c in census], expected.census)
    lines += differences([plain_days(d) for d in days], expected.days)
    assert not lines, "\n".join(lines[:12])
    assert any(made.customer_id == GONE for made in outcomes if made.at < twin.erased_at)


def rich_engine(history: History) -> Engine:
    """Return an engine that keeps every table there is."""
    settings = replace(
        engine_settings(PLAIN),
        time_zone=history.zone.key,
        horizon_us=20 * DAY,
        decide_every=2,
        outcomes=True,
        customer_days=True,
        segments=True,
        score_step=0.01,
    )
    return Engine(settings, compiled(RULES), RiverLearner(LearnerSettings(2, 2)))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_of_the_customer_is_left_in_any_table(seed: int) -> None:
    history = with_words(random_history(seed, size=200, days=150, late=seed % 2 == 1))
    engine = rich_engine(history)
    after = 150
    waiting = replace(history.arrivals[after - 1], customer_id=GONE, event_id="waits", complaint_id="own")
    engine.step(as_batch((*history.arrivals[:after], waiting)))
    before = tables(engine)
    assert GONE in text_of(before)
    assert set(before) == {*ROW_FOR_EACH, *OF_NOBODY, "held"} | {
        name for name, frame in before.items() if "customer" in frame.columns or not frame.columns
    }
    row = before["customers"]["customer_id"].to_list().index(GONE)
    owned = {name for name, frame in before.items() if row in rows_of(frame)}
    assert len(owned) > 8
    engine, _ = erased(engine, Erasure(KEY.hash(GONE), newest(history, after)))
    left = tables(engine)
    assert GONE not in text_of(left)
    for name, frame in before.items():
        if name in ROW_FOR_EACH:
            assert len(left[name]) == len(frame) - 1
        elif "customer" in frame.columns:
            assert len(left[name]) == len(frame) - rows_of(frame).count(row), name
        elif name == "held":
            assert GONE not in left[name]["customer_id"]
    assert once(left)["count"] == once(before)["count"] - 1
    # What is left can be gone on from, and changes nothing more.
    again = rich_engine(history)
    restore(again, left)
    kept = tables(again)
    assert all(kept[name].equals(frame) for name, frame in left.items())
    assert erase(again)[0] is again


def text_of(state: Tables) -> str:
    return "\n".join(frame.write_json() for frame in state.values())


def rows_of(frame: pl.DataFrame) -> list[int]:
    return frame["customer"].to_list() if "customer" in frame.columns else []


def once(state: Tables) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(state["engine"]["json"][0])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_state_that_knows_of_the_erasure_from_the_start_comes_to_the_same(seed: int) -> None:
    """Events of the erased customer move the clock as they did, and count for nothing."""
    history = with_words(random_history(seed, size=200, days=150, late=seed % 2 == 1))
    first = replace(history.arrivals[0], customer_id=CUSTOMERS[0])
    # Nobody else comes to be known by a word that only the erased customer had.
    arrivals = [first, *(e for e in history.arrivals[1:] if e.topic is not Topic.PROFILES)]
    after, until = 120, max(event.at for event in arrivals) + 60 * DAY
    request = Erasure(KEY.hash(GONE), max(event.at for event in arrivals[:after]))
    parts = as_batch(arrivals[:after]), as_batch(arrivals[after:])

    def others(outputs: list[Output]) -> list[list[object]]:
        return [
            [step for output in outputs for step in output.steps if step.customer_id != GONE],
            [made for output in outputs for made in output.outcomes if made.customer_id != GONE],
            [made for output in outputs for made in output.customer_days if made.customer_id != GONE],
        ]

    late, early = plain_engine(history), plain_engine(history)
    early.erased.adopt([request])
    early, _ = erase(early)
    late_outputs, early_outputs = [late.step(parts[0])], [early.step(parts[0])]
    late, output = erased(late, request)
    late_outputs.append(output)
    for engine, outputs in ((late, late_outputs), (early, early_outputs)):
        outputs += [engine.step(parts[1]), engine.flush(), engine.advance(until)]
    assert others(late_outputs) == others(early_outputs)
    assert others(late_outputs)[0]
    mine, theirs = tables(late), tables(early)
    for name in mine.keys() - {"engine", "erasures", "repeats", "censuses", "census_names"}:
        if name.startswith("census") or name == "scores":
            continue  # of censuses before the erasure, whose cells have other numbers
        assert mine[name].equals(theirs[name]), name


def plain_engine(history: History) -> Engine:
    settings = replace(
        engine_settings(PLAIN), time_zone=history.zone.key, horizon_us=20 * DAY, outcomes=True,
        customer_days=True,
    )  # fmt: skip
    return Engine(settings, compiled(RULES))


def test_what_was_expected_of_the_erased_is_not_expected_any_more() -> None:
    history = with_words(random_history(3, size=400, days=200))
    half = len(history.arrivals) // 2
    engine = rich_engine(history)
    engine.step(as_batch(history.arrivals[:half]))
    state = tables(engine)
    # Scores as a model gives them; each family counts all members of its cells.
    members = state["census_members"].with_columns(probability=pl.lit(0.25, pl.Float32))
    rows = []
    for at, own in members.group_by("at", maintain_order=True):
        cells = state["census_cells"].filter(pl.col("at") == at[0])
        for family, name in enumerate(("profile", "cohort", "channel")):
            numbers = cells[name].to_numpy()[own["combination"].to_numpy()]
            for number, count in zip(*np.unique(numbers, return_counts=True), strict=True):
                rows.append((at[0], float(family), float(number), float(count), 0.25 * count))
    schema = ["at", "family", "cell", "scored", "expected"]
    expected = pl.DataFrame(rows, schema=schema, orient="row")
    state |= {
        "census_members": members,
        "census_expected": expected,
        "censuses": state["censuses"].with_columns(scored=pl.lit(value=True)),
    }
    scored = rich_engine(history)
    restore(scored, state)
    row = members["customer"][0]
    of_gone = len(members.filter(pl.col("customer") == row))
    gone = Erasure(KEY.hash(scored.customers.ids[row]), newest(history, half))
    scored, _ = erased(scored, gone)
    left = tables(scored)["census_expected"]
    for name, each in (("scored", 1.0), ("expected", 0.25)):
        less = sum(expected[name].to_list()) - sum(left[name].to_list())
        assert less == pytest.approx(3 * of_gone * each)
    for census in scored.outcomes.census.members:
        assert census.expected is not None
        sizes = [np.bincount(census.of_family(int(f)))[int(c)] for f, c, *_ in census.expected.tolist()]
        assert [row[2] for row in census.expected.tolist()] == sizes


@pytest.mark.parametrize("damage", ["no key", "another key"])
def test_a_state_with_erasures_needs_their_key(damage: str) -> None:
    history = random_history(1)
    engine = rich_engine(history)
    engine.step(as_batch(history.arrivals))
    engine, _ = erased(engine, Erasure(KEY.hash(GONE), newest(history, 50)))
    key = None if damage == "no key" else ErasureKey(b"another")
    other = Engine(replace(engine.settings, erasure_key=key), engine.rules, None)
    with pytest.raises(StateMismatch, match="erasure_key"):
        restore(other, tables(engine))


def test_a_state_of_before_anybody_could_be_erased_has_no_erasures() -> None:
    history = random_history(1)
    engine = rich_engine(history)
    engine.step(as_batch(history.arrivals))
    old = {n: frame for n, frame in tables(engine).items() if n not in ("erasures", "returned")}
    data = once(old)
    del data["erasure_key"]
    old["engine"] = pl.DataFrame({"json": [json.dumps(data)]})
    again = rich_engine(history)
    restore(again, old)
    assert not again.erased.all
    assert Batch.concat([again.reorder.waiting[0]]).at.tolist() == engine.reorder.waiting[0].at.tolist()
