"""Whether planted effects of plays are found: shops of known effect, measured as `lapwing effects` does.

python -m benchmarks.effects [--seeds 10] [--customers 4000] [--days 540] [--effect reminder-mail=0.8 ...]

So many shops with these effects, and so many in which no play does anything. Of each shop the events are
known with the team and without it, so it is known of everybody who was not held out whether they would have
churned: the s of those people, computed as the estimator defines it, is what its interval should hold (95 of
100 times). It is less than the chance that was planted where people churn who were not leaving yet when they
were called, or who were only slow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import msgspec
import numpy as np
import polars as pl

from consumers.effects.cohort import SHOWN, cohorts
from consumers.effects.effect import Claim, Effect, effects_of
from consumers.effects.matured import TYPE, matured_frame
from lapwing.settings.settings import Settings
from lapwing.wiring import engine_settings, learner
from streams.contract.outcomes import encode_outcome
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.rulebook.load import load_rulebook
from streams.simulate.helped_shop import HelpedShop
from streams.simulate.shop import Shop

PLANTED: Final = ("reminder-mail=0.8", "offer-review=0.8", "care-call=0.8")
MIN_HOLDOUT: Final = 20


class ListenedEngine(Engine):
    """An engine whose outcomes are kept."""

    outcomes_json: list[bytes]

    def step(self, batch: Batch) -> Output:
        """Run it and keep."""
        return self._kept(super().step(batch))

    def flush(self, *, idle: bool = True) -> Output:
        """Run it and keep."""
        return self._kept(super().flush(idle=idle))

    def advance(self, until: int) -> Output:
        """Run it and keep."""
        return self._kept(super().advance(until))

    def _kept(self, output: Output) -> Output:
        self.outcomes_json += [encode_outcome(each, self.settings.app) for each in output.outcomes]
        return output


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a play in one shop."""

    seed: int
    chance: float
    effect: Effect
    true_difference: float
    true_success: float | None
    """s as the estimator defines it, of those who were not held out; `None` where nobody was contacted."""


def shop_of(
    seed: int, customers: int, days: int, capacity: int, chances: dict[str, float], settings: Settings
) -> list[Found]:
    """Return what was found of each play in a shop."""
    shop = Shop(customers, days, seed, date(2023, 1, 2))
    rules = load_rulebook(settings.rules).rules
    own = engine_settings(settings, outcomes=True, desk=True)
    engine = ListenedEngine(own, rules, learner(settings))
    engine.outcomes_json = []
    helped = HelpedShop(shop, engine, capacity, chances)
    for _ in helped.days():
        pass
    rescued = {int(t.customer): t.at for t in reversed(helped.treatments) if t.effect == "rescued"}
    alone = _orders(shop)
    matured = matured_frame(
        event["data"] for event in map(msgspec.json.decode, engine.outcomes_json) if event["type"] == TYPE
    )
    found = []
    for cohort in cohorts(matured):
        shown = cohort.warnings.filter(side=SHOWN)
        if not len(shown):
            continue
        would = [
            churned
            if rescued.get(int(customer[1:]), opened) < opened  # kept by an earlier warning
            else not _orders_within(alone, customer, opened, settings.horizon)
            for customer, opened, churned in shown.select("customer_id", "opened_at", "churned").iter_rows()
        ]
        before, after, contact = np.mean(would), shown["churned"].mean(), shown["treated"].mean()
        assert isinstance(after, float)
        assert isinstance(contact, float)
        difference = float(before) - after
        true = difference / (float(before) * contact) if before and contact else None
        effect = effects_of(cohort.play, cohort.warnings, MIN_HOLDOUT)[0]
        found.append(Found(seed, chances.get(cohort.play, 0.0), effect, difference, true))
    return found


def _orders(shop: Shop) -> dict[str, np.ndarray]:
    """Return the instants of each customer's placed orders without a team, ascending, microseconds."""
    frames = [
        frame.filter((pl.col("type") == "order") & (pl.col("status").fill_null("placed") == "placed")).select(
            "customer_id", pl.col("occurred_at").dt.epoch("us")
        )
        for frame in shop.frames()
    ]
    grouped = pl.concat(frames).sort("occurred_at").group_by("customer_id").agg("occurred_at")
    return {customer: np.array(at) for customer, at in grouped.iter_rows()}


def _orders_within(orders: dict[str, np.ndarray], customer: str, opened: int, horizon: int) -> bool:
    own = orders.get(customer, np.array([], dtype=np.int64))
    begin, end = np.searchsorted(own, [opened, opened + horizon], side="right")
    return bool(end > begin)


def show(found: Iterable[list[Found]]) -> None:
    """Print each shop and play as it is done, and how often the truth lay in the interval."""
    print(
        "seed  play                held out  churned  not held out  contacted     s (95 %)      truth  claim"
    )
    every: list[Found] = []
    for shop in found:
        every += shop
        for each in shop:
            effect, (low, high) = each.effect, each.effect.success_interval or (np.nan, np.nan)
            s = np.nan if effect.success is None else effect.success
            truth = np.nan if each.true_success is None else each.true_success
            print(
                f"{each.seed:4}  {effect.play:<20}{effect.held_out.n:8,}{effect.held_out.churned:9,}"
                f"{effect.shown.n:14,}{effect.shown.contact.value or 0:11.0%}"
                f"{s:7.2f} ({low:5.2f} to {high:5.2f}){truth:7.2f}  {effect.claim}",
                flush=True,
            )
    enough = [e for e in every if e.effect.claim not in (Claim.TOO_FEW, Claim.NOBODY_HELD_OUT)]
    print(f"\ncomparisons with {MIN_HOLDOUT} churned among the held out: {len(enough)} of {len(every)}")
    inside = [_holds(e.effect.success_interval, e.true_success) for e in enough]
    print(f"  the true s lies in its 95 % interval: {sum(inside)} of {len(inside)}")
    limits = [_holds(e.effect.difference.limits, e.true_difference) for e in enough]
    print(f"  the true difference lies in its 95 % interval: {sum(limits)} of {len(limits)}")
    for name, own in (
        ("planted", [e for e in enough if e.chance > 0]),
        ("without effect", [e for e in enough if not e.chance]),
    ):
        print(f"  claimed, {name}: {sum(e.effect.claim.is_made for e in own)} of {len(own)}")
    shops = {e.seed for e in enough if e.effect.claim.is_made and not e.chance}
    print(
        f"  shops that claim a play without effect: {len(shops)} of {len({e.seed for e in every})}",
        flush=True,
    )


def _holds(interval: tuple[float | None, float | None] | None, value: float | None) -> bool:
    low, high = interval or (None, None)
    return None not in (low, high, value) and low <= value <= high  # type: ignore[operator]  # none is None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.effects", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--customers", type=int, default=4_000)
    parser.add_argument("--days", type=int, default=540)
    parser.add_argument("--capacity", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.3, help="Who is held out, at every tier.")
    parser.add_argument("--horizon", default="60d")
    parser.add_argument("--effect", action="append", metavar="PLAY=CHANCE")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    pairs = (each.split("=") for each in given.effect or PLANTED)
    chances = {play: float(chance) for play, chance in pairs}
    settings = Settings.model_validate(
        {"labour_rate": 0.5, "horizon": given.horizon, "holdout_share": str(given.share)}
    )
    measure = partial(
        shop_of,
        customers=given.customers,
        days=given.days,
        capacity=given.capacity,
        settings=settings,
    )
    seeds = range(1, given.seeds + 1)
    name = " ".join(f"{play}={chance:g}" for play, chance in chances.items())
    with ProcessPoolExecutor(given.workers) as pool:
        for title, planted in ((f"with {name}", chances), ("without any effect", {})):
            print(f"\nShops {title}", flush=True)
            show(pool.map(partial(measure, chances=planted), seeds))


if __name__ == "__main__":
    main()
