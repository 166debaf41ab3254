"""Rule sets: verdicts with `only` and `clear`, what is read, hashes and messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RulesRefused, compile_rules, render
from streams.core.steps import Tier, Value

FRAME = pl.DataFrame(
    {
        "orders_30d": [5, 5, 5, 0, 0, None, None],
        "customer_class": ["key", "small", None, "key", "small", "key", "small"],
    },
    schema={"orders_30d": pl.Int64, "customer_class": pl.String},
)


def rule(**fields: Any) -> Rule:
    return Rule(**{"id": "a", "when": "orders_30d > 3", "tier": Tier.HIGH, "reason": "activity", **fields})


def verdicts(one: Rule) -> tuple[list[int], list[int]]:
    result = compile_rules([one], DTYPES).verdicts(FRAME)
    return result.when[0].tolist(), result.clear[0].tolist()


def test_clear_is_the_opposite_of_when_unless_given() -> None:
    assert verdicts(rule()) == ([1, 1, 1, 0, 0, -1, -1], [0, 0, 0, 1, 1, -1, -1])


def test_a_clear_of_its_own_leaves_a_gap_between_the_two() -> None:
    assert verdicts(rule(clear="orders_30d < 0")) == ([1, 1, 1, 0, 0, -1, -1], [0, 0, 0, 0, 0, -1, -1])


def test_only_takes_part_in_both() -> None:
    when, clear = verdicts(rule(only="customer_class = 'key'"))
    #                key, small, None, key 0, small 0, key None, small None
    assert when == [1, 0, -1, 0, 0, -1, 0]
    assert clear == [0, 1, -1, 1, 1, -1, 1]


def test_only_with_a_clear_of_its_own() -> None:
    when, clear = verdicts(rule(only="customer_class = 'key'", clear="orders_30d > 4"))
    assert when == [1, 0, -1, 0, 0, -1, 0]
    assert clear == [1, 1, 1, 0, 1, -1, 1]


def test_a_rule_may_never_clear() -> None:
    assert verdicts(rule(clear="FALSE"))[1] == [0] * 7


@pytest.mark.parametrize("n", [0, 1, 3])
def test_verdicts_have_a_row_for_each_rule_and_a_column_for_each_row(n: int) -> None:
    rules = compile_rules([rule(id="b"), rule(id="a")], DTYPES)
    result = rules.verdicts(FRAME[:n])
    assert result.when.shape == result.clear.shape == (2, n)
    assert result.when.dtype == result.clear.dtype == np.int8


def test_no_rules_are_a_rule_set_too() -> None:
    rules = compile_rules([], DTYPES)
    assert rules.columns == ()
    assert rules.verdicts(FRAME).when.shape == (0, 7)


def test_rules_stand_in_the_order_of_their_ids_and_only_those_that_take_part() -> None:
    given = [rule(id="d", status=RuleStatus.DRAFT), rule(id="c", status=RuleStatus.SHADOW), rule(id="b")]
    rules = compile_rules([*given, rule(id="a", status=RuleStatus.RETIRED)], DTYPES)
    assert [each.id for each in rules.rules] == ["b", "c"]
    assert [each.id for each in rules.idle] == ["a", "d"]


def test_a_rule_set_reads_what_its_rules_and_their_messages_read() -> None:
    first = rule(
        clear="overdue < 1",
        only="region = 'x'",
        message="{spend_30d:.0f} of {orders_30d}",
        when="orders_30d > 1",
    )
    rules = compile_rules(
        [first, rule(id="b"), rule(id="c", when="logins_7d > 1", status=RuleStatus.DRAFT)], DTYPES
    )
    assert rules.reads(0) == rules.reads(first) == ("region", "orders_30d", "overdue", "spend_30d")
    assert rules.columns == ("orders_30d", "overdue", "region", "spend_30d")


def test_values_of_a_warning_give_the_same_verdict_again() -> None:
    rules = compile_rules([rule(only="customer_class = 'key'", clear="orders_30d < 2")], DTYPES)
    whole = rules.verdicts(FRAME)
    for row, values in enumerate(FRAME.to_dicts()):
        again = rules.verdicts(pl.DataFrame([values], schema=FRAME.schema))
        assert again.when[0, 0] == whole.when[0, row]
        assert again.clear[0, 0] == whole.clear[0, row]


def test_every_problem_of_every_rule_is_told_at_once() -> None:
    bad = [
        rule(id="a", when="order_30d > 1", clear="SUM(orders_30d) > 1", only="region"),
        rule(id="b", message="{orders_30}"),
        rule(id="b"),
    ]
    with pytest.raises(RulesRefused) as refused:
        compile_rules(bad, DTYPES)
    assert [(each.rule, each.field) for each in refused.value.problems] == [
        ("a", "when"), ("a", "clear"), ("a", "only"), ("b", "message"), ("b", "id"),
    ]  # fmt: skip
    assert str(refused.value.problems[0]) == (
        "rule 'a': `when`: unknown feature 'order_30d' (column 1); did you mean 'orders_30d'?"
    )


@pytest.mark.parametrize("field", ["when", "only", "clear"])
def test_a_condition_that_reads_nothing_is_refused(field: str) -> None:
    with pytest.raises(RulesRefused, match="reads no feature"):
        compile_rules([rule(**{field: "TRUE"})], DTYPES)


def test_drafts_are_checked_too() -> None:
    with pytest.raises(RulesRefused):
        compile_rules([rule(when="order_30d > 1", status=RuleStatus.DRAFT)], DTYPES)


def test_the_version_is_that_of_what_the_rule_says() -> None:
    base = rule(when="orders_30d > 3 AND region = 'a  b'")
    assert len(base.version) == 12
    same = [
        replace(base, when="orders_30d\n   > 3 AND region = 'a  b' "),
        replace(base, status=RuleStatus.SHADOW, rationale="because", false_alarms="some"),
    ]
    others = [
        replace(base, when="orders_30d > 3 AND region = 'a b'"),
        replace(base, tier=Tier.LOW),
        replace(base, for_us=1),
        replace(base, clear="orders_30d < 1"),
        replace(base, message="x"),
        replace(base, id="b"),
    ]
    assert {each.version for each in same} == {base.version}
    assert len({each.version for each in [base, *others]}) == len(others) + 1


def test_the_hash_is_that_of_the_rules_that_take_part() -> None:
    one, other = rule(id="a"), rule(id="b")
    base = compile_rules([one, other], DTYPES).hash
    assert len(base) == 16
    assert compile_rules([other, one, rule(id="c", status=RuleStatus.DRAFT)], DTYPES).hash == base
    assert compile_rules([one], DTYPES).hash != base
    assert compile_rules([one, replace(other, status=RuleStatus.SHADOW)], DTYPES).hash != base
    assert compile_rules([one, replace(other, cooldown_us=1)], DTYPES).hash != base


def test_messages_show_values_as_people_read_them() -> None:
    text = "{orders_30d} of {overdue:.1f} at {complaint_rate_90d:.0%}, {region}, {spend_30d} {{x}}"
    values: dict[str, Value] = {
        "orders_30d": 3,
        "overdue": 2.04,
        "complaint_rate_90d": 0.256,
        "region": "x",
        "spend_30d": None,
    }
    assert render(rule(message=text), values) == "3 of 2.0 at 26%, x, \u2013 {x}"


def test_without_a_message_the_title_stands_for_it_and_without_a_title_the_id() -> None:
    assert render(rule(title="Fewer {orders}"), {}) == "Fewer {orders}"
    assert render(rule(), {}) == "a"


@pytest.mark.parametrize(
    "template",
    ["{", "}", "{orders_30d", "{}", "{0}", "{orders_30d.real}", "{orders_30d[0]}", "{orders_30d!r}",
     "{orders_30d:>9}", "{orders_30d:.99f}", "{orders_30d:}", "{ orders_30d }", "{{orders_30d}",
     "{a{b}}", "{__class__}"],
)  # fmt: skip
def test_a_message_can_do_nothing_but_show_features(template: str) -> None:
    with pytest.raises(RulesRefused, match="message"):
        compile_rules([rule(message=template)], DTYPES)


def test_a_word_cannot_be_formatted_as_a_number() -> None:
    with pytest.raises(RulesRefused, match="formats a word as a number"):
        compile_rules([rule(message="{region:.1f}")], DTYPES)
