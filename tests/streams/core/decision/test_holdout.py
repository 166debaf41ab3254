"""Who is held out, by the formula that docs/decision.md gives."""

import hashlib
from dataclasses import replace

import pytest

from streams.core.decision.holdout import HoldoutTerms, Lot
from streams.core.decision.plays import Play, PlayCost, Success
from streams.core.steps import Tier

TERMS = HoldoutTerms({Tier.HIGH: 0.1, Tier.MEDIUM: 0.3}, "2024-a")
NAMES = [f"customer-{n}" for n in range(20_000)]


def test_a_customer_is_held_out_whose_number_lies_below_the_share() -> None:
    digest = hashlib.sha256(b"2024-a\ncustomer-7").hexdigest()
    assert TERMS.draw("customer-7") == int(digest[:16], 16) / 2**64
    for tier, share in ((Tier.HIGH, 0.1), (Tier.MEDIUM, 0.3), (Tier.LOW, 0.0)):
        out = {name for name in NAMES if TERMS.holds_out(name, tier, "small")}
        assert len(out) / len(NAMES) == pytest.approx(share, abs=0.01)
        assert out == {name for name in NAMES if TERMS.draw(name) < share}
        assert not any(TERMS.holds_out(name, tier, "key") for name in NAMES)
    assert TERMS.below_largest(NAMES) == [TERMS.draw(n) < 0.3 for n in NAMES]


@pytest.mark.parametrize("held_out", [False, True])
def test_a_lot_is_drawn_only_where_chance_alone_decides(held_out: bool) -> None:
    for name in NAMES[:500]:
        for tier, share in ((Tier.HIGH, 0.1), (Tier.MEDIUM, 0.3)):
            below = TERMS.draw(name) < share
            expected = Lot.HELD_OUT if below else Lot.NOT_DRAWN if held_out else Lot.SHOWN
            assert TERMS.lot(name, tier, "small", held_out=held_out) is expected
        assert TERMS.lot(name, Tier.LOW, "small", held_out=held_out) is Lot.NOT_DRAWN
        assert TERMS.lot(name, Tier.HIGH, "key", held_out=held_out) is Lot.NOT_DRAWN


def test_an_experiment_is_a_draw_and_what_the_play_does() -> None:
    play = Play("call", Success(0.2, "prior"), "Call them", ("silence",), cost=PlayCost(gift=1.0))
    same = replace(play, success=Success(0.3, "measured", 100, (0.1, 0.5)), title="Call", budget_month=10.0)
    own = play.measured_hash
    assert same.measured_hash == own
    digest = hashlib.sha256(f"2024-a\n{own}".encode()).hexdigest()
    assert TERMS.experiment(own) == digest[:16]
    others = (
        replace(play, id="mail"),
        replace(play, reasons=()),
        replace(play, classes=("small",)),
        replace(play, cost=PlayCost(gift=2.0)),
    )
    names = {TERMS.experiment(each.measured_hash) for each in (play, *others)}
    assert len(names | {HoldoutTerms(salt="2024-b").experiment(own)}) == 6


def test_another_salt_draws_anew_and_without_shares_nobody_is() -> None:
    other = HoldoutTerms({Tier.HIGH: 0.1}, "2024-b", exempt=())
    both = [n for n in NAMES if TERMS.holds_out(n, Tier.HIGH, None) and other.holds_out(n, Tier.HIGH, None)]
    assert len(both) / len(NAMES) == pytest.approx(0.01, abs=0.004)
    assert any(other.holds_out(name, Tier.HIGH, "key") for name in NAMES)
    assert not any(HoldoutTerms().below_largest(NAMES))
