from __future__ import annotations

import urllib.request

from lapwing.monitoring import endpoint
from lapwing.settings.settings import load_settings
from streams.telemetry.endpoint import Probes
from streams.telemetry.registry import registry_of

PROBES = Probes(registry_of("sink", (), dict))


def test_it_serves_where_the_setting_says() -> None:
    settings = load_settings(None, {"metrics_listen": "127.0.0.1:0"}, environ={})
    with endpoint(settings, "sink", PROBES) as served:
        assert served is not None
        with urllib.request.urlopen(f"{served.url}/healthz", timeout=5) as answer:
            assert answer.read() == b"healthy\n"


def test_there_is_none_where_none_is_wanted() -> None:
    settings = load_settings(None, {"metrics_listen": "none"}, environ={})
    with endpoint(settings, "sink", PROBES) as served:
        assert served is None
