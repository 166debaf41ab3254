"""Settings of how processes show how they are."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from lapwing.settings.values import words
from streams.telemetry.endpoint import PORTS

OFF: Final = "none"
"""Written for no endpoint."""


def listen_place(value: str) -> str:
    """Take `host` or `host:port`; port 0 is any that is free."""
    value = value.strip()
    host, colon, port = value.rpartition(":")
    bare = not colon or (value.count(":") > 1 and not host.endswith("]"))
    if not value or "/" in value or (not bare and (not host or not port.isdecimal() or int(port) > 65_535)):
        msg = f"{value!r} is not an address: write host, host:port or {OFF}"
        raise ValueError(msg)
    return value


_PORTS: Final = ", ".join(f"{port} {process}" for process, port in PORTS.items())


def target(value: str) -> str:
    """Take `host:port` of an endpoint."""
    host, _, port = value.rpartition(":")
    if not host or "/" in host or "@" in host or not port.isdecimal() or not 0 < int(port) <= 65_535:
        msg = f"{value!r} is not an endpoint: write host:port"
        raise ValueError(msg)
    return value


class MonitoringSettings(BaseModel):
    """What `Settings` has of it."""

    heading: ClassVar[str] = "Metrics and health"

    metrics_listen: Annotated[str, AfterValidator(listen_place)] = Field(
        "127.0.0.1",
        description="Where a process serves `/metrics`, `/healthz` and `/readyz`: `host:port`, or a host "
        f"alone for the port of the process ({_PORTS}; another where that is taken), or `{OFF}`. There is no "
        "sign-in: beyond this machine only where your network keeps strangers out.",
    )
    metrics_targets: Annotated[tuple[Annotated[str, AfterValidator(target)], ...], BeforeValidator(words)] = (
        Field(
            tuple(f"127.0.0.1:{port}" for process, port in PORTS.items() if process != "desk"),
            description="The endpoints whose figures the desk shows to operators under Operations: "
            "`host:port` with spaces between.",
        )
    )
