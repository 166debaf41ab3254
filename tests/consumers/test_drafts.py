from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.drafts import CHANGING_KINDS, RESULTS, Draft, action_bytes
from streams.contract.structs import ActionRow
from streams.contract.validate import judge
from streams.core.events import action_words
from streams.core.events.action_words import WARNING_KINDS
from streams.core.events.topics import Topic
from streams.errors import ActError

AT = 1_300_000_000_000_000


def sent(draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(action_bytes(draft.event("e1", AT, "ann")))
    return found


def test_a_draft_becomes_an_event_that_the_contract_reads_with_all_its_fields() -> None:
    draft = Draft(
        "c1",
        "offer",
        "w",
        play="voucher",
        result="accepted",
        reasons=("price", "service.slow"),
        cost={"gift": 2.5},
        corrects="e0",
    )
    row = judge(Topic.ACTIONS, action_bytes(draft.event("e1", AT, "ann")))
    assert isinstance(row, ActionRow)
    read = (row.customer_id, row.kind, row.warning_id, row.play, row.result, row.reasons, row.corrects)
    assert read == ("c1", "offer", "w", "voucher", "accepted", ("price", "service.slow"), "e0")
    assert (row.cost, row.actor, row.event_id) == ({"gift": 2.5}, "ann", "e1")


def test_what_is_not_given_is_left_out() -> None:
    assert set(sent(Draft("c1", "contact"))) == {"event_id", "occurred_at", "customer_id", "kind", "actor"}
    assert sent(Draft("c1", "assign", "w", assignee="bob"))["assignee"] == "bob"


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        (Draft("c1", "contact", "w", until=AT), "until: belongs to"),
        (Draft("c1", "expire", "w", until=AT), "until: belongs to"),
        (Draft("c1", "correct", "w"), "corrects: which action"),
        (Draft("c1", "contact", "w", assignee="bob"), "assignee: belongs to assign"),
        (Draft("c1", "snooze"), "warning_id is required"),
        (Draft("", "contact"), "customer_id: String should have at least 1"),
        (Draft("c1", "contact", "w", reasons=("too dear",)), "reasons.0: String should match"),
        (Draft("c1", "offer", "w", cost={"gift": -1.0}), "cost: Input should be greater"),
        (Draft("c\0", "contact"), "customer_id: Text should not contain U.0000"),
    ],
)
def test_what_a_worker_would_refuse_is_refused(draft: Draft, says: str) -> None:
    with pytest.raises(ActError, match=says):
        sent(draft)


def test_the_kinds_that_change_a_warning_are_those_of_the_engine() -> None:
    assert CHANGING_KINDS == WARNING_KINDS
    assert RESULTS == action_words.RESULTS
