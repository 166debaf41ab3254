"""What text is a condition, and what is refused, with its place."""

from __future__ import annotations

import contextlib
import logging
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark import logger as lark_logger

from streams.core.conditions.grammar import GRAMMAR, KEYWORDS, REFUSED_WORDS
from streams.core.conditions.parser import ConditionError, ConditionMistake, parse_condition
from streams.core.conditions.tree import features_of
from streams.core.features.catalogue import DTYPES
from streams.core.segments.catalogue import SEGMENT_DTYPES

LOOKS_AT_OTHERS = """
SUM(orders_30d) > 3 ¦ orders_30d > AVG(orders_30d) ¦ COUNT(*) > 3 ¦ COUNT(orders_30d) > 3
COUNT(DISTINCT orders_30d) > 3 ¦ MAX(orders_30d) > 3 ¦ MIN(orders_30d) > 3 ¦ MEDIAN(orders_30d) > 3
STDDEV(orders_30d) > 3 ¦ VAR(orders_30d) > 3 ¦ FIRST(orders_30d) > 3 ¦ LAST(orders_30d) > 3
FIRST_VALUE(orders_30d) > 3 ¦ ARRAY_AGG(orders_30d) > 3 ¦ QUANTILE_DISC(orders_30d, 0.5) > 3
CORR(orders_30d, overdue) > 0 ¦ SUM(orders_30d) FILTER (WHERE overdue > 1) > 3
orders_30d > AVG(orders_30d) OVER (PARTITION BY region) ¦ ROW_NUMBER() OVER () > 1
RANK() OVER (ORDER BY overdue) > 1 ¦ LAG(orders_30d) OVER (ORDER BY overdue) > 1
DENSE_RANK() OVER (ORDER BY overdue) > 1 ¦ orders_30d > (SELECT 1) ¦ EXISTS (SELECT 1)
orders_30d IN (SELECT 1) ¦ orders_30d > ALL (SELECT 1) ¦ orders_30d > ANY (ARRAY[1, 2])
orders_30d > ALL (1) ¦ UNNEST(region) = 'x' ¦ "^orders_.*$" > 1 ¦ COLUMNS('orders') > 1 ¦ * > 1 ¦ *
COALESCE(overdue, AVG(overdue)) > 1 ¦ CASE WHEN SUM(orders_30d) > 1 THEN TRUE ELSE FALSE END
NOT (orders_30d > MAX(orders_30d)) ¦ customer_class = FIRST(customer_class)
"""
READS_A_CLOCK = """
NOW() > 1 ¦ CURRENT_DATE > orders_30d ¦ CURRENT_TIMESTAMP > orders_30d ¦ RANDOM() > 0.5 ¦ RAND() > 0.5
orders_30d >= DATE '2020-01-01' ¦ INTERVAL '1 day' > orders_30d ¦ DATE_PART('year', orders_30d) > 1
"""
NOT_A_CONDITION = """
orders_30d ¦ region ¦ NULL AND orders_30d ¦ orders_30d + 1 ¦ 'key' ¦ orders_30d AND overdue > 1
NOT orders_30d ¦ NOT region ¦ CASE WHEN orders_30d THEN TRUE ELSE FALSE END ¦ orders_30d IS TRUE
CASE WHEN overdue > 1 THEN 1 ELSE 0 END ¦ CASE WHEN overdue > 1 THEN 1 ELSE TRUE END
"""
WRONG_TYPES = """
customer_class > 3 ¦ orders_30d = 'x' ¦ orders_30d > '5' ¦ orders_30d IN ('5') ¦ region IN (1, 2)
region + 1 > 2 ¦ -region > 2 ¦ ABS(region) > 1 ¦ region = customer_class ¦ orders_30d LIKE '5%'
COALESCE(orders_30d, 'x') > 1 ¦ COALESCE(region, 1) = 'x' ¦ orders_30d < 5 < 9 ¦ (overdue > 1) > 0
overdue = NULL ¦ overdue > NULL ¦ (overdue > 1) = TRUE ¦ (overdue > 1) IS TRUE ¦ region || 'x' = 'xx'
"""
NOT_SQL_OF_A_RULE = """
orders_30d > ¦ orders_30d > 1, overdue > 1 ¦ orders_30d > 1; ¦ orders_30d > 1; DROP TABLE x
orders_30d > 1 AS x ¦ orders_30d AS overdue ¦ orders_30d overdue ¦ orders_30d >> 1
orders_30d > 1 XOR overdue > 1 ¦ orders_30d & 1 = 1 ¦ SELECT 1 ¦ orders_30d > 1 GROUP BY region
orders_30d[1] > 1 ¦ orders_30d.x > 1 ¦ region ~ 'x' ¦ region RLIKE 'x' ¦ REGEXP_LIKE(region, 'x')
SHELL('ls') > 1 ¦ orders_30d > $1 ¦ orders_30d > ? ¦ CAST(overdue AS INT) > 1 ¦ overdue::INT > 1
CAST(region AS INT) > 1 ¦ orders_30d > 0x10 ¦ orders_30d > 1e400 ¦ orders_30d > 1_000
overdue IS DISTINCT FROM 1 ¦ overdue <=> 1 ¦ orders_30d // 2 > 1 ¦ LN(overdue) > 1
POWER(overdue, 2) > 1 ¦ orders_30d > 1 -- why ¦ orders_30d > 1 /* why */ ¦ CONCAT(region, 'x') = 'x'
orders_30d > 'a' COLLATE "C" ¦ orders_30d == 1 ¦ IF(overdue > 1, 1, 2) > 1 ¦ orders_30d = overdue IS NULL
"""
REFUSED = [
    sql.strip()
    for text in (LOOKS_AT_OTHERS, READS_A_CLOCK, NOT_A_CONDITION, WRONG_TYPES, NOT_SQL_OF_A_RULE)
    for line in text.strip().splitlines()
    for sql in line.split("¦")
]
TOO_MUCH = [
    "",
    "   ",
    "(" * 300 + "orders_30d > 1" + ")" * 300,
    "NOT " * 400 + "orders_30d > 1",
    "orders_30d + " * 150 + "1 > 1",
    "overdue > 1 AND " * 120 + "overdue + " * 9 + "1 > 1",
    "orders_30d > 1 AND " * 1000 + "TRUE",
    "orders_30d" + "::DOUBLE" * 200 + " > 1",
]


@pytest.mark.parametrize("sql", [*REFUSED, *TOO_MUCH])
def test_whatever_is_not_a_condition_of_one_row_is_refused(sql: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(sql, DTYPES)
    assert refused.value.mistakes
    assert all(each.message and "\n" not in str(each) for each in refused.value.mistakes)


@pytest.mark.parametrize(
    ("sql", "message", "hint", "place"),
    [
        ("order_30d > 1", "unknown feature 'order_30d'", "orders_30d", "column 1"),
        ("overdue > 1 OR Orders_30d > 1", "unknown feature 'Orders_30d'", "orders_30d", "column 16"),
        ("overdue > 1\n  OR qqqq < 0.5", "unknown feature 'qqqq'", None, "line 2, column 6"),
        ('"orders_3d" > 1', "unknown feature 'orders_3d'", "orders_30d", "column 1"),
        ("customer_class > 3", "compares customer_class (a word) with the number 3", None, "column 1"),
        ("overdue + NULL", "gives a number, not true or false; compare it with something", None, ""),
        ("orders_30d", "gives a number, not true or false; compare it with something", None, ""),
        ("NOT orders_30d", "NOT expects a condition, found orders_30d (a number)", None, "column 5"),
        ("overdue > 1 AND region", "AND expects a condition, found region (a word)", None, "column 17"),
        ("overdue > 1 ADN TRUE", "cannot be read as a SQL condition: unexpected 'ADN'", "AND", "column 13"),
        ("overdue > 1 AND", "cannot be read as a SQL condition: it ends too early", None, ""),
        ("overdue == 1", "cannot be read as a SQL condition: unexpected '='", "=", "column 10"),
        ("overdue > 1 && TRUE", "cannot be read as a SQL condition: unexpected '&&'", "AND", "column 13"),
        ("overdue > 1 || TRUE", "cannot be read as a SQL condition: unexpected '||'", "OR", "column 13"),
        ("! (overdue > 1)", "cannot be read as a SQL condition: unexpected '!'", "NOT", "column 1"),
        ("overdue > 1; DROP", "cannot be read as a SQL condition: unexpected ';'", None, "column 12"),
        ("region = 'x", "the text in quotes that begins with 'x has no end", None, "column 10"),
        ("GREATST(overdue, 2) > 1", "the function GREATST cannot be used in a rule", "GREATEST", "column 1"),
        ("overdue > 1 AND ABS(overdue, 2) > 1", "ABS needs 1 in its parentheses, not 2", None, "column 17"),
        ("COALESCE() > 1", "COALESCE needs 1 or more in its parentheses, not 0", None, "column 1"),
        (
            "ROUND(orders_30d, 2000000000) > 1",
            "ROUND keeps 0 to 15 decimals, written as a whole number",
            None,
            "column 1",
        ),
        (
            "region LIKE 'x!y' ESCAPE '!'",
            "in the pattern 'x!y' the escape character '!' must stand before _, % or itself",
            None,
            "column 1",
        ),
    ],
)  # fmt: skip
def test_a_refusal_names_the_mistake_and_its_place(
    sql: str, message: str, hint: str | None, place: str
) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(sql, DTYPES)
    assert refused.value.mistakes == (ConditionMistake(message, hint, place),)


def test_all_mistakes_of_a_condition_are_reported_at_once() -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition("order_30d > 1 AND login_30d > 1 AND region > 3 AND SUM(overdue) > 1", DTYPES)
    assert [each.place for each in refused.value.mistakes] == [
        *("column 1", "column 19", "column 37", "column 52"),
    ]


def test_features_are_named_in_the_order_of_reading() -> None:
    condition = parse_condition("region IN ('x') AND orders_30d / overdue > COALESCE(order_trend, 1)", DTYPES)
    assert list(features_of(condition)) == ["region", "orders_30d", "overdue", "order_trend"]


def test_no_feature_has_the_name_of_a_word_that_is_refused() -> None:
    names = {name.upper() for name in (*DTYPES, *SEGMENT_DTYPES)}
    assert names & {*REFUSED_WORDS, *KEYWORDS} == set()


def test_every_keyword_is_one_of_the_grammar() -> None:
    written = {each.upper().lstrip("_") for each in re.findall(r"/([a-z?]+)\(", GRAMMAR)}
    assert {word.replace("I?", "") for word in written} | {"ILIKE"} == set(KEYWORDS)


def test_the_grammar_is_unambiguous(caplog: pytest.LogCaptureFixture) -> None:
    """Lark resolves a conflict of shift and reduce silently, unless it is asked to log it."""
    lark_logger.setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        Lark(GRAMMAR, parser="lalr", lexer="basic", debug=True)
    assert "conflict" not in caplog.text


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConditionError):
        parse_condition(text, DTYPES)


VALUES = ["orders_30d", "region", "overdue", "'x'", "1", "0.5", "TRUE", "NULL"]
SIGNS = ["(", ")", ",", "<", "=", "+", "-", "*", "/"]
FUNCTIONS = ["ABS", "ROUND", "COALESCE", "NULLIF", "MOD", "DOUBLE"]
tokens = st.sampled_from([*VALUES, *SIGNS, *FUNCTIONS, *KEYWORDS])


@settings(max_examples=500)
@given(st.lists(tokens, max_size=14))
def test_any_words_of_the_grammar_are_read_or_refused(words: list[str]) -> None:
    with contextlib.suppress(ConditionError):
        parse_condition(" ".join(words), DTYPES)
