"""Which cause hides which: the plain words of it, and the engine against them on generated histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from streams.core.features.catalogue import DTYPES
from streams.core.rules.inhibition import inhibition_problems
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RulesRefused, compile_rules
from streams.core.steps import StepKind, Tier
from streams.rulebook.diff import rule_changes
from tests.oracle.drive import drive, engine_rule
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import History, as_batch, histories
from tests.oracle.sample_rules import RULES

HIDES: Final = {
    "collapse": ("silent", "few-logins", "complaint"),
    "silent": ("overdue", "burst"),
    "few-logins": ("overdue",),
    "burst": ("few-logins-ever",),
}
PLAIN: Final = [engine_rule(rule) for rule in RULES]
HIDING: Final = [replace(rule, inhibits=HIDES.get(rule.id, ())) for rule in PLAIN]
WITHOUT: Final = compile_rules(PLAIN, DTYPES)
WITH: Final = compile_rules(HIDING, DTYPES)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories())
def test_a_cause_names_the_open_one_that_hides_it_and_nothing_else_changes(history: History) -> None:
    options = replace(OracleSettings(), zone=history.zone)
    batch = as_batch(history.arrivals)
    plain = drive(options, WITHOUT, [batch]).steps
    hiding = drive(options, WITH, [batch], restarts=True).steps
    for step in hiding:
        is_open = step.kind not in (StepKind.RESOLVED, StepKind.WITHDRAWN)
        rules = sorted(cause.rule for cause in step.causes) if is_open else []
        for cause in step.causes:
            over = [rule for rule in rules if cause.rule in HIDES.get(rule, ())]
            assert cause.inhibited_by == (over[0] if over else None)
        assert any(cause.inhibited_by is None for cause in step.causes)
        if step.kind in (StepKind.OPENED, StepKind.ESCALATED):
            seen = [cause for cause in step.causes if cause.inhibited_by is None]
            assert max(cause.tier for cause in seen) == step.tier
    bare = [
        replace(
            step, rule_set="", causes=tuple(replace(c, inhibited_by=None, version="") for c in step.causes)
        )
        for step in hiding
    ]
    assert bare == [
        replace(step, rule_set="", causes=tuple(replace(c, version="") for c in step.causes))
        for step in plain
    ]


def test_the_version_of_a_rule_that_hides_nothing_is_what_it_was() -> None:
    rule = Rule("a", "orders_30d > 3", Tier.HIGH, "activity")
    # Written down from before there was `inhibits`.
    assert rule.version == "7c5ad4e5bf49"
    assert replace(rule, inhibits=("b", "c")).version == replace(rule, inhibits=("c", "b")).version
    assert replace(rule, inhibits=("b",)).version != rule.version


def test_a_change_of_what_is_hidden_is_told_as_it_is_written() -> None:
    before = Rule("a", "orders_30d > 3", Tier.HIGH, "activity")
    others = [Rule(name, "orders_30d > 3", Tier.LOW, "activity") for name in ("b", "c")]
    after = replace(before, inhibits=("b", "c"))
    sets = [compile_rules([each, *others], DTYPES) for each in (before, after)]
    (change,) = rule_changes(*sets)
    assert [(each.field, each.before, each.after) for each in change.fields] == [("inhibits", None, "b, c")]


def rule(name: str, *hides: str, tier: Tier = Tier.HIGH) -> Rule:
    return Rule(name, "orders_30d > 3", tier, "activity", inhibits=hides)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([rule("a", "b"), rule("b")], []),
        ([rule("a", "b"), rule("b", "c"), rule("c")], []),
        ([rule("overdue", "login-drp"), rule("login-drop")], ["there is no rule 'login-drp'"]),
        ([rule("a", "a")], ["would all be silent: a -> a"]),
        ([rule("b", "a"), rule("a", "b")], ["would all be silent: a -> b -> a"]),
        ([rule("b", "c"), rule("c", "a"), rule("a", "b")], ["would all be silent: a -> b -> c -> a"]),
        ([rule("a", "b", tier=Tier.LOW), rule("b")], ["'b' is high above low"]),
        ([rule("a", "b", "b"), rule("b")], ["'b' is given twice"]),
    ],
)
def test_what_a_rule_cannot_hide(rules: list[Rule], told: list[str]) -> None:
    problems = inhibition_problems(rules)
    assert [text in problem.message for text, problem in zip(told, problems, strict=True)] == [True] * len(
        told
    )
    if told:
        with pytest.raises(RulesRefused, match="`inhibits`"):
            compile_rules(rules, DTYPES)


def test_the_likely_right_rule_is_named() -> None:
    [problem] = inhibition_problems([rule("overdue", "login-drp"), rule("login-drop")])
    assert (problem.rule, problem.hint) == ("overdue", "login-drop")
