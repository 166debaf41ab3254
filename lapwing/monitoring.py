"""The endpoint of a long-running command, where the settings want one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lapwing.settings.monitoring import OFF
from lapwing.settings.settings import Settings
from streams.telemetry.endpoint import Endpoint
from streams.telemetry.snapshots import Snapshots


@contextmanager
def endpoint(settings: Settings, snapshots: Snapshots[Any]) -> Iterator[Endpoint | None]:
    """Serve what a process shows of itself while the context lasts; raise `SettingsError` where it cannot.

    It is logged when the process begins its work: one that cannot begin has one line to say.
    """
    if settings.metrics_listen == OFF:
        yield None
        return
    with Endpoint(snapshots.probes(), settings.metrics_listen, snapshots.process) as served:
        snapshots.on_first = served.announce
        yield served
