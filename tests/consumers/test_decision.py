"""Decisions in words, as every reader prints them."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.decision import decision_words

MADE: dict[str, Any] = {"verdict": "dont", "why": "not_worth", "net": -12.345, "missing": []}


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"verdict": "rescue", "why": "worth", "net": 1234.5}, "rescue, net gain 1,234.50"),
        (MADE, "do not rescue (not worth it, net -12.35)"),
        ({**MADE, "why": "problem_class", "net": None}, "do not rescue (a problem customer)"),
        ({**MADE, "why": "do_not_contact", "net": 5.0}, "do not rescue (must not be contacted, net 5.00)"),
        ({**MADE, "why": "play_none", "net": None}, "do not rescue (its rule plans nothing)"),
        (
            {"verdict": "unknown", "why": "missing", "net": None, "missing": ["play", "value"]},
            "undecided (missing: play, value)",
        ),
        ("unknown", ""),
        (None, ""),
    ],
)
def test_a_decision_is_put_in_words(decision: Any, words: str) -> None:
    assert decision_words(decision, in_full=True) == words
    assert decision_words(decision) == ("" if words.startswith("undecided") else words)
