"""The page of silences: operators add and end them, all see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.desk.desk import Desk
from consumers.desk.pages.silences import DAYS, LASTING, MATCHERS
from consumers.desk.people.audit import AuditFilter
from consumers.desk.people.person import Person, Role
from streams.contract.silences import WEEKDAYS, Matchers, Silence, parse_silence
from streams.errors import BrokerError
from tests.consumers.desk.desks import NOW, Sent, browser
from tests.consumers.desk.stored_shop import patient_desk

GOOD = {"reason": "Easter", "tiers": "low", "lasting": "4h"}


@pytest.fixture
def desk(database: Database) -> Desk:
    return patient_desk(database, NOW, time_zone="Europe/Berlin")


def sent(desk: Desk) -> list[Silence]:
    assert isinstance(desk.sender, Sent)
    return [parse_silence(value or b"") for _, _, value in desk.sender.records]


def post(desk: Desk, path: str = "/silences", **data: Any) -> Any:
    return browser(desk).post(path, data=data, follow_redirects=False)


def test_a_silence_of_some_warnings_lasts_as_long_as_was_chosen(desk: Desk) -> None:
    rule = next(rule for rule in desk.rulebook.current().rules if rule.by is None and rule.status == "active")
    answer = post(desk, **GOOD | {"rules": rule.id, "regions": "north, south,north", "reasons": rule.reason})
    assert (answer.status_code, answer.headers["location"]) == (303, "/silences")
    [silence] = sent(desk)
    assert silence.matchers.lists == {
        "regions": ("north", "south"),
        "tiers": ("low",),
        "rules": (rule.id,),
        "reasons": (rule.reason,),
    }
    assert (silence.author, silence.reason) == ("you", "Easter")
    assert (silence.starts_at, silence.ends_at) == (NOW, NOW + timedelta(hours=4))
    text = browser(desk).get("/silences").text
    assert "on its way" in text
    assert rule.title.replace("'", "&#39;") in text


def test_times_are_by_the_clock_of_who_writes_them(desk: Desk) -> None:
    given = {"starts_at": "2011-07-01T08:00", "lasting": "until", "ends_at": "2011-07-02T09:30"}
    assert post(desk, **GOOD | given).status_code == 303
    [silence] = sent(desk)
    assert silence.starts_at == datetime(2011, 7, 1, 6, tzinfo=UTC)
    assert silence.ends_at == datetime(2011, 7, 2, 7, 30, tzinfo=UTC)


def test_hours_that_come_again_may_have_no_end(desk: Desk) -> None:
    given: dict[str, Any] = {"recurs": "1", "days": ["sat", "sun"], "dates": "2011-04-25"}
    given |= {"begins": "20:00", "ends": "08:00"}
    given |= {"reason": "quiet", "everything": "1", "lasting": "endless"}
    assert post(desk, **given).status_code == 303
    [silence] = sent(desk)
    assert silence.ends_at is None
    assert silence.recurring is not None
    assert silence.recurring.days == ("sat", "sun")
    assert silence.recurring.time_zone == "Europe/Berlin"
    assert "Saturday, Sunday" in browser(desk).get("/silences").text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": " "}, "Say why"),
        ({"tiers": ""}, "Choose either"),
        ({"everything": "1"}, "Choose either"),
        ({"lasting": "until"}, "Say until when"),
        ({"lasting": "until", "ends_at": "2011-01-01T00:00"}, "ends before it begins"),
        ({"lasting": "until", "ends_at": "soon"}, "This is not a time"),
        ({"lasting": "endless"}, "without an end"),
        ({"recurs": "1"}, "Choose the days"),
        ({"recurs": "1", "dates": "24.12."}, "2026-12-24"),
        ({"recurs": "1", "days": "sat", "begins": "25:00"}, "From: an hour such as 09:30"),
        ({"rules": "no-such"}, "nothing of this name warns"),
        ({"reason": "<script>alert(1)</script>", "tiers": "urgent"}, "Which notices: not one of those"),
        ({"customers": "x" * 200}, "Which notices: at most 128 characters"),
    ],
)
def test_what_is_wrong_stands_beside_what_was_written(desk: Desk, change: dict[str, str], says: str) -> None:
    answer = post(desk, **GOOD | change)
    assert answer.status_code == 422
    assert says in answer.text
    assert "<script>alert" not in answer.text
    assert sent(desk) == []
    if change.get("reason", "x").strip() == "x":
        assert 'value="Easter"' in answer.text


def test_a_broker_that_is_away_is_reported_and_nothing_is_lost(desk: Desk) -> None:
    class Away(Sent):
        def flush(self) -> None:
            msg = "nobody answers"
            raise BrokerError(msg)

    desk.silences._sender = Away()
    answer = post(desk, **GOOD)
    assert answer.status_code == 503
    assert 'value="Easter"' in answer.text
    assert "Nothing is silenced" in browser(desk).get("/silences").text


def test_an_operator_ends_it_and_others_only_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    post(desk, **GOOD)
    [silence] = sent(desk)
    for role in (Role.VIEWER, Role.AGENT):
        who = Person("ann", role)
        with monkeypatch.context() as patch:
            patch.setattr(desk, "access", desk.access)  # as it was, after this
            client = browser(desk, as_=who)
            assert client.post(f"/silences/{silence.id}/end").status_code == 403
            assert client.post("/silences", data=GOOD).status_code == 403
            text = client.get("/silences").text
            assert "Easter" in text
            assert '<form method="post" action="/silences' not in text
    assert post(desk, f"/silences/{silence.id}/end").status_code == 303
    assert sent(desk)[-1].expired_by == "you"
    noted = [(each.person, each.what, each.detail["silence"]) for each in desk.audit.page(AuditFilter(), 9)]
    assert noted == [("you", "silence.end", silence.id), ("you", "silence.add", silence.id)]
    assert post(desk, f"/silences/{silence.id}/end").status_code == 409
    assert post(desk, "/silences/none/end").status_code == 409


def test_every_field_and_day_has_a_name() -> None:
    assert MATCHERS.keys() == set(Matchers.model_fields)
    assert tuple(DAYS) == WEEKDAYS
    assert all(span for _, span in LASTING.values())
