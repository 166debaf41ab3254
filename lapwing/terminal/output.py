"""Files that a command writes: there whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from streams.errors import LapwingError


class OutputError(LapwingError):
    """A file cannot be written."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to, which takes its place when the block ends well.

    What is no file, such as `/dev/stdout`, is written to directly. Raises `OutputError` where the place
    cannot be written to.
    """
    part: Path | None = None
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            yield path
            return
        target = path.resolve()  # a link goes on to lead to the file
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        part.touch()
        yield part
        part.replace(target)
    except BrokenPipeError:
        raise  # whoever read our output has closed it
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise OutputError(msg) from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink(missing_ok=True)
