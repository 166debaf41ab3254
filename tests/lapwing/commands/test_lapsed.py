"""`lapwing lapsed` on files and on a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.database.database import Database
from consumers.lapsed.facts import facts_of
from consumers.lapsed.win_back import WinBackFilter, win_back_list
from lapwing.cli import lapsed as command
from tests.consumers.lapsed.test_win_back import attempts, lapse
from tests.consumers.scorecard.made import Made, events, made
from tests.consumers.scorecard.stored import store


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command.command, list(args), catch_exceptions=False)


@pytest.fixture(scope="module")
def given() -> Made:
    found = made(3)
    found.actions.extend(attempts(found))
    return found


@pytest.fixture
def files(given: Made, tmp_path: Path) -> list[str]:
    (tmp_path / "o.jsonl").write_bytes(b"\n".join(given.outcomes))
    (tmp_path / "w.jsonl").write_bytes(b"\n".join(given.steps))
    return ["--outcomes", str(tmp_path / "o.jsonl"), "--warnings", str(tmp_path / "w.jsonl")]


def expected(given: Made, actions: bool, **wanted: Any) -> dict[str, Any]:
    facts = facts_of(events(given.outcomes), given.actions if actions else (), events(given.steps))
    found: dict[str, Any] = json.loads(
        json.dumps(win_back_list(facts, WinBackFilter(**{"exempt": ("key",)} | wanted)).as_dict())
    )
    return found


def test_files_give_the_list_as_json_and_as_text(given: Made, files: list[str]) -> None:
    found = json.loads(invoke(*files, "--json").stdout)
    assert found == expected(given, actions=False)
    assert found["matching"] > 3
    text = invoke(*files, "--limit", "2").stdout
    assert found["customers"][0]["customer_id"] in text
    assert found["customers"][2]["customer_id"] not in text
    assert f"2 of {found['matching']} customers shown. Of all {found['gone']} who are gone" in text


def test_filters_are_those_of_the_list(given: Made, files: list[str]) -> None:
    args = ["--class", "key", "--class", "ordinary", "--owner", "ann", "--min-value", "1", "--holdout"]
    found = json.loads(invoke(*files, *args, "--json").stdout)
    wanted = {"classes": ("key", "ordinary"), "owners": ("ann",), "min_value": 1.0, "holdout": True}
    assert found == expected(given, actions=False, **wanted)
    limited = json.loads(invoke(*files, "--limit", "1", "--json").stdout)
    assert (len(limited["customers"]), limited["matching"] > 1) == (1, True)


def test_the_store_gives_the_list_with_what_was_tried(given: Made, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    database = Database(url)
    database.prepare()
    store(database, given)
    database.close()
    found = json.loads(invoke("--database", url, "--json").stdout)
    assert [each["attempts"] for each in found["customers"]] == [
        each["attempts"] for each in expected(given, actions=True)["customers"]
    ]
    text = invoke("--database", url).stdout
    assert " tried" in text
    assert "(the team)" in text
    assert "not yet known" in text or "left" in text


def test_nobody_is_a_list_too(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text("")
    assert "0 of 0 customers shown" in invoke("--outcomes", str(path)).stdout


def test_what_a_profile_holds_cannot_change_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    event = lapse("\x1b[31mred[/bold]", account_owner="\x1b]0;x\x07")
    full = event["data"] | {
        "origin": None,
        "channel": None,
        "tenure_days": 3.0,
        "orders_total": 1,
        "spend_total": 5.0,
        "late": False,
    }
    envelope = {"specversion": "1.0", "source": "/lapwing/x", "datacontenttype": "application/json"}
    path.write_text(json.dumps(event | envelope | {"subject": full["customer_id"], "data": full}))
    out = invoke("--outcomes", str(path)).stdout
    assert "\x1b" not in out
    assert "[/bold]" in out
