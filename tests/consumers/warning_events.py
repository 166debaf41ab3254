"""Records of the warnings topic, made as the engine makes them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from consumers.broker.records import Record
from streams.contract.warnings import encode_step
from streams.core.steps import Acknowledgement, AcknowledgementState, Cause, Reason, Step, StepKind, Tier

T0 = 1_300_000_000_000_000
DAY = 86_400_000_000
TOPIC = "churn-warnings"


def warning_id(customer: str) -> str:
    return str(uuid5(UUID(int=7), customer))


def step(
    customer: str = "c1",
    number: int = 1,
    kind: StepKind = StepKind.OPENED,
    tier: Tier = Tier.MEDIUM,
    causes: Sequence[str] = ("order-collapse",),
    attention: Acknowledgement | None = None,
) -> Step:
    return Step(
        kind=kind,
        customer_id=customer,
        at=T0 + number * DAY,
        warning_id=warning_id(customer),
        number=number,
        tier=tier,
        opened_at=T0 + DAY,
        causes=tuple(
            Cause(
                rule=rule,
                version="1f3a5b7c9d0e",
                title=f"Title of {rule}",
                tier=tier,
                reason="activity_decline",
                owner=None,
                play=None,
                since=T0,
                opened_at=T0 + DAY,
                message=f"message of {rule}",
                values={"orders_30d": 1, "order_trend": 0.25, "segment": None},
            )
            for rule in causes
        ),
        churn_probability=0.73,
        horizon_days=90,
        model_version="m1",
        reasons=(Reason("order_trend", 0.8, 0.25), Reason("logins_30d", -0.1, None)),
        rule_set="abc",
        acknowledgement=attention,
    )


def value(**changes: object) -> bytes:
    return encode_step(step(**changes), "lapwing")  # type: ignore[arg-type]  # as `step` takes them


def record(content: bytes | None, offset: int = 0, partition: int = 0) -> Record:
    return Record(TOPIC, partition, offset, T0 // 1000, b"c1", content)


def records(contents: Sequence[bytes | None]) -> list[Record]:
    return [record(content, offset) for offset, content in enumerate(contents)]


def life(customer: str) -> list[bytes]:
    """Return a warning's whole life: opened, updated, escalated, resolved."""
    return [
        value(customer=customer, number=1),
        value(customer=customer, number=2, kind=StepKind.UPDATED, causes=("a", "b")),
        value(customer=customer, number=3, kind=StepKind.ESCALATED, tier=Tier.HIGH, causes=("a", "c")),
        value(customer=customer, number=4, kind=StepKind.RESOLVED, tier=Tier.HIGH, causes=("a",)),
    ]


def attended_life(customer: str) -> list[bytes]:
    """Return a warning that was acknowledged, lapsed, gained a cause and passed its deadline."""
    taken = Acknowledgement(AcknowledgementState.ACKNOWLEDGED, 2, T0 + 2 * DAY, "ann", until=T0 + 3 * DAY)
    lapsed = Acknowledgement(AcknowledgementState.LAPSED, 3, T0 + 3 * DAY, "ann", deadline=T0 + 5 * DAY)
    overdue = Acknowledgement(AcknowledgementState.OVERDUE, 5, T0 + 5 * DAY, "ann", level=1)
    return [
        value(customer=customer, number=1),
        value(customer=customer, number=2, kind=StepKind.ACKNOWLEDGED, attention=taken),
        value(customer=customer, number=3, kind=StepKind.UPDATED, attention=lapsed),
        value(customer=customer, number=4, kind=StepKind.UPDATED, causes=("a", "b"), attention=lapsed),
        value(customer=customer, number=5, kind=StepKind.ESCALATED, attention=overdue),
    ]
