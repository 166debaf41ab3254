"""Which play is chosen, and what its hash stands for."""

from dataclasses import replace

from streams.core.decision.plays import NO_PLAYS, Play, PlayCost, Plays, Success

PRIOR = Success(0.2, "prior")
CALL = Play("call", PRIOR, reasons=("silence", "price"), classes=("key",), cost=PlayCost(labour_minutes=20))
MAIL = Play("mail", PRIOR, reasons=("silence",), cost=PlayCost(communication=0.5))
GIFT = Play("gift", PRIOR, classes=("ordinary", "small"))
PLAYS = Plays([CALL, MAIL, GIFT])


def test_the_named_play_is_chosen_or_else_the_first_that_fits() -> None:
    assert PLAYS.choose("gift", "price", "key") is GIFT  # a rule names what it likes
    assert PLAYS.choose("letter", "silence", "key") is None
    assert PLAYS.choose(None, "silence", "key") is CALL
    assert PLAYS.choose(None, "silence", "small") is MAIL
    assert PLAYS.choose(None, "silence", None) is MAIL
    assert PLAYS.choose(None, "price", "small") is GIFT
    assert PLAYS.choose(None, "price", None) is None
    assert NO_PLAYS.choose(None, "silence", "key") is None


def test_the_hash_is_of_all_that_is_said_and_of_the_order() -> None:
    changed = [
        Plays([MAIL, CALL, GIFT]),
        Plays([CALL, MAIL]),
        Plays([CALL, MAIL, replace(GIFT, budget_month=100.0)]),
        Plays([CALL, MAIL, replace(GIFT, success=replace(PRIOR, source="measured", n=400))]),
        Plays([CALL, MAIL, replace(GIFT, cost=PlayCost(gift=5.0))]),
    ]
    assert len({PLAYS.hash, *(each.hash for each in changed)}) == 6
    assert Plays([CALL, MAIL, replace(GIFT)]).hash == PLAYS.hash
    assert NO_PLAYS.hash == ""
