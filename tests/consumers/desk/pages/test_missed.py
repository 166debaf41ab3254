"""Who left without a warning, as the scorecard has it."""

from __future__ import annotations

from datetime import timedelta

from consumers.database.database import Database
from consumers.scorecard.scorecard import scorecard
from consumers.scorecard.store import stored_facts
from tests.consumers.desk.desks import browser
from tests.consumers.desk.stored_shop import HORIZON_US, patient_desk, store_shop


def test_the_missed_are_listed_and_counted_by_group(database: Database) -> None:
    store_shop(database)
    missed = scorecard(stored_facts(database, timedelta(microseconds=HORIZON_US)), HORIZON_US).missed
    assert missed.customers
    text = browser(patient_desk(database)).get("/missed").text
    assert f"{missed.all.missed:,} of {missed.all.lost:,} customers who left had no warning" in text
    for each in missed.customers:
        assert f'href="/customers/{each.customer_id}"' in text
    for groups in missed.groups.values():
        for group in groups:
            assert f"{group.missed:,} of {group.lost:,}" in text


def test_without_losses_the_page_says_so(database: Database) -> None:
    assert "Nobody has left" in browser(patient_desk(database)).get("/missed").text
