"""Watching rule files: an edition for each set that holds still, and every mistake of a bad one, once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.core.conditions.parser import Catalogue
from streams.errors import RuleFilesError
from streams.rulebook.files import RuleFilesRefused, load_rules, rule_files
from streams.rulebook.revisions import RuleRevision

TRIES: Final = 50
"""Looks at files that do not hold still before a worker that starts gives up."""
TRY_S: Final = 0.1
GIT_S: Final = 2.0

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class RefusedRuleFiles:
    """Rule files that were refused."""

    mistakes: tuple[str, ...]


class RuleWatch:
    """Looks at a rule file or folder; a set is taken when two looks in a row find the same.

    Names and contents are compared, so it does not matter how they came: written, moved, or swapped as a
    whole behind a symbolic link.
    """

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self.path = path
        self.catalogue = catalogue
        self.edition, self._judged = self._first()
        self._seen: Files | None = self._judged

    def look(self) -> RuleRevision | RefusedRuleFiles | None:
        """Return what the files say where that is news: a set, or why it is refused."""
        found = _contents(self.path)
        before, self._seen = self._seen, found
        if found is None or found == self._judged or found != before:
            return None
        news = self._judge(found)
        if news is not None:
            self._judged = found
        return news

    def _judge(self, found: Files) -> RuleRevision | RefusedRuleFiles | None:
        """Return what was found as an edition or refusal; `None` if it has changed meanwhile."""
        try:
            rules = load_rules([self.path], self.catalogue)
        except RuleFilesRefused as refused:
            said: RuleRevision | RefusedRuleFiles = RefusedRuleFiles(tuple(map(str, refused.mistakes)))
        else:
            texts = {name: content.decode("utf-8-sig") for name, content in found.items()}
            try:
                said = RuleRevision(rules, texts, placed_at(self.path), *_revision(self.path))
            except OSError:
                return None
        return said if _contents(self.path) == found else None

    def _first(self) -> tuple[RuleRevision, Files]:
        for _ in range(TRIES):
            found = _contents(self.path)
            said = self._judge(found) if found is not None else None
            if isinstance(said, RuleRevision):
                assert found is not None
                return said, found
            if isinstance(said, RefusedRuleFiles):
                load_rules([self.path], self.catalogue)  # to raise why
            time.sleep(TRY_S)
        message = f"{self.path}: the rule files change all the time: wait until they are all there"
        raise RuleFilesError(message)


def placed_at(path: Path) -> int:
    """Return when what lies at a path was put there, microseconds since the epoch.

    The change times of the files, their folders and the symbolic links on the way count: a link that is
    swapped to an old folder is news, and so is an old file that is moved here.
    """
    whole = path.absolute()
    links = {each for each in (whole, *whole.parents) if each.is_symlink()}
    files = set(rule_files(whole)) if whole.is_dir() else set()
    there = {whole, *links, *files, *(file.parent for file in files)}
    return max(max(each.lstat().st_ctime_ns, each.stat().st_ctime_ns) for each in there) // 1_000


def _contents(path: Path) -> Files | None:
    """Return the contents of all rule files by name; `None` if they are being changed."""
    try:
        if path.is_dir():
            return {str(file.relative_to(path)): file.read_bytes() for file in rule_files(path)}
        return {path.name: path.read_bytes()} if path.exists() else {}
    except OSError:
        return None


def _revision(path: Path) -> tuple[str | None, str | None]:
    """Return revision and author of the last change there, where it lies in a git checkout."""
    folder = path if path.is_dir() else path.parent
    said = _git(folder, "log", "-1", "--format=%h%x09%an", "--", ".")
    if not said:
        return None, None
    revision, _, author = said.partition("\t")
    changed = _git(folder, "status", "--porcelain", "--", ".")
    return (f"{revision} and changes" if changed else revision), author or None


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
