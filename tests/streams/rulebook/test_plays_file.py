"""plays.yaml and reasons.yaml: strict, each mistake with its place, and what they are to the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.core.decision.plays import Play, PlayCost, Success
from streams.rulebook.findings import Finding
from streams.rulebook.lint import Surroundings, lint
from streams.rulebook.load import load_rulebook, parse_contents, parse_rulebook
from streams.rulebook.reader import RulebookRefused
from streams.rulebook.reasons_file import SHIPPED, WIN_BACK, shipped_reasons
from tests.paths import ROOT

HERE = Path(__file__).parent
RULES = """\
version: 1
rules:
  - {id: a, when: days_since_order >= 9, tier: low, reason: silence, play: call}
  - {id: b, when: orders_30d >= 9, tier: low, reason: price_too_high}
"""
PLAYS = """\
version: 1
plays:
  - id: call
    title: A call
    reasons: [silence, price]
    classes: [key, ordinary]
    cost: {gift: 5, communication: 0.5, labour_minutes: 20, discount: 0.1}
    budget_month: 1000
    success: {chance: 0.15, source: measured, n: 420, interval: [0.05, 0.25]}
  - id: mail
    reasons: price_too_high
    success: {chance: 0.02, source: prior}
"""
CALL = Play(
    "call",
    Success(0.15, "measured", 420, (0.05, 0.25)),
    "A call",
    ("silence", "price"),
    ("key", "ordinary"),
    PlayCost(5.0, 0.5, 20.0, 0.1),
    1000.0,
)


@pytest.mark.parametrize("kind", ["plays", "reasons"])
def test_the_mistake_in_a_bad_file_is_named_with_its_place(kind: str) -> None:
    files = sorted((HERE / f"bad_{kind}").glob("*.yaml"))
    assert len(files) > 4
    for path in files:
        content = path.read_bytes()
        expected = content.decode().splitlines()[0].removeprefix("# expect: ")
        with pytest.raises(RulebookRefused) as refused:
            parse_contents({f"{kind}.yaml": content})
        assert [str(m) for m in refused.value.mistakes] == [f"{kind}.yaml:{expected}"], path.name


def test_plays_are_read_in_their_order_and_are_part_of_the_rule_set() -> None:
    without = parse_rulebook({"r.yaml": RULES})
    book = parse_rulebook({"r.yaml": RULES, "plays.yaml": PLAYS})
    assert [each.play.id for each in book.plays] == ["call", "mail"]
    assert book.rules.plays.plays[0] == CALL
    assert book.plays[0].line("success") == 9
    assert book.rules.plays.plays[1].reasons == ("price_too_high",)
    assert len({without.rules.hash, book.rules.hash}) == 2
    other = parse_rulebook({"r.yaml": RULES, "plays.yaml": PLAYS.replace("0.02", "0.03")})
    assert other.rules.hash != book.rules.hash
    moved = parse_rulebook({"x/r.yaml": RULES, "x/plays.yml": PLAYS})
    assert moved.rules.hash == book.rules.hash


def test_one_file_of_each_kind() -> None:
    with pytest.raises(RulebookRefused, match=r"b/plays.yaml: there is another file of this name: a/plays"):
        parse_rulebook({"r.yaml": RULES, "a/plays.yaml": PLAYS, "b/plays.yaml": PLAYS})


def found(**files: str) -> list[Finding]:
    return lint(parse_rulebook({f"{name}.yaml": text for name, text in files.items()}), Surroundings())


def test_what_belongs_together_is_in_order() -> None:
    assert found(rules=RULES, plays=PLAYS) == []
    assert found(rules=RULES) == []  # without plays a rule may name what it likes
    assert found(rules=RULES.replace("play: call", "play: none")) == []


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (
            {"rules": RULES.replace("silence,", "silense,")},
            "rules.yaml:3: error L161: rule 'a': 'silense' is none of the reasons; did you mean 'silence'?",
        ),
        (
            {"rules": RULES.replace("play: call", "play: cal"), "plays": PLAYS},
            "rules.yaml:3: error L162: rule 'a': there is no play 'cal'; did you mean 'call'?",
        ),
        (
            {"rules": RULES, "plays": PLAYS.replace("[silence, price]", "[silence, prize]")},
            "plays.yaml:5: error L163: play 'call': 'prize' is none of the reasons; did you mean 'price'?",
        ),
        (
            {"rules": RULES, "plays": PLAYS.replace("price_too_high", "silence")},
            "plays.yaml:10: warning L164: play 'mail': no rule names it, and none that names no play has a "
            "reason that it is for; name it in a rule, or leave it out",
        ),
    ],
)
def test_what_does_not_belong_together_is_found(files: dict[str, str], text: str) -> None:
    assert text in [str(finding) for finding in found(**files)]


def test_a_file_of_reasons_beside_the_rules_holds_instead_of_the_shipped_one() -> None:
    reasons = "version: 1\ngroups:\n- {id: ours, win_back: natural, reasons: [{id: silence}, {id: tea}]}\n"
    findings = found(rules=RULES, reasons=reasons)
    assert [(f.code, f.name) for f in findings] == [("L161", "b")]
    assert "take one of reasons.yaml, or add it" in findings[0].hint
    book = parse_rulebook({"rules.yaml": RULES, "reasons.yaml": reasons})
    assert book.reasons.by_code["tea"].group == "ours"


def test_the_shipped_reasons_lie_beside_the_shipped_rules_and_hold_todays_codes() -> None:
    assert (ROOT / "warning_rules" / "reasons.yaml").read_bytes() == SHIPPED.read_bytes()
    codes = shipped_reasons().by_code
    today = (
        "activity_decline silence spend_decline no_second_order contract_end complaints complaint_silence "
        "complaint_handling returns model other product service price delivery channel competitor moved_away"
    )
    assert set(today.split()) <= codes.keys()
    assert {each.win_back for each in codes.values()} == set(WIN_BACK)
    assert all(each.group in codes and codes[each.group].group == each.group for each in codes.values())
    assert {"unknown", "not_reached"}.isdisjoint(codes)


def test_the_shipped_plays_fit_the_shipped_rules() -> None:
    book = load_rulebook(ROOT / "warning_rules")
    ids = {each.play.id for each in book.plays}
    named = {each.rule.play for each in book.placed if each.rule.play}
    assert named <= ids | {"none"}
