"""`lapwing explain` on the command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lapwing.cli.explain import command
from lapwing.settings.settings import load_settings
from lapwing.wiring import engine
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.core.features.catalogue import CATALOGUE
from streams.core.state_tables import tables
from streams.files.events import read_events
from streams.intake.merge import TopicPosition
from streams.rulebook.load import load_rulebook, parse_rulebook
from streams.rulebook.revisions import CheckpointedRules
from tests.command_lines import refusal

RULES = """
version: 1
rules:
  - id: silent
    title: No order for a while
    only: orders_total >= 2
    when: days_since_order >= 5 AND (logins_7d = 0 OR days_since_login >= 4)
    clear: orders_7d >= 2
    keep_open_for: 1d
    tier: high
    reason: silence
    message: "No order for {days_since_order:.0f} days"
  - id: model-high
    when: churn_probability >= 0.7
    tier: high
    reason: model
  - id: many
    when: orders_30d >= 4
    tier: low
    reason: test
    status: shadow
  - id: once
    when: orders_30d >= 9
    tier: low
    reason: test
    status: retired
"""


@pytest.fixture(autouse=True)
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    lines = [
        {
            "type": "order",
            "event_id": f"o{day}",
            "customer_id": "ann [x]",
            "occurred_at": f"2024-03-0{day}T10:00:00Z",
            "order_id": f"{day}",
            "amount": 10,
            "currency": "EUR",
        }
        for day in (1, 2)
    ]
    lines.append({**lines[0], "customer_id": "bob", "occurred_at": "2024-03-12T10:00:00Z", "event_id": "b"})
    Path("events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def explain(*arguments: str) -> str:
    result = CliRunner().invoke(command, [*arguments, "--rules", "rules.yaml"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(*arguments: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(explain(*arguments, "--json"))
    return told


def test_the_text_says_why_and_what_would_end_it() -> None:
    text = explain("ann [x]", "events.jsonl")
    head, rules = text.split("Rules", 1)
    for said in (
        "Customer ann [x] at 2024-03-12 10:00 UTC",
        "No complaints and no logins from any customer so far",
        "Warned of: high, since 2024-03-08 00:00 (4 days)",
        "No order for a while",
        "when opened  No order for 6 days",
        "now          No order for 10 days",
        "clear when   orders_7d >= 2; the smallest change: orders_7d from 0 to at least 2",
        "what ends it  2 orders would end it, once it has stayed so for 1 day".replace("it  2", "it 2"),
        "Churn probability: none (too few outcomes known yet",
        "decision undecided (missing: play, value, probability)",
        "value missing no order yet, no fit of the buying model yet",
    ):
        assert " ".join(said.split()) in " ".join(head.split())
    flat = " ".join(rules.split())
    for said in (
        "silent high: open since 2024-03-08 00:00 (true since 2024-03-08 00:00)",
        "✓ days_since_order >= 5 10",
        "? days_since_login >= 4 \u2013 missing, source not connected: no logins from any customer yet",
        "model-high high: missing, for it depends on churn_probability",
        "missing, model not ready",
        "many low shadow, warns nobody: false, 50 % away",
        "smallest change to make it true: orders_30d from 2 to at least 4",
        "Not evaluated: once (retired)",
        "2024-03-08 00:00 opened high + silent No order for 6 days",
    ):
        assert said in flat


def test_the_text_of_one_who_is_not_warned_of_names_the_nearest_rule() -> None:
    text = " ".join(explain("ann [x]", "events.jsonl", "--at", "2024-03-05").split())
    assert "at 2024-03-06 00:00 UTC" in text  # a date stands for its end
    assert (
        "No warning is open. Nearest: silent, false, 28 % away; it would take days_since_order from 3.58"
        in text
    )
    assert "No warning so far." in text


def test_nothing_in_the_data_can_move_the_cursor() -> None:
    profile = {
        "type": "profile",
        "event_id": "p",
        "customer_id": "ann [x]",
        "occurred_at": "2024-03-03T10:00:00Z",
        "region": "\x1b[2Jhere",
    }
    with Path("events.jsonl").open("a") as file:
        file.write(json.dumps(profile) + "\n")
    rule = "  - {id: r, when: region <> 'x', tier: low, reason: r, message: 'from {region}'}\n"
    Path("rules.yaml").write_text(RULES + rule)
    text = explain("ann [x]", "events.jsonl")
    assert "from  [2Jhere" in text
    assert all(each.isprintable() or each == "\n" for each in text)


def test_json_says_everything() -> None:
    told = as_json("ann [x]", "events.jsonl")
    assert told["at"] == "2024-03-12T10:00:00Z"
    assert told["next_sweep"] == "2024-03-13T00:00:00Z"
    assert list(told["features"]) == list(CATALOGUE)
    assert told["warning"]["tier"] == "high"
    assert [rule["id"] for rule in told["rules"]] == ["silent", "many", "model-high", "once"]
    silent, many, model, once = told["rules"]
    assert (silent["state"], silent["verdict"], silent["clear_verdict"]) == ("open", "true", "false")
    assert silent["distance"] == 0
    assert silent["endings"] == [{"event": "orders", "count": 2}]
    assert silent["smallest_change"][0]["to"] == 2
    assert silent["when"]["join"] == "all of"
    assert many["gaps"][0]["change"] == 2
    assert (model["distance"], model["missing"][0]["why"]) == (None, "model not ready")
    assert once["evaluated"] is False
    assert [step["kind"] for step in told["history"]] == ["opened"]
    assert (told["decision"]["verdict"], told["warning"]["holdout"]) == ("unknown", False)
    assert told["decision"]["missing"] == ["play", "value", "probability"]
    assert told["value_parts"] is None


def test_the_decision_is_shown_with_its_arithmetic() -> None:
    orders = [
        {
            "type": "order",
            "event_id": f"{customer}-{day}",
            "customer_id": customer,
            "occurred_at": f"2024-0{day // 28 + 1}-{day % 28 + 1:02}T10:00:00Z",
            "order_id": f"{customer}-{day}",
            "amount": 30 + number,
        }
        for number, customer in enumerate(f"c{n}" for n in range(30))
        for day in range(0, 60 if number else 45, 3)
    ]
    Path("events.jsonl").write_text("".join(json.dumps(order) + "\n" for order in orders))
    Path("folder").mkdir()
    Path("folder/rules.yaml").write_text(RULES)
    Path("folder/plays.yaml").write_text(
        "version: 1\nplays:\n- {id: call, cost: {gift: 3}, success: {chance: 0.2, source: prior}}\n"
    )
    arguments = ["c0", "events.jsonl", "--rules", "folder"]
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    found = json.loads(result.stdout)
    decision, parts = found["decision"], found["value_parts"]
    assert (decision["play"], decision["cost"], decision["missing"]) == (
        "call",
        {"gift": 3.0},
        ["probability"],
    )
    made = parts["order_days_a_day"] * parts["horizon_days"] * parts["order_day_spend"]
    assert decision["value"] == found["features"]["value"] == pytest.approx(made)
    text = " ".join(CliRunner().invoke(command, arguments).stdout.split())
    assert "What a rescue is worth decision undecided (missing: probability) play call value" in text
    assert "cost 3.00 gift 3.00" in text


def test_a_time_zone_moves_the_end_of_a_date() -> None:
    told = as_json("ann [x]", "events.jsonl", "--at", "2024-03-05", "--time-zone", "Europe/Berlin")
    assert told["at"] == "2024-03-05T23:00:00Z"


def test_a_checkpoint_says_the_same_but_for_the_history() -> None:
    settings = load_settings(None, {})
    rules = load_rulebook(Path("rules.yaml")).rules
    events = read_events([Path("events.jsonl")], now_us=2**60, max_skew_us=0, on_refused=lambda _: None)
    worker = engine(settings, rules)
    begun, last = np.arange(len(events) - 1), np.array([len(events) - 1])
    for output in (worker.step(events.take(begun)), worker.flush(), worker.step(events.take(last))):
        assert not output.refused
    stands = {
        "orders": TopicPosition(3, 1),
        "logins": TopicPosition(0, None),
        "complaints": TopicPosition(0, None),
    }
    CheckpointStore("states", "lapwing").save(0, tables(worker), CheckpointManifest(stands, {}, rules.hash))
    one, other = as_json("ann [x]", "events.jsonl"), as_json("ann [x]", "--checkpoint", "states")
    assert other.pop("source") == "checkpoint 1 of partition 0"
    # The sweeps from here on wait for the last event, which the worker still held back.
    assert other.pop("history_from") == "2024-03-03T00:00:00Z"
    assert one.pop("source") == "events"
    assert one.pop("history_from") is None
    assert other == one
    text = explain("ann [x]", "--checkpoint", "states")
    assert "steps before 2024-03-03 00:00 are on the warnings topic" in text


def test_a_checkpoint_is_judged_by_its_own_rules_unless_others_are_given() -> None:
    text = "version: 1\nrules: [{id: kept, when: orders_30d > 0, tier: low, reason: r}]\n"
    rules = parse_rulebook({"kept.yaml": text}).rules
    worker = engine(load_settings(None, {}), rules)
    worker.step(read_events([Path("events.jsonl")], now_us=2**60, max_skew_us=0, on_refused=lambda _: None))
    content = CheckpointManifest(
        {"orders": TopicPosition(3, 1)}, {}, rules.hash, CheckpointedRules({"kept.yaml": text}, 0)
    )
    store = CheckpointStore("states", "lapwing")
    store.save(0, tables(worker), content)
    told = CliRunner().invoke(command, ["bob", "--checkpoint", "states", "--json"])
    assert [rule["id"] for rule in json.loads(told.stdout)["rules"]] == ["kept"]
    others = as_json("bob", "--checkpoint", "states")
    assert sorted(rule["id"] for rule in others["rules"]) == ["many", "model-high", "once", "silent"]
    store.save(0, tables(worker), replace(content, rules=CheckpointedRules({"kept.yaml": "rules: 1"}, 0)))
    told = CliRunner().invoke(command, ["bob", "--checkpoint", "states"])
    assert "give others with --rules" in str(told.exception)


def test_a_paused_rule_says_so() -> None:
    Path("rules.yaml").write_text(RULES + "pause: {rules: [silent], reason: Wrong prices}\n")
    assert "silent high paused (Wrong prices), warns nobody: open since" in explain("ann [x]", "events.jsonl")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["carl", "events.jsonl"], 1, "customer 'carl' is unknown"),
        (
            ["bob", "events.jsonl", "--at", "2024-03-02"],
            1,
            "before the customer's first event",
        ),
        (["bob", "events.jsonl", "--at", "9999-12-31"], 2, "outside the years 1970 to 220"),
        (["bob", "events.jsonl", "--at", "9999-12-31T00:00:00Z"], 2, "outside the years"),
        (["bob", "events.jsonl", "--at", "1969-12-30"], 2, "outside the years"),
        (["bob"], 2, "give EVENTS, or --checkpoint"),
        (["bob", "events.jsonl", "--checkpoint", "x"], 2, "and not both"),
        (["bob", "--checkpoint", "none"], 2, "no checkpoints are kept"),
        (["bob", "--checkpoint", "x"], 1, "there are no checkpoints"),
    ],
)
def test_what_cannot_be_explained_is_one_line(arguments: list[str], code: int, says: str) -> None:
    refused_with, text = refusal(command, [*arguments, "--rules", "rules.yaml"])
    assert (refused_with, says in text) == (code, True), text


@pytest.mark.parametrize("at", ["yesterday", "2024-13-01", "2024-03-01T00:00:00"])
def test_an_instant_must_be_one(at: str) -> None:
    result = CliRunner().invoke(command, ["bob", "events.jsonl", "--rules", "rules.yaml", "--at", at])
    assert result.exit_code == 2
    assert "Invalid value for '--at'" in result.output
