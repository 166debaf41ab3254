"""The shop that is helped: planted effects are what the truth says, and what outcomes show."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.outcomes.outcome import WarningMatured
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Step, Tier
from streams.files.events import read_events
from streams.rulebook.cases.run import stated
from streams.simulate.files import write_events
from streams.simulate.helped_shop import Effect, HelpedShop
from streams.simulate.shop import Shop
from streams.simulate.team import Team

SHOP = Shop(customers=1_300, days=420, seed=3, start=date(2024, 1, 1))
SMALL = Shop(customers=150, days=250, seed=5, start=date(2024, 1, 1))
SILENT = "orders_total >= 3 AND overdue >= 2.2 AND days_since_login >= 1"
PLAYS = Plays(
    [
        Play("call", Success(0.5, "prior"), cost=PlayCost(communication=1.0)),
        Play("letter", Success(0.5, "prior"), cost=PlayCost(gift=1.0, discount=0.01)),
    ]
)
RULES = (
    Rule(
        "even", f"{SILENT} AND logins_total % 2 = 0", Tier.HIGH, "silence", play="call", clear="overdue < 1"
    ),
    Rule(
        "odd", f"{SILENT} AND logins_total % 2 = 1", Tier.HIGH, "silence", play="letter", clear="overdue < 1"
    ),
)
EFFECTS = {"call": 0.8, "letter": 0.0}
CAPACITY = 20


def engine_of(plays: Plays = PLAYS) -> Engine:
    settings = EngineSettings(
        horizon_us=60 * DAY,
        holdout=HoldoutTerms({Tier.HIGH: 0.4}, "s"),
        outcomes=True,
        customer_days=True,
        repeat_window_us=None,
    )
    engine = Engine(settings, RuleSet(RULES, DTYPES, plays))
    engine.scorer.use(stated(0.5))
    return engine


class Overheard(Team):
    """A team that keeps what it was given."""

    outputs: list[Output]

    def take(self, output: Output) -> None:
        """Keep it."""
        self.outputs.append(output)
        super().take(output)


@dataclass
class Ran:
    """A helped shop after its last day."""

    shop: HelpedShop
    events: pl.DataFrame
    outputs: list[Output]

    @property
    def steps(self) -> list[Step]:
        """The steps of its warnings."""
        return [step for output in self.outputs for step in output.steps]

    @property
    def matured(self) -> list[tuple[str, WarningMatured, bool]]:
        """Customer, what became of the warning, and whether it was held out."""
        held_out = {step.warning_id: step.holdout for step in self.steps}
        return [
            (each.customer_id, each.details, held_out[each.details.warning_id])
            for output in self.outputs
            for each in output.outcomes
            if isinstance(each.details, WarningMatured)
        ]


def ran(shop: Shop, effects: dict[str, float], monkeypatch: pytest.MonkeyPatch, plays: Plays = PLAYS) -> Ran:
    outputs: list[Output] = []
    monkeypatch.setattr("streams.simulate.helped_shop.Team", Overheard)
    monkeypatch.setattr(Overheard, "outputs", outputs, raising=False)
    helped = HelpedShop(shop, engine_of(plays), CAPACITY, effects)
    return Ran(helped, pl.concat(helped.frames()), outputs)


@pytest.fixture(scope="module")
def helped() -> Ran:
    with pytest.MonkeyPatch.context() as patch:
        return ran(SHOP, EFFECTS, patch)


def test_the_planted_effect_is_what_the_truth_says(helped: Ran) -> None:
    first: dict[tuple[int, str], Effect] = {}
    for each in helped.shop.treatments:
        if each.effect is not Effect.STAYS:
            first.setdefault((each.customer, each.play), each.effect)
    count = Counter((play, effect) for (_, play), effect in first.items())
    rescued, leaves = count["call", Effect.RESCUED], count["call", Effect.LEAVES]
    assert rescued + leaves >= 25
    assert rescued / (rescued + leaves) == pytest.approx(0.8, abs=3 * (0.16 / (rescued + leaves)) ** 0.5)
    assert count["letter", Effect.RESCUED] == 0
    assert count["letter", Effect.LEAVES] >= 25


def test_outcomes_show_the_effect_of_a_play_that_helps_and_none_of_one_that_does_not(helped: Ran) -> None:
    of: defaultdict[tuple[str | None, bool], list[bool]] = defaultdict(list)
    for _, warning, held_out in helped.matured:
        of[warning.play, held_out].append(warning.churned)
    planted = Counter(t.play for t in helped.shop.treatments if t.effect is Effect.RESCUED)
    for play in EFFECTS:
        open_to, alone = of[play, False], of[play, True]
        assert min(len(open_to), len(alone)) > 100
        treated_rate, rate = (sum(each) / len(each) for each in (open_to, alone))
        spread = (rate * (1 - rate) * (1 / len(open_to) + 1 / len(alone))) ** 0.5
        expected = planted[play] / len(open_to)
        assert rate - treated_rate == pytest.approx(expected, abs=2.5 * spread)
        if play == "call":
            assert rate - treated_rate > 1.645 * spread


def test_who_is_held_out_is_left_alone_and_nobody_is_called_twice_for_a_warning(helped: Ran) -> None:
    held_out = {step.warning_id for step in helped.steps if step.holdout}
    called = [t.warning_id for t in helped.shop.treatments]
    assert len(held_out) > 100
    assert held_out.isdisjoint(called)
    assert len(called) == len(set(called)) > 300
    a_day = Counter(t.at // DAY for t in helped.shop.treatments)
    assert max(a_day.values()) <= CAPACITY


def test_the_truth_tells_who_would_have_left_and_who_was_rescued(helped: Ran) -> None:
    truth, drawn = helped.shop.truth(), SHOP.truth()
    assert truth["would_leave_at"].to_list() == drawn["left_at"].to_list()
    rescued = truth.filter(pl.col("rescued_at").is_not_null())
    assert len(rescued) >= 20
    assert not rescued["left"].any()
    others = truth.filter(pl.col("rescued_at").is_null())
    assert others["left_at"].to_list() == others["would_leave_at"].to_list()
    assert truth["treatments"].list.len().sum() == len(helped.shop.treatments)
    placed = helped.events.filter(pl.col("status") == "placed").join(truth, on="customer_id")
    assert placed.filter(
        pl.col("left_at").is_not_null() & (pl.col("occurred_at") >= pl.col("left_at"))
    ).is_empty()
    again = placed.filter(pl.col("occurred_at") > pl.col("rescued_at"))["customer_id"].n_unique()
    early = rescued.filter(pl.col("rescued_at").dt.timestamp("us") < helped.shop.treatments[-1].at - 60 * DAY)
    assert again >= 0.8 * len(early) > 10


def test_a_team_that_does_not_help_changes_nothing_that_customers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    events = ran(SMALL, {}, monkeypatch).events
    plain = pl.concat(SMALL.frames())
    assert (events["type"] == "action").any()
    assert events.filter(pl.col("type") != "action").select(plain.columns).equals(plain)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_replay_of_what_is_written_gives_the_same_warnings(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (ran(SMALL, EFFECTS, monkeypatch) for _ in range(2))
    assert one.events.equals(two.events)
    assert one.shop.truth().equals(two.shop.truth())
    path = tmp_path / f"shop{suffix}"
    write_events([one.events], path, suffix)
    refused: list[object] = []
    batch = read_events([path], now_us=None, max_skew_us=0, on_refused=refused.append)
    assert not refused
    engine = engine_of()
    outputs = [engine.step(batch), engine.flush(idle=False)]
    steps = [step for output in outputs for step in output.steps]
    assert any(t.cost for t in one.shop.treatments)
    assert len(steps) > 50
    assert [(s.at, s.customer_id, s.kind, s.decision) for s in steps] == [
        (s.at, s.customer_id, s.kind, s.decision) for s in one.steps[: len(steps)]
    ]


def test_a_plays_budget_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    plays = Plays([Play("call", Success(0.5, "prior"), cost=PlayCost(gift=3.0), budget_month=7.0)])
    shop = ran(SMALL, {}, monkeypatch, plays).shop
    months = Counter(datetime.fromtimestamp(t.at / 1_000_000, UTC).strftime("%Y-%m") for t in shop.treatments)
    assert len(months) > 2
    assert max(months.values()) == 2
