"""Rules that between them use every part of a cause's life."""

from __future__ import annotations

from typing import Final

from streams.core.steps import Tier
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY, HOUR
from tests.oracle.life import Terms

RULES: Final = (
    OracleRule(
        "silent",
        "days_since_order >= 10",
        terms=Terms(Tier.MEDIUM, for_us=2 * DAY, keep_open_for_us=DAY, cooldown_us=5 * DAY),
    ),
    OracleRule("complaint", "open_complaints > 0", terms=Terms(Tier.LOW)),
    OracleRule(
        "collapse",
        "orders_prev_30d >= 1 AND order_trend < 1",
        clear="order_trend > 1",
        terms=Terms(Tier.HIGH),
    ),
    OracleRule(
        "few-logins",
        "logins_30d < 2",
        only="customer_class IN ('key', 'ordinary')",
        terms=Terms(Tier.HIGH, keep_open_for_us=3 * DAY),
    ),
    OracleRule("burst", "orders_7d >= 2", clear="logins_7d > 0", terms=Terms(Tier.MEDIUM, cooldown_us=DAY)),
    OracleRule(
        "unhappy", "feedback_mean_90d < 0.5 OR returns_90d > 1", terms=Terms(Tier.HIGH, for_us=12 * HOUR)
    ),
    OracleRule("overdue", "overdue > 1.5", clear="overdue < 0.5", terms=Terms(Tier.LOW, for_us=HOUR)),
    OracleRule("newcomer", "tenure_days < 3", terms=Terms(Tier.LOW, keep_open_for_us=HOUR)),
    OracleRule("few-logins-ever", "logins_30d < 2", terms=Terms(Tier.LOW, keep_open_for_us=40 * DAY)),
)
ABSENT: Final = (
    OracleRule("three-days", "days_since_login >= 3", terms=Terms(Tier.LOW, keep_open_for_us=2 * DAY)),
    OracleRule("four-days", "days_since_login >= 4", terms=Terms(Tier.HIGH, cooldown_us=5 * DAY)),
)
"""Rules that late logins take back."""
FOLLOWED: Final = (
    OracleRule(
        "unanswered",
        "(orders_total = 0 OR days_since_order > days_since_complaint) AND complaint_without_order_days >= 2",
        terms=Terms(Tier.HIGH),
    ),
    OracleRule("stays-away", "complaint_without_login_days >= 0", terms=Terms(Tier.LOW)),
    OracleRule(
        "absent",
        "CASE WHEN days_since_any_login < 3 THEN days_since_login >= 4 END",
        clear="days_since_any_order < 1",
        terms=Terms(Tier.MEDIUM),
    ),
)
"""Rules on what has not followed, and on what others do."""
GROUPS: Final[tuple[tuple[OracleRule, ...], ...]] = (
    RULES,
    RULES[:1],
    RULES[1:2],
    (RULES[3], RULES[6], RULES[7]),
    RULES[-1:],
    FOLLOWED,
)
"""All rules at once, and few, where warnings end sooner."""
