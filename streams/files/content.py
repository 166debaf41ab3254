"""What is in a file: in pieces, decompressed, with errors that name it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import zstandard

from streams.errors import EventFileError

_PIECE: Final = 1 << 18
"""Bytes read from a file at a time."""


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a file into an error that names it."""
    try:
        yield
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise EventFileError(message) from error
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        message = f"{path}: damaged: {error}"
        raise EventFileError(message) from error


def size_of(path: Path) -> int:
    """Return how many bytes a file has."""
    with named(path):
        if path.is_dir():
            message = f"{path}: is a folder"
            raise EventFileError(message)
        return path.stat().st_size


def pieces(file: IO[bytes], compression: str) -> Iterator[bytes]:
    """Yield the file's content in pieces of any size, decompressed where `compression` is `.gz` or `.zst`."""
    if not compression:
        while piece := file.read(_PIECE * 4):
            yield piece
        return
    # The library's own file object takes a zstd file that was cut short for a whole one; so the end is looked
    # for.
    start = _gzip_member if compression == ".gz" else zstandard.ZstdDecompressor().decompressobj
    member = start()
    begun = False
    while piece := file.read(_PIECE):
        while piece:
            if member.eof:
                piece = piece.lstrip(b"\0")  # what pads a file behind its last member
                if not piece:
                    break
                member = start()
            begun = True
            yield member.decompress(piece)
            piece = member.unused_data
    if not (begun and member.eof):
        message = "the file is cut short"
        raise EOFError(message)


def _gzip_member() -> Any:
    return zlib.decompressobj(wbits=31)
