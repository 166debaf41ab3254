"""`lapwing warnings` over a database that the sink filled with warnings of the engine."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consumers.database.database import Database
from consumers.muting.notice import Limits
from consumers.notify.notices import Notices
from consumers.tail import one_line
from lapwing.cli.warnings import command
from streams.contract.warnings import parse_warning
from streams.errors import StoreError
from tests.consumers.engine_warnings import attended
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW
from tests.consumers.warning_events import records


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'w.db'}"
    database = Database(address)
    database.prepare()
    store_records(database, records(list(attended())))
    Notices(database, Limits(at_most=3, period=timedelta(days=7))).judge(NOW)
    database.close()
    return address


def run(url: str, *arguments: str) -> Result:
    result = CliRunner().invoke(command, [*arguments, "--database", url])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


WARNING = json.loads(attended()[-1])["data"]
ID = WARNING["warning_id"]


def test_the_list_has_a_line_for_each_open_warning(url: str) -> None:
    assert run(url, "list").stdout == (
        f"{ID[:8]}  high    2024-03-12  c1  No order for three weeks  [overdue, after ann]  play: win-back\n"
    )
    assert run(url, "list", "--tier", "low").stdout == "no warnings\n"
    assert run(url, "list", "--state", "resolved").stdout == "no warnings\n"
    assert run(
        url, "list", "--rule", "fewer-orders", "--class", "key", "--since", "2024-03-12T00:00:00Z"
    ).stdout
    assert run(url, "list", "--since", "7d").stdout == "no warnings\n"


def test_the_list_cuts_a_title_that_is_very_long(url: str) -> None:
    event = json.loads(attended()[0])
    event["data"] |= {"warning_id": "00000000-0000-4000-8000-000000000001", "customer_id": "c2", "step": 1}
    event |= {"id": f"{event['data']['warning_id']}/1", "subject": "c2"}
    for cause in event["data"]["causes"]:
        cause["title"] = cause["message"] = "t" * 100_000
    raw = json.dumps(event).encode()
    database = Database(url)
    assert store_records(database, records([raw])).stored == 1
    database.close()
    (line,) = [line for line in run(url, "list").stdout.splitlines() if "  c2  " in line]
    assert 400 < len(line) < 600
    assert "ttt…" in line
    assert "ttt…" in one_line(parse_warning(raw))
    assert len(one_line(parse_warning(raw))) < 600
    assert json.loads(run(url, "list", "--json").stdout)["warnings"][0]["causes"]


def test_the_list_as_json_is_the_newest_step(url: str) -> None:
    shown = json.loads(run(url, "list", "--json").stdout)
    assert shown == {"warnings": [WARNING | {"updated_at": "2024-03-16T12:00:00Z"}]}


def test_one_warning_is_shown_with_its_steps_and_its_notices(url: str) -> None:
    lines = run(url, "show", ID[:6]).stdout.splitlines()
    assert lines[:3] == [f"Warning: {ID}", "Customer: c1", "Class: key"]
    assert "Play: win-back" in lines
    assert "  no-order (high, silence): No order for three weeks" in lines
    assert "  fewer-orders (low, activity_decline, hidden by no-order): Fewer orders than before" in lines
    steps = lines[lines.index("Steps:") + 1 : lines.index("Notices:")]
    assert [line.split()[-1] for line in steps] == [
        "opened",
        "escalated",
        "acknowledged",
        "updated",
        "escalated",
    ]
    notices = lines[lines.index("Notices:") + 1 :]
    assert [line.split()[0] for line in notices] == ["1", "2", "4", "5"]
    assert all(line.endswith("sent    ") or line.rstrip().endswith("sent") for line in notices)
    shown = json.loads(run(url, "show", ID, "--json").stdout)
    assert shown["warning_id"] == ID
    assert shown["steps"][0]["type"] == "churn.warning.opened"
    assert {notice["verdict"] for notice in shown["notices"]} == {"told"}


def test_usage_errors_are_2_and_what_is_not_there_is_an_error(url: str, tmp_path: Path) -> None:
    assert run(url, "list", "--tier", "urgent").exit_code == 2
    assert run(url, "list", "--since", "tomorrow").exit_code == 2
    assert "did you mean 1w?" in run(url, "list", "--since", "7 dayz").stderr
    assert run(url, "show").exit_code == 2
    with pytest.raises(StoreError, match="there is no warning 'nope'"):
        run(url, "show", "nope")
    absent = f"sqlite:///{tmp_path / 'absent.db'}"
    with pytest.raises(StoreError, match=r"there is no database .*absent\.db yet: `lapwing sink` makes it"):
        run(absent, "list")
    assert not (tmp_path / "absent.db").exists()
