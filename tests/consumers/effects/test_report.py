"""The whole report: its shape, its period, and that an order of its input is nothing."""

from __future__ import annotations

import random

import msgspec
import pytest

from consumers.effects.matured import matured_frame
from consumers.effects.reasons import suggested_step
from consumers.effects.report import EffectsInput, EffectsReport, report
from streams.contract.instants import read_instant, to_us
from tests.consumers.effects.helped import Ran, data_of, helped
from tests.consumers.effects.test_money import actions

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else


def given(ran: Ran, seed: int | None = None) -> EffectsInput:
    data, taken = data_of(ran), actions(ran)
    steps = [
        suggested_step(to_us(read_instant(e["time"])), e["data"])
        for e in map(msgspec.json.decode, ran.warnings)
    ]
    if seed is not None:
        for each in (data, taken, steps):
            random.Random(seed).shuffle(each)
    return EffectsInput(matured_frame(data), tuple(taken), (), tuple(steps))


def made(ran: Ran, seed: int | None = None, **period: int) -> EffectsReport:
    return report(given(ran, seed), min_holdout=20, group_of={}, **period)


def test_it_has_every_play_with_both_sides_and_says_what_is_left_out() -> None:
    ran = helped()
    found = made(ran).as_dict()
    assert [play["play"] for play in found["plays"]] == ["call", "letter"]
    assert found["matured"] == len(data_of(ran))
    for play in found["plays"]:
        every, tier = play["effects"]
        assert (every["tier"], tier["tier"]) == (None, {"call": "high", "letter": "medium"}[play["play"]])
        sides = sum(every[side]["n"] for side in ("held_out", "not_held_out", "not_drawn"))
        excluded = play["excluded"]
        left_out = sum(n for name, n in excluded.items() if name != "without_lot")
        own = [d for d in data_of(ran) if d["decision"]["play"] == play["play"]]
        assert sides + left_out == len(own)
        assert every["not_held_out"]["not_reached"]["whole"] == every["not_held_out"]["contacted"]
        assert every["money"]["gained"]["value"] is not None
    assert found["reasons"]["answered"] > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_its_input_is_nothing(seed: int) -> None:
    assert made(helped(), seed) == made(helped())


def test_a_period_narrows_effects_and_reasons_alike() -> None:
    ran = helped()
    opened = sorted(matured_frame(data_of(ran))["opened_at"].to_list())
    middle = opened[len(opened) // 2]
    whole, before, after = made(ran), made(ran, until=middle), made(ran, since=middle)
    answered = [each.reasons.answered for each in (whole, before, after) if each.reasons is not None]
    assert answered[0] == answered[1] + answered[2]
    assert min(answered) > 0
    first = [each.plays[0].effects[0].shown.n for each in (whole, before, after)]
    assert max(first[1:]) < first[0] <= sum(first[1:])
    assert after.plays[0].excluded.outside > 0
