"""Lint: every planted fault is found, and what is right is left in peace."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli.rules import command
from streams.core.events.topics import Topic
from streams.rulebook.findings import Finding, Severity
from streams.rulebook.lint import CODES, Surroundings, lint
from streams.rulebook.load import load_rulebook
from tests.paths import ROOT

FAULTS = Path(__file__).parent / "lint_rules"
PAGE = ROOT / "docs" / "rules.md"


def checked(*words: str) -> Result:
    return CliRunner().invoke(command, ["check", *words])


def found(path: Path, around: Surroundings | None = None) -> list[Finding]:
    return lint(load_rulebook(path), around or Surroundings())


@pytest.mark.parametrize("path", sorted(FAULTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_fault_planted_in_a_file_is_found_and_nothing_else(path: Path) -> None:
    first = path.read_text().splitlines()[0].removeprefix("# expect: ")
    expected = re.fullmatch(r"(?:nothing|(L\d+) in line (\d+))( .*)?", first)
    assert expected is not None, first
    code, line, options = expected.groups()
    result = checked(str(path), "--json", *shlex.split(options or ""))
    findings = json.loads(result.output)["findings"]
    assert [(f["code"], f["line"]) for f in findings] == ([(code, int(line))] if code else [])
    error = code is not None and CODES[code][0] is Severity.ERROR
    assert result.exit_code == (1 if error else 0)


def test_every_code_has_a_planted_fault_and_is_explained() -> None:
    planted = {match for path in FAULTS.glob("*.yaml") for match in re.findall(r"L\d{3}", path.read_text())}
    of_plays = {"L162", "L163", "L164"}  # in test_plays_file
    assert planted | {"L131"} | of_plays == set(CODES)
    rows = re.findall(r"^\| `(L\d+)` \| (error|warning) \|", PAGE.read_text(), re.MULTILINE)
    assert rows == [(code, severity.value) for code, (severity, _) in CODES.items()]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("inhibits_a_retired_rule", "which is retired and never opens; did you mean 'login-drop'?"),
        ("pause_of_a_draft", "`pause` names it, but it is a draft and warns nobody anyway; leave it out"),
        ("segment_never_true_by_range", "look at the features' ranges in docs/segments.md"),
    ],
)
def test_the_likely_right_one_is_named(name: str, text: str) -> None:
    assert text in checked(str(FAULTS / f"{name}.yaml")).output


def test_the_shipped_rules_are_silent() -> None:
    result = checked(str(ROOT / "warning_rules"), "--strict")
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 1


def test_a_rule_without_a_case_is_told_where_cases_are_looked_for(tmp_path: Path) -> None:
    rule = "version: 1\nrules:\n  - {id: a, when: overdue > 3, tier: low, reason: test}\n"
    (tmp_path / "rules.yaml").write_text(rule)
    assert "L131" in checked(str(tmp_path)).output
    assert "L131" not in checked(str(tmp_path / "rules.yaml")).output
    (tmp_path / "cases").mkdir()
    case = "version: 1\ncases:\n  - {name: x, events: [{order: 0d}], until: 9d, never: %s}\n"
    (tmp_path / "cases" / "a.yaml").write_text(case % "b")
    assert "L131" in checked(str(tmp_path / "rules.yaml")).output
    (tmp_path / "cases" / "a.yaml").write_text(case % "a")
    assert "L131" not in checked(str(tmp_path)).output


def test_a_warning_fails_with_strict_only() -> None:
    path = str(FAULTS / "clear_against_hysteresis.yaml")
    assert checked(path).exit_code == 0
    assert checked(path, "--strict").exit_code == 1


def test_a_finding_says_where_what_and_what_to_do() -> None:
    path = FAULTS / "clear_against_hysteresis.yaml"
    line, rules, counts = checked(str(path)).output.splitlines()
    assert line.startswith(
        f"{path}:6: warning L113: rule 'a': `clear` can be true while `when` still is, for example with "
    )
    assert line.endswith("add to `clear` what excludes `when`")
    assert rules.startswith("1 rule: 1 active")
    assert counts == "0 errors, 1 warning"


def test_a_guarded_topic_makes_an_absence_safe() -> None:
    path = FAULTS / "absence_of_everybody.yaml"
    assert [f.code for f in found(path)] == ["L151"]
    assert found(path, Surroundings(guarded=[Topic.LOGINS])) == []


def test_an_unknown_topic_is_refused() -> None:
    result = checked(str(FAULTS / "clean.yaml"), "--topics", "orders,logn")
    assert result.exit_code == 2
    assert "'logn' is no topic" in result.output


def test_json_shows_the_conditions_that_phrases_stand_for() -> None:
    said = json.loads(checked(str(FAULTS / "clean.yaml"), "--json").output)
    phrase = next(each for each in said["conditions"] if each["id"] == "phrase")
    assert phrase["sequence"] == "complaint, then no login within 36 hours"
    assert phrase["when"] == (
        "(logins_total = 0 OR days_since_login > days_since_complaint)"
        " AND complaint_without_login_days >= 1.5"
        " AND CASE WHEN days_since_any_order <= 2 THEN days_since_order >= 28 END"
    )
    assert "complaint_without_login_days" in phrase["reads"]
