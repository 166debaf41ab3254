"""Event files that are written: by their endings, compressed, the same bytes for the same content."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, Final

import zstandard

from streams.errors import EventFileError

GZIP_LEVEL: Final = 5

PACKERS: Final[dict[str, Callable[[IO[bytes]], Any]]] = {
    ".jsonl": nullcontext,
    # Neither name nor time: the same shop gives the same bytes.
    ".jsonl.gz": lambda file: gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0),
    ".jsonl.zst": lambda file: zstandard.ZstdCompressor().stream_writer(file, closefd=False),
}
SUFFIXES: Final = (*PACKERS, ".parquet")


def suffix_of(path: Path) -> str:
    """Return which of `SUFFIXES` a file has; raise `EventFileError` where it has none."""
    for suffix in SUFFIXES:
        if path.name.endswith(suffix) and path.name != suffix:
            return suffix
    msg = f"{path}: the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    raise EventFileError(msg)
