import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from lapwing.settings.options import ENGINE_SETTINGS, settings_options
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
