"""Files that a command writes: there whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from streams.errors import LapwingError


class OutputError(LapwingError):
    """A file cannot be written."""


def check_outputs(outputs: Sequence[Path | None], inputs: Sequence[Path] = ()) -> None:
    """Refuse to write two results to one file, or a result over what is read.

    Raises `click.UsageError`. What is no file, such as `/dev/null`, may be named more than once.
    """
    taken = {path.resolve() for path in inputs}
    for path in outputs:
        if path is None or _is_device(path):
            continue
        if path.resolve() in taken:
            msg = f"{path} is named twice: a result can replace neither what is read nor another result"
            raise click.UsageError(msg)
        taken.add(path.resolve())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to, which takes its place when the block ends well.

    What is no file, such as `/dev/stdout`, is written to directly. Raises `OutputError` where the place
    cannot be written to.
    """
    part: Path | None = None
    try:
        if _is_device(path):
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


def _is_device(path: Path) -> bool:
    """Return whether there is something at `path` that is neither file nor folder."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
