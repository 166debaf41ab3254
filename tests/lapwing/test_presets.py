"""Which mappings a command reads files by."""

from pathlib import Path

import click
import pytest

from lapwing.presets import inputs_of
from lapwing.settings.settings import load_settings

MAPPING = """
version: 1
sources:
  %s: {files: "*.csv", events: [{to: logins, fields: {event_id: i, customer_id: c, occurred_at: t}}]}
"""


def test_a_file_wins_over_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("set", "given"):
        Path(f"{name}.yaml").write_text(MAPPING % name)
    settings = load_settings(overrides={"inputs": "set.yaml"})
    assert list(inputs_of(settings).sources) == ["set"]
    assert list(inputs_of(settings, Path("given.yaml")).sources) == ["given"]
    assert list(inputs_of(settings, preset="ga4").sources) == ["ga4"]


def test_none_at_all_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(click.UsageError, match="--map FILE or --preset NAME"):
        inputs_of(load_settings())
