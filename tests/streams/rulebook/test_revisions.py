"""Which rules a partition is to go over to, and what is different between two sets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.steps import Tier
from streams.rulebook.diff import FieldChange, RuleChange, play_changes, rule_changes
from streams.rulebook.load import parse_rulebook
from streams.rulebook.revisions import (
    CLOCKS_APART,
    ActiveRules,
    CheckpointedRules,
    RuleRevision,
    RuleRevisions,
)

BUYS = Rule("buys", "orders_total >= 1", Tier.LOW, "test")
AT = 1_700_000_000_000_000


def rules(*given: Rule) -> RuleSet:
    return compile_rules(given, DTYPES)


A, B, C = (rules(replace(BUYS, when=f"orders_total >= {n}")) for n in (1, 2, 3))


def revision(of: RuleSet, placed_at: int = AT - DAY) -> RuleRevision:
    return RuleRevision(of, {}, placed_at)


def in_force(of: RuleSet, *before: RuleSet) -> ActiveRules:
    return ActiveRules(of, {}, AT, tuple(each.hash for each in before))


@pytest.mark.parametrize(
    ("own", "now", "wanted"),
    [
        (revision(A), in_force(A), False),
        (revision(B), in_force(A), True),
        (revision(A), in_force(B, A), False),
        (revision(A), in_force(C, B, A), False),
        (revision(A, AT + 1), in_force(B, A), True),
        (revision(C), in_force(B, A), True),
        (revision(B), in_force(B, A, B), False),
    ],
    ids=["the same", "new", "slow", "two behind", "set back", "a third", "again the same"],
)
def test_what_a_partition_is_to_adopt(own: RuleRevision, now: ActiveRules, wanted: bool) -> None:
    assert RuleRevisions(own).wanted(now) == (own if wanted else None)


def test_who_has_had_the_present_set_may_go_back_although_another_clock_is_ahead() -> None:
    revisions = RuleRevisions(revision(B))
    revisions.take(revision(A), AT - CLOCKS_APART + 1)
    assert revisions.wanted(in_force(B, A)) is revisions.own
    revisions.take(revision(A), AT - CLOCKS_APART)
    assert revisions.wanted(in_force(B, A)) is None


def test_only_so_many_sets_before_are_remembered() -> None:
    now = in_force(A)
    for number in range(30):
        now = now.then(revision(B if number % 2 else C), AT)
    assert len(now.before) == 16
    assert now.before[:3] == (C.hash, B.hash, C.hash)


def test_the_rules_of_a_checkpoint_are_compiled_of_its_files() -> None:
    text = "version: 1\nrules: [{id: buys, when: orders_total >= 2, tier: low, reason: test}]\n"
    revisions = RuleRevisions(revision(A))
    found = revisions.restored(B.hash, CheckpointedRules({"rules.yaml": text}, AT))
    assert found is not None
    assert found.rules.hash == B.hash
    assert revisions.restored(C.hash, CheckpointedRules({"rules.yaml": text}, AT)) is None


def test_what_is_different_is_told_rule_by_rule_and_field_by_field() -> None:
    new = Rule("new", "orders_total >= 1", Tier.LOW, "test")
    changed = replace(BUYS, tier=Tier.HIGH, for_us=2 * DAY, status=RuleStatus.RETIRED, title="Buys")
    assert rule_changes(rules(BUYS), rules(changed, new)) == [
        RuleChange(
            "buys",
            "changed",
            BUYS.version,
            changed.version,
            (
                FieldChange("tier", "low", "high"),
                FieldChange("title", None, "Buys"),
                FieldChange("status", "active", "retired"),
                FieldChange("for", "0", "2d"),
            ),
        ),
        RuleChange("new", "added", None, new.version),
    ]
    assert rule_changes(rules(new, BUYS), rules(BUYS)) == [RuleChange("new", "removed", new.version, None)]
    assert rule_changes(None, rules(BUYS)) == [RuleChange("buys", "added", None, BUYS.version)]
    assert rule_changes(rules(BUYS), rules(replace(BUYS))) == []


PLAYS = """\
version: 1
plays:
  - {id: call, cost: {labour_minutes: 20}, success: {chance: 0.15, source: prior}}
  - {id: mail, reasons: [silence, model], success: {chance: 0.02, source: prior}}
"""
TEXT = "version: 1\nrules: [{id: buys, when: orders_total >= 2, tier: low, reason: test}]\n"


def with_plays(text: str) -> RuleSet:
    return parse_rulebook({"rules.yaml": TEXT, "plays.yaml": text}).rules


def test_plays_of_a_checkpoint_come_back_with_its_rules() -> None:
    now = with_plays(PLAYS)
    kept = CheckpointedRules({"rules.yaml": TEXT, "plays.yaml": PLAYS}, AT)
    found = RuleRevisions(revision(A)).restored(now.hash, kept)
    assert found is not None
    assert found.rules.plays.hash == now.plays.hash
    assert RuleRevisions(revision(A)).restored(B.hash, kept) is None  # the hash is of rules without plays


def test_plays_that_change_are_adopted_and_told_field_by_field() -> None:
    before = with_plays(PLAYS)
    after = with_plays(
        PLAYS.replace("0.15", "0.2").replace(
            "id: mail, reasons: [silence, model]", "id: gift, cost: {gift: 5}"
        )
    )
    assert RuleRevisions(revision(after)).wanted(in_force(before)) is not None
    assert rule_changes(before, after) == []
    assert play_changes(before, after) == [
        RuleChange("call", "changed", None, None, (FieldChange("success.chance", "0.15", "0.2"),)),
        RuleChange("gift", "added", None, None),
        RuleChange("mail", "removed", None, None),
    ]
    assert [each.change for each in play_changes(B, before)] == ["added", "added"]
    assert play_changes(before, before) == []
