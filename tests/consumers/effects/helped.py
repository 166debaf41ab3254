"""A shop with a team of known effect, as the files that a simulation and a replay of it write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import msgspec
import polars as pl

from streams.contract.outcomes import encode_outcome
from streams.contract.warnings import encode_step
from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.rulebook.cases.run import stated
from streams.simulate.helped_shop import HelpedShop
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop

SILENT = "orders_total >= 3 AND overdue >= 2.2 AND days_since_login >= 1"
EVEN, ODD = (f"{SILENT} AND logins_total % 2 = {rest}" for rest in (0, 1))
CLEAR = "overdue < 1"
PLAYS = Plays(
    [
        Play("call", Success(0.5, "prior"), "A call", ("silence",), cost=PlayCost(communication=1.0)),
        Play("letter", Success(0.5, "prior"), cost=PlayCost(gift=1.0, discount=0.01)),
    ]
)
CHANCES = {"call": 0.9, "letter": 0.0}
SALT = "s"
HORIZON = 45 * DAY


def rules(plays: Plays = PLAYS) -> RuleSet:
    """Return rules of two tiers, each with a play of its own."""
    return RuleSet(
        (
            Rule("even", EVEN, Tier.HIGH, "silence", play="call", clear=CLEAR),
            Rule("odd", ODD, Tier.MEDIUM, "price", play="letter", clear=CLEAR),
        ),
        DTYPES,
        plays,
    )


class KeptEngine(Engine):
    """An engine whose output is kept."""

    kept: list[Output]

    def step(self, batch: Batch) -> Output:
        """Run it and keep."""
        return self._keep(super().step(batch))

    def flush(self, *, idle: bool = True) -> Output:
        """Run it and keep."""
        return self._keep(super().flush(idle=idle))

    def advance(self, until: int) -> Output:
        """Run it and keep."""
        return self._keep(super().advance(until))

    def _keep(self, output: Output) -> Output:
        self.kept.append(output)
        return output


@dataclass(frozen=True)
class Ran:
    """What a helped shop left behind: lines as the files have them."""

    events: list[bytes]
    outcomes: list[bytes]
    warnings: list[bytes]
    shop: HelpedShop
    alone: Shop
    """The same shop without a team."""

    @property
    def outcome_lines(self) -> list[dict[str, Any]]:
        """Return the outcomes decoded."""
        return [json.loads(line) for line in self.outcomes]

    @property
    def event_lines(self) -> list[dict[str, Any]]:
        """Return the events decoded."""
        return [json.loads(line) for line in self.events]


@cache
def helped(seed: int = 3, customers: int = 1_400, days: int = 330) -> Ran:
    """Return a shop after its last day."""
    shop = Shop(customers, days, seed, date(2024, 1, 1))
    settings = EngineSettings(
        horizon_us=HORIZON,
        holdout=HoldoutTerms({Tier.HIGH: 0.5, Tier.MEDIUM: 0.5}, SALT),
        outcomes=True,
        customer_days=True,
        repeat_window_us=None,
    )
    engine = KeptEngine(settings, rules())
    engine.kept = []
    engine.scorer.use(stated(0.5))
    at_work = HelpedShop(shop, engine, 20, CHANCES)
    frames = list(at_work.days())
    return Ran(
        events=[line for frame in frames for line in _lines(frame)],
        outcomes=[encode_outcome(each, "shop") for output in engine.kept for each in output.outcomes],
        warnings=[encode_step(each, "shop") for output in engine.kept for each in output.steps],
        shop=at_work,
        alone=shop,
    )


def _lines(frame: pl.DataFrame) -> list[bytes]:
    return [line.encode() for line in json_lines(frame, with_type=True).to_list()]


def data_of(ran: Ran) -> list[dict[str, Any]]:
    """Return the `data` of the matured warnings."""
    events = map(msgspec.json.decode, ran.outcomes)
    return [event["data"] for event in events if event["type"] == "churn.warning.matured"]
