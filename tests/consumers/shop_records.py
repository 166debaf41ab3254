"""Records of every topic that the sink reads: a simulated shop with a team, through the engine."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from consumers.broker.records import Record
from consumers.sink import kinds
from streams.contract.audit import encode_adopted
from streams.contract.census import census_key, encode_census
from streams.contract.customer_days import encode_customer_days
from streams.contract.instants import to_us
from streams.contract.outcomes import encode_outcome
from streams.contract.samples import encode_samples
from streams.contract.silences import encode_silence
from streams.contract.warnings import encode_step
from streams.core.decision.holdout import HoldoutTerms
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.rulebook.cases.run import stated
from streams.rulebook.revisions import RuleRevision
from streams.simulate.helped_shop import HelpedShop
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop
from streams.simulate.team import Team
from streams.worker.rule_notices import adoption
from tests.consumers import segment_events
from tests.consumers.notify.notice_shop import BEGIN, silence
from tests.streams.contract.test_samples import matured
from tests.streams.simulate.test_helped_shop import EFFECTS, PLAYS, RULES

APP: Final = "shop"
MAX_SKEW_US: Final = 3_600_000_000
MOST_SAMPLES: Final = 40
KINDS: Final = {
    "churn-warnings": kinds.WARNINGS,
    "segment-warnings": kinds.SEGMENT_WARNINGS,
    "churn-outcomes": kinds.OUTCOMES,
    "churn-census": kinds.CENSUS,
    "shop.customer-days": kinds.CUSTOMER_DAYS,
    "complaints": kinds.complaints(MAX_SKEW_US),
    "actions": kinds.actions(MAX_SKEW_US),
    "shop-samples": kinds.samples(APP, MOST_SAMPLES),
    "lapwing-audit": kinds.ADOPTIONS,
    "lapwing-silences": kinds.SILENCES,
}
"""What is stored, by topic, as `lapwing sink` has it."""
ADOPTED_US: Final = 1_700_000_000_000_000
NOW: Final = datetime(2025, 6, 1, tzinfo=UTC)
"""A wall clock later than all that happens in the shop."""


class _Keeping(Team):
    """A team that keeps what the engine puts out."""

    outputs: list[Output]

    def take(self, output: Output) -> None:
        """Keep it, and do what a team does."""
        self.outputs.append(output)
        super().take(output)


def _record(topic: str, offset: int, key: str | None, value: bytes, at_us: int) -> Record:
    return Record(topic, 0, offset, at_us // 1000, None if key is None else key.encode(), value)


@functools.cache
def shop_records(customers: int = 90, days: int = 140, seed: int = 5) -> tuple[Record, ...]:
    """Return the records of all topics; those of one topic are in its order."""
    settings = EngineSettings(
        app=APP,
        horizon_us=30 * DAY,
        holdout=HoldoutTerms({Tier.HIGH: 0.3}, "s"),
        outcomes=True,
        customer_days=True,
    )
    rules = RuleSet(RULES, DTYPES, PLAYS)
    engine = Engine(settings, rules)
    engine.scorer.use(stated(0.5))
    shop = HelpedShop(
        Shop(customers=customers, days=days, seed=seed, start=date(2024, 1, 1)), engine, 5, EFFECTS
    )
    team = _Keeping(5, PLAYS)
    team.outputs = []
    shop._team = team  # the team's own seam: it takes what the engine puts out
    events = pl.concat(shop.days())
    values: list[tuple[str, str | None, bytes, int]] = []
    for output in team.outputs:
        values += [("churn-warnings", s.customer_id, encode_step(s, APP), s.at) for s in output.steps]
        values += [("churn-outcomes", o.customer_id, encode_outcome(o, APP), o.at) for o in output.outcomes]
        values += [("churn-census", census_key(c), encode_census(c, APP), c.at) for c in output.census]
        values += [
            ("shop.customer-days", d.customer_id, encode_customer_days(d, APP), d.at)
            for d in output.customer_days
        ]
    for word, topic in (("complaint", "complaints"), ("action", "actions")):
        chosen = events.filter(pl.col("type") == word)
        for line in json_lines(chosen, with_type=False).to_list():
            event = json.loads(line)
            at = to_us(datetime.fromisoformat(event["occurred_at"]))
            values.append((topic, event["customer_id"], line.encode(), at))
    values += [("segment-warnings", "region=north", value, 0) for value in segment_events.life("north")]
    for partition in range(3):
        for week in range(4):
            samples = matured(20, 10 * partition + week)
            samples = replace(samples, at=samples.at + 7 * week * DAY)
            values.append(("shop-samples", None, encode_samples(samples, APP, partition, 3), samples.at))
        revision = RuleRevision(rules, {}, 0)
        made = adoption(APP, "one-1", partition, {"orders": 3}, 0, None, revision, ADOPTED_US)
        values.append(("lapwing-audit", None, encode_adopted(made), ADOPTED_US))
    for name in ("a", "b"):
        mute = silence(name, BEGIN, BEGIN + timedelta(days=9))
        values.append(("lapwing-silences", name, encode_silence(mute), 0))
    offsets: dict[str, int] = {}
    records = []
    for topic, key, value, at in values:
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        records.append(_record(topic, offset, key, value, at))
    return tuple(records)
