"""Which files a rulebook is made of, and their contents: bounded, so that no file can fill the memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.rulebook.reader import Mistake
from streams.rulebook.yaml import MAX_BYTES

CASES: Final = "cases"
"""Folder beside rule files that holds their test cases, not rules."""
PLAYS: Final = "plays"
REASONS: Final = "reasons"
"""Files of these names beside the rules hold plays and reasons, not rules."""
ROUTES: Final = "routes"
PEOPLE: Final = "people"
INPUTS: Final = "inputs"
"""Files of these names beside the rules say who gets notices, who works at the desk and how foreign records
become events: no rulebook."""
MAX_FILES: Final = 1_000
MAX_TOTAL: Final = 10_000_000
"""Bytes of all files of a rulebook."""

Stamp = tuple[int, int, int]
"""When a file was changed last, its size and its number on the disk."""
Contents = Mapping[str, bytes]
"""What files hold, by path; of one that is too large no more than shows that it is."""


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """The contents of files, and why others could not be read."""

    contents: Contents
    mistakes: tuple[Mistake, ...] = ()


def yaml_files(folder: Path) -> list[Path]:
    """Return the YAML files in and under a folder, sorted; what is hidden is left out.

    Raises `OSError` where a folder cannot be read: its files must not be missed in silence.
    """

    def refuse(error: OSError) -> None:
        raise error

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if name.endswith((".yaml", ".yml"))]
    return sorted(path for path in found if not path.name.startswith(".") and path.is_file())


def is_of_rules(path: str | Path) -> bool:
    """Return whether a rulebook file holds rules, by its name."""
    return Path(path).stem not in (PLAYS, REASONS)


def rule_files(folder: Path) -> list[Path]:
    """Return the rulebook files in and under a folder, sorted, without what belongs to no rulebook."""
    found = yaml_files(folder)
    return [
        path
        for path in found
        if CASES not in path.relative_to(folder).parts and path.stem not in (ROUTES, PEOPLE, INPUTS)
    ]


def read_rule_files(paths: Sequence[Path]) -> ReadFiles:
    """Return the contents of the rulebook files that paths stand for: rules, plays and reasons."""
    files: list[Path] = []
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            if path.is_file():
                files.append(path)
            elif not path.is_dir():
                mistakes.append(Mistake(str(path), 0, 0, "there is no such file or folder"))
            elif found := rule_files(path):
                files += found
            else:
                message = "there is no rule file (*.yaml, *.yml) in this folder"
                mistakes.append(Mistake(str(path), 0, 0, message))
        except OSError as error:
            mistakes.append(unreadable(path, error))
    read = read_files(files)
    return ReadFiles(read.contents, (*mistakes, *read.mistakes))


def unreadable(path: Path, error: OSError) -> Mistake:
    """Return the mistake of a file or folder that cannot be read."""
    return Mistake(str(error.filename or path), 0, 0, f"cannot be read: {error.strerror or error}")


def read_files(files: Sequence[Path]) -> ReadFiles:
    """Return the contents of files, each read no further than a rulebook file may be long."""
    contents: dict[str, bytes] = {}
    mistakes: list[Mistake] = []
    total = 0
    for number, file in enumerate(dict.fromkeys(files)):
        if number == MAX_FILES or total > MAX_TOTAL:
            most = f"{MAX_FILES} files" if number == MAX_FILES else f"{MAX_TOTAL // 1_000_000} MB"
            mistakes.append(Mistake(str(file), 0, 0, f"a rulebook holds at most {most}; this is more"))
            break
        try:
            with file.open("rb") as opened:
                contents[str(file)] = opened.read(MAX_BYTES + 1)
        except OSError as error:
            mistakes.append(unreadable(file, error))
        else:
            total += len(contents[str(file)])
    return ReadFiles(contents, tuple(mistakes))


def stamp(path: Path) -> Stamp | None:
    """Return what tells one content of a file from another without reading it; `None` where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
