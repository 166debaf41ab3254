"""`lapwing plays check`: mistakes, findings, and what a play needs to be worth it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from lapwing.cli.plays import command
from tests.paths import ROOT
from tests.streams.rulebook.test_plays_file import PLAYS, RULES


def checked(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(command, ["check", str(folder), *more])


def shop(folder: Path, plays: str | None = PLAYS) -> Path:
    (folder / "rules.yaml").write_text(RULES)
    if plays is not None:
        (folder / "plays.yaml").write_text(plays)
    return folder


def test_each_play_with_its_cost_and_what_makes_it_worth_it(tmp_path: Path) -> None:
    lines = checked(shop(tmp_path), "--labour-rate", "0.5").output.splitlines()
    assert lines[0] == (
        "call: costs gift 5.00, communication 0.50, labour 10.00, discount 10% of an order day; "
        "success 0.15 (measured, n 420); worth it from a value at risk of 103.33 on and the discount"
    )
    assert lines[1] == "mail: costs nothing; success 0.02 (prior); worth it from a value at risk of 0.00 on"
    assert lines[2].startswith("2 plays; set ")
    without = checked(tmp_path).output.splitlines()[0]
    assert "labour of 20 minutes (set `labour_rate`)" in without
    assert "worth it" not in without


def test_it_fails_on_a_mistake_and_on_what_does_not_belong_together(tmp_path: Path) -> None:
    bad = checked(shop(tmp_path, PLAYS.replace("chance: 0.02", "chance: 2")), "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.output)["mistakes"][0]["line"] == 12
    wrong = checked(shop(tmp_path, PLAYS.replace("[silence, price]", "prize")), "--json")
    assert wrong.exit_code == 1
    assert [f["code"] for f in json.loads(wrong.output)["findings"]] == ["L163"]
    idle = checked(shop(tmp_path, PLAYS.replace("price_too_high", "silence")))
    assert (idle.exit_code, checked(tmp_path, "--strict").exit_code) == (0, 1)


def test_without_plays_it_says_what_follows(tmp_path: Path) -> None:
    result = checked(shop(tmp_path, None))
    assert result.output == "there is no plays.yaml beside the rules: every decision is `unknown`\n"


def test_the_shipped_ones_are_in_order() -> None:
    result = checked(ROOT / "warning_rules", "--json", "--strict")
    assert json.loads(result.output)["findings"] == []
    assert result.exit_code == 0
