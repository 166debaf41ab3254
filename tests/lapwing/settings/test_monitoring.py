from __future__ import annotations

import pytest

from lapwing.settings.settings import load_settings
from streams.errors import SettingsError


@pytest.mark.parametrize("value", ["127.0.0.1", "0.0.0.0:9464", "[::1]:0", "::1", "localhost", "none"])
def test_an_address_may_have_a_port(value: str) -> None:
    settings = load_settings(None, environ={"LAPWING_METRICS_LISTEN": value})
    assert settings.metrics_listen == value


@pytest.mark.parametrize("value", [":9464", "host:port", "host:70000", "http://127.0.0.1:9464", "a/b"])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="is not an address: write host, host:port or none"):
        load_settings(None, environ={"LAPWING_METRICS_LISTEN": value})
