"""A setting's value from a file of its own: `LAPWING_SASL_PASSWORD_FILE=/run/secrets/kafka`."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from streams.errors import SettingsError

SUFFIX: Final = "_FILE"
LARGEST: Final = 64 * 1024
"""Bytes of such a file."""


def read_value(variable: str, path: Path) -> str:
    """Return what the file holds, without line ends at its end.

    An error names the file only if its path is absolute: somebody may have given the secret itself.
    """
    place = f"{variable}: {path}" if path.is_absolute() else f"{variable}: the file that it names"
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            msg = f"{place} is larger than {LARGEST // 1024} KiB"
            raise SettingsError(msg)
        value = content.decode().rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = (error.strerror or "it is no file") if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"{place} cannot be read: {why}"
        raise SettingsError(msg) from error
    if not value:
        msg = f"{place} is empty"
        raise SettingsError(msg)
    return value


def is_open_to_others(path: Path) -> bool:
    """Return whether every user of this machine may read the file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & stat.S_IROTH)
