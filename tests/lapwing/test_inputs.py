"""From the settings to the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapwing.inputs import need_inputs, read_inputs
from lapwing.settings.settings import load_settings
from streams.errors import SettingsError
from tests.lapwing.commands.inputs.test_check import GOOD


def test_the_file_is_that_of_the_setting_or_the_one_beside_the_rules(tmp_path: Path) -> None:
    settings = load_settings(None, {"rules": str(tmp_path)})
    assert read_inputs(settings) is None
    with pytest.raises(SettingsError, match=r"there is no inputs\.yaml"):
        need_inputs(settings)
    (tmp_path / "inputs.yaml").write_text(GOOD)
    assert list(need_inputs(settings).sources) == ["shop"]
    named = load_settings(None, {"inputs": str(tmp_path / "other.yaml")})
    with pytest.raises(SettingsError, match="see the setting `inputs`"):
        read_inputs(named)
