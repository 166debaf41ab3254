from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest
from prometheus_client import REGISTRY, generate_latest

from streams.telemetry.registry import build_version, registry_of


def test_a_process_has_one_of_its_own_with_its_build_and_what_the_system_counts() -> None:
    made = registry_of("sink", (), dict)
    text = generate_latest(made).decode()
    assert f'lapwing_build_info{{process="sink",version="{build_version()}"}} 1.0' in text
    assert "process_start_time_seconds " in text
    assert "python_gc" not in text
    assert made is not REGISTRY


def test_a_version_that_is_not_known_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("streams.telemetry.registry.version", absent)
    assert build_version() == "unknown"
