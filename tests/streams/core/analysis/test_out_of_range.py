"""Numbers and words that a feature never is are found, with the likely right one."""

from __future__ import annotations

import pytest

from streams.core.analysis.out_of_range import out_of_range
from streams.core.conditions.parser import parse_condition
from streams.core.features.catalogue import DTYPES


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("churn_probability >= 70", ["churn_probability is between 0 and 1, never 70; did you mean 0.7?"]),
        (
            "NOT 5 > churn_probability",
            ["churn_probability is between 0 and 1, never 5; did you mean 0.05?"],
        ),
        (
            "COALESCE(churn_probability, 1) < 30",
            ["churn_probability is between 0 and 1, never 30; did you mean 0.3?"],
        ),
        ("churn_probability BETWEEN 0.2 AND 1", []),
        ("churn_probability > 700", ["churn_probability is between 0 and 1, never 700"]),
        ("orders_30d >= -1 OR overdue > 3", ["orders_30d is at least 0, never -1"]),
        ("handling_satisfaction_90d < 0.5", ["handling_satisfaction_90d is between 1 and 5, never 0.5"]),
        ("order_gap_mean IN (0.5, 7)", ["order_gap_mean is at least 1, never 0.5"]),
        ("spend_90d < -100 AND spend_trend < -1", []),
        (
            "customer_class IN ('key', 'kee')",
            ["customer_class is one of key, ordinary, small, problem, never 'kee'; did you mean key?"],
        ),
        ("region = 'nowhere'", []),
        ("orders_30d * 2 > -1", []),
    ],
)
def test_what_lies_outside(sql: str, expected: list[str]) -> None:
    assert [str(each) for each in out_of_range(parse_condition(sql, DTYPES))] == expected
