"""Watching rule files: a revision for each set that stays as it is, and every mistake of a bad one, once."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from streams.errors import RuleFilesError
from streams.rulebook.files import ReadFiles, read_rule_files, rule_files
from streams.rulebook.load import parse_contents
from streams.rulebook.reader import RulebookRefused
from streams.rulebook.revisions import RuleRevision

TRIES: Final = 50
"""Reads of files that keep changing before a worker that starts gives up."""
TRY_S: Final = 0.1
GIT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class RefusedRuleFiles:
    """Rule files that were refused."""

    mistakes: tuple[str, ...]


class RuleWatch:
    """Watches a rule file or folder; a set counts when two looks in a row find the same.

    Names and contents are compared, so it does not matter how they came: written, moved, or swapped as a
    whole behind a symbolic link. Files that are only touched make a revision too: somebody put them in place
    again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current, self._judged = self._first()
        self._seen = self._judged
        self._placed_at = self.current.placed_at

    def look(self) -> RuleRevision | RefusedRuleFiles | None:
        """Return what the files say where that is news: a set, or why it is refused."""
        found = read_rule_files([self.path])
        before, self._seen = self._seen, found
        if found != before:
            return None
        if found == self._judged:
            return self._touched()
        news = self._judge(found)
        if news is not None:
            self._judged = found
        return news

    def _touched(self) -> RuleRevision | None:
        """Return the revision again where its files were put in place again."""
        try:
            now = placed_at(self.path)
        except OSError:
            return None
        if now <= self._placed_at:
            return None
        self._placed_at = now
        accepted = not self._judged.mistakes and self._judged.contents == self._accepted.contents
        return replace(self.current, placed_at=now) if accepted else None

    def _judge(self, found: ReadFiles) -> RuleRevision | RefusedRuleFiles | None:
        """Return what was found as a revision or refusal; `None` if it is gone meanwhile."""
        try:
            if found.mistakes:
                raise RulebookRefused(found.mistakes)
            rulebook = parse_contents(found.contents)
        except RulebookRefused as refused:
            return RefusedRuleFiles(tuple(map(str, refused.mistakes)))
        try:
            placed = placed_at(self.path)
            names = {name: self._name(Path(name)) for name in found.contents}
        except OSError:
            return None
        texts = {names[name]: content.decode("utf-8-sig") for name, content in found.contents.items()}
        git = _revision(self.path)
        self._accepted, self._placed_at = found, placed
        self.current = RuleRevision(rulebook.rules, texts, placed, *git, rulebook.segment_rules)
        return self.current

    def _name(self, file: Path) -> str:
        """Return a file's name within the folder that is watched."""
        return file.name if file == self.path else str(file.relative_to(self.path))

    def _first(self) -> tuple[RuleRevision, ReadFiles]:
        for _ in range(TRIES):
            found = read_rule_files([self.path])
            judged = self._judge(found)
            if judged is not None and read_rule_files([self.path]) == found:
                if isinstance(judged, RefusedRuleFiles):
                    raise RuleFilesError("\n".join(judged.mistakes))
                return judged, found
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


def _revision(path: Path) -> tuple[str | None, str | None]:
    """Return revision and author of the last change there, where it lies in a git checkout."""
    folder = path if path.is_dir() else path.parent
    last = _git(folder, "log", "-1", "--format=%h%x09%an", "--", ".")
    if not last:
        return None, None
    revision, _, author = last.partition("\t")
    changed = _git(folder, "status", "--porcelain", "--", ".")
    return (f"{revision} and changes" if changed else revision), author or None


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
