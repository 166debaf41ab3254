"""Plays and what they do: the figures are those of `lapwing effects`."""

from __future__ import annotations

import html as entities
import re
from datetime import UTC, datetime

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.desk.pages.plays import CLAIMS, EXCLUDED
from consumers.drafts import Draft, action_bytes
from consumers.effects.cohort import Exclusions
from consumers.effects.effect import Claim
from consumers.effects.report import report
from consumers.effects.store import stored_input
from streams.contract.instants import instant_us
from tests.consumers.desk.desks import browser
from tests.consumers.desk.stored_shop import lines, patient_desk, store_shop
from tests.consumers.effects import test_store
from tests.consumers.shop_records import KINDS, NOW
from tests.consumers.stored import store_records


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


def test_suggested_reasons_stand_beside_those_that_were_found(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database)
    codes = [each.id for each in desk.rulebook.current().reasons if each.group != each.id]
    first = {step["data"]["warning_id"]: step for step in reversed(lines("churn-warnings"))}
    stored = []
    for number, (warning_id, step) in enumerate(first.items()):
        reasons = tuple(codes[number % 7 : number % 7 + 1 + number % 2])
        draft = Draft(step["subject"], "confirm", warning_id, reasons=reasons)
        event = draft.event(f"answer-{number}", instant_us(step["time"]), "ann")
        arrived = instant_us(step["time"]) // 1_000
        stored.append(Record("actions", 9, number, arrived, step["subject"].encode(), action_bytes(event)))
    assert store_records(database, stored, NOW, KINDS["actions"]).stored == len(first) > 5
    found = desk.reports.effects().value
    assert found is not None
    assert found.reasons is not None
    agreement = found.reasons
    assert agreement.found > 0
    text = browser(desk).get("/plays").text
    for share in (agreement.agree, agreement.agree_by_group):
        assert f"{share.part:,} of {share.whole:,}" in text
    titles = {each.id: each.title for each in desk.rulebook.current().reasons}
    shown = [
        [
            int(cell.replace(",", "").replace("–", "0"))
            for cell in re.findall(r'<td class="number">(.*?)</td>', row)
        ]
        for row in re.findall(r'<tr><th scope="row">.*?</tr>', text, re.DOTALL)
    ]
    tables = (agreement.groups, agreement.reasons, agreement.model)
    assert shown == [list(counts) for table in tables for counts in table.counts]
    assert all(titles.get(code, code) in entities.unescape(text) for code in agreement.reasons.suggested)


def test_before_anything_has_matured_the_page_says_what_is_wanted(database: Database) -> None:
    text = browser(patient_desk(database, datetime(2025, 1, 1, tzinfo=UTC))).get("/plays").text
    assert "Nothing can be compared yet" in text
    assert "The account manager calls" in text  # of the files


def test_every_claim_and_exclusion_has_words() -> None:
    assert CLAIMS.keys() == set(Claim)
    assert EXCLUDED.keys() | {"without_lot"} == set(Exclusions.__slots__)
