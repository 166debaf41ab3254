"""What changed: rules as workers adopted them, silences, models; the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.desk.installation import InstallationState, ModelChange
from consumers.desk.pages.changes import SHOWN, rule_changes
from consumers.sink.kinds import ADOPTIONS
from streams.contract.audit import encode_adopted
from streams.core.decision.plays import Plays
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from streams.rulebook.revisions import RuleRevision
from streams.worker.rule_notices import adoption
from tests.consumers.desk.desks import NOW, browser, desk_over
from tests.consumers.desk.stored_shop import patient_desk
from tests.consumers.stored import store_records
from tests.streams.simulate.test_helped_shop import PLAYS, RULES

HOUR_US = 3_600_000_000
T0_US = 1_300_000_000_000_000


class Around:
    """An installation of which something is known."""

    def __init__(self, state: InstallationState) -> None:
        self.state = state

    def examine(self) -> InstallationState:
        return self.state


def adopted(partition: int, before: RuleSet | None, after: RuleSet, at_us: int) -> Mapping[str, Any]:
    revision = RuleRevision(after, {}, 0)
    return adoption("shop", "one-1", partition, {"orders": at_us // HOUR_US}, 0, before, revision, at_us)


def store_adoptions(database: Database) -> None:
    """Store a first rule set on three partitions, then a change of a rule and of a play on two."""
    first = RuleSet(RULES, DTYPES, PLAYS)
    changed = (replace(RULES[0], title="<b>Another</b>"), *RULES[1:])
    second = RuleSet(changed, DTYPES, Plays([replace(play, title="New") for play in PLAYS.by_id.values()]))
    later = T0_US + HOUR_US
    made = [adopted(number, None, first, T0_US) for number in range(3)]
    made += [adopted(number, first, second, later) for number in range(2)]
    records = [Record("audit", 0, n, 0, None, encode_adopted(each)) for n, each in enumerate(made)]
    assert store_records(database, records, NOW, ADOPTIONS).stored == len(made)


def test_what_partitions_did_alike_is_one_change_with_its_differences(database: Database) -> None:
    store_adoptions(database)
    first, second = rule_changes(database)
    assert first.rules is not None
    assert second.rules is not None
    assert (sorted(first.rules.partitions), sorted(second.rules.partitions)) == ([0, 1, 2], [0, 1])
    text = browser(patient_desk(database, NOW)).get("/changes?kind=rules").text
    assert text.index("2 partitions") < text.index("3 partitions")
    assert "<ins><code>&lt;b&gt;Another&lt;/b&gt;</code></ins>" in text
    assert "<b>Another" not in text


def test_kinds_are_chosen_and_come_in_the_order_of_time(database: Database) -> None:
    store_adoptions(database)
    at = datetime(2011, 3, 13, 9, tzinfo=UTC)
    detail = {"version": "12-0a", "by": "<i>ann</i>", "reason": None}
    state = InstallationState(changes=(ModelChange(at, "model.pinned", None, detail),))
    desk = desk_over(database, NOW, installation=Around(state))
    desk.reports.wait_s = 60
    made = desk.silences.add("ann", "Easter", {"everything": True}, None, NOW + timedelta(days=1), None)
    desk.silences.end(made.id, "bob")
    text = browser(desk).get("/changes").text
    places = [
        text.index(word) for word in ("A silence was", "Rules were adopted", "A model was put in force")
    ]
    times = [NOW, datetime.fromtimestamp(T0_US / 1e6, UTC), at]
    assert [place for _, place in sorted(zip(times, places, strict=True), reverse=True)] == sorted(places)
    assert text.count("A silence was added") == text.count("A silence was ended") == 1
    assert "&lt;i&gt;ann&lt;/i&gt;" in text
    only = browser(desk).get("/changes?kind=silences").text
    assert "Rules were adopted" not in only
    assert "Easter" in only


def test_a_broker_that_does_not_answer_is_reported(database: Database) -> None:
    desk = desk_over(database, NOW, installation=Around(InstallationState(error="nobody answers")))
    desk.reports.wait_s = 60
    assert "The broker cannot be asked about models: nobody answers" in browser(desk).get("/changes").text


@pytest.mark.parametrize("query", ["kind=else", "before=yesterday"])
def test_other_questions_are_refused(database: Database, query: str) -> None:
    assert browser(patient_desk(database, NOW)).get(f"/changes?{query}").status_code == 422


def test_older_ones_are_on_further_pages(database: Database) -> None:
    desk = patient_desk(database, NOW)
    moment = [NOW]
    desk.clock._wall = lambda: moment[0]
    for number in range(SHOWN + 5):
        moment[0] = NOW + timedelta(seconds=number)
        desk.silences.add(
            "ann", f"reason-{number:03}", {"everything": True}, None, NOW + timedelta(days=1), None
        )
    client = browser(desk)
    text = client.get("/changes?kind=silences").text
    assert ("reason-054" in text, "reason-005" in text, "reason-004" in text) == (True, True, False)
    further = text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    older = client.get(further).text
    assert ("reason-004" in older, "reason-000" in older, "reason-005" in older) == (True, True, False)


def test_before_anything_has_changed_the_page_says_what_will_come(database: Database) -> None:
    assert "Nothing has changed" in browser(patient_desk(database, NOW)).get("/changes").text
