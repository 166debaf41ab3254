"""Plays and what they do: the figures are those of `lapwing effects`."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.database.database import Database
from consumers.desk.pages.plays import CLAIMS, EXCLUDED
from consumers.effects.cohort import Exclusions
from consumers.effects.effect import Claim
from consumers.effects.report import report
from consumers.effects.store import stored_input
from tests.consumers.desk.desks import browser
from tests.consumers.desk.stored_shop import patient_desk
from tests.consumers.effects import test_store


def test_the_effects_are_those_of_the_command(database: Database) -> None:
    test_store.fill(database)
    desk = patient_desk(database, datetime(2025, 1, 1, tzinfo=UTC), min_holdout=20)
    found = desk.reports.effects().value
    assert found is not None
    groups = {each.id: each.group for each in desk.rulebook.current().reasons}
    expected = report(stored_input(database), min_holdout=20, group_of=groups)
    assert found.as_dict() == expected.as_dict()
    text = browser(desk).get("/plays").text
    assert {effect.claim for effect, _ in found.compared} >= {Claim.HELPS}
    for effect, money in found.compared:
        for share in (effect.held_out.churn, effect.shown.churn, effect.shown.contact):
            assert f"{share.part:,} of {share.whole:,}" in text
        if effect.difference.value is not None:
            assert f"{effect.difference.value * 100:+.1f}" in text
        assert f"€{money.spent:,.2f}" in text
    assert "It helps" in text
    assert text.count("<svg") == 2


def test_before_anything_has_matured_the_page_says_what_is_wanted(database: Database) -> None:
    text = browser(patient_desk(database, datetime(2025, 1, 1, tzinfo=UTC))).get("/plays").text
    assert "Nothing can be compared yet" in text
    assert "The account manager calls" in text  # of the files


def test_every_claim_and_exclusion_has_words() -> None:
    assert CLAIMS.keys() == set(Claim)
    assert EXCLUDED.keys() | {"without_lot"} == set(Exclusions.__slots__)
