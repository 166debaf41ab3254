from __future__ import annotations

import logging
import urllib.request

import pytest

from lapwing.monitoring import endpoint
from lapwing.settings.settings import load_settings
from streams.telemetry.snapshots import Snapshots


def snapshots() -> Snapshots[int]:
    return Snapshots("sink", (), lambda figures: {}, lambda figures: ())


def test_it_serves_where_the_setting_says(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    settings = load_settings(None, {"metrics_listen": "127.0.0.1:0"}, environ={})
    kept = snapshots()
    with endpoint(settings, kept) as served:
        assert served is not None
        assert caplog.messages == []
        kept.take(1)
        assert caplog.messages == [f"metrics at {served.url}/metrics"]
        with urllib.request.urlopen(f"{served.url}/healthz", timeout=5) as answer:
            assert answer.read() == b"healthy\n"


def test_there_is_none_where_none_is_wanted() -> None:
    settings = load_settings(None, {"metrics_listen": "none"}, environ={})
    with endpoint(settings, snapshots()) as served:
        assert served is None
