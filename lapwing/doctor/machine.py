"""This machine: rights on files, space on disks, clocks, certificates that are about to expire."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from streams.core.events.topics import REQUIRED
from streams.errors import LapwingError, SettingsError, StateError, StoreError
from streams.kafka.security import tls_context

SQLITE: Final = "sqlite:///"
LITTLE: Final = 0.10
"""The free part of a disk below which it is reported."""
FULL: Final = 0.02
LITTLE_BYTES: Final = 1_000_000_000
FULL_BYTES: Final = 100_000_000
APART: Final = timedelta(seconds=5)
"""So far clocks may be apart."""
EXPIRES_WITHIN: Final = timedelta(days=30)
CONNECT_S: Final = 5.0


def files(installation: Installation) -> str:
    """Check that this user may read and write what the settings name."""
    denied = []
    count = 0
    for name, path, mode in _files(installation.settings):
        count += 1
        if not os.access(path, mode):
            word = "written" if mode & os.W_OK else "read"
            denied.append(f"{name}: {path} cannot be {word} by this user")
    if denied:
        msg = f"{'; '.join(denied)}: give the user of Lapwing's processes the right, as with `chown`"
        raise SettingsError(msg)
    return f"{count} files and folders may be used as they are needed"


def disk(installation: Installation) -> str:
    """Check that there is space where states and the database are kept on this machine."""
    parts, full, little = [], [], []
    for what, folder in _kept_here(installation.settings):
        usage = shutil.disk_usage(folder)
        free, share = usage.free, usage.free / usage.total
        part = f"{free / 1e9:.1f} GB ({share:.0%}) are free for {what} at {folder}"
        parts.append(part)
        if free < FULL_BYTES or share < FULL:
            full.append(part)
        elif free < LITTLE_BYTES or share < LITTLE:
            little.append(part)
    if not parts:
        msg = "states and database are kept elsewhere"
        raise Skipped(msg)
    if full:
        msg = f"{'; '.join(full)}: what cannot be saved is read again after a restart: make room now"
        raise StateError(msg)
    if little:
        msg = f"{'; '.join(little)}: make room before states and records cannot be saved"
        raise Doubtful(msg)
    return "; ".join(parts)


def clocks(installation: Installation) -> str:
    """Compare this machine's clock with the database's, and with the newest records'."""
    findings, parts = [], []
    try:
        apart = installation.database_ahead()
    except StoreError:  # whether it answers is another check's
        apart = None
    if apart is not None:
        parts.append("the database's clock is this machine's")
        if abs(apart) > APART:
            how = "ahead of" if apart > timedelta() else "behind"
            findings.append(f"the database's clock is {_seconds(abs(apart))} {how} this machine's")
    if not isinstance(installation.answer, LapwingError):
        newest = _newest_record(installation)
        if newest is not None:
            topic, at = newest
            parts.append("no record is dated in the future")
            if (ahead := at - datetime.now(UTC)) > APART:
                findings.append(f"the newest record of {topic} is dated {_seconds(ahead)} in the future")
    if findings:
        msg = f"{'; '.join(findings)}: keep all clocks by NTP, as events of the future are refused"
        raise Doubtful(msg)
    if not parts:
        msg = "there is no clock to compare with"
        raise Skipped(msg)
    return " and ".join(parts)


def certificates(installation: Installation) -> str:
    """Check until when the certificates of the broker, and our own, are valid."""
    settings = installation.settings
    security = settings.kafka_security
    context = tls_context(security)
    if context is None:
        msg = "the broker is reached without encryption"
        raise Skipped(msg)
    ends: dict[str, datetime] = {}
    for server in settings.broker.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            ends[f"that of {server.strip()}"] = _valid_until(host.strip("[]"), int(port), context)
        except OSError:
            continue  # whether the broker can be reached is another check's
    if settings.ssl_certfile is not None:
        own = _certificate(settings.ssl_certfile)
        if own is not None:
            ends["our own, ssl_certfile"] = own
    now = datetime.now(UTC)
    soon = [f"{name} ends on {at:%Y-%m-%d}" for name, at in ends.items() if at - now < EXPIRES_WITHIN]
    if soon:
        msg = f"{'; '.join(soon)}: renew it before, or no process gets in to the broker"
        raise Doubtful(msg)
    if not ends:
        msg = "no broker shows its certificate"
        raise Skipped(msg)
    return f"valid until {min(ends.values()):%Y-%m-%d} at the least"


def _newest_record(installation: Installation) -> tuple[str, datetime] | None:
    inputs = {*(installation.settings.topics[topic] for topic in REQUIRED), *installation.mapped}
    found = installation.newest(inputs & installation.topics.keys())
    newest = max(((record.timestamp_ms, record.topic) for record in found), default=None)
    if newest is None or newest[0] < 0:
        return None
    return newest[1], datetime.fromtimestamp(min(newest[0] / 1000, 253_402_300_799), UTC)


def _files(settings: Settings) -> Iterator[tuple[str, Path, int]]:
    """Yield what is used on this machine, and how: by its setting's name."""
    read = {"rules": settings.rules, "routes": settings.routes, "desk_people": settings.desk_people}
    read |= {"notify_templates": settings.notify_templates, "ssl_cafile": settings.ssl_cafile}
    read |= {"inputs": settings.inputs_file}
    for name, path in read.items():
        if path is not None and path.exists():
            yield name, path, os.R_OK
    for name, folder in _kept_here(settings):
        yield name, folder, os.R_OK | os.W_OK | os.X_OK
    file = _sqlite_file(settings)
    if file is not None and file.exists():
        yield "database", file, os.R_OK | os.W_OK


def _kept_here(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield the folders on this machine where states and the database are, or will be made."""
    if settings.checkpoints != NO_CHECKPOINTS and "://" not in settings.checkpoints:
        yield "checkpoints", _existing(Path(settings.checkpoints))
    file = _sqlite_file(settings)
    if file is not None:
        yield "database", _existing(file.parent)


def _sqlite_file(settings: Settings) -> Path | None:
    if not settings.database.startswith(SQLITE):
        return None
    name = settings.database.removeprefix(SQLITE).partition("?")[0]
    return Path(name) if name and name != ":memory:" else None


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    folder = folder.resolve()
    while not folder.exists():
        folder = folder.parent
    return folder


def _valid_until(host: str, port: int, context: ssl.SSLContext) -> datetime:
    with (
        socket.create_connection((host, port), timeout=CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as stream,
    ):
        return _end_of(stream.getpeercert() or {})


def _certificate(path: Path) -> datetime | None:
    """Return when a certificate's file ends to be valid; `None` where Python cannot read it."""
    decode = getattr(ssl, "_ssl", None) and getattr(ssl._ssl, "_test_decode_cert", None)  # type: ignore[attr-defined]  # the standard library's only reader of a file
    if decode is None:
        return None
    try:
        return _end_of(decode(str(path)))
    except (OSError, ssl.SSLError, KeyError):
        return None


def _end_of(certificate: Any) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():,.0f} s"
