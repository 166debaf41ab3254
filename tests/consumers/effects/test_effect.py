"""Effects against a recount, planted ones in a shop, and how often chance alone is claimed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from consumers.effects.cohort import SHOWN, cohorts
from consumers.effects.effect import (
    Claim,
    Effect,
    Side,
    claim,
    effects_of,
    resampled,
    success,
    success_interval,
)
from consumers.effects.matured import matured_frame
from streams.simulate.helped_shop import Effect as Outcome
from tests.consumers.effects.helped import HORIZON, data_of, helped
from tests.oracle import effects as twin

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else

Z95, Z99 = 1.959963984540054, 2.5758293035489004


def found_in(seed: int = 3) -> dict[str, list[Effect]]:
    every = cohorts(matured_frame(data_of(helped(seed))))
    return {cohort.play: effects_of(cohort.play, cohort.warnings, 20) for cohort in every}


@pytest.mark.parametrize("play", ["call", "letter"])
def test_every_figure_is_what_a_recount_of_the_lines_gives(play: str) -> None:
    lines = twin.firsts(helped().outcome_lines, play)
    effects = found_in()[play]
    tier = {"call": "high", "letter": "medium"}[play]
    assert [each.tier for each in effects] == [None, tier]
    for effect in effects:
        held_out, shown = twin.side(lines, "held_out"), twin.side(lines, "shown")
        for own, recounted in ((effect.held_out, held_out), (effect.shown, shown)):
            assert (own.churned, own.n) == twin.share(recounted, "churned")
            assert (own.contacted, own.n) == twin.share(recounted, "treated")
            both = [d for d in recounted if d["churned"] and d["treated"]]
            assert own.contacted_churned == len(both)
            silent = [d for d in recounted if d["treated"] and set(d["results"]) == {"not_reached"}]
            assert own.unreached == len(silent)
        assert effect.not_drawn.n == len(twin.side(lines, "not_drawn"))
        for found, z in ((effect.difference, Z95), (effect.claim_difference, Z99)):
            expected = twin.newcombe(twin.share(held_out, "churned"), twin.share(shown, "churned"), z)
            assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-12)
        assert effect.success == pytest.approx(twin.success(held_out, shown), abs=1e-12)
        if effect.tier is None:  # the tier's customers are the same
            drawn = twin.bootstrap(held_out, shown, 2_000, 5)
            low, high = drawn[50], drawn[1949]
            assert effect.success_interval == pytest.approx((low, high), abs=0.1 * (high - low))


def test_tiers_are_counted_apart_and_add_up_to_the_play() -> None:
    tiers = ("high", "medium", "low")
    lines = [
        line | {"data": line["data"] | {"tier": tiers[int(line["subject"][1:]) % 3]}}
        for line in helped().outcome_lines
    ]
    data = [line["data"] for line in lines if line["type"] == "churn.warning.matured"]
    for cohort in cohorts(matured_frame(data)):
        first = twin.firsts(lines, cohort.play)
        every, *apart = effects_of(cohort.play, cohort.warnings, 20)
        assert tuple(effect.tier for effect in apart) == tiers
        for effect in apart:
            own = [each for each in first if each["tier"] == effect.tier]
            for side, lot in ((effect.held_out, "held_out"), (effect.shown, "shown")):
                assert (side.churned, side.n) == twin.share(twin.side(own, lot), "churned")
                assert (side.contacted, side.n) == twin.share(twin.side(own, lot), "treated")
        assert sum(effect.shown.n for effect in apart) == every.shown.n
        assert sum(effect.held_out.churned for effect in apart) == every.held_out.churned


def test_the_interval_is_the_percentiles_of_what_was_drawn() -> None:
    held_out, shown = Side(60, 21, 0, 0, 0), Side(300, 70, 240, 50, 0)
    held, others = resampled(held_out, shown, 1_000, 7)
    assert (others.sum(axis=1) == 300).all()
    drawn = []
    for churned_held_out, (both, churned, contacted, _) in zip(held.tolist(), others.tolist(), strict=True):
        base = churned_held_out / 60
        drawn.append((base - (both + churned) / 300) / (base * (both + contacted) / 300))
    drawn.sort()
    interval = success_interval(held_out, shown, resamples=1_000, seed=7)
    assert interval == pytest.approx((drawn[24], drawn[975]))
    assert success_interval(held_out, shown) == success_interval(held_out, shown)


def test_where_many_resamples_have_no_s_there_is_no_interval() -> None:
    assert success_interval(Side(10, 1, 0, 0, 0), Side(50, 5, 40, 4, 0)) is None
    assert success_interval(Side(10, 0, 0, 0, 0), Side(50, 5, 40, 4, 0)) is None
    assert success_interval(Side(10, 5, 0, 0, 0), Side(50, 5, 0, 0, 0)) is None
    assert success(Side(0, 0, 0, 0, 0), Side(50, 5, 40, 4, 0)) is None


def test_what_may_be_claimed() -> None:
    others = Side(1_000, 100, 900, 80, 0)
    assert claim(Side(0, 0, 0, 0, 0), others, 20) is Claim.NOBODY_HELD_OUT
    assert claim(Side(40, 19, 0, 0, 0), others, 20) is Claim.TOO_FEW
    assert claim(Side(40, 20, 0, 0, 0), others, 20) is Claim.HELPS
    assert claim(Side(200, 20, 0, 0, 0), others, 20) is Claim.NOT_CLEAR
    assert claim(Side(1_000, 50, 0, 0, 0), others, 20) is Claim.HARMS
    assert claim(Side(40, 20, 0, 0, 0), Side(0, 0, 0, 0, 0), 20) is Claim.NOT_CLEAR


def test_a_planted_effect_lies_in_the_interval_and_one_that_is_not_there_is_not_claimed() -> None:
    ran = helped()
    call, letter = (effects[0] for effects in found_in().values())
    assert call.claim is Claim.HELPS
    assert letter.claim in (Claim.NOT_CLEAR, Claim.TOO_FEW)
    # Who would have churned without the team is in the events of the same shop without one.
    orders = pl.concat(ran.alone.frames()).filter(type="order", status="placed")
    at: dict[str, list[int]] = {}
    for customer, then in orders.select("customer_id", orders["occurred_at"].dt.epoch("us")).iter_rows():
        at.setdefault(customer, []).append(then)
    kept = {t.customer: t.at for t in reversed(ran.shop.treatments) if t.effect is Outcome.RESCUED}
    every = {
        cohort.play: cohort.warnings.filter(side=SHOWN) for cohort in cohorts(matured_frame(data_of(ran)))
    }
    for play, effect in (("call", call), ("letter", letter)):
        would = 0
        for row in every[play].iter_rows(named=True):
            opened, customer = row["opened_at"], row["customer_id"]
            came = any(opened < then <= opened + HORIZON for then in at.get(customer, ()))
            before = kept.get(int(customer[1:]), opened) < opened
            would += row["churned"] if before else not came
        n = every[play].height
        true = (would - effect.shown.churned) / n / (would / n * effect.shown.contacted / n)
        assert effect.success_interval is not None
        low, high = effect.success_interval
        assert low <= true <= high
        assert (true > 0.3) is (play == "call")


@pytest.mark.parametrize(("chance", "s"), [(0.3, 0.0), (0.3, 0.4), (0.6, 0.2)])
def test_intervals_hold_the_truth_as_often_as_they_say(chance: float, s: float) -> None:
    generator, inside, claimed, trials = np.random.default_rng(11), 0, 0, 400
    for _ in range(trials):
        churned = int(generator.binomial(120, chance))
        contacted = int(generator.binomial(700, 0.8))
        both = int(generator.binomial(contacted, chance * (1 - s)))
        alone = int(generator.binomial(700 - contacted, chance))
        held_out, shown = Side(120, churned, 0, 0, 0), Side(700, both + alone, contacted, both, 0)
        interval = success_interval(held_out, shown, resamples=2_000)
        assert interval is not None
        inside += interval[0] <= s <= interval[1]
        claimed += claim(held_out, shown, 20).is_made
    assert 0.92 <= inside / trials <= 0.975
    if not s:
        assert claimed / trials <= 0.025  # at 99 %
