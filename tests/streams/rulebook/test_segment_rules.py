"""The segment rules that come with Lapwing, on a simulated shop: a planted rise, a shared one, and none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from streams.contract.decode import decode_lines
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch, ComplaintStatus, LabelsRecord, OrderStatus, ProfileRecord
from streams.core.events.calendar import DAY, HOUR
from streams.core.events.topics import Topic
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.engine import SegmentEngine, SegmentSettings, SegmentStep
from streams.core.segments.rules import SegmentRule, SegmentRules
from streams.offline.replay import replay
from streams.rulebook.load import load_rulebook
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop
from tests.paths import ROOT

SHIPPED = ROOT / "warning_rules" / "segments.yaml"


@pytest.fixture(scope="module")
def rules() -> SegmentRules:
    """The shipped rules, made active."""
    loaded = load_rulebook(SHIPPED).segment_rules.rules
    return SegmentRules([SegmentRule(each.by, active(each.rule)) for each in loaded])


def active(rule: Rule) -> Rule:
    return replace(rule, status=RuleStatus.ACTIVE)


@pytest.fixture(scope="module")
def shop() -> Batch:
    shop = Shop(customers=4_000, days=90, seed=5, start=date(2024, 1, 1))
    lines = [line for frame in shop.frames() for line in json_lines(frame, with_type=True).to_list()]
    batch = decode_lines([line.encode() for line in lines], latest_us=None).batch
    return batch.take(batch.order())


def with_complaints(events: Batch, region: str | None, share: float) -> Batch:
    """Add complaints to a share of the orders of two weeks, of a region or of all."""
    of = {
        customer: record.region
        for customer, record in zip(events.customer_id.tolist(), events.record.tolist(), strict=True)
        if isinstance(record, ProfileRecord)
    }
    begin = int(events.at[0]) + 60 * DAY
    dice = np.random.default_rng(1)
    rows = [
        {
            "topic": Topic.COMPLAINTS,
            "at": at + HOUR,
            "customer_id": customer,
            "event_id": f"x{number}",
            "status": ComplaintStatus.OPENED,
            "complaint_id": f"x{number}",
            "record": LabelsRecord(None, str(dice.choice(["product", "service", "price", "delivery"]))),
        }
        for number, (topic, status, at, customer) in enumerate(
            zip(
                events.topic.tolist(),
                events.status.tolist(),
                events.at.tolist(),
                events.customer_id.tolist(),
                strict=True,
            )
        )
        if topic == Topic.ORDERS and status == OrderStatus.PLACED and begin <= at < begin + 14 * DAY
        if region is None or of.get(customer) == region
        if dice.random() < share
    ]
    assert len(rows) > 50
    both = Batch.concat([events, Batch.of(rows)])
    return both.take(both.order())


def steps_of(events: Batch, rules: SegmentRules, partitions: int = 1) -> list[SegmentStep]:
    found: list[SegmentStep] = []
    replay(
        events,
        [Engine(EngineSettings(segments=True), RuleSet((), {}), partition=n) for n in range(partitions)],
        on_steps=lambda steps: None,
        segments=SegmentEngine(SegmentSettings(partitions=partitions, grace_days=0), rules),
        on_segments=found.extend,
    )
    return found


def opened(steps: list[SegmentStep]) -> Counter[str]:
    return Counter(step.segment for step in steps if step.kind == "opened")


def test_a_rise_in_one_region_is_one_warning_on_any_number_of_partitions(
    shop: Batch, rules: SegmentRules
) -> None:
    planted = with_complaints(shop, "north", 0.4)
    steps = steps_of(planted, rules)
    regions = {name: count for name, count in opened(steps).items() if name.startswith("region=")}
    assert regions == {"region=north": 1}
    assert steps_of(planted, rules, 3) == steps


def test_a_rise_that_the_shop_shares_is_no_matter_of_a_region(shop: Batch, rules: SegmentRules) -> None:
    found = opened(steps_of(with_complaints(shop, None, 0.3), rules))
    assert found
    assert not [name for name in found if name.startswith("region=")]


def test_a_rate_that_does_not_change_warns_of_nothing(shop: Batch, rules: SegmentRules) -> None:
    assert steps_of(shop, rules) == []
