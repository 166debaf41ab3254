"""The commands of a script: what each does with its arguments, and how it ends."""

import sys

import pytest

from scripts.commands import Command, fetching, run_script
from scripts.debian import Missing

COUNT = Command(
    "count", "how many", lambda given: int(given.n), lambda parser: parser.add_argument("n", type=int)
)


def call(monkeypatch: pytest.MonkeyPatch, *words: str, commands: tuple[Command, ...]) -> int:
    monkeypatch.setattr(sys, "argv", ["tool", *words])
    return run_script("tool", "A tool.", *commands)


def test_the_command_that_is_asked_for_gets_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = (fetching("get it", lambda: pytest.fail("not asked for")), COUNT)
    assert call(monkeypatch, "count", "7", commands=commands) == 7


@pytest.mark.parametrize(("found", "printed"), [("/usr/bin/tool", "/usr/bin/tool\n"), (None, "")])
def test_fetch_prints_where_the_thing_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: str | None, printed: str
) -> None:
    assert call(monkeypatch, "fetch", commands=(fetching("get it", lambda: found),)) == 0
    assert capsys.readouterr() == ("", printed)


def test_what_cannot_be_had_ends_with_3_and_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch() -> None:
        msg = "no tool here"
        raise Missing(msg)

    assert call(monkeypatch, "fetch", commands=(fetching("get it", fetch), COUNT)) == 3
    assert capsys.readouterr() == ("", "no tool here\n")


def test_no_command_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        call(monkeypatch, commands=(COUNT,))
    assert ended.value.code == 2
