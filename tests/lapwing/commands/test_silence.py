"""What `lapwing silence add` refuses, before it asks a broker."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from lapwing.commands.silence import command
from streams.errors import LapwingError

WHO = ["--author", "me", "--reason", "why", "--broker", "127.0.0.1:1"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--rule", "a"], "say when it ends: --until or --for"),
        (["--everything", "--every", "day"], "say when it ends: --until or --for, or --no-end"),
        (["--rule", "a", "--no-end"], "say when it ends: --until or --for"),
        (
            ["--rule", "a", "--for", "2h", "--until", "2030-01-01T00:00:00Z"],
            "give one of --until, --for and --no-end",
        ),
        (["--rule", "a", "--for", "soon"], "--for: 'soon' is not a duration"),
        (["--rule", "a", "--until", "2030-01-01"], "--until: '2030-01-01' is no time with an offset"),
        (["--rule", "a", "--until", "2020-01-01T00:00:00Z"], "it ends before it begins"),
        (["--everything", "--on", "2020-12-25"], "it ends before it begins"),
        (["--everything", "--on", "christmas"], "dates.0: Input should be a valid date"),
        (["--everything", "--every", "mon,fry", "--no-end"], "--every: 'fry' is none of mon, tue"),
        (["--everything", "--between", "8-20", "--no-end"], "begins: String should match pattern"),
        (["--everything", "--between", "20:00", "--no-end"], "--between: '20:00' is not HH:MM-HH:MM"),
        (["--for", "2h"], "matchers: it names no warnings"),
        (["--everything", "--rule", "a", "--for", "2h"], "everything cannot be silenced together with rules"),
        (["--tier", "urgent", "--for", "2h"], "matchers.tiers.0: Input should be 'high', 'medium' or 'low'"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(args: list[str], told: str) -> None:
    result = CliRunner().invoke(command, ["add", *args, *WHO])
    assert isinstance(result.exception, LapwingError)
    assert told in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize("missing", ["--author", "--reason"])
def test_author_and_reason_are_required(missing: str) -> None:
    given = ["--author", "me", "--reason", "why"]
    place = given.index(missing)
    result = CliRunner().invoke(
        command, ["add", "--everything", "--for", "2h", *given[:place], *given[place + 2 :]]
    )
    assert result.exit_code == 2
    assert missing in result.output
