"""`lapwing scorecard` on what `lapwing replay` writes, and on a store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.database.database import Database
from consumers.scorecard.facts import facts_of
from consumers.scorecard.scorecard import scorecard
from lapwing.cli import scorecard as command
from lapwing.cli import simulate
from lapwing.cli.replay import command as replay
from tests.consumers.scorecard.made import events, made
from tests.consumers.scorecard.stored import store
from tests.paths import ROOT
from tests.streams.backtest.histories import HORIZON

ENGINE = ["--horizon", "40d", "--rules", str(ROOT / "warning_rules"), "--labour-rate", "0.5"]


def invoke(*args: str, of: Any = command.command) -> Result:
    return CliRunner().invoke(of, list(args), catch_exceptions=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of a helped shop's replay."""
    folder = tmp_path_factory.mktemp("shop")
    of_shop = ["--customers", "120", "--days", "260", "--seed", "2", "--capacity", "2"]
    made_shop = invoke(*of_shop, *ENGINE, "--out", str(folder / "shop.jsonl"), of=simulate.command)
    assert made_shop.exit_code == 0, made_shop.output
    outputs = ["--out", str(folder / "warnings.jsonl"), "--outcomes", str(folder / "outcomes.jsonl")]
    done = invoke(str(folder / "shop.jsonl"), *ENGINE, *outputs, of=replay)
    assert done.exit_code == 0, done.output
    return folder


def sources(shop: Path) -> list[str]:
    files = ("outcomes.jsonl", "warnings.jsonl", "shop.jsonl")
    flags = ("--outcomes", "--warnings", "--actions")
    return [word for pair in zip(flags, (str(shop / name) for name in files), strict=True) for word in pair]


def test_files_of_a_replay_give_a_card_as_json_text_and_page(shop: Path, tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    done = invoke("--horizon", "40d", *sources(shop), "--json", "--missed", "3", "--html", str(page))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["horizon_days"] == 40
    assert {"active", "shadow"} == {rule["status"] for rule in found["rules"]}
    everything = found["warnings"][0]
    assert everything["precision"]["whole"] > 10
    assert everything["not_matured"] > 0
    assert found["losses"] > found["losses_not_settled"] > 0
    assert len(found["missed"]["customers"]) <= 3
    text = invoke("--horizon", "40d", *sources(shop)).stdout
    shown = page.read_text()
    for rule in found["rules"]:
        assert rule["rule"] in text
        assert rule["rule"] in shown
    share = everything["precision"]
    for output in (text, shown):
        assert f"{share['part']} of {share['whole']}" in output
        assert "Left without a warning" in output
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", shown)


def test_a_period_is_counted_by_what_opened_in_it(shop: Path) -> None:
    args = ["--horizon", "40d", *sources(shop), "--json"]
    split = "2023-06-01T00:00:00Z"
    whole, before, after = (
        json.loads(invoke(*args, *more).stdout) for more in ([], ["--until", split], ["--since", split])
    )
    for part in ("part", "whole"):
        counts = [card["warnings"][0]["precision"][part] for card in (whole, before, after)]
        assert counts[0] == counts[1] + counts[2]
    assert whole["losses"] == before["losses"] + after["losses"]


def test_the_store_gives_the_same_card(tmp_path: Path) -> None:
    given = made(0)
    url = f"sqlite:///{tmp_path / 'w.db'}"
    database = Database(url)
    database.prepare()
    store(database, given)
    database.close()
    done = invoke("--database", url, "--horizon", f"{HORIZON // 86_400_000_000}d", "--json")
    facts = facts_of(events(given.outcomes), given.actions, events(given.steps))
    assert json.loads(done.stdout) == json.loads(json.dumps(scorecard(facts, HORIZON).as_dict(10)))
    text = invoke("--database", url, "--horizon", f"{HORIZON // 86_400_000_000}d").stdout
    assert re.search(r"\d+ of \d+ left", text)
    assert "stayed" in text
    as_of = invoke("--database", url, "--as-of", "2020-01-01T00:00:00Z", "--json")
    assert json.loads(as_of.stdout)["losses"] == 0


def test_wrong_flags_are_refused(shop: Path, tmp_path: Path) -> None:
    outcomes = str(shop / "outcomes.jsonl")
    for args, wrong in (
        (["--outcomes", outcomes, "--as-of", "2024-01-01T00:00:00Z"], "--as-of is for the database"),
        (["--warnings", outcomes], "go with --outcomes"),
        (["--outcomes", outcomes, "--html", outcomes], "named twice"),
    ):
        done = invoke(*args)
        assert (done.exit_code, wrong in done.output) == (2, True), done.output
    with pytest.raises(Exception, match="there is no database"):
        invoke("--database", f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()
