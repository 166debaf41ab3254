"""`lapwing act` as far as it needs no broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.database.database import Database
from lapwing.cli.act import command
from streams.contract.instants import format_instant, to_us
from streams.contract.warnings import parse_warning
from streams.errors import ActError, LapwingError, StoreError
from tests.command_lines import refusal
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, warning_id


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Return the address of a database with an open and a resolved warning."""
    url = f"sqlite:///{tmp_path / 'w.db'}"
    opened = Database(url)
    opened.prepare()
    store_records(opened, records([*life("c1")[:3], *life("c2")]))
    opened.close()
    return url


def refused(*args: str) -> str:
    with pytest.raises(LapwingError) as caught:
        CliRunner().invoke(command, [*args, "--broker", "127.0.0.1:1"], catch_exceptions=False)
    assert isinstance(caught.value, ActError)
    return str(caught.value)


def test_a_warning_that_is_not_known_or_over_is_told(database: str) -> None:
    where = ("--database", database, "--by", "ann")
    assert "has no warning w: is `lapwing sink` running? or give --customer" in refused("w", "snooze", *where)
    assert "is resolved: nothing can be done" in refused(warning_id("c2"), "expire", *where)


class Sent:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        self.values.append(value)

    def flush(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    made = Sent()
    monkeypatch.setattr("lapwing.commands.act.Producer", lambda cluster: made)
    monkeypatch.setattr("lapwing.commands.act._check_topic", lambda cluster, name: None)
    return made


def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one(database: str, sent: Sent) -> None:
    name = warning_id("c1")
    for given in (name, name[:8]):
        result = CliRunner().invoke(command, [given, "snooze", "--by", "ann", "--database", database])
        assert result.exit_code == 0, result.output
        event = json.loads(sent.values.pop())
        assert (event["warning_id"], event["customer_id"]) == (name, "c1")
    assert "more than one warning begins with : " in refused(
        "", "snooze", "--by", "ann", "--database", database
    )
    assert "has no warning %: is" in refused("%", "snooze", "--by", "ann", "--database", database)


def test_an_action_on_a_history_is_dated_where_its_warnings_stand(database: str, sent: Sent) -> None:
    """The warnings of these tests are of 2011: an action of today would wait for ever."""
    given = [warning_id("c1"), "snooze", "--by", "ann", "--database", database]
    result = CliRunner().invoke(command, given)
    newest = max(parse_warning(content).time for content in (*life("c1")[:3], *life("c2")))
    assert json.loads(sent.values.pop())["occurred_at"] == format_instant(to_us(newest))
    assert "where the warnings stand" in result.stderr
    CliRunner().invoke(command, [*given, "--at", "2012-01-01T00:00:00Z"])
    assert json.loads(sent.values.pop())["occurred_at"] == "2012-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        (("snooze", "--for", "soon"), 2, "'--for': 'soon' is not a duration"),
        (("snooze", "--for", "0"), 2, "--for: must be longer than nothing"),
        (("contact", "--for", "3d"), 2, "--for: belongs to acknowledge and snooze, not to contact"),
        (("correct",), 2, "--corrects: say which action"),
        (("contact", "--to", "bob"), 2, "--to: belongs to assign, not to contact"),
        (("offer", "--cost", "gift"), 2, "'gift' is no item with its amount"),
        (("offer", "--result", "stays"), 2, "'stays' is not one of 'not_reached'"),
        (("offer", "--cost", "gift=-1"), 2, "'gift=-1': an item costs 0 or more"),
        (("offer", "--cost", "gift=nan"), 2, "'gift=nan': an item costs 0 or more"),
        (("offer", "--customer", "c", "--cost", "gift=1e13"), 2, "cost: Input should be less than or equal"),
        (("offer", "--customer", "c", "--reason", "too dear"), 2, "reasons.0: String should match pattern"),
        (("expire", "--for", "3d"), 2, "--for: an expired warning has ended for good"),
        (("snooze", "--at", "today"), 2, "'--at': 'today' is no RFC 3339 time"),
        (
            ("snooze", "--at", "2025-01-05"),
            2,
            "'2025-01-05' is no RFC 3339 time with offset: it has no time of",
        ),
        (("snooze", "--at", "1969-01-05T00:00:00Z"), 2, "it should lie between 1970 and 9999"),
        (("snooze", "--customer", ""), 2, "customer_id: String should have at least 1 character"),
        (("snooze", "--customer", "c", "--by", "x" * 257), 2, "actor: String should have at most 256"),
    ],
)
def test_what_cannot_be_done_is_reported_in_a_line(flags: tuple[str, ...], code: int, says: str) -> None:
    kind, *rest = flags
    refused_with, text = refusal(command, ["w", kind, "--by", "ann", *rest, "--broker", "127.0.0.1:1"])
    assert (refused_with, says in text) == (code, True), text


def test_no_database_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'absent.db'}"
    code, text = refusal(command, ["w", "snooze", "--by", "ann", "--database", url])
    assert (code, text) == (
        1,
        f"there is no database {url} yet: `lapwing sink` makes it; or give --customer",
    )
    assert list(tmp_path.iterdir()) == []


def test_what_was_done_is_sent_whole_of_a_warning_that_has_ended_too(database: str, sent: Sent) -> None:
    words = [
        "offer",
        "--by",
        "ann",
        "--play",
        "voucher",
        "--result",
        "declined",
        "--reason",
        "price",
        "--reason",
        "delivery",
    ]
    words += ["--cost", "gift=20", "--cost", "labour=12.5", "--corrects", "act-1", "--database", database]
    result = CliRunner().invoke(command, [warning_id("c2"), *words], catch_exceptions=False)
    event = json.loads(sent.values.pop())
    assert {name: event[name] for name in ("customer_id", "warning_id", "kind", "play", "result")} == {
        "customer_id": "c2",
        "warning_id": warning_id("c2"),
        "kind": "offer",
        "play": "voucher",
        "result": "declined",
    }
    assert (event["reasons"], event["cost"]) == (["price", "delivery"], {"gift": 20.0, "labour": 12.5})
    assert (event["corrects"], event["actor"], "until" in event) == ("act-1", "ann", False)
    assert f"({event['event_id']})" in result.stdout


def test_to_win_a_customer_back_no_warning_is_named(sent: Sent) -> None:
    CliRunner().invoke(command, ["-", "contact", "--by", "ann", "--customer", "c9"], catch_exceptions=False)
    event = json.loads(sent.values.pop())
    assert (event["customer_id"], "warning_id" in event) == ("c9", False)
    for args, says in (
        (["-", "snooze", "--customer", "c9"], "snooze is about a warning"),
        (["-", "contact"], "--customer: without a warning, say which customer"),
    ):
        code, text = refusal(command, [*args, "--by", "ann", "--broker", "127.0.0.1:1"])
        assert (code, says in text) == (2, True), text


def test_other_kinds_and_a_nameless_actor_are_refused() -> None:
    for args in (["w", "call", "--by", "ann"], ["w", "snooze"]):
        assert CliRunner().invoke(command, args).exit_code == 2


def test_a_database_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    args = ["w", "snooze", "--by", "ann", "--database", f"sqlite:///{tmp_path}"]
    with pytest.raises(StoreError, match="unable to open"):
        CliRunner().invoke(command, args, catch_exceptions=False)
