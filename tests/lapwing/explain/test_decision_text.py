"""A decision with its arithmetic, as `lapwing explain` prints it."""

from __future__ import annotations

from lapwing.explain.decision_text import decision_lines
from streams.core.decision.decision import Decision, basis_of
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.features.value import ValueParts

CALL = Play("call", Success(0.25, "prior"), cost=PlayCost(gift=5.0, labour_minutes=30.0))
PARTS = ValueParts(0.05, 365.0, 40.0, 0.5, 0.1)


def decided(named: str, probability: float | None, value: float | None) -> Decision:
    plays = Plays([CALL])
    basis = basis_of(plays, 0.5, named=named, reason="silence", customer_class="key", do_not_contact=False)
    return Decision(basis, probability, value, 40.0)


def test_every_number_stands_with_how_it_comes_about() -> None:
    value = 0.05 * 365.0 * 40.0 * 0.5 * 1.1
    assert list(decision_lines(decided("call", 0.4, value), PARTS)) == [
        ("decision", "", "rescue, net gain 20.15"),
        ("play", "call", ""),
        (
            "value",
            "401.50",
            "0.05 order days a day x 365 days x 40.00 an order day x margin 0.5 x 1.1 with referrals",
        ),
        ("value at risk", "160.60", "churn probability 0.4 x value"),
        ("gain", "40.15", "success 0.25 (prior) x value at risk"),
        ("cost", "20.00", "gift 5.00 + labour 15.00"),
        ("net", "20.15", "gain - cost; worth it from a success of 0.125 on"),
    ]


def test_what_is_missing_is_named() -> None:
    assert list(decision_lines(decided("letter", None, None), None)) == [
        ("decision", "", "undecided (missing: play, value, probability)"),
        ("play", "letter", "not among the plays"),
        ("value", "missing", "no order yet, no fit of the buying model yet, or its source is quiet"),
        ("value at risk", "missing", "churn probability missing x value"),
    ]


def test_a_margin_of_one_is_called_revenue() -> None:
    parts = ValueParts(0.05, 365.0, 40.0, 1.0, 0.0)
    lines = {name: how for name, _, how in decision_lines(decided("call", 0.1, 730.0), parts)}
    assert lines["value"].endswith("x 40.00 an order day (revenue: the margin is 1)")
    assert lines["decision"] == "do not rescue (not worth it, net -1.75)"
