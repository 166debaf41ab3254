from __future__ import annotations

import json
from typing import Any

from consumers.notify.message import write_message
from streams.core.steps import StepKind, Tier
from tests.consumers.warning_events import attended_life, value, warning_id


def data(**changes: object) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(value(**changes))["data"]
    return read


def test_an_opened_warning_reads_like_this() -> None:
    message = write_message("churn.warning.opened", data(causes=("order-collapse", "model-high")))
    assert message.title == "[medium] Churn warning: Title of order-collapse (+1)"
    assert not message.urgent
    assert message.body.splitlines() == [
        "Customer: c1",
        "Tier: medium (opened)",
        "- Title of order-collapse",
        "  message of order-collapse",
        "  since 2011-03-13 07:06 UTC; rule order-collapse, tier medium",
        "- Title of model-high",
        "  message of model-high",
        "  since 2011-03-13 07:06 UTC; rule model-high, tier medium",
        "Churn probability: 73% within 90 days",
        "- order_trend = 0.25 raises it",
        "- logins_30d = missing lowers it",
        "Open since: 2011-03-14 07:06 UTC",
        f"Warning: {warning_id('c1')}, step 1",
    ]


def test_an_escalated_warning_says_so_and_is_urgent() -> None:
    message = write_message("churn.warning.escalated", data(kind=StepKind.ESCALATED, tier=Tier.HIGH))
    assert message.title.startswith("[high] Churn warning escalated: ")
    assert message.urgent


def test_what_is_unknown_is_left_out() -> None:
    plain = data() | {"churn_probability": None, "reasons": [], "play": "care-call"}
    body = write_message("churn.warning.opened", plain).body
    assert "probability" not in body
    assert "Play: care-call" in body


def test_many_causes_are_counted_not_listed() -> None:
    body = write_message("churn.warning.opened", data(causes=[f"r{n}" for n in range(20)])).body
    assert "- and 12 more" in body
    assert "r8" not in body


def test_a_customer_id_cannot_add_lines() -> None:
    body = write_message("churn.warning.opened", data(customer="c1\nTier: none\x1b[2J\u202e")).body
    assert body.splitlines()[0] == "Customer: c1 Tier: none [2J "


def test_a_lapse_and_a_passed_deadline_are_told_in_words() -> None:
    steps = [json.loads(content) for content in attended_life("c1")]
    lines = [write_message(step["type"], step["data"]).body.splitlines()[1] for step in steps]
    assert lines[2:] == [
        "Tier: medium (speaks again, after ann had it in hand)",
        "Tier: medium (updated)",
        "Tier: medium (escalated, as nobody acknowledged it in time)",
    ]


def test_hidden_causes_are_counted_and_a_note_stands_on_top() -> None:
    data = json.loads(value(causes=("overdue", "login-drop")))["data"]
    data["causes"][1]["inhibited_by"] = "overdue"
    message = write_message("churn.warning.updated", data, "Held back since yesterday\nquiet hours")
    assert message.title == "[medium] Churn warning: Title of overdue"
    lines = message.body.splitlines()
    assert lines[2] == "Held back since yesterday quiet hours"
    assert "- 1 milder rule hidden by these" in lines
    assert "login-drop" not in message.body
    assert (
        write_message("churn.warning.updated", data).title
        == "[medium] Churn warning updated: Title of overdue"
    )
