"""Timelines of warnings that people act on, told line by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import ActionRecord, Batch
from streams.core.events.calendar import DAY, HOUR
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.outcomes.outcome import WarningMatured
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Step, Tier
from streams.core.warnings.acknowledgement import AcknowledgementTerms
from streams.core.warnings.episodes import warning_id

AT = 20_000 * DAY
BUYS = Rule("buys", "orders_total > 0", Tier.MEDIUM, "test", clear="logins_total > 1", cooldown_us=5 * DAY)
LOGS_IN = Rule("logs-in", "logins_total = 1", Tier.HIGH, "test")
ID = warning_id("lapwing", "c", AT, 0)
DEADLINES = AcknowledgementTerms(acknowledge_within={Tier.MEDIUM: 2 * DAY, Tier.HIGH: 6 * HOUR})

Line = tuple[str, float, str]
"""What happened, after how many days, and who has the warning in hand now."""


def engine(terms: AcknowledgementTerms | None = None, *rules: Rule) -> Engine:
    settings = EngineSettings(reorder_us=0, acknowledgement=terms or AcknowledgementTerms())
    return Engine(settings, compile_rules(rules or (BUYS, LOGS_IN), DTYPES))


def event(topic: Topic, at: int, record: ActionRecord | None = None, customer: str = "c") -> Batch:
    row = {"topic": topic, "at": AT + at, "customer_id": customer, "record": record}
    return Batch.of([row | {"event_id": f"{topic}{at}{record}"}])


def act(kind: str, at: int, until: int | None = None, by: str | None = "ann", of: str = ID) -> Batch:
    until = None if until is None else AT + until
    return event(Topic.ACTIONS, at, ActionRecord(of, kind, actor=by, until=until))


BOUGHT = event(Topic.ORDERS, 0)


def steps(made: Engine, *batches: Batch, until: int = 0) -> list[Step]:
    outputs = [made.step(batch) for batch in batches]
    outputs += [made.flush(idle=False), made.advance(AT + until)]
    return [step for output in outputs for step in output.steps]


def lines(told: list[Step]) -> list[Line]:
    return [
        (
            str(s.kind),
            (s.at - AT) / DAY,
            "nobody" if s.acknowledgement is None else str(s.acknowledgement.state),
        )
        for s in told
    ]


def test_an_acknowledgement_lapses_and_the_warning_speaks_again() -> None:
    told = steps(engine(), BOUGHT, act("acknowledge", HOUR * 12), until=9 * DAY)
    assert lines(told) == [
        ("opened", 0, "nobody"),
        ("acknowledged", 0.5, "acknowledged"),
        ("updated", 7.5, "lapsed"),
    ]
    assert [step.number for step in told] == [1, 2, 3]
    attention = told[1].acknowledgement
    assert attention is not None
    assert (attention.by, attention.step, attention.until) == ("ann", 2, AT + 15 * DAY // 2)
    assert told[2].causes == told[1].causes == told[0].causes


def test_a_snooze_ends_when_it_says_and_an_action_on_it_begins_anew() -> None:
    snoozes = act("snooze", HOUR, until=2 * DAY), act("snooze", DAY, until=4 * DAY, by="ben")
    told = steps(engine(), BOUGHT, *snoozes, until=5 * DAY)
    assert [line[:2] for line in lines(told)[2:]] == [("snoozed", 1), ("updated", 4)]


def test_a_rise_of_the_tier_breaks_through() -> None:
    told = steps(engine(), BOUGHT, act("acknowledge", HOUR), event(Topic.LOGINS, DAY), until=20 * DAY)
    assert lines(told)[2:] == [("escalated", 1, "nobody")]


def test_a_deadline_escalates_once_and_an_acknowledgement_stops_it() -> None:
    assert lines(steps(engine(DEADLINES), BOUGHT, until=9 * DAY)) == [
        ("opened", 0, "waiting"),
        ("escalated", 2, "overdue"),
    ]
    told = steps(engine(DEADLINES), BOUGHT, act("acknowledge", DAY), until=10 * DAY)
    assert lines(told)[1:] == [
        ("acknowledged", 1, "acknowledged"),
        ("updated", 8, "lapsed"),
        ("escalated", 10, "overdue"),
    ]
    assert told[-1].acknowledgement is not None
    assert (told[-1].acknowledgement.level, told[-1].acknowledgement.by) == (1, "ann")


def test_the_deadline_is_that_of_the_tier_since_it_rose() -> None:
    told = steps(engine(DEADLINES), BOUGHT, event(Topic.LOGINS, DAY), until=9 * DAY)
    assert lines(told)[1:] == [("escalated", 1, "waiting"), ("escalated", 1.25, "overdue")]


def test_who_expires_a_warning_closes_its_causes_with_their_cooldown() -> None:
    told = steps(engine(), BOUGHT, act("expire", DAY), until=9 * DAY)
    assert lines(told) == [("opened", 0, "nobody"), ("expired", 1, "expired"), ("opened", 6, "nobody")]
    assert [cause.rule for cause in told[1].causes] == ["buys"]


def test_a_warning_that_is_too_old_expires() -> None:
    told = steps(engine(AcknowledgementTerms(expire_after=3 * DAY + HOUR)), BOUGHT, until=4 * DAY)
    assert lines(told)[1:] == [("expired", 3 + 1 / 24, "expired")]


def test_what_names_no_open_warning_is_counted_and_changes_nothing() -> None:
    made = engine()
    batches = (
        BOUGHT,
        act("acknowledge", HOUR, of="another"),
        act("snooze", 2 * HOUR, until=HOUR),
        act("call", 3 * HOUR),
        event(Topic.LOGINS, 4 * HOUR),
        event(Topic.LOGINS, 5 * HOUR),
        act("expire", 6 * HOUR),
    )
    outputs = [made.step(batch) for batch in batches] + [made.flush(idle=False), made.advance(AT + 6 * HOUR)]
    assert [str(step.kind) for output in outputs for step in output.steps] == [
        "opened",
        "escalated",
        "resolved",
    ]
    counts = outputs[0].counts
    for output in outputs[1:]:
        counts.add(output.counts)
    assert counts.ignored == {"unknown": 1, "over": 1, "closed": 1}
    assert counts.events == len(batches)


def test_without_rules_an_action_names_no_warning() -> None:
    made = Engine(EngineSettings(reorder_us=0), compile_rules([], DTYPES))
    made.step(act("expire", 0))
    made.step(event(Topic.LOGINS, 0))
    assert made.flush().counts.ignored == {"unknown": 1}


def test_a_late_action_takes_effect_at_the_clock() -> None:
    late = (event(Topic.LOGINS, 2 * DAY, customer="d"), act("acknowledge", DAY))
    told = [step for step in steps(engine(), BOUGHT, *late, until=2 * DAY) if step.customer_id == "c"]
    assert lines(told)[1:] == [("acknowledged", 2, "acknowledged")]
    assert told[-1].acknowledgement is not None
    assert told[-1].acknowledgement.until == AT + 9 * DAY


@pytest.mark.parametrize(("after", "expires"), [(9 * DAY, 9.0), (DAY, 2.0), (0, None)])
def test_a_changed_expire_after_holds_for_open_warnings_too(after: int, expires: float | None) -> None:
    former = engine(AcknowledgementTerms(expire_after=5 * DAY))
    steps(former, BOUGHT, event(Topic.PROFILES, 2 * DAY))
    made = engine(AcknowledgementTerms(expire_after=after))
    restore(made, tables(former))
    assert made.adopt().steps == []
    told = lines(steps(made, event(Topic.PROFILES, 20 * DAY)))
    assert [line[:2] for line in told if line[0] == "expired"][:1] == (
        [] if expires is None else [("expired", expires)]
    )


def test_a_state_from_before_there_were_actions_is_gone_on_from() -> None:
    former = engine()
    steps(former, BOUGHT)
    saved = tables(former)
    once = saved["engine"]["json"][0].replace('"format": 2', '"format": 1')
    saved["engine"] = pl.DataFrame({"json": [once]})
    later = ("expires_at", "attention", "churn_probability", "model_version", "reasons")
    saved["warnings"] = saved["warnings"].drop(later)
    made = engine()
    restore(made, saved)
    assert lines(steps(made, act("acknowledge", DAY), until=DAY)) == [("acknowledged", 1, "acknowledged")]


def test_what_people_do_repeats_what_the_model_said_last() -> None:
    made = engine()
    opened, *_ = steps(made, BOUGHT)
    warning = made.episodes.open[0]
    warning.scoring = replace(warning.scoring, probability=0.5, model_version="m")
    restored = engine()
    restore(restored, tables(made))
    told = steps(restored, act("acknowledge", DAY), until=DAY)
    assert (opened.churn_probability, told[0].churn_probability, told[0].model_version) == (None, 0.5, "m")


def test_what_is_due_stays_due_under_other_rules() -> None:
    made = engine(DEADLINES)
    steps(made, BOUGHT)
    made.replace_rules(compile_rules([LOGS_IN, BUYS], DTYPES))
    told = steps(made, act("acknowledge", HOUR), until=8 * DAY)
    assert lines(told) == [("acknowledged", 1 / 24, "acknowledged"), ("updated", 7 + 1 / 24, "lapsed")]
    made.replace_rules(compile_rules([BUYS], DTYPES))
    assert lines(steps(made, until=10 * DAY)) == [("escalated", 9 + 1 / 24, "overdue")]


def correction(of: Batch, at: int, kind: str = "correct", by: str | None = "ann") -> Batch:
    return event(Topic.ACTIONS, at, ActionRecord(ID, kind, actor=by, corrects=of.event_id[0]))


ACKNOWLEDGED = act("acknowledge", HOUR)


def test_a_correction_ends_an_acknowledgement() -> None:
    made = steps(engine(), BOUGHT, ACKNOWLEDGED, correction(ACKNOWLEDGED, 2 * HOUR), until=9 * DAY)
    assert lines(made)[1:] == [("acknowledged", 1 / 24, "acknowledged"), ("updated", 2 / 24, "nobody")]
    assert made[-1].causes == made[0].causes
    made = steps(engine(DEADLINES), BOUGHT, ACKNOWLEDGED, correction(ACKNOWLEDGED, DAY), until=9 * DAY)
    assert lines(made)[2:] == [("updated", 1, "waiting"), ("escalated", 3, "overdue")]


def test_an_acknowledgement_that_corrects_another_takes_its_place_in_one_step() -> None:
    again = correction(ACKNOWLEDGED, 2 * HOUR, "acknowledge")
    made = steps(engine(), BOUGHT, ACKNOWLEDGED, again, correction(again, DAY), until=9 * DAY)
    assert [line[0] for line in lines(made)[1:]] == ["acknowledged", "acknowledged", "updated"]


@pytest.mark.parametrize(
    "corrects",
    [
        correction(ACKNOWLEDGED, 2 * HOUR, by="ben"),
        correction(ACKNOWLEDGED, 2 * HOUR, by=None),
        correction(act("snooze", HOUR), 2 * HOUR),
        correction(ACKNOWLEDGED, HOUR // 2),
    ],
    ids=["another actor's", "nobody's", "an id that is not known", "one that comes later"],
)
def test_a_correction_of_nothing_is_counted_and_changes_nothing(corrects: Batch) -> None:
    made = engine()
    batches = sorted([ACKNOWLEDGED, corrects], key=lambda batch: int(batch.at[0]))
    outputs = [made.step(batch) for batch in (BOUGHT, *batches)] + [made.flush()]
    assert [str(step.kind) for output in outputs for step in output.steps] == ["opened", "acknowledged"]
    assert sum((output.counts.ignored for output in outputs), Counter[str]()) == {"uncorrected": 1}


def test_a_correction_is_known_after_a_restart() -> None:
    former = engine()
    steps(former, BOUGHT, ACKNOWLEDGED, until=HOUR)
    made = engine()
    restore(made, tables(former))
    assert lines(steps(made, correction(ACKNOWLEDGED, DAY), until=DAY)) == [("updated", 1, "nobody")]


def test_what_an_acknowledgement_took_the_place_of_does_not_come_back() -> None:
    snoozed = act("snooze", 2 * HOUR, until=5 * DAY)
    made = steps(engine(), BOUGHT, ACKNOWLEDGED, snoozed, correction(snoozed, 3 * HOUR), until=9 * DAY)
    assert lines(made)[2:] == [("snoozed", 2 / 24, "snoozed"), ("updated", 3 / 24, "nobody")]
    struck = correction(ACKNOWLEDGED, 3 * HOUR)
    made = steps(engine(), BOUGHT, ACKNOWLEDGED, snoozed, struck, until=4 * DAY)
    assert [line[0] for line in lines(made)] == ["opened", "acknowledged", "snoozed"]


def test_an_action_taken_before_its_time_is_reached_treats_at_its_own_time() -> None:
    kept = replace(engine().settings, horizon_us=10 * DAY, outcomes=True)
    offer = event(Topic.ACTIONS, HOUR, ActionRecord(ID, "offer", "accepted", actor="ann"))
    for polls in ([[BOUGHT], [offer]], [[BOUGHT, offer]]):
        made = Engine(kept, compile_rules([BUYS], DTYPES))
        outputs = []
        for poll in polls:
            outputs += [*(made.step(batch) for batch in poll), made.flush()]
        outputs.append(made.advance(AT + 12 * DAY))
        matured = [o.details for output in outputs for o in output.outcomes]
        (warning,) = (details for details in matured if isinstance(details, WarningMatured))
        assert (warning.treated, warning.results) == (True, ("accepted",))


def test_where_nothing_more_comes_an_action_takes_effect_at_the_clock() -> None:
    made = engine()
    outputs = [made.step(BOUGHT), made.flush(), made.step(act("acknowledge", 365 * DAY)), made.flush()]
    told = [step for output in outputs for step in output.steps]
    assert lines(told)[1:] == [("acknowledged", 0, "acknowledged")]
    assert told[-1].acknowledgement is not None
    assert told[-1].acknowledgement.until == AT + 7 * DAY
    assert (made.reorder.watermark, made.sweeps) == (AT, 0)


def live(terms: AcknowledgementTerms, *batches: Batch, until: int) -> list[Step]:
    """Return the steps of a worker that has read all there is after each batch, and restarts then."""
    made, found = engine(terms), []
    for batch in batches:
        found += [*made.step(batch).steps, *made.flush().steps]
        saved, made = tables(made), engine(terms)
        restore(made, saved)
    return [*found, *made.advance(AT + until).steps]


def test_live_what_was_done_is_dated_no_earlier_than_the_newest_event_and_else_all_is_as_in_a_replay() -> (
    None
):
    batches = [
        BOUGHT,
        act("snooze", HOUR, until=3 * DAY),
        event(Topic.LOGINS, 2 * HOUR, customer="d"),
        act("acknowledge", 30 * HOUR, until=4 * DAY, by="ben"),
        event(Topic.LOGINS, 2 * DAY, customer="d"),
        event(Topic.LOGINS, 5 * DAY, customer="d"),
        act("expire", 6 * DAY),
        event(Topic.LOGINS, 7 * DAY, customer="d"),
    ]
    whole = steps(engine(), *batches, until=8 * DAY)
    found = live(AcknowledgementTerms(), *batches, until=8 * DAY)

    def but_for_the_date(of: list[Step]) -> list[tuple[object, ...]]:
        return [(s.customer_id, s.warning_id, s.number, s.kind, s.tier, s.causes) for s in of]

    def dates(of: list[Step]) -> list[tuple[str, float]]:
        return [line[:2] for line in lines([step for step in of if step.customer_id == "c"])]

    assert but_for_the_date(found) == but_for_the_date(whole)
    assert dates(whole) == [
        ("opened", 0),
        ("snoozed", 1 / 24),
        ("acknowledged", 1.25),
        ("updated", 4),
        ("expired", 6),
    ]
    # The newest events then are those at 0, after 2 hours and 5 days; what time brings about is not moved.
    assert dates(found) == [
        ("opened", 0),
        ("snoozed", 0),
        ("acknowledged", 2 / 24),
        ("updated", 4),
        ("expired", 5),
    ]


def test_live_an_action_comes_before_a_deadline_that_no_event_has_reached() -> None:
    batches = [BOUGHT, act("acknowledge", 3 * DAY, until=6 * DAY), event(Topic.LOGINS, 4 * DAY, customer="d")]
    found = [step for step in live(DEADLINES, *batches, until=5 * DAY) if step.customer_id == "c"]
    assert lines(found) == [("opened", 0, "waiting"), ("acknowledged", 0, "acknowledged")]
    whole = [step for step in steps(engine(DEADLINES), *batches, until=5 * DAY) if step.customer_id == "c"]
    assert lines(whole) == [
        ("opened", 0, "waiting"),
        ("escalated", 2, "overdue"),
        ("acknowledged", 3, "acknowledged"),
    ]
