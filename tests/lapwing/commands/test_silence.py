"""What `lapwing silence add` refuses, before it asks a broker."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from lapwing.cli.silence import command
from tests.command_lines import refusal

WHO = ["--author", "me", "--reason", "why", "--broker", "127.0.0.1:1"]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--rule", "a"], 2, "say when it ends: --until or --for"),
        (["--everything", "--every", "day"], 2, "say when it ends: --until or --for, or --no-end"),
        (["--rule", "a", "--no-end"], 2, "say when it ends: --until or --for"),
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
            1,
            "matchers.tiers.0: Input should be",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(args: list[str], code: int, says: str) -> None:
    refused_with, text = refusal(command, ["add", *args, *WHO])
    assert (refused_with, says in text) == (code, True), text


@pytest.mark.parametrize("missing", ["--author", "--reason"])
def test_author_and_reason_are_required(missing: str) -> None:
    given = ["--author", "me", "--reason", "why"]
    place = given.index(missing)
    result = CliRunner().invoke(
        command, ["add", "--everything", "--for", "2h", *given[:place], *given[place + 2 :]]
    )
    assert result.exit_code == 2
    assert missing in result.output
