"""The page of operations: what is broken comes first, and details are for operators."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from consumers.database.database import Database
from consumers.desk.desk import Desk
from consumers.desk.installation import (
    Figure,
    Finding,
    InstallationState,
    ModelState,
    ProcessState,
    QuietSource,
    Refusals,
)
from consumers.desk.people.person import Person, Role
from tests.consumers.desk.desks import NOW, browser, desk_over
from tests.consumers.desk.pages.test_changes import Around
from tests.consumers.desk.stored_shop import store_shop

KNOWN = InstallationState(
    findings=(
        Finding("broker", "ok", "127.0.0.1:9092 answers"),
        Finding("lag", "failed", "partition 0 is <b>behind</b>"),
        Finding("model", "warning", "not ready"),
    ),
    quiet=(QuietSource("orders", 2, NOW - timedelta(days=1), "2011-03-18T09:00:00Z"),),
    refusals=Refusals({"not_json": 3, "id_reused": 1}, 2, "orders[0]@7: what"),
    sink_lag={"actions": 0, "churn-warnings": 1_234},
    models=(
        ModelState("2-0a", "fast", NOW, True, False, False, 900, 90, 0.81, 0.4, 0.02),
        ModelState("1-0a", "slow", NOW, True, True, True, 800, 80, 0.8251, 0.41, None),
    ),
)


SHOWN = (
    ProcessState(
        "10.0.0.7:9464",
        process="worker",
        version="1.2",
        healthy=True,
        ready=False,
        figures=(
            Figure("lapwing_lag_records", {"topic": "orders", "partition": "0"}, 1_200, "Records to come."),
            Figure("lapwing_lag_records", {"topic": "logins", "partition": "0"}, 34, "Records to come."),
        ),
    ),
    ProcessState("10.0.0.8:9466", error="Connection refused"),
)


def test_operators_see_the_figures_of_all_processes(database: Database) -> None:
    desk = desk_with(database, replace(KNOWN, processes=SHOWN))
    text = browser(desk).get("/operations").text
    assert "10.0.0.7:9464" in text
    assert '<span class="badge warm">not ready</span>' in text
    assert ">1,234</td>" in text
    assert "topic=orders partition=0" in text
    assert '<span class="badge plain">no answer</span> Connection refused' in text
    assert "10.0.0.7" not in browser(desk, as_=Person("ann", Role.AGENT)).get("/operations").text


def desk_with(database: Database, state: InstallationState) -> Desk:
    desk = desk_over(database, NOW, installation=Around(state))
    desk.reports.wait_s = 60
    return desk


def test_what_is_known_is_shown_the_serious_first(database: Database) -> None:
    text = browser(desk_with(database, KNOWN)).get("/operations").text
    assert text.index("Lag of the workers") < text.index("Broker</td>")
    assert "partition 0 is &lt;b&gt;behind&lt;/b&gt;" in text
    assert "1,234 records wait to be stored." in text
    assert "not JSON" in text
    assert "orders[0]@7: what" in text
    assert "1-0a" in text
    assert "chosen by hand" in text
    assert "800 samples, of which 80 churned" in text
    assert "0.8251" in text
    assert '<span class="badge warm">orders</span>' in text


def test_others_see_what_matters_to_them_and_no_details(database: Database) -> None:
    text = browser(desk_with(database, KNOWN), as_=Person("ann", Role.AGENT)).get("/operations").text
    assert '<span class="badge warm">orders</span>' in text
    assert "1,234 records" in text
    for detail in ("127.0.0.1", "behind", "orders[0]@7"):
        assert detail not in text


def test_probabilities_stand_beside_what_became_of_them(database: Database) -> None:
    store_shop(database)
    desk = desk_with(database, KNOWN)
    found = desk.reports.calibration().value
    assert found is not None
    assert found.scored
    text = browser(desk).get("/operations").text
    for band in found.bands:
        assert f"{band.churned.part:,} of {band.churned.whole:,}" in text
    assert text.count("<svg") == 1


def test_of_an_installation_of_which_nothing_is_known_the_page_says_so(database: Database) -> None:
    text = browser(desk_with(database, InstallationState(error="nobody answers"))).get("/operations").text
    assert "The broker cannot be asked: nobody answers" in text
    assert text.count("Not known") == 3
    assert "No sample with a probability is stored yet." in text
