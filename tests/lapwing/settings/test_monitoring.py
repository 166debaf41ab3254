from __future__ import annotations

import pytest

from lapwing.settings.settings import load_settings
from streams.errors import SettingsError
from streams.telemetry.endpoint import PORTS


@pytest.mark.parametrize("value", ["127.0.0.1", "0.0.0.0:9464", "[::1]:0", "::1", "localhost", "none"])
def test_an_address_may_have_a_port(value: str) -> None:
    settings = load_settings(None, environ={"LAPWING_METRICS_LISTEN": value})
    assert settings.metrics_listen == value


def test_the_desk_asks_this_machine_unless_it_is_given_others() -> None:
    assert len(load_settings(None, environ={}).metrics_targets) == len(PORTS) - 1
    found = load_settings(None, environ={"LAPWING_METRICS_TARGETS": "a:1 [::1]:2"})
    assert found.metrics_targets == ("a:1", "[::1]:2")
    with pytest.raises(SettingsError, match="is not an endpoint: write host:port"):
        load_settings(None, environ={"LAPWING_METRICS_TARGETS": "http://a:1/metrics"})


@pytest.mark.parametrize("value", [":9464", "host:port", "host:70000", "http://127.0.0.1:9464", "a/b"])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="is not an address: write host, host:port or none"):
        load_settings(None, environ={"LAPWING_METRICS_LISTEN": value})
