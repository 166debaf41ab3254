"""Who is held out, by the formula that docs/decision.md gives."""

import hashlib

import pytest

from streams.core.decision.holdout import HoldoutTerms
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


def test_another_salt_draws_anew_and_without_shares_nobody_is() -> None:
    other = HoldoutTerms({Tier.HIGH: 0.1}, "2024-b", exempt=())
    both = [n for n in NAMES if TERMS.holds_out(n, Tier.HIGH, None) and other.holds_out(n, Tier.HIGH, None)]
    assert len(both) / len(NAMES) == pytest.approx(0.01, abs=0.004)
    assert any(other.holds_out(name, Tier.HIGH, "key") for name in NAMES)
    assert not any(HoldoutTerms().below_largest(NAMES))
