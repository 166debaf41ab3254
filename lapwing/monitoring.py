"""The endpoint of a long-running command, where the settings want one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lapwing.settings.monitoring import OFF
from lapwing.settings.settings import Settings
from streams.telemetry.endpoint import Endpoint, Probes


@contextmanager
def endpoint(settings: Settings, process: str, probes: Probes) -> Iterator[Endpoint | None]:
    """Serve what a process shows of itself while the context lasts; raise `SettingsError` where it cannot."""
    if settings.metrics_listen == OFF:
        yield None
        return
    with Endpoint(probes, settings.metrics_listen, process) as served:
        yield served
