"""What notices of generated lives hold to, however their judging is cut into turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.database.notices import NoticeRow
from consumers.muting.notice import Limits
from consumers.notify.notices import Notices
from streams.contract.silences import Silence
from streams.contract.warnings import encode_step
from streams.core.steps import Step, Tier
from tests.consumers.notify.notice_shop import BEGIN, DAY, HOUR, LIMITS, Shop, opened, put, rows, silence
from tests.consumers.stored import store_records
from tests.consumers.warning_events import records

ORDER = [Tier.LOW, Tier.MEDIUM, Tier.HIGH]
RANK = {tier.label: tier for tier in ORDER}
lives = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2"]),
        st.integers(1, 60),  # hours since the step before
        st.sampled_from(["up", "up", "down", "end"]),
        st.sampled_from(["overdue", "login-drop"]),
        st.sampled_from(ORDER),
    ),
    max_size=60,
)


def played(moves: Sequence[tuple[str, int, str, str, Tier]]) -> list[Step]:
    """Return steps that customers' warnings can take: opened, escalated, updated, resolved."""
    shop = Shop([], {})
    at, warning, tiers = BEGIN, 0, dict[str, tuple[int, Tier]]()
    for customer, hours, move, rule, tier in moves:
        at += hours * HOUR
        if customer not in tiers:
            warning += 1
            tiers[customer] = (warning, tier)
            shop.step(customer, at, "opened", tier, rule, warning)
            continue
        number, before = tiers[customer]
        if move == "end":
            shop.step(customer, at, "resolved", before, rule, number)
            del tiers[customer]
        else:
            tiers[customer] = (number, tier)
            kind = "escalated" if tier > before else "updated"
            shop.step(customer, at, kind, tier, rule, number)
    return shop.steps


def judged_in_turns(
    steps: Sequence[Step], chunk: int, limits: Limits, silences: Sequence[Silence]
) -> list[Any]:
    """Return what is decided where `chunk` steps are stored between two looks, each by a new notifier."""
    database = opened()
    put(database, *silences)
    now = BEGIN + 300 * DAY
    for start in range(0, len(steps), chunk):
        contents: list[bytes | None] = [encode_step(step, "shop") for step in steps[start : start + chunk]]
        store_records(database, records(contents), now)
        Notices(database, limits).judge(now)
    found = [tuple(row)[1:-1] for row in rows(database)]
    database.close()
    return found


SPANS = [
    silence("a", BEGIN + DAY, BEGIN + 4 * DAY, matchers={"rules": ["overdue"]}),
    silence("b", BEGIN + 3 * DAY, BEGIN + 6 * DAY, matchers={"customers": ["c2"]}),
]


CAPPED = Limits(at_most=2, period=5 * DAY)
"""Without flapping, which alone would keep notices few."""


@settings(max_examples=15)
@given(lives, st.integers(1, 9), st.sampled_from([LIMITS, CAPPED]))
def test_the_turns_do_not_matter_and_the_bounds_hold(moves: Any, chunk: int, limits: Limits) -> None:
    steps = played(moves)
    found = judged_in_turns(steps, len(steps) or 1, limits, SPANS)
    assert judged_in_turns(steps, chunk, limits, SPANS) == found
    columns = [column.name for column in NoticeRow.__table__.columns][1:-1]
    named = [dict(zip(columns, row, strict=True)) for row in found]
    # None is lost: each opening and escalation is sent or recorded with its reason.
    onsets = {step.id for step in steps if step.kind in ("opened", "escalated")}
    assert onsets <= {row["step_id"] for row in named}
    assert all(row["why"] for row in named if row["verdict"] != "told")
    # Nothing is deferred beyond its time.
    last = BEGIN + sum(hours for _, hours, *_ in moves) * HOUR
    assert all(row["look_again_at"] > last for row in named if row["verdict"] == "held")
    # No step is sent twice.
    ids = [row["step_id"] for row in named if row["verdict"] == "told"]
    assert len(ids) == len(set(ids))
    check_cap(named, limits)


def check_cap(named: Sequence[dict[str, Any]], limits: Limits) -> None:
    """Count again, row by row, the customer's warnings of which a notice was sent in the period before."""
    for place, row in enumerate(named):
        sent = [
            before
            for before in named[:place]
            if before["customer_id"] == row["customer_id"]
            and before["verdict"] == "told"
            and row["at"] - limits.period < before["at"] <= row["at"]
        ]
        is_worse = all(RANK[row["tier"]] > RANK[before["tier"]] for before in sent)
        warnings = {before["warning_id"] for before in sent}
        allowed = len(warnings) < limits.at_most or row["warning_id"] in warnings
        allowed = allowed or is_worse or row["kind"] == "escalated"
        assert allowed or row["verdict"] != "told"
        assert not allowed or row["why"] != "fatigue"


def test_without_limits_and_silences_all_are_told() -> None:
    steps = played([("c1", 1, "up", "overdue", tier) for tier in ORDER * 5])
    found = judged_in_turns(steps, 4, Limits(), [])
    expected = [step.id for step in steps if step.kind in ("opened", "escalated")]
    assert [row[0] for row in found] == expected
