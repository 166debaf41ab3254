"""Who reads a report, and which of its parts they see: all views show the same figures."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class View(StrEnum):
    """For whom a report is written."""

    ALL = "all"
    MARKETING = "marketing"
    PRODUCT = "product"
    SALES = "sales"
    FINANCE = "finance"
    SUCCESS = "success"
    """A customer-success lead: a page that is read in two minutes."""


PARTS: Final = (
    *("retention", "trend", "base", "groups", "cohorts", "lapses"),
    *("funnels", "reasons", "profile", "complaints", "alarms", "plays"),
    *("value", "movement", "forecast"),
)
"""All parts, in the order in which a report shows them."""

SEEN: Final[dict[View, tuple[str, ...]]] = {
    View.ALL: PARTS,
    View.MARKETING: (
        "retention",
        "trend",
        "base",
        "groups",
        "cohorts",
        "reasons",
        "funnels",
        "plays",
        "movement",
    ),
    View.PRODUCT: ("retention", "trend", "reasons", "complaints", "profile", "cohorts", "lapses", "movement"),
    View.SALES: ("retention", "trend", "groups", "base", "funnels", "alarms", "plays", "forecast"),
    View.FINANCE: ("retention", "trend", "value", "forecast", "plays", "groups"),
    View.SUCCESS: ("retention", "funnels", "forecast"),
}
"""The parts of each view, in its order."""
