"""One message of each kind, shown in the schemas and the AsyncAPI document."""

from __future__ import annotations

from typing import Any, Final

from streams.core.events.topics import Topic

_COMMON: Final = {"event_id": "e-1", "customer_id": "c-17", "occurred_at": "2024-03-01T09:30:00Z"}
EXAMPLES: Final[dict[Topic, dict[str, Any]]] = {
    Topic.ACTIONS: _COMMON
    | {
        "warning_id": "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11",
        "kind": "contact",
        "play": "care-call",
        "result": "will_return",
        "reasons": ["delivery", "price"],
        "cost": {"labour": 12.5, "gift": 20},
        "actor": "retention-east",
    },
    Topic.CLOSURES: _COMMON | {"reason": "moved away", "churn_type": "involuntary"},
    Topic.COMPLAINTS: _COMMON
    | {"complaint_id": "k-5", "status": "resolved", "category": "delivery", "satisfaction": 4},
    Topic.FEEDBACK: _COMMON | {"score": 7, "scale": 10},
    Topic.LOGINS: _COMMON | {"channel": "app"},
    Topic.ORDERS: _COMMON | {"order_id": "o-99", "amount": 505.3, "currency": "EUR", "status": "placed"},
    Topic.PROFILES: _COMMON
    | {
        "customer_class": "key",
        "segment": "wholesale",
        "region": "east",
        "origin": "fair",
        "account_owner": "ann",
        "signed_up_at": "2021-05-01T00:00:00Z",
        "contract_ends_at": "2024-12-31T23:00:00Z",
        "do_not_contact": False,
    },
}
"""One event of each inbound topic."""

_DECISION: Final[dict[str, Any]] = {
    "play": "care-call",
    "verdict": "rescue",
    "why": "worth",
    "value": 1000.0,
    "probability": 0.71,
    "success": 0.25,
    "success_source": "prior",
    "gain": 177.5,
    "cost": {"labour": 20.0},
    "net": 157.5,
    "break_even": 20.0 / 710.0,
    "missing": [],
}
WARNING_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11/1",
    "source": "/lapwing/shop",
    "type": "churn.warning.opened",
    "subject": "c-17",
    "time": "2024-03-01T00:00:00Z",
    "datacontenttype": "application/json",
    "data": {
        "warning_id": "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11",
        "step": 1,
        "customer_id": "c-17",
        "customer_class": "key",
        "segment": "wholesale",
        "region": "east",
        "account_owner": "ann",
        "state": "open",
        "tier": "high",
        "opened_at": "2024-03-01T00:00:00Z",
        "attention": {
            "state": "waiting",
            "step": 1,
            "since": "2024-03-01T00:00:00Z",
            "by": None,
            "until": None,
            "deadline": "2024-03-03T00:00:00Z",
            "level": 0,
        },
        "causes": [
            {
                "rule": "order-collapse",
                "version": "1f3a5b7c9d0e",
                "title": "Orders fell under a third of the customer's own pace",
                "tier": "high",
                "reason": "activity_decline",
                "owner": "retention-east",
                "play": "care-call",
                "since": "2024-02-28T00:00:00Z",
                "opened_at": "2024-03-01T00:00:00Z",
                "message": "1 orders in 30 days, 5 in the 30 before",
                "values": {"orders_prev_30d": 5, "order_trend": 0.2},
                "inhibited_by": None,
            }
        ],
        "churn_probability": 0.71,
        "horizon_days": 90,
        "model_version": "2024-02-01T00:00:00Z",
        "reasons": [
            {
                "feature": "order_trend",
                "contribution": 0.8,
                "value": 0.2,
                "group": "activity",
                "text": "0.2 times the orders of the 30 days before",
            }
        ],
        "value_at_risk": 710.0,
        "decision": _DECISION,
        "play": "care-call",
        "holdout": False,
        "rule_set": "9b1c0ffee123",
    },
}
NOTICE_EXAMPLE: Final[dict[str, Any]] = {
    "id": "b0c1d6de-3c68-5d35-9ad8-1a0f6f9a7c51",
    "app": "shop",
    "kind": "source.quiet",
    "at": "2024-03-01T00:00:00Z",
    "partition": 3,
    "detail": {"topic": "logins", "newest": 1709078400000000},
}
ADOPTED_EXAMPLE: Final[dict[str, Any]] = {
    "id": "8a7c52d2-4d0f-5f9c-9df0-3b1e2f6c7a10",
    "app": "shop",
    "kind": "rules.adopted",
    "judges": "customers",
    "adopted_at": "2024-03-01T09:31:02Z",
    "at": "2024-03-01T09:30:00Z",
    "partition": 3,
    "offsets": {"complaints": 12, "logins": 4100, "orders": 930},
    "rule_set_before": "7d7f62eb1f0ee3c6",
    "rule_set": "9b1c0ffee1234567",
    "worker": "host-17-4711",
    "revision": "752c461",
    "author": "On Call",
    "changes": [
        {
            "rule": "order-collapse",
            "change": "changed",
            "version_before": "1f3a5b7c9d0e",
            "version_after": "0e9d7c5b3a1f",
            "fields": [
                {"field": "when", "before": "order_trend < 0.33", "after": "order_trend < 0.25"},
                {"field": "for", "before": "0", "after": "2d"},
            ],
        }
    ],
    "plays": [
        {
            "play": "care-call",
            "change": "changed",
            "fields": [{"field": "success.chance", "before": "0.15", "after": "0.2"}],
        }
    ],
}

SILENCE_EXAMPLE: Final[dict[str, Any]] = {
    "id": "5f0c91d2",
    "revision": 1,
    "author": "m.weber",
    "reason": "the shop is closed for stocktaking",
    "created_at": "2024-02-28T09:00:00Z",
    "matchers": {
        "everything": False,
        "customers": [],
        "customer_classes": ["small"],
        "segments": ["wholesale"],
        "regions": [],
        "account_owners": [],
        "tiers": [],
        "rules": ["login-drop"],
        "reasons": [],
    },
    "starts_at": "2024-03-01T00:00:00Z",
    "ends_at": "2024-03-04T00:00:00Z",
    "recurring": None,
    "expired_at": None,
    "expired_by": None,
}

SEGMENT_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "5e60cd71-682b-5f99-91bd-7bfdda2d5054/1",
    "source": "/lapwing/shop",
    "type": "churn.segment.opened",
    "subject": "region=north",
    "time": "2024-03-01T00:00:00Z",
    "datacontenttype": "application/json",
    "data": {
        "warning_id": "5e60cd71-682b-5f99-91bd-7bfdda2d5054",
        "step": 1,
        "dimension": "region",
        "value": "north",
        "state": "open",
        "tier": "high",
        "opened_at": "2024-03-01T00:00:00Z",
        "causes": [
            {
                "rule": "complaints-up-in-a-region",
                "version": "0c989e9ad2e4",
                "title": "Complaints in a region rose well above its own past",
                "tier": "high",
                "reason": "complaints",
                "owner": "service",
                "play": None,
                "since": "2024-02-29T00:00:00Z",
                "opened_at": "2024-03-01T00:00:00Z",
                "message": "25 complaints on 205 orders in 7 days",
                "values": {"complaint_rise": 6.1, "complaints_7d": 25, "orders_7d": 205},
                "inhibited_by": None,
            }
        ],
        "rule_set": "2dea64a4b78ecfca",
    },
}

OUTCOME_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "e5f48131-effe-5e9b-a92b-2fe406427d16",
    "source": "/lapwing/shop",
    "type": "churn.customer.lapsed",
    "subject": "c-17",
    "time": "2024-06-01T00:00:00Z",
    "datacontenttype": "application/json",
    "data": {
        "customer_id": "c-17",
        "customer_class": "key",
        "segment": "wholesale",
        "region": "east",
        "origin": "fair",
        "channel": "web",
        "tenure_days": 402.5,
        "orders_total": 31,
        "spend_total": 8120.4,
        "last_order_at": "2024-03-02T11:00:00Z",
        "holdout": False,
        "late": False,
        "account_owner": "ann",
        "silent_since": "2024-03-02T11:00:00Z",
        "value": 640.0,
        "warned": {
            "warning_id": "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11",
            "opened_at": "2024-03-01T00:00:00Z",
            "tier": "high",
            "rules": ["order-collapse"],
            "lead_days": 92.0,
        },
    },
}

CENSUS_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "0c18cdc6-a337-54d7-a00a-b478e4ae044b",
    "source": "/lapwing/shop",
    "type": "churn.census.taken",
    "subject": "partition=0",
    "time": "2024-06-01T00:00:00Z",
    "datacontenttype": "application/json",
    "data": {
        "partition": 0,
        "by": "channel",
        "customer_class": None,
        "segment": None,
        "region": None,
        "origin": None,
        "cohort": None,
        "channel": "web",
        "other": False,
        "since": "2024-05-01T00:00:00Z",
        "quiet": False,
        "original": 1000,
        "kept": 900,
        "lost": 100,
        "acquired": 50,
        "returned": 12,
        "active": 962,
        "value_original": 0.0,
        "value_original_n": 0,
        "value_lost": 0.0,
        "value_lost_n": 0,
        "scored": 962,
        "expected": 101.3,
        "orders": 1311,
        "spend": 64120.0,
        "logins": 5205,
        "complaints": 23,
        "answers": 11,
        "satisfaction": 42,
    },
}

CUSTOMER_DAYS_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11/opened",
    "source": "/lapwing/shop",
    "type": "churn.customer.days",
    "subject": "c-17",
    "time": "2024-03-01T00:00:00Z",
    "datacontenttype": "application/json",
    "data": {
        "customer_id": "c-17",
        "warning_id": "6c3e9a52-6e5b-5c7e-a2a4-0f7f4f2a9a11",
        "first_day": "2023-12-02",
        "last_day": "2024-02-29",
        "days": [{"day": "2024-01-08", "orders": 1, "spend": 64.5, "logins": 2, "complaints": 0}],
        "churn_probability": 0.71,
        "value": 1000.0,
        "decision": _DECISION,
    },
}

SCORE_EXAMPLE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "b0a5d1c2-99e1-5c3f-8d0a-6f2b7e4c1a53",
    "source": "/lapwing/shop",
    "type": "churn.customer.scored",
    "subject": "c-17",
    "time": "2024-03-01T00:00:00Z",
    "datacontenttype": "application/json",
    "data": {"customer_id": "c-17", "churn_probability": 0.71, "churn_lift": 3.1, "value": 1000.0},
}

CHOICE_EXAMPLE: Final[dict[str, Any]] = {
    "kind": "choice",
    "format": 1,
    "app": "lapwing",
    "version": "48211-9c41d07e",
    "before": "48960-03b7a2f5",
    "at": "2024-03-01T09:30:00Z",
    "by": "m.weber",
    "reason": "scores jumped after the price change",
}
