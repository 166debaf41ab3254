"""Which steps of a whole history the warnings topic still gets; rebuilding is tested on a broker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.contract.erasures import ErasureKey, ErasureRequest
from streams.contract.instants import EPOCH
from streams.contract.warnings import encode_step, encode_withdrawal, parse_warning
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY, NEVER
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Step, Tier
from streams.intake.sent_steps import TopicWarnings
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.rebuild import StepSelection, warnings_of_erased

RULE = Rule("silent", "days_since_login > 3", Tier.LOW, "silence")


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    """Return the steps of three customers who come back after silences, one of them not."""
    engine = Engine(EngineSettings(reorder_us=0), compile_rules([RULE], DTYPES))
    rows = [(name, day) for name in "abc" for day in (0, 6, 12, 18) if (name, day) != ("c", 18)]
    events = [
        {"topic": Topic.LOGINS, "at": 10**15 + day * DAY, "customer_id": name, "event_id": f"{name}{day}"}
        for name, day in sorted(rows, key=lambda row: (row[1], row[0]))
    ]
    return [*engine.step(Batch.of(events)).steps, *engine.flush().steps]


def topic_of(steps: list[Step]) -> TopicWarnings:
    """Return the warnings topic with these steps in it."""
    events = [parse_warning(encode_step(step, "shop")) for step in steps]
    newest = {
        event.data.warning_id: (event, encode_step(s, "shop")) for event, s in zip(events, steps, strict=True)
    }
    still = {w: value for w, (event, value) in newest.items() if event.data.state == "open"}
    until = max((step.at for step in steps), default=NEVER)
    return TopicWarnings(frozenset(step.id for step in steps), until, still)


def open_after(steps: list[Step]) -> set[str]:
    return set(topic_of(steps).open)


def test_an_empty_topic_gets_everything_in_order(steps: list[Step]) -> None:
    selection = StepSelection(topic_of([]))
    selection.take(steps)
    assert len(steps) >= 12
    assert selection.lacking() == sorted(steps, key=lambda s: (s.at, s.customer_id, s.number))
    assert selection.lost(open_after(steps)) == {}


def test_a_topic_that_stopped_anywhere_gets_the_rest(steps: list[Step]) -> None:
    for n in range(len(steps) + 1):
        selection = StepSelection(topic_of(steps[:n]))
        selection.take(steps)
        lacking = selection.lacking()
        # Steps of the very instant at which the topic stops are those that may have been judged before.
        due = [s for s in steps[n:] if n == 0 or s.at > steps[n - 1].at or s.warning_id in open_after(steps)]
        assert {step.id for step in due} <= {step.id for step in lacking} <= {step.id for step in steps[n:]}
        assert selection.lost(open_after(steps)) == {}


def test_what_was_judged_long_ago_is_not_sent_unless_it_is_still_open(steps: list[Step]) -> None:
    """As under rules that would have warned then, and were not in force."""
    selection = StepSelection(TopicWarnings(frozenset(), steps[-1].at, {}))
    selection.take(steps)
    lacking = selection.lacking()
    assert {step.warning_id for step in lacking} == open_after(steps)
    assert 0 < len(lacking) < len(steps)


def test_an_open_warning_of_the_topic_that_nobody_gives_any_more_is_lost(steps: list[Step]) -> None:
    topic = topic_of(steps)
    selection = StepSelection(topic)
    selection.take([step for step in steps if step.customer_id != "c"])
    (lost,) = selection.lost(set()).items()
    customer, value = encode_withdrawal(lost[1], 10**15)
    before, after = parse_warning(lost[1]), parse_warning(value)
    assert customer == "c"
    assert (after.type, after.data.state) == ("churn.warning.withdrawn", "withdrawn")
    assert after.id == f"{before.data.warning_id}/{before.data.step + 1}"
    assert after.time == before.time
    assert after.data.causes == before.data.causes


def test_a_warning_of_an_erased_customer_is_withdrawn_although_records_were_deleted(
    steps: list[Step],
) -> None:
    lost = dict(topic_of([step for step in steps if step.kind == "opened"]).open)
    opened_at = {step.warning_id: step.opened_at for step in steps}
    of_customer = {step.warning_id for step in steps if step.customer_id == "c"}
    key = ErasureKey(b"a key for tests!")
    middle = sorted(opened_at[warning] for warning in of_customer)[0]
    erased_at = EPOCH + timedelta(microseconds=middle)
    request = ErasureRequest(hash=key.hash("c"), erased_at=erased_at, key_id=key.id)
    found = warnings_of_erased(lost, ErasureRollout(key, [request]))
    assert found.keys() == {warning for warning in of_customer & lost.keys() if opened_at[warning] <= middle}
    assert found
    assert warnings_of_erased(lost, None) == {}
