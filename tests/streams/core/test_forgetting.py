"""Customers who are forgotten, against the twin: however records are cut, and whenever states are saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.erasures import Erasure
from streams.core.events.batch import MILLION, ActionRecord, Batch, LabelsRecord, ProfileRecord
from streams.core.events.calendar import DAY, SECOND
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from streams.core.steps import StepKind
from tests.oracle.compare import compare_features, compare_steps, report
from tests.oracle.conditions import OracleRule
from tests.oracle.drive import KEY, compiled, drive, erased
from tests.oracle.engine import OracleEngine, OracleSettings, TwinForgotten
from tests.oracle.histories import History, cut, random_history
from tests.oracle.life import Terms
from tests.oracle.outcomes import OutcomeTwin, TwinTerms
from tests.oracle.sample_rules import ABSENT, GROUPS, RULES
from tests.streams.core.outcomes.driven import (
    drive_outcomes,
    plain_census,
    plain_days,
    plain_outcome,
    with_words,
)
from tests.streams.core.outcomes.test_outcomes import differences

FORGETFUL: Final = OracleSettings(horizon_us=20 * DAY, forget_after_us=60 * DAY)
QUIET: Final = replace(FORGETFUL, quiet_after_us={Topic.ORDERS: 20 * DAY, Topic.LOGINS: 10 * DAY})


def sparse(seed: int, *, late: bool = False) -> History:
    """Return a history with long silences."""
    return with_words(random_history(seed, size=60, days=450, late=late))


def without_silence(rows: dict[str, Any]) -> dict[str, Any]:
    # The twin counts it in horizons of 90 days.
    return {name: value for name, value in rows.items() if name != "silence"}


@pytest.mark.parametrize("seed", range(8))
def test_steps_and_features_are_those_of_the_twin(seed: int) -> None:
    restarts = seed in (1, 2, 4, 5)
    history = sparse(seed, late=seed % 2 == 1)
    options = replace(QUIET if seed % 3 == 2 else FORGETFUL, zone=history.zone)
    options = replace(options, sweep_every_us=DAY // 2 if seed == 6 else DAY)
    group = (*GROUPS, ABSENT)[seed % (len(GROUPS) + 1)]
    until = max(event.at for event in history.arrivals) + 100 * DAY
    run = OracleEngine(options, group).run(history.arrivals, until)
    size = (1, 4, 30, 1000)[seed % 4]
    driven = drive(options, compiled(group), cut(history.arrivals, [size]), until, restarts=restarts)
    counts = (driven.events, driven.late, driven.repeats, driven.forgotten)
    expected = (run.events, run.late, run.repeats, run.forgotten)
    lines = [] if counts == expected else [f"engine {counts}, twin {expected}"]
    sweeps = [(at, frame.drop("silence")) for at, frame in driven.sweeps]
    found = compare_features(sweeps, {key: without_silence(row) for key, row in run.sweeps.items()})
    lines += [line for line in found if line != "no column silence"]
    lines += compare_steps(driven.steps, run.steps)
    assert not lines, report(lines, history.arrivals)
    assert run.forgotten > (0 if options.quiet_after_us else 2)


def test_the_twin_withdraws_and_sees_customers_come_back() -> None:
    withdrawn = returned = 0
    for seed in range(8):
        history = sparse(seed)
        options = replace(FORGETFUL, zone=history.zone)
        run = OracleEngine(options, ABSENT).run(history.arrivals)
        gone: set[str] = set()
        for before, moment in zip(run.timeline, run.timeline[1:], strict=False):
            if isinstance(moment, TwinForgotten):
                gone.add(moment.customer_id)
                withdrawn += getattr(getattr(before, "step", None), "kind", None) == "withdrawn"
            elif getattr(moment, "customer_id", None) in gone:
                gone.discard(str(getattr(moment, "customer_id", None)))
                returned += 1
    assert withdrawn >= 3
    assert returned >= 10


def test_who_does_not_want_to_be_contacted_is_not_forgotten() -> None:
    engine = Engine(EngineSettings(horizon_us=20 * DAY, forget_after_us=60 * DAY, reorder_us=0), compiled(()))
    rows = [
        {"topic": Topic.PROFILES, "at": n, "customer_id": name, "event_id": name}
        | {"record": ProfileRecord(do_not_contact=silent)}
        for n, (name, silent) in enumerate((("a", False), ("b", True), ("c", False)))
    ]
    engine.step(Batch.of(rows))
    engine.flush()
    engine.advance(60 * DAY)
    assert engine.customers.ids == ["a", "b", "c"]
    assert engine.advance(61 * DAY).counts.forgotten == 2
    assert engine.customers.ids == ["b"]


def test_an_erased_customer_who_is_forgotten_stays_erased() -> None:
    settings = EngineSettings(horizon_us=20 * DAY, forget_after_us=60 * DAY, reorder_us=0, erasure_key=KEY)
    engine = Engine(settings, compiled(()))

    def login(day: int, event_id: str, customer: str = "a") -> Output:
        row = {"topic": Topic.LOGINS, "at": day * DAY, "customer_id": customer, "event_id": event_id}
        output = engine.step(Batch.of([row]))
        output.counts.add(engine.flush().counts)
        return output

    login(1, "first")
    engine, _ = erased(engine, Erasure(KEY.hash("a"), 10 * DAY))
    login(20, "back")
    for day in range(21, 100, 10):
        login(day, f"other {day}", "b")
    assert engine.customers.ids == ["b"]
    assert engine.erased.state()[1] == []
    assert login(5, "late, of before the erasure").counts.erased == 1
    assert login(30, "late, of after it").counts.events == 1
    assert engine.customers.ids == ["b", "a"]
    assert login(6, "late again").counts.erased == 1


@pytest.mark.parametrize("seed", range(8))
def test_outcomes_and_census_are_those_of_the_twin(seed: int) -> None:
    restarts = seed in (0, 2, 3, 7)
    history = sparse(seed, late=seed % 2 == 1)
    activity = ((Topic.ORDERS,), (Topic.LOGINS,), (Topic.ORDERS, Topic.LOGINS))[seed % 3]
    options = replace(QUIET if seed % 4 == 3 else FORGETFUL, zone=history.zone, activity=activity)
    terms = TwinTerms(history.zone, 20 * DAY, 15 * DAY, activity)
    until = max(event.at for event in history.arrivals) + 100 * DAY
    rules, size = (RULES, ABSENT)[seed % 2], (3, 1000, 25)[seed % 3]
    run = OracleEngine(options, rules).run(history.arrivals, until)
    expected = OutcomeTwin(terms).run(run.timeline)
    outcomes, census, days = drive_outcomes(
        options,
        terms,
        compiled(rules),
        cut(history.arrivals, [size]),
        until,
        restarts=restarts,
    )
    lines = differences([plain_outcome(o) for o in outcomes], expected.outcomes)
    lines += differences([plain_census(c) for c in census], expected.census)
    lines += differences([plain_days(d) for d in days], expected.days)
    assert not lines, "\n".join(lines[:12])
    acquired = [o.customer_id for o in outcomes if o.kind == "customer.acquired"]
    assert run.forgotten > (0 if options.quiet_after_us else 2)
    assert seed % 2 or len(acquired) > len(set(acquired))  # they came back, and were acquired again
    opened = sum(made.step.kind == "opened" for made in run.steps)
    matured = sum(o.kind == "warning.matured" for o in outcomes)
    assert matured == opened or options.quiet_after_us  # none was forgotten before


# -- ten years ------------------------------------------------------------------------------------

YEARS: Final = 10
YEAR: Final = 365 * DAY
LIFE_DAYS: Final = 120
"""How long each customer comes."""
EVERY_DAYS: Final = 6
"""How often a new one does."""
TERMS: Final = EngineSettings(
    horizon_us=30 * DAY,
    learn_within_us=60 * DAY,
    forget_after_us=150 * DAY,
    outcomes=True,
    segments=True,
    reorder_us=0,
    max_words=100,
)
SILENT: Final = (
    OracleRule("silent", "days_since_order > 20", terms=Terms(cooldown_us=5 * DAY)),
    OracleRule("complains", "open_complaints > 0"),
)
"""Causes that open and never close, as customers do not come back."""


def life(number: int) -> Iterator[dict[str, Any]]:
    """Yield the events of one customer, of a new one every few days."""
    name, begin = f"customer-{number}", number * EVERY_DAYS * DAY + number % 86_400 * SECOND
    record: Any = ProfileRecord(segment=f"segment {number}", region=f"region {number // 40}")
    yield {"topic": Topic.PROFILES, "at": begin, "record": record}
    for day in range(0, LIFE_DAYS, 12):
        at = begin + day * DAY
        labels = LabelsRecord(f"channel {number // 30}", f"category {number}")
        yield {"topic": Topic.ORDERS, "at": at + 1, "amount": 5 * MILLION, "record": labels}
        yield {"topic": Topic.LOGINS, "at": at + 2}
    yield {"topic": Topic.COMPLAINTS, "at": begin + 40 * DAY, "complaint_id": f"of {name}"}
    action = ActionRecord(None, "contact", actor=f"agent {number // 50}")
    yield {"topic": Topic.ACTIONS, "at": begin + 100 * DAY, "record": action}


def ten_years() -> list[dict[str, Any]]:
    rows = [
        {"customer_id": f"customer-{number}", "event_id": f"{number}-{place}", **row}
        for number in range(YEARS * 365 // EVERY_DAYS)
        for place, row in enumerate(life(number))
    ]
    return sorted(rows, key=lambda row: row["at"])


def sizes(engine: Engine) -> dict[str, int]:
    """Return how much there is of everything: rows and bytes of tables, and what is kept beside them."""
    state = tables(engine)
    maturity = engine.outcomes.maturity
    return {
        **{f"rows of {name}": len(frame) for name, frame in state.items()},
        "bytes of tables": sum(
            int(frame.estimated_size()) for name, frame in state.items() if name != "census_names"
        ),
        "bytes of columns": sum(column.nbytes for column in engine.customers.state.values()),
        "words": len(engine.customers.words),
        "codes": sum(len(each.values) for each in (maturity.rules, maturity.openings, maturity.words)),
        "names": engine.customers.names_used,
        "causes": engine.episodes.causes.room,
    }


def by_year(settings: EngineSettings, rules: RuleSet, years: int = YEARS) -> list[dict[str, int]]:
    """Return the sizes at the end of each year."""
    engine, rows = Engine(settings, rules), ten_years()
    found, begin = [], 0
    for year in range(1, years + 1):
        end = next((n for n in range(begin, len(rows)) if rows[n]["at"] >= year * YEAR), len(rows))
        engine.step(Batch.of(rows[begin:end]))
        found.append(sizes(engine))
        begin = end
    return found


def test_ten_years_take_no_more_room_than_three() -> None:
    found = by_year(TERMS, compiled(SILENT))
    # A cohort has a name for each of its months, and a family of cells 5,000 at the most.
    named = [size.pop("rows of census_names") for size in found]
    assert named[-1] <= 3 * 5001
    # Unused words leave where half the room of their field is taken.
    assert max(size.pop("words") for size in found) <= 2 * 4 * TERMS.max_words + 128
    # Ids of customers who left go where they are most of them.
    assert max(size.pop("names") for size in found) <= 2 * 60 + 128 + 60
    for name in found[0]:
        most = max(size[name] for size in found[2:5])
        assert max(size[name] for size in found[5:]) <= most * 1.1 + 40, name
    assert found[-1]["rows of customers"] < 60


def test_the_test_of_ten_years_would_see_growth() -> None:
    found = by_year(replace(TERMS, forget_after_us=None), compiled(()), 5)
    for name in ("rows of customers", "bytes of tables", "names"):
        assert found[-1][name] > 2 * found[1][name], name


def test_a_state_of_before_knows_when_customers_were_last_seen() -> None:
    engine = Engine(TERMS, compiled(SILENT))
    engine.step(Batch.of(ten_years()[:1000]))
    state = tables(engine)
    exact = state["customers"]["last_event"].to_numpy()
    state["customers"] = state["customers"].drop("last_event")
    restored = Engine(TERMS, compiled(SILENT))
    restore(restored, state)
    found = tables(restored)["customers"]["last_event"].to_numpy()
    assert bool((found <= exact).all())
    assert int((exact - found).max()) <= LIFE_DAYS * DAY
    assert np.count_nonzero(found == exact) > len(exact) // 3


def test_forgetting_may_be_switched_on_and_off_between_checkpoints() -> None:
    rows = ten_years()[:2000]
    at = rows[-1]["at"]

    def restored(state: dict[str, pl.DataFrame], forget_after: int | None) -> Engine:
        engine = Engine(replace(TERMS, forget_after_us=forget_after), compiled(SILENT))
        restore(engine, state)
        return engine

    engine = Engine(replace(TERMS, forget_after_us=None), compiled(SILENT))
    engine.step(Batch.of(rows))
    before = len(engine.customers.ids)
    forgetful = restored(tables(engine), 150 * DAY)
    output = forgetful.advance(at + DAY)
    assert output.counts.forgotten > 20
    assert len(forgetful.customers.ids) == before - output.counts.forgotten
    assert [step.kind for step in output.steps].count(StepKind.WITHDRAWN) > 20
    again = restored(tables(forgetful), None)
    assert not again.advance(at + 300 * DAY).counts.forgotten
