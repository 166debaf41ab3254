"""Facts to try templates with: a warning with everything that one may have, and one with the least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from consumers.notify.facts import ONLY_OF_CUSTOMERS, Facts

_AT: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
_CAUSE: Final[Facts] = {
    "title": "No order for three weeks",
    "message": "no order for 21 days",
    "since": _AT,
    "rule": "overdue",
    "reason": "silence",
    "tier": "high",
}
_ANY: Final[Facts] = {
    "warning_id": "1f3a5b7c",
    "step": 2,
    "tier": "high",
    "headline": "No order for three weeks",
    "causes": [_CAUSE, _CAUSE | {"message": None}],
    "more_causes": 1,
    "unlisted_causes": 1,
    "hidden_causes": 2,
    "opened_at": _AT,
    "over": True,
}
_LEAST: Final[Facts] = {
    "headline": None,
    "causes": [],
    "more_causes": 0,
    "over": False,
    "unlisted_causes": 0,
    "hidden_causes": 0,
}
FULL: Final[Facts] = _ANY | {
    "customer": "C1",
    "event": "lapsed",
    "by": "ann",
    "attended": "acknowledged",
    "until": _AT,
    "customer_class": "key",
    "segment": "wholesale",
    "region": "north",
    "account_owner": "bob",
    "probability": 0.73,
    "horizon_days": 90,
    "value_at_risk": 120.0,
    "reasons": [
        {"text": None, "feature": "order_trend", "value": 0.25, "raises": True},
        {"text": "no login for 30 days", "feature": "days_since_login", "value": None, "raises": False},
    ],
    "play": "care-call",
    "decision": {"verdict": "rescue", "why": "worth", "net": 157.5},
    "link": "https://desk.example/customers/C1",
}
BARE: Final[Facts] = (
    FULL | _LEAST | dict.fromkeys(ONLY_OF_CUSTOMERS) | {"event": "opened", "reasons": [], "horizon_days": 90}
)
_SEGMENT: Final[Facts] = _ANY | {
    **dict.fromkeys(ONLY_OF_CUSTOMERS),
    "customer": "region north",
    "dimension": "region",
    "value": "north",
    "event": "escalated",
    "reasons": [],
}
_ONE: Final = {"is_news": True, "note": "Deferred since yesterday"}
_PLAIN: Final = {"is_news": False, "note": None}
_BUNDLE: Final[Facts] = {"day": date(2026, 3, 2), "total": 2, "part": 1, "parts": 2, "receiver": "team"}

SAMPLES: Final[Mapping[str, Sequence[Facts]]] = {
    "notice": [FULL | _ONE, BARE | _PLAIN],
    "segment": [_SEGMENT | _ONE, _SEGMENT | _LEAST | _PLAIN],
    "digest": [
        _BUNDLE | {"warnings": [FULL, BARE, _SEGMENT]},
        _BUNDLE | {"warnings": [], "total": 0, "parts": 1},
    ],
    "gathered": [_BUNDLE | {"warnings": [FULL, BARE, _SEGMENT]}],
}
"""For each kind of template, what it is tried with."""
