"""`lapwing rules test`: what passes, what fails, and what is said of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli.rules import command
from tests.paths import ROOT

RULES = """\
version: 1
rules:
  - {id: silent, when: days_since_order >= 10, tier: high, reason: t, message: "{days_since_order:.0f} days"}
  - {id: complained, when: open_complaints > 0, keep_open_for: 2d, tier: low, reason: complaints}
  - {id: likely, when: churn_probability >= 0.7, clear: churn_probability < 0.5, tier: medium, reason: model}
  - {id: seen, when: logins_7d > 0, status: shadow, tier: low, reason: visits}
  - id: ranked
    when: churn_lift >= 2 AND churn_rank <= 0.05
    clear: churn_lift < 2
    tier: high
    reason: model
    message: "{churn_lift:.1f} times, rank {churn_rank:.2f}"
  - {id: gone, when: orders_30d = 0, status: retired, tier: low, reason: silence}
"""
EVENTS = (
    "    events: [{order: every 5d for 15d}, {order: 30d 6h}]\n    until: 40d\n"  # at 0d, 5d, 10d and 30d 6h
)
SILENT = "    expect:\n      - rule: silent\n"


def run(folder: Path, cases: str, *words: str, rules: str = RULES) -> Result:
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "rules.yaml").write_text(rules)
    (folder / "cases" / "a.yaml").write_text("version: 1\n" + cases)
    return CliRunner().invoke(command, ["test", str(folder), *words])


def differences(folder: Path, body: str, **named: str) -> list[tuple[int, str]]:
    """Return line, from that of the case as 0, and message of each difference of a case."""
    result = run(folder, "cases:\n  - name: x\n" + body, "--json", **named)
    (case,) = json.loads(result.output)["cases"]
    assert result.exit_code == (0 if case["passed"] else 1)
    assert case["passed"] is (not case["differences"])
    return [(each["line"] - case["line"], each["message"]) for each in case["differences"]]


@pytest.mark.parametrize(
    "body",
    [
        SILENT,
        SILENT
        + "        opens: 20d\n        resolves: at 30d 6h\n        tier: high\n        message: 10 days\n",
        SILENT + "        opens: between 19d and 20d\n        resolves: by 31d\n",
        SILENT + "        opens: not before 20d\n        resolves: after 30d 5h\n",
        "    open:\n      19d: []\n      20d: [silent]\n      30d: silent\n      30d 6h: []\n",
        SILENT + "    never: [complained, likely]\n",
    ],
)
def test_what_happens_as_expected_passes(body: str, tmp_path: Path) -> None:
    assert differences(tmp_path, EVENTS + body) == []


HELD = SILENT + "        {}\n"
"""What is said of the opening, in line 5."""
OPENED = "silent (high) opened at 20d and resolved at 30d 6h, which nothing expects"
NEVER = "silent (high) must never open; it did, at 20d and resolved at 30d 6h"
TWICE = SILENT + "      - rule: silent\n        opens: by 40d\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    expect: []\n", (0, OPENED)),
        ("    never: silent\n", (3, NEVER)),
        (HELD.format("opens: 19d"), (5, "silent should open at 19d; it opened at 20d")),
        (HELD.format("opens: by 19d"), (5, "silent should open by 19d; it opened at 20d")),
        (HELD.format("opens: after 20d"), (5, "silent should open after 20d; it opened at 20d")),
        (HELD.format("resolves: 31d"), (5, "silent should resolve at 31d; it resolved at 30d 6h")),
        (HELD.format("resolves: never"), (5, "silent should stay open; it resolved at 30d 6h")),
        (
            HELD.format("withdrawn: 30d 6h"),
            (5, "silent should be withdrawn at 30d 6h; it resolved at 30d 6h"),
        ),
        (HELD.format("tier: low"), (5, "silent should be low; it is high")),
        (HELD.format("message: ten"), (5, "silent should say 'ten'; it says '10 days'")),
        (TWICE, (5, "silent should open once more by 40d; it never did")),
        (SILENT + "    open: {25d: []}\n", (5, "at 25d nothing should be open; silent is")),
        (SILENT + "    open: {15d: silent}\n", (5, "at 15d silent should be open; nothing is")),
    ],
)
def test_what_happens_otherwise_fails_with_its_line(
    body: str, expected: tuple[int, str], tmp_path: Path
) -> None:
    assert differences(tmp_path, EVENTS + body) == [expected]


def test_a_second_opening_is_one_too_many(tmp_path: Path) -> None:
    body = "    events: [{order: [0d, 15d, 30d]}]\n    until: 35d\n" + SILENT
    assert differences(tmp_path, body) == [(4, "silent (high) opened once more, at 25d and resolved at 30d")]


def test_only_the_rules_that_a_case_names_are_judged(tmp_path: Path) -> None:
    assert differences(tmp_path, EVENTS + "    rules: [complained]\n    expect: []\n") == []


def test_rules_in_shadow_are_judged_as_if_they_were_live_and_retired_ones_are_not(tmp_path: Path) -> None:
    body = "    events: [{login: 0d}]\n    until: 9d\n    expect: [{rule: seen, opens: 0d, resolves: 8d}]\n"
    assert differences(tmp_path, body) == []


def test_a_late_event_is_judged_when_it_arrives_and_takes_a_warning_back(tmp_path: Path) -> None:
    body = "    events: [{order: 0d}, {order: 8d, arrives: 12d 6h}]\n    until: 17d\n"
    expected = "    expect: [{rule: silent, opens: 10d, withdrawn: 12d 6h}]\n"
    assert differences(tmp_path, body + expected) == []
    unknown = body.replace(", arrives: 12d 6h", "") + "    expect: []\n"
    assert differences(tmp_path, unknown) == []


def test_the_probability_is_what_the_case_says_from_a_time_on(tmp_path: Path) -> None:
    events = "    events: [{login: 0d 12h}]\n    until: 20d\n    rules: [likely]\n"
    says = "    probability: {0d: missing, 3d: 0.7, 5d: 0.6, 9d: missing, 12d: 0.49, 15d: 0.69}\n"
    assert (
        differences(tmp_path, events + says + "    expect: [{rule: likely, opens: 3d, resolves: 12d}]\n")
        == []
    )
    assert differences(tmp_path, events + "    expect: []\n") == []
    constant = events + "    probability: 0.7\n    expect: [{rule: likely, opens: 0d 12h, resolves: never}]\n"
    assert differences(tmp_path, constant) == []


def test_lift_and_rank_compare_with_the_others_while_the_model_has_a_probability(tmp_path: Path) -> None:
    events = "    events: [{order: 0d 12h}]\n    until: 20d\n    rules: [ranked]\n"
    model = "    probability: {0d: missing, 3d: 0.6, 8d: 0.2}\n"
    # The mean of the eleven is (8 * 0.1 + 0.2 + 0.5 + 0.6) / 11, a third of 0.6.
    opened = "    expect: [{rule: ranked, opens: 3d, resolves: 8d, message: '3.1 times, rank 0.00'}]\n"
    assert differences(tmp_path, events + model + "    others: [[0.1, 8], 0.2, 0.5]\n" + opened) == []
    assert differences(tmp_path, events + model + "    others: [[0.1, 8], 0.2, 0.7]\n    expect: []\n") == []
    assert differences(tmp_path, events + model + "    expect: []\n") == []
    assert differences(tmp_path, events + "    others: [0.1]\n    expect: []\n") == []


def test_days_begin_at_local_midnight_and_sweeps_are_as_often_as_the_file_says(tmp_path: Path) -> None:
    settings = "{time_zone: Europe/Berlin, sweep_every: 6h, quiet_after: {logins: 2d}}"
    head = f"start: 2024-06-03\nsettings: {settings}\n"
    cases = (
        "cases:\n  - name: x\n    rules: [silent]\n    events: [{order: 0d 3h}]\n    until: 20d\n"
        "    expect: [{rule: silent, opens: 10d 6h}]\n"
    )
    assert run(tmp_path, head + cases).exit_code == 0


def test_customers_are_told_apart(tmp_path: Path) -> None:
    events = "    events: [{order: 0d}, {order: 4d, customer: b}]\n"
    body = events + "    until: 12d\n    expect: [{rule: silent, opens: 10d}]\n"
    assert differences(tmp_path, body) == []
    later = body.replace("12d", "15d")
    assert differences(tmp_path, later) == [
        (0, "silent (high) of b opened at 14d and stayed open, which nothing expects")
    ]
    assert (
        differences(tmp_path, later.replace("10d}]", "10d}, {rule: silent, customer: b, opens: 14d}]")) == []
    )


def test_the_difference_and_what_happened_are_printed(tmp_path: Path) -> None:
    result = run(
        tmp_path, "cases:\n  - name: a buyer falls silent\n" + EVENTS + SILENT + "        opens: 19d\n"
    )
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[:-1] == [
        f"FAIL {tmp_path}/cases/a.yaml:3: a buyer falls silent",
        "  line 8: silent should open at 19d; it opened at 20d",
        "  what happened:",
        "       20d  opened    silent (high): 10 days",
        "    30d 6h  resolved  silent",
    ]
    assert lines[-1].startswith("1 case: 0 passed, 1 failed (")


def test_run_chooses_by_name(tmp_path: Path) -> None:
    cases = "cases:\n" + "".join(
        f"  - name: {name}\n{EVENTS}    never: silent\n" for name in ("east one", "west")
    )
    assert "1 case: 0 passed, 1 failed" in run(tmp_path, cases, "--run", "EAST").output
    assert "2 cases: 0 passed, 2 failed" in run(tmp_path, cases, "--run", "*st*").output
    none = run(tmp_path, cases, "--run", "north")
    assert (none.exit_code, none.output) == (
        1,
        "no case is named 'north', and no name contains it\n1 mistake\n",
    )


def test_a_rule_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    result = run(tmp_path, "cases:\n  - name: x\n" + EVENTS + "    never: [silnt]\n")
    assert result.exit_code == 1
    path = f"{tmp_path}/cases/a.yaml"
    told = f"{path}:6: case 'x': there is no rule 'silnt'; did you mean 'silent'?"
    assert result.output == f"{told}\n1 mistake\n"


def test_rules_with_mistakes_are_told_instead(tmp_path: Path) -> None:
    result = run(
        tmp_path, "cases:\n  - name: x\n" + EVENTS + SILENT, rules=RULES.replace("_order >=", "_ordr >=")
    )
    assert result.exit_code == 1
    assert (
        "`when`: unknown feature 'days_since_ordr' (column 1); did you mean 'days_since_order'?"
        in result.output
    )


def test_other_rules_can_be_tried_against_the_same_cases(tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text(RULES.replace(">= 10", ">= 12"))
    result = run(
        tmp_path, "cases:\n  - name: x\n" + EVENTS + SILENT + "        opens: 22d\n", "--rules", str(other)
    )
    assert result.exit_code == 0, result.output


RISE = """\
version: 1
rules:
  - {id: silent, when: days_since_order >= 10, tier: high, reason: t}
segments:
  - {id: rise, by: region, status: shadow, when: complaints_7d >= 3, tier: high, reason: t,
     message: "{value}: {complaints_7d}"}
"""
REGIONS = """\
cases:
  - name: x
    rules: [rise]
    events:
      - {profile: 0d 1h, customer: n, customers: 5, region: north}
      - {complaint: 3d 9h, customer: n, customers: 3}
      - {complaint: 3d 9h, customer: s}
    until: 20d
"""


def segment_case(folder: Path, rest: str) -> list[str]:
    result = run(folder, REGIONS + rest, "--json", rules=RISE)
    found = json.loads(result.output)
    mistakes = [each["message"] for each in found.get("mistakes", [])]
    return mistakes or [each["message"] for each in found["cases"][0]["differences"]]


def test_a_rule_of_segments_is_judged_at_midnight_for_each_segment(tmp_path: Path) -> None:
    opening = (
        "    expect: [{rule: rise, segment: region=north, opens: 4d, resolves: 11d, message: 'north: 3'}]\n"
    )
    assert segment_case(tmp_path, opening) == []
    assert segment_case(tmp_path, "    open: {3d: [], 4d: rise, 10d 23h: [rise], 11d: []}\n") == []
    assert segment_case(tmp_path, "    expect: []\n") == [
        "rise (high) of region=north opened at 4d and resolved at 11d, which nothing expects"
    ]
    assert segment_case(tmp_path, "    never: rise\n") == [
        "rise (high) of region=north must never open; it did, at 4d and resolved at 11d"
    ]
    elsewhere = opening.replace("north", "south")
    assert segment_case(tmp_path, elsewhere)[
        0
    ] == "rise of region=south should open 4d; it never did".replace("open 4d", "open at 4d")


def test_a_rule_opens_for_what_it_judges(tmp_path: Path) -> None:
    assert segment_case(tmp_path, "    expect: [{rule: rise}]\n") == [
        "'rise' opens for a segment: write `segment: region=...`"
    ]
    both = "    expect: [{rule: rise, segment: region=north, customer: a}]\n"
    assert segment_case(tmp_path, both) == ["a rule opens for a customer or for a segment, not both"]
    silent = REGIONS.replace("rules: [rise]", "rules: [silent]")
    result = run(tmp_path, silent + "    expect: [{rule: silent, segment: region=n}]\n", rules=RISE)
    assert "'silent' opens for a customer, not for a segment" in result.output
    other = "    expect: [{rule: rise, segment: origin=north}]\n"
    assert segment_case(tmp_path, other) == ["'rise' is by region, not by origin"]


def test_an_entry_stands_for_several_customers(tmp_path: Path) -> None:
    body = "    events: [{order: 0d, customers: 2}]\n    until: 12d\n"
    expected = "    expect:\n" + "".join(
        f"      - {{rule: silent, customer: customer-{n}, opens: 10d}}\n" for n in (1, 2)
    )
    assert differences(tmp_path, body + expected) == []


def test_the_examples_in_the_page_hold(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rules, cases = re.findall(r"^```yaml\nversion: 1\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    result = run(tmp_path, cases, rules="version: 1\n" + rules)
    assert result.exit_code == 0, result.output


def test_the_shipped_cases_pass() -> None:
    result = CliRunner().invoke(command, ["test", str(ROOT / "warning_rules")])
    assert result.exit_code == 0, result.output
