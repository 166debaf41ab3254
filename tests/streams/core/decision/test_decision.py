"""Decisions by hand."""

from __future__ import annotations

import math

import pytest

from streams.core.decision.decision import (
    Decision,
    DecisionBasis,
    Verdict,
    Why,
    basis_of,
    known,
    read_basis,
)
from streams.core.decision.plays import Play, PlayCost, Plays, Success

CALL = Play(
    "call",
    Success(0.25, "prior"),
    reasons=("silence",),
    cost=PlayCost(gift=5.0, communication=1.0, labour_minutes=30.0, discount=0.1),
)
PLAYS = Plays([CALL])


def decided(
    probability: float | None = 0.4,
    value: float | None = 300.0,
    spend: float | None = 40.0,
    *,
    named: str | None = "call",
    reason: str = "silence",
    customer_class: str | None = "ordinary",
    do_not_contact: bool = False,
    rate: float | None = 0.5,
    plays: Plays = PLAYS,
) -> Decision:
    basis = basis_of(
        plays,
        rate,
        named=named,
        reason=reason,
        customer_class=customer_class,
        do_not_contact=do_not_contact,
    )
    return Decision(basis, probability, value, spend)


def test_a_rescue_by_hand() -> None:
    made = decided()
    assert made.arithmetic().cost == {"gift": 5.0, "communication": 1.0, "labour": 15.0, "discount": 4.0}
    v, p, s = 300.0, 0.4, 0.25
    e_v, v3, c3 = (1 - p * (1 - s)) * v, (1 - p) * v, 25.0
    assert made.arithmetic().gain == pytest.approx(e_v - v3)
    assert (made.arithmetic().gain, made.arithmetic().net, made.arithmetic().break_even) == (
        30.0,
        5.0,
        c3 / (p * v),
    )
    assert (made.verdict, made.arithmetic().why, made.arithmetic().missing) == (Verdict.RESCUE, Why.WORTH, ())
    assert made.value_at_risk == 120.0


@pytest.mark.parametrize(("value", "verdict"), [(250.0, Verdict.RESCUE), (249.99, Verdict.DONT)])
def test_what_just_gains_its_cost_is_worth_it(value: float, verdict: Verdict) -> None:
    assert decided(value=value).verdict is verdict


def test_the_textbook_case() -> None:
    # Of 1000 customers 100 will leave: 10 %. Each is worth 500; a play of 5 keeps one in four of the 100.
    play = Play("mail", Success(0.25, "prior"), cost=PlayCost(communication=5.0))
    made = [decided(0.1, 500.0, None, named="mail", plays=Plays([play])) for _ in range(1000)]
    lost_before, lost_after = 1000 * 0.1, 1000 * 0.1 * 0.75
    assert sum(each.value_at_risk or 0 for each in made) == pytest.approx(lost_before * 500)
    assert sum(each.arithmetic().gain or 0 for each in made) == pytest.approx(
        (lost_before - lost_after) * 500
    )
    assert sum(each.arithmetic().net or 0 for each in made) == pytest.approx(12_500 - 5_000)
    assert {each.arithmetic().break_even for each in made} == {0.1}
    assert {each.verdict for each in made} == {Verdict.RESCUE}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"customer_class": "problem"}, Why.PROBLEM_CLASS),
        ({"do_not_contact": True}, Why.DO_NOT_CONTACT),
        ({"named": "none"}, Why.PLAY_NONE),
        ({"customer_class": "problem", "do_not_contact": True, "named": "none"}, Why.PROBLEM_CLASS),
        ({"do_not_contact": True, "named": "none"}, Why.DO_NOT_CONTACT),
        ({"do_not_contact": True, "probability": None, "named": "letter"}, Why.DO_NOT_CONTACT),
    ],
)
def test_what_bars_a_rescue_comes_before_what_is_missing(given: dict[str, object], why: Why) -> None:
    made = decided(**given)  # type: ignore[arg-type]  # each case names what it changes
    assert (made.verdict, made.arithmetic().why, made.arithmetic().missing) == (Verdict.DONT, why, ())
    assert made.play == (None if given.get("named") == "none" else given.get("named", "call"))


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"probability": None}, ("probability",)),
        ({"value": None, "probability": None}, ("value", "probability")),
        ({"named": "letter"}, ("play",)),
        ({"named": None, "reason": "price", "value": None}, ("play", "value")),
        ({"plays": Plays(), "probability": None}, ("play", "probability")),
        ({"rate": None}, ("cost",)),
        ({"spend": None}, ("cost",)),
    ],
)
def test_what_is_missing_is_never_nothing(given: dict[str, object], missing: tuple[str, ...]) -> None:
    made = decided(**given)  # type: ignore[arg-type]  # as above
    assert (made.verdict, made.arithmetic().why, made.arithmetic().missing) == (
        Verdict.UNKNOWN,
        Why.MISSING,
        missing,
    )
    assert made.arithmetic().net is None
    if "rate" in given:
        assert made.arithmetic().cost["labour"] is None
        assert made.arithmetic().gain == 30.0


def test_where_nothing_is_at_risk_there_is_no_break_even() -> None:
    made = decided(probability=0.0)
    assert (made.arithmetic().gain, made.arithmetic().net, made.arithmetic().break_even) == (0.0, -25.0, None)
    assert made.verdict is Verdict.DONT


def test_a_basis_at_rest_is_the_same_again() -> None:
    for each in (
        decided(),
        decided(named=None, reason="x"),
        decided(rate=None),
        decided(customer_class="problem"),
        decided(customer_class="problem", do_not_contact=True),
        decided(named="none", do_not_contact=True),
    ):
        assert read_basis(each.basis.as_json()) == each.basis
    assert read_basis('{"play": null, "known": false, "of_later": 1}') == DecisionBasis(None, known=False)
    assert (known(math.nan), known(0.0)) == (None, 0.0)
