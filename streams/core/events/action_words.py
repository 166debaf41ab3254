"""The words of actions: their kinds, and what may come of them."""

from __future__ import annotations

from typing import Final, Literal, get_args

WARNING_KINDS: Final = ("acknowledge", "snooze", "expire")
"""Kinds that change the life of the warning they name."""
TREATMENT_KINDS: Final = ("contact", "offer")
"""Kinds that treat the customer."""
RECORD_KINDS: Final = ("assign", "unassign", "confirm", "correct")
"""Kinds that are on record only; so is any other word."""

ActionResult = Literal[
    "not_reached",
    "reached",
    "call_back",
    "accepted",
    "declined",
    "will_return",
    "returned",
    "moved_away",
    "other_branch",
    "uses_competitor",
    "need_gone",
    "wrong_contact",
    "false_alarm",
    "other",
]
"""What came of an action: whether anybody was reached, what the customer means to do, or that there was no
reason to warn. Why a customer leaves is another question, answered by reasons."""
RESULTS: Final[tuple[str, ...]] = get_args(ActionResult)
WRONG_CONTACT: Final = "wrong_contact"
"""The result of an action that reached somebody else, and so treated nobody."""
