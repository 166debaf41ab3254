"""`lapwing effects` and `lapwing plays estimate`, on the files that a simulation and a replay write."""

from __future__ import annotations

import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.database.database import Database
from lapwing.cli.effects import command
from lapwing.cli.plays import command as plays
from tests.consumers.effects.helped import SALT, helped
from tests.consumers.effects.test_store import fill
from tests.oracle import effects as twin

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else

RULES = """
version: 1
rules:
  - {id: even, title: Even, status: active, owner: o, when: overdue >= 2.2, tier: high, reason: silence,
     play: call}
  - {id: odd, title: Odd, status: active, owner: o, when: overdue >= 3, tier: medium, reason: price,
     play: letter}
"""
PLAYS = """
version: 1
plays:
  - id: call
    title: A call
    reasons: [silence]
    cost: {communication: 1}
    success: {chance: 0.5, source: prior}
  - id: letter
    cost: {gift: 1, discount: 0.01}
    success: {chance: 0.5, source: prior}
  - id: visit
    success: {chance: 0.5, source: prior}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the shop left behind, and its rules."""
    folder, ran = tmp_path_factory.mktemp("shop"), helped()
    (folder / "events.jsonl").write_bytes(b"\n".join(ran.events))
    (folder / "outcomes.jsonl").write_bytes(b"\n".join(ran.outcomes))
    (folder / "outcomes.jsonl.gz").write_bytes(gzip.compress(b"\n".join(ran.outcomes)))
    (folder / "warnings.jsonl").write_bytes(b"\n".join(ran.warnings))
    (folder / "rules").mkdir()
    (folder / "rules/rules.yaml").write_text(RULES)
    (folder / "rules/plays.yaml").write_text(PLAYS)
    return folder


def sources(folder: Path) -> list[str]:
    given = {"outcomes": "outcomes.jsonl", "actions": "events.jsonl", "warnings": "warnings.jsonl"}
    return [word for flag, name in given.items() for word in (f"--{flag}", str(folder / name))]


def effects(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(command, [*sources(folder), "--rules", str(folder / "rules"), *more])


def estimate(folder: Path, *more: str) -> Result:
    given = ["estimate", *sources(folder), "--rules", str(folder / "rules"), "--holdout-salt", SALT]
    return CliRunner().invoke(plays, [*given, *more])


def as_json(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def test_the_figures_are_those_of_a_recount_of_the_files(files: Path) -> None:
    found = as_json(effects(files, "--json"))
    lines = [json.loads(line) for line in (files / "outcomes.jsonl").read_text().splitlines()]
    events = [json.loads(line) for line in (files / "events.jsonl").read_text().splitlines()]
    for play in found["plays"]:
        first = twin.firsts(lines, play["play"])
        held_out, shown = twin.side(first, "held_out"), twin.side(first, "shown")
        every = play["effects"][0]
        for side, own in (("held_out", held_out), ("not_held_out", shown)):
            assert (every[side]["churned"], every[side]["n"]) == twin.share(own, "churned")
            assert (every[side]["contacted"], every[side]["n"]) == twin.share(own, "treated")
        assert every["success"]["value"] == pytest.approx(twin.success(held_out, shown))
        money = every["money"]
        assert (money["recorded"]["amount"], money["planned"]["amount"]) == pytest.approx(
            twin.spent(shown, events)
        )
        assert money["gained"]["value"] == pytest.approx(twin.gained(held_out, shown))
    assert found["reasons"]["answered"] > 100
    again = as_json(effects(files, "--outcomes", str(files / "outcomes.jsonl.gz"), "--json"))
    assert again == found  # each outcome counts once


def test_the_text_says_what_may_be_claimed_and_what_not(files: Path) -> None:
    text = " ".join(effects(files).stdout.split())
    assert "call" in text
    assert "99 % interval +" in text
    assert "99 % interval holds 0: -" in text
    assert "letter: not counted are" in text
    assert "Reasons, suggested and found" in text
    few = " ".join(effects(files, "--min-holdout", "500").stdout.split())
    assert "of the held out churned, not 500" in few
    assert "helps" not in few.split("* Compared")[0]
    without = CliRunner().invoke(command, ["--outcomes", str(files / "outcomes.jsonl")])
    assert "Reasons are not compared" in without.stdout
    assert "as planned on" in without.stdout


class Tags(HTMLParser):
    """A parser that holds every tag to be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note a tag that will be closed."""
        if tag not in ("meta", "br", "line", "circle", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the newest."""
        if tag in ("circle", "line", "rect"):
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note headings."""
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)


def test_the_page_has_all_of_it_in_one_file(files: Path, tmp_path: Path) -> None:
    page = tmp_path / "effects.html"
    assert effects(files, "--html", str(page)).exit_code == 0
    text = page.read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.titles[:4] == ["Churn avoided", "Both sides", "Spent and gained", "What counts"]
    assert "Reasons, suggested and found" in tags.titles
    assert text.count('class="dot') == 2 * 4  # two plays and their tiers, for wide and narrow
    assert "http" not in text.replace("http://www.w3.org", "")
    refused = effects(files, "--html", str(files / "outcomes.jsonl"))
    assert refused.exit_code == 2


def test_an_estimate_can_be_pasted_into_plays_yaml(files: Path, tmp_path: Path) -> None:
    result = estimate(files)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert any(line.startswith("# letter: no claim, 99 % interval holds 0") for line in lines)
    assert "# visit: no warning with it and the decision `rescue` has matured" in lines
    (tmp_path / "plays.yaml").write_text(result.stdout)
    (tmp_path / "rules.yaml").write_text(RULES.replace("play: letter", ""))
    checked = as_json(CliRunner().invoke(plays, ["check", str(tmp_path), "--json"]))
    assert checked["ok"]
    (own,) = checked["plays"]
    figures = as_json(effects(files, "--json"))["plays"][0]["effects"][0]
    assert {name: own[name] for name in ("id", "title", "reasons", "cost")} == {
        "id": "call",
        "title": "A call",
        "reasons": ["silence"],
        "cost": {"communication": 1},
    }
    success = own["success"]
    assert success["source"] == "measured"
    assert success["n"] == figures["held_out"]["n"] + figures["not_held_out"]["n"]
    assert success["chance"] == pytest.approx(figures["success"]["value"], abs=5e-5)
    low, high = max(figures["success"]["low"], 0.0), min(figures["success"]["high"], 1.0)
    assert success["interval"] == pytest.approx([low, high], abs=5e-5)
    assert as_json(estimate(files, "--json"))["plays"][0]["success"] == success


def test_what_was_measured_of_another_draw_or_play_is_not_proposed(files: Path) -> None:
    for more in (["--holdout-salt", "other"], ["--since", "2030-01-01T00:00:00Z"], ["--min-holdout", "999"]):
        result = estimate(files, *more)
        assert result.exit_code == 0
        assert result.stdout.endswith("# There is nothing to propose.\n")
        assert all(line.startswith("#") for line in result.stdout.splitlines())


def test_of_a_database_it_is_the_same_report(files: Path, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'lapwing.db'}")
    database.prepare()
    fill(database)
    database.close()
    flags = ["--database", f"sqlite:///{tmp_path / 'lapwing.db'}", "--rules", str(files / "rules"), "--json"]
    stored = as_json(CliRunner().invoke(command, flags))
    assert stored == as_json(effects(files, "--json"))
    early = as_json(CliRunner().invoke(command, [*flags, "--as-of", "2026-02-01T00:00:00Z"]))
    assert (early["matured"], early["as_of"]) == (0, "2026-02-01T00:00:00Z")
    proposed = CliRunner().invoke(plays, ["estimate", *flags, "--holdout-salt", SALT])
    assert as_json(proposed) == as_json(estimate(files, "--json"))


def test_what_does_not_go_together_is_refused(files: Path, tmp_path: Path) -> None:
    assert "--as-of is for the database" in effects(files, "--as-of", "2026-02-01T00:00:00Z").output
    alone = CliRunner().invoke(command, ["--actions", str(files / "events.jsonl")])
    assert alone.exit_code == 2
    missing = CliRunner().invoke(command, ["--database", f"sqlite:///{tmp_path / 'no.db'}"])
    assert "there is no database" in str(missing.exception)
    assert not (tmp_path / "no.db").exists()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{"type": "churn.warning.matured"}', "not an outcome"),
        ("[]", "not a CloudEvent"),
        ("{", "not JSON"),
    ],
)
def test_a_line_that_is_no_outcome_is_named_with_its_place(tmp_path: Path, line: str, wrong: str) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(f"\n{line}\n")
    result = CliRunner().invoke(command, ["--outcomes", str(path)])
    assert f"{path}:2: {wrong}" in str(result.exception)


def test_without_outcomes_there_is_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    result = CliRunner().invoke(command, ["--outcomes", str(tmp_path / "none.jsonl")])
    assert "No warning with a play has matured" in result.stdout
    page = tmp_path / "none.html"
    given = ["--outcomes", str(tmp_path / "none.jsonl"), "--html", str(page), "--json"]
    assert as_json(CliRunner().invoke(command, given))["plays"] == []
    assert "Nothing to compare" in page.read_text()
