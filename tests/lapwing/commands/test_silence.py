"""What `lapwing silence add` refuses, before it asks a broker."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli.silence import command
from tests.command_lines import refusal

WHO = ["--author", "me", "--reason", "why", "--broker", "127.0.0.1:1"]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--rule", "a"], 2, "an end is needed: --until or --for"),
        (["--everything", "--every", "day"], 2, "an end is needed: --until or --for, or --no-end"),
        (["--rule", "a", "--no-end"], 2, "an end is needed: --until or --for"),
        (
            ["--rule", "a", "--for", "2h", "--until", "2030-01-01T00:00:00Z"],
            2,
            "give one of --until, --for and --no-end",
        ),
        (["--rule", "a", "--for", "soon"], 2, "'--for': 'soon' is not a duration"),
        (["--rule", "a", "--until", "2030-01-01"], 2, "'--until': '2030-01-01' is no RFC 3339 time"),
        (["--rule", "a", "--until", "2020-01-01T00:00:00Z"], 1, "it ends before it begins"),
        (["--everything", "--on", "2020-12-25"], 1, "it ends before it begins"),
        (["--everything", "--on", "christmas"], 1, "dates.0: Input should be a valid date"),
        (["--everything", "--every", "mon,fry", "--no-end"], 2, "--every: 'fry' is none of mon, tue"),
        (["--everything", "--between", "8-20", "--no-end"], 1, "begins: String should match pattern"),
        (["--everything", "--between", "20:00", "--no-end"], 2, "--between: '20:00' is not HH:MM-HH:MM"),
        (["--for", "2h"], 1, "matchers: it names no warnings"),
        (
            ["--everything", "--rule", "a", "--for", "2h"],
            1,
            "everything cannot be silenced together",
        ),
        (
            ["--tier", "urgent", "--for", "2h"],
            2,
            "'urgent' is not one of 'high', 'medium', 'low'",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(args: list[str], code: int, says: str) -> None:
    refused_with, text = refusal(command, ["add", *args, *WHO])
    assert (refused_with, says in text) == (code, True), text


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ["--rule", "login-dropp"],
            "--rule: there is no rule 'login-dropp' in {rules}; did you mean 'login-drop'?",
        ),
        (["--rule", "zzz"], "--rule: there is no rule 'zzz' in {rules}"),
        (
            ["--group", "complaint"],
            "--group: there is no group 'complaint' in {rules}; did you mean 'complaints'?",
        ),
        (["--rule", "rise"], "--rule: 'rise' is a rule of segments, of which no notice is sent"),
    ],
)
def test_names_that_no_rule_has_are_refused_with_the_likely_right_one(
    args: list[str], says: str, rules: Path
) -> None:
    code, text = refusal(command, ["add", *args, "--for", "2h", "--rules", str(rules), *WHO])
    assert code == 1
    assert says.format(rules=rules) in text


def test_a_rule_that_warns_nobody_is_silenced_with_a_word(rules: Path) -> None:
    given = ["add", "--rule", "old", "--for", "2h", "--rules", str(rules), *WHO]
    assert "rule 'old' is retired and warns nobody" in CliRunner().invoke(command, given).output
    good = ["add", "--rule", "login-drop", "--for", "2h", "--rules", str(rules), *WHO]
    assert "login-drop" not in CliRunner().invoke(command, good).output


def test_names_are_not_checked_where_there_are_no_rule_files(tmp_path: Path) -> None:
    given = ["add", "--rule", "a", "--for", "2h", "--rules", str(tmp_path / "none"), *WHO]
    output = CliRunner().invoke(command, given).output
    assert "names of rules and groups are not checked" in output
    assert "there is no such file or folder" in output


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text("""\
version: 1
rules:
  - {id: login-drop, when: logins_30d < 3, tier: low, reason: visits}
  - {id: complained, when: complaints_30d > 3, tier: low, reason: complaints}
  - {id: old, when: logins_30d < 4, tier: low, reason: visits, status: retired}
segments:
  - {id: rise, by: region, when: complaints_7d > 9, tier: low, reason: complaints}
""")
    return path


@pytest.mark.parametrize("missing", ["--author", "--reason"])
def test_author_and_reason_are_required(missing: str) -> None:
    given = ["--author", "me", "--reason", "why"]
    place = given.index(missing)
    result = CliRunner().invoke(
        command, ["add", "--everything", "--for", "2h", *given[:place], *given[place + 2 :]]
    )
    assert result.exit_code == 2
    assert missing in result.output
