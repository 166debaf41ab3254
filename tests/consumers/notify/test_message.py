"""What the team reads, about warnings as the engine makes them."""

from __future__ import annotations

import json
from typing import Any

from consumers.notify.message import Message, write_message
from tests.consumers.engine_warnings import CUSTOMER, RULES, attended, events, replayed, warned
from tests.consumers.warning_events import value, warning_id


def written(content: bytes, note: str | None = None) -> Message:
    event = json.loads(content)
    return write_message(event["type"], event["data"], note)


def test_an_opened_warning_reads_like_this() -> None:
    message = written(warned()[0])
    assert message.title == "[low] Churn warning: Fewer orders than before"
    assert not message.urgent
    assert message.body.splitlines() == [
        "Customer: c1",
        "Tier: low (opened)",
        "- Fewer orders than before",
        "  2 orders in 30 days, 6 in the 30 before",
        "  since 2024-03-12 00:00 UTC; rule fewer-orders, tier low",
        "Play: care-call",
        "Open since: 2024-03-12 00:00 UTC",
        f"Warning: {json.loads(warned()[0])['data']['warning_id']}, step 1",
    ]


def test_an_escalated_warning_says_so_is_urgent_and_counts_what_it_hides() -> None:
    message = written(warned()[1])
    assert message.title == "[high] Churn warning escalated: No order for three weeks"
    assert message.urgent
    lines = message.body.splitlines()
    assert lines[1] == "Tier: high (escalated)"
    assert "Play: win-back" in lines
    assert "- 1 milder rule hidden by these" in lines
    assert "fewer-orders" not in message.body


def test_a_lapse_and_a_passed_deadline_say_who_had_it_and_that_nobody_has() -> None:
    assert [written(content).body.splitlines()[1] for content in attended()] == [
        "Tier: low (opened)",
        "Tier: high (escalated)",
        "Tier: high (acknowledged)",
        "Tier: high (needs somebody again; ann had acknowledged or snoozed it)",
        "Tier: high (escalated, as nobody acknowledged it in time)",
    ]


def test_a_model_has_its_probability_and_its_reasons() -> None:
    """The steps here have a model's score; the replays above are too short for a model to be ready."""
    body = written(value()).body.splitlines()
    assert "Churn probability: 73% within 90 days" in body
    assert "- order_trend = 0.25 raises it" in body
    assert "- logins_30d = missing lowers it" in body
    assert not any(line.startswith("Play") for line in body)
    in_words = value().replace(b'"text":""', b'"text":"a quarter of the orders of before"', 1)
    assert "- a quarter of the orders of before raises it" in written(in_words).body.splitlines()
    assert body[-1] == f"Warning: {warning_id('c1')}, step 1"


def test_many_causes_are_counted_not_listed() -> None:
    rule = RULES.splitlines()[2:10]
    many = "\n".join(["version: 1", "rules:", *(line for n in range(20) for line in renamed(rule, n))])
    body = written(replayed(events(), many)[0]).body
    assert "- and 12 more" in body
    assert "rule-07" in body
    assert "rule-08" not in body


def renamed(rule: list[str], number: int) -> list[str]:
    return [line.replace("fewer-orders", f"rule-{number:02}") for line in rule]


def test_a_customer_id_cannot_add_lines() -> None:
    hostile = "c1\nTier: none\x1b[2J\u202e"
    lines: list[dict[str, Any]] = [
        line | ({"customer_id": hostile} if line["customer_id"] == CUSTOMER else {}) for line in events()
    ]
    body = written(replayed(lines)[0]).body
    assert body.splitlines()[0] == "Customer: c1 Tier: none [2J "
    assert body.splitlines()[1] == "Tier: low (opened)"


def test_a_note_stands_on_top_and_a_late_message_is_no_update() -> None:
    lapsed = attended()[3].replace(b'"state":"lapsed","step":4', b'"state":"lapsed","step":3')
    message = written(lapsed, "Deferred since yesterday\nquiet hours")
    assert message.title == "[high] Churn warning: No order for three weeks"
    assert message.body.splitlines()[2] == "Deferred since yesterday quiet hours"
    assert written(lapsed).title == "[high] Churn warning updated: No order for three weeks"


def test_times_are_shown_in_utc_whatever_their_offset() -> None:
    elsewhere = warned()[0].replace(
        b'"opened_at":"2024-03-12T00:00:00Z"', b'"opened_at":"2024-03-12T01:00:00+01:00"'
    )
    assert "Open since: 2024-03-12 00:00 UTC" in written(elsewhere).body
