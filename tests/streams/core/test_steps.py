"""What a step says beside its fields, of steps that an engine made."""

from dataclasses import replace

import pytest

from streams.contract.warnings import warning_event
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Cause, Step, StepKind, Tier

CALL = Rule("b-call", "days_since_login >= 2", Tier.HIGH, "test", play="call", clear="logins_7d >= 3")
LETTER = Rule("a-letter", "days_since_login >= 4", Tier.HIGH, "test", play="letter")
NOTE = Rule("note", "days_since_login >= 1", Tier.LOW, "test", play="note")
SILENT = Rule("silent", "days_since_login >= 1", Tier.LOW, "test")


def steps(*rules: Rule, logins: tuple[int, ...] = (0,), until: int = 10) -> list[Step]:
    rows = [
        {"topic": Topic.LOGINS, "at": day * DAY + 1, "customer_id": "c-1", "event_id": f"e-{day}"}
        for day in logins
    ]
    engine = Engine(EngineSettings(), compile_rules(list(rules), DTYPES))
    outputs = [engine.step(Batch.of(rows)), engine.flush(), engine.advance(until * DAY)]
    return [step for output in outputs for step in output.steps]


def test_the_play_is_that_of_the_highest_tier_and_of_these_of_the_first_to_open() -> None:
    found = [
        (step.kind, step.play, step.decisive and step.decisive.rule) for step in steps(CALL, LETTER, NOTE)
    ]
    assert found == [
        (StepKind.OPENED, "note", "note"),
        (StepKind.ESCALATED, "call", "b-call"),
        (StepKind.UPDATED, "call", "b-call"),
    ]


def test_of_causes_that_open_together_the_first_rule_by_id_decides() -> None:
    both = replace(LETTER, when=CALL.when)
    assert [step.play for step in steps(CALL, both)] == ["letter"]


def test_a_warning_that_ends_keeps_the_play_of_what_went() -> None:
    last = steps(NOTE, logins=(0, 5), until=5)[-1]
    assert (last.kind, last.play) == (StepKind.RESOLVED, "note")


@pytest.mark.parametrize(("rules", "play"), [((NOTE,), "note"), ((SILENT,), None), ((SILENT, CALL), "call")])
def test_the_play_stands_on_the_wire(rules: tuple[Rule, ...], play: str | None) -> None:
    assert warning_event(steps(*rules)[-1], "app").data.play == play


def test_a_step_without_causes_has_no_play() -> None:
    step = replace(steps(NOTE)[0], causes=tuple[Cause, ...](), decision=None)
    assert (step.decisive, step.play) == (None, None)
