import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from lapwing.settings.options import ENGINE_SETTINGS, NumberParam, settings_options
from lapwing.settings.settings import Settings
from tests.command_lines import refusal


@click.command()
@settings_options("broker", "sweep_every", "model_enabled")
@click.argument("word")
def shows(settings: Settings, word: str) -> None:
    click.echo(json.dumps([word, settings.broker, settings.sweep_every, settings.model_enabled]))


def run(*args: str) -> list[object]:
    result = CliRunner().invoke(shows, [*args, "word"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: list[object] = json.loads(result.output)
    return answer


def test_a_flag_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    day = 86_400_000_000
    assert run() == ["word", "127.0.0.1:9092", day, True]
    (tmp_path / "other.toml").write_text('broker = "a:1"\nsweep_every = "2d"\nmodel_enabled = true\n')
    assert run("--config", "other.toml") == ["word", "a:1", 2 * day, True]
    assert run("--config", "other.toml", "--broker", "b:2", "--no-model-enabled") == [
        "word",
        "b:2",
        2 * day,
        False,
    ]


def test_a_wrong_flag_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = refusal(shows, ["--sweep-every", "3", "word"])
    assert (code, text.startswith("--sweep-every: '3' is not a duration")) == (2, True), text


def test_the_help_is_the_settings_own() -> None:
    output = CliRunner().invoke(shows, ["--help"]).output
    assert "Kafka's addresses" in output
    assert "--model-enabled / --no-model-enabled" in output


@pytest.mark.parametrize(
    "path", ["replay", "backtest", "explain", "simulate", "model report", "rules diff", "rules tune"]
)
def test_every_command_that_runs_the_engine_over_a_history_has_the_settings_of_its_decisions(
    path: str,
) -> None:
    found: click.Command = lapwing
    for word in path.split():
        assert isinstance(found, click.Group)
        step = found.get_command(click.Context(found), word)
        assert step is not None
        found = step
    assert set(ENGINE_SETTINGS) <= {parameter.name for parameter in found.params}


def every_option(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Parameter]]:
    """Yield each option of each command with the command's name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every_option(found, (*path, name))
    for parameter in command.params:
        yield " ".join(path), parameter


def test_no_option_takes_what_is_no_number_or_is_infinite() -> None:
    numbers = [
        (path, each)
        for path, each in every_option(lapwing)
        if isinstance(each.type, click.types.FloatParamType)
    ]
    assert {path for path, _ in numbers} >= {"lapsed", "backtest", "simulate", "rules tune"}
    for path, each in numbers:
        assert isinstance(each.type, NumberParam), f"{path} {each.name}"
        assert each.type.convert("0.5", each, None) == 0.5
        for text in ("nan", "inf", "-inf", "1e999"):
            with pytest.raises(click.BadParameter):
                each.type.convert(text, each, None)


def test_every_option_for_a_class_of_customers_knows_the_classes() -> None:
    commands = {
        "lapsed": [],
        "warnings list": [],
        "silence add": ["--for", "1h", "--by", "a", "--reason", "r"],
    }
    assert commands.keys() == {path for path, each in every_option(lapwing) if each.name == "class"}
    for path, more in commands.items():
        code, text = refusal(lapwing, [*path.split(), *more, "--class", "vip"])
        assert (code, "'key', 'ordinary', 'small', 'problem'" in text) == (2, True), text


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    names = [
        {path for path, each in every_option(lapwing) if each.name == name} for name in ("since", "until")
    ]
    # Those over a history compare with its end as well.
    both = set.intersection(*names) - {"backtest", "rules diff"}
    assert both == {"effects", "plays estimate", "scorecard", "lapsed"}
    for path in both:
        period = ["--since", "2025-01-02T00:00:00Z", "--until", "2025-01-02T00:00:00Z"]
        assert refusal(lapwing, [*path.split(), *period]) == (2, "--until has to lie after --since")
