"""A decision in words, for people: the same in messages, lists and on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_BARRED: Final = {
    "problem_class": "a problem customer",
    "do_not_contact": "must not be contacted",
    "play_none": "its rule plans nothing",
}


def must_not_be_contacted(data: Mapping[str, Any]) -> bool:
    """Return whether a warning's data say that its customer must not be contacted.

    >>> must_not_be_contacted({"decision": {"why": "do_not_contact"}})
    True
    """
    decision = data.get("decision")
    barred = isinstance(decision, Mapping) and decision.get("why") == "do_not_contact"
    return barred or data.get("do_not_contact") is True


def decision_words(decision: Mapping[str, Any] | str | None, *, in_full: bool = False) -> str:
    """Return verdict and net in a few words; nothing where a step of before has none.

    What is not decided is said with `in_full` only: without plays that would stand in every line.

    >>> decision_words({"verdict": "rescue", "why": "worth", "net": 157.5})
    'rescue, net gain 157.50'
    >>> decision_words({"verdict": "unknown", "why": "missing", "missing": ["play"]}, in_full=True)
    'undecided (missing: play)'
    """
    if decision is None or isinstance(decision, str):
        return ""
    verdict, why, net = decision.get("verdict"), decision.get("why"), decision.get("net")
    if verdict == "unknown":
        if not in_full:
            return ""
        return f"undecided (missing: {', '.join(map(str, decision.get('missing') or ['everything']))})"
    if verdict == "rescue":
        return "rescue" if net is None else f"rescue, net gain {net:,.2f}"
    reason = _BARRED.get(str(why), "not worth it")
    return f"do not rescue ({reason}" + (f", net {net:,.2f})" if net is not None else ")")
