"""Rule sets by path or by git revision."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

from streams.errors import BacktestError
from streams.rulebook.load import Rulebook, load_rulebook
from streams.rulebook.reader import RulebookRefused


def rulebook_of(place: str, folder: Path) -> Rulebook:
    """Return the rulebook of a path, or of a revision: `REV` (with `folder` in it) or `REV:PATH`.

    A path that exists is a path. Raises `BacktestError` where there is no such path, revision or folder.
    """
    if Path(place).exists():
        return load_rulebook(Path(place))
    revision, colon, path = place.partition(":")
    root = _git(Path(), "rev-parse", "--show-toplevel")
    if root is None:
        msg = f"{place}: there is no such file or folder, and no git repository to look for a revision in"
        raise BacktestError(msg)
    top = Path(root.decode().strip())
    if _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") is None:
        msg = f"{place}: there is no such file or folder, and git knows no revision {revision!r}"
        raise BacktestError(msg)
    inside = path if colon else _from_top(folder, top)
    # Of a folder `archive` needs no more than its name; of nothing it makes an error.
    packed = _git(top, "archive", "--format=tar", f"{revision}^{{commit}}", "--", inside or ".")
    if packed is None:
        msg = f"{place}: revision {revision!r} has no {inside!r}"
        raise BacktestError(msg)
    with tempfile.TemporaryDirectory(prefix="lapwing-rules-") as made:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(made, filter="data")
        try:
            return load_rulebook(Path(made) / inside)
        except RulebookRefused as refused:
            raise RulebookRefused(
                [replace(m, path=f"{revision}:{Path(m.path).relative_to(made)}") for m in refused.mistakes]
            ) from None


def _from_top(folder: Path, top: Path) -> str:
    try:
        return folder.resolve().relative_to(top.resolve()).as_posix()
    except ValueError:
        msg = f"{folder}: lies outside the git repository {top}; name the folder: REVISION:PATH"
        raise BacktestError(msg) from None


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return git's output, or `None` where it refuses or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout
