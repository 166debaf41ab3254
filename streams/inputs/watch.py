"""Watching the file of inputs: what it says where that is news, and every mistake of a bad one, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streams.errors import RuleFilesError
from streams.inputs.load import Inputs
from streams.inputs.source import Source
from streams.rulebook.files import ReadFiles, read_files
from streams.rulebook.reader import RulebookRefused

TRIES: Final = 50
"""Reads of a file that keeps changing before a worker that starts gives up."""
TRY_S: Final = 0.1

Parse = Callable[[str, bytes], Inputs]
"""Reads the content of the file of this name, or raises `RulebookRefused`."""


@dataclass(frozen=True, slots=True)
class CheckpointedInputs:
    """What a checkpoint says of the file by which the records before and after it are mapped."""

    hash: str
    text: str


@dataclass(frozen=True, slots=True)
class InputRevision:
    """What the file of inputs said at one time, as far as a worker reads it."""

    hash: str
    text: str = field(repr=False)
    sources: Mapping[str, Source]
    """By its name on the broker, the source of each topic."""

    def kept(self) -> CheckpointedInputs:
        """Return what a checkpoint says of it."""
        return CheckpointedInputs(self.hash, self.text)


@dataclass(frozen=True, slots=True)
class RefusedInputs:
    """A file that was refused."""

    mistakes: tuple[str, ...]


class InputWatch:
    """Watches one file; its content counts when two looks in a row find the same.

    Raises `RuleFilesError`, with all mistakes, where the file is bad to begin with.
    """

    def __init__(self, path: Path, parse: Parse) -> None:
        self.path = path
        self._parse = parse
        self.current, self._judged = self._first()
        self._seen = self._judged

    def look(self) -> InputRevision | RefusedInputs | None:
        """Return what the file says where that is news, or why it is refused."""
        found = read_files([self.path])
        before, self._seen = self._seen, found
        if found != before or found == self._judged:
            return None
        self._judged = found
        news = self._judge(found)
        if isinstance(news, InputRevision):
            self.current = news
        return news

    def read(self, kept: CheckpointedInputs) -> InputRevision | None:
        """Return what a checkpoint keeps; `None` where this version reads it otherwise."""
        if kept.hash == self.current.hash:
            return self.current
        try:
            found = self._revision(kept.text.encode())
        except RuleFilesError:
            return None
        return found if found.hash == kept.hash else None

    def _judge(self, found: ReadFiles) -> InputRevision | RefusedInputs:
        try:
            if found.mistakes:
                raise RulebookRefused(found.mistakes)
            return self._revision(found.contents[str(self.path)])
        except RulebookRefused as refused:
            return RefusedInputs(tuple(map(str, refused.mistakes)))

    def _revision(self, content: bytes) -> InputRevision:
        inputs = self._parse(str(self.path), content)
        return InputRevision(inputs.hash, content.decode(), inputs.by_topic)

    def _first(self) -> tuple[InputRevision, ReadFiles]:
        for _ in range(TRIES):
            found = read_files([self.path])
            if read_files([self.path]) == found:
                judged = self._judge(found)
                if isinstance(judged, RefusedInputs):
                    raise RuleFilesError("\n".join(judged.mistakes))
                return judged, found
            time.sleep(TRY_S)
        message = f"{self.path}: the file changes all the time: wait until it is whole"
        raise RuleFilesError(message)
